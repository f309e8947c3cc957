package bgp

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/buoynet/buoy/bgp/contract"
	"github.com/buoynet/buoy/internal/lab"
)

// TestContract: the speaker is what the rest of Buoy relies on.
func TestContract(t *testing.T) {
	contract.Run(t, func(t *testing.T, c contract.Config) contract.Speaker {
		s, err := Start(t.Context(), Config{
			AS: c.AS, RouterID: c.RouterID, Listen: []string{c.Listen.String()}, LastRun: c.LastRun, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

// TestStartRefused: an address that cannot be listened on is an error that says
// what to do.
func TestStartRefused(t *testing.T) {
	net, err := lab.NewLoopback()
	if err != nil {
		t.Fatal(err)
	}
	taken, err := lab.Socket{}.Listen(context.Background(), net.Host(1))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		net.Host(1).String(): "listen on " + net.Host(1).String() + ": address already in use; another BGP speaker runs there",
		"192.0.2.1:17900":    "listen on 192.0.2.1:17900: cannot assign requested address; no interface of this machine has the address",
		"nowhere":            "listen on nowhere: expected an address and a port",
	} {
		s, err := Start(t.Context(), Config{
			AS: as, RouterID: netip.MustParseAddr("10.0.0.2"), Listen: []string{address}, Logger: slog.New(slog.DiscardHandler),
		})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Start on %s: %v, %v; want %s", address, s, err, want)
		}
	}
}
