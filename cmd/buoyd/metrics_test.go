package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// TestMetricsAddressInUse: the default address is left out with a warning; one that was
// named stops the start, and says what to do.
func TestMetricsAddressInUse(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	list := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort(busy.Addr().String())}
	var log output
	listeners, err := listenForMetrics(config.Metrics{Listen: list}, slog.New(slog.NewTextHandler(&log, nil)))
	if len(listeners) > 0 || err != nil || !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), busy.Addr().String()) {
		t.Errorf("got %v, %v\n%s", listeners, err, log.String())
	}

	h := newHome(t)
	o := buoyd(t, nil, "--config", h.config(t, 64512), "--metrics-listen", busy.Addr().String())
	if want := "metrics.listen: listen tcp " + busy.Addr().String() + ": bind: address already in use; choose another address, or none"; o.status != 1 || !strings.Contains(o.stderr, want) {
		t.Errorf("got %d\n%s\nwant %s", o.status, o.stderr, want)
	}
}

// TestMetricsAddress: the ready line names where the metrics are, and stopping the daemon
// does not wait for who reads them.
func TestMetricsAddress(t *testing.T) {
	h := newHome(t)
	d := launch(t, "--config", h.config(t, 64512), "--metrics-listen", "127.0.0.1:0", "--store-path", filepath.Join(h.dir, "m.db"))
	conn := dial(t, "unix://"+h.socket())
	conn.Close()
	o, took := d.stop(t)
	if o.status != 0 || !strings.Contains(o.stderr, "metrics=[127.0.0.1:") || took > patience/2 {
		t.Errorf("got %d after %s\n%s", o.status, took, o.stderr)
	}
}

// slow is a store whose commits take a while.
type slow struct {
	store.Store
	err error
}

func (s slow) Commit(context.Context, []inventory.Mutation, ...history.Step) (uint64, error) {
	time.Sleep(2 * time.Millisecond)
	return 7, s.err
}

func TestTimedStore(t *testing.T) {
	for _, want := range []error{nil, errors.New("disk"), &store.ConflictError{Key: "k"}} {
		told := 0
		s := timedStore{slow{err: want}, func(took time.Duration, err, conflict error) {
			told++
			if took < 2*time.Millisecond || err != want || conflict != store.ErrConflict {
				t.Errorf("told %v, %v, %v", took, err, conflict)
			}
		}}
		if revision, err := s.Commit(t.Context(), nil); revision != 7 || err != want || told != 1 {
			t.Errorf("got %d, %v, told %d times", revision, err, told)
		}
	}
}
