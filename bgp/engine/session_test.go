package engine

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/bgp/wire"
	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
)

// TestManySessions opens more sessions, one after the other, than the kernel
// has room for TCP MD5 keys on a listener. The last one works as the first.
func TestManySessions(t *testing.T) {
	e, err := Start(t.Context(), Config{AS: 64512, RouterID: netip.MustParseAddr("10.0.0.2"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Stop(context.Background())
	settings := neighbor.Settings{Name: "mx1", Address: netip.MustParseAddr("10.0.0.1"), Port: 179, AS: 64512, Families: neighbor.AllFamilies}
	other := settings
	other.Name, other.Address = "mx2", netip.MustParseAddr("10.0.0.3")
	stays, err := e.Open(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	addresses := map[netip.Addr]bool{}
	for i := range 3000 {
		link, err := e.Open(t.Context(), settings)
		if err != nil {
			t.Fatal(err)
		}
		addresses[link.Local] = true
		if link.Local == stays.Local {
			t.Fatal("two sessions have one address")
		}
		if i%1000 == 0 || i == 2999 {
			expectOpen(t, link)
		}
		e.Close(link)
	}
	if len(addresses) > 2 {
		t.Errorf("%d addresses were used for one session at a time", len(addresses))
	}
	expectOpen(t, stays)
	e.Close(stays)
}

// expectOpen connects as the wire does, and waits for the engine's OPEN.
func expectOpen(t *testing.T, link wire.Link) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	socket := lab.Socket{Key: link.Key, Peer: link.Engine.Addr()}
	err := lab.Poll(ctx, "the engine's OPEN", func(ctx context.Context) error {
		conn, err := socket.Dial(ctx, link.Local, link.Engine)
		if err != nil {
			return err
		}
		defer conn.Close()
		m, err := lab.ReadMessage(conn)
		if err == nil && m.Header.Type != bgp.BGP_MSG_OPEN {
			t.Errorf("the engine began with type %d", m.Header.Type)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
