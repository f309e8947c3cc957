package contract

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

const (
	ourAS    = 64512
	patience = 20 * time.Second // before a clause gives up
)

// world is a network with a speaker on its first host, perhaps another one on
// the next, and routers on others.
type world struct {
	*testing.T
	running
	second    running
	net       lab.Loopback
	lastRun   time.Time // of an earlier speaker
	routers   byte      // how many there were
	neighbors []neighbor.Settings
}

// running is a speaker whose Run runs.
type running struct {
	Speaker
	stop func() // ends Run and waits for it
}

func newWorld(t *testing.T, start Start, c clause) *world {
	t.Helper()
	net, err := lab.NewLoopback()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, net: net}
	w.labelled()
	if c.after > 0 {
		w.lastRun = time.Now().Add(-c.after)
	}
	if w.running = w.run(start, 1); c.speakers > 1 {
		w.second = w.run(start, 2)
	}
	return w
}

// ourID is the router id of the speaker on a host. Those of the routers are
// lower, and as unique.
func ourID(host byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 255, host}) }

// run runs a speaker on a host until the test ends.
func (w *world) run(start Start, host byte) running {
	w.Helper()
	s := start(w.T, Config{AS: ourAS, RouterID: ourID(host), Listen: w.net.Host(host), LastRun: w.lastRun})
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ran:
			if err != nil {
				w.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			w.Errorf("Run does not return")
		}
	})
	w.Cleanup(stop)
	return running{s, stop}
}

// eventually polls until there is no error.
func (w *world) eventually(what string, condition func() error) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	if err := lab.Poll(ctx, what, func(context.Context) error { return condition() }); err != nil {
		w.Fatal(err)
	}
}

// must ends the test on an error.
func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) advertise(routes ...vrf.Route) {
	w.Helper()
	w.must(w.Advertise(w.Context(), routes))
}

func (w *world) withdraw(routes ...vrf.Route) {
	w.Helper()
	w.must(w.Withdraw(w.Context(), routes))
}

// tell makes these the neighbors.
func (w *world) tell(list ...neighbor.Settings) {
	w.Helper()
	w.neighbors = list
	w.must(w.SetNeighbors(w.Context(), list))
}

// await waits for what is seen of a neighbor's session.
func (r running) await(w *world, name, what string, ok func(neighbor.Status) bool) (seen neighbor.Status) {
	w.Helper()
	w.eventually(what, func() error {
		for _, s := range r.Neighbors() {
			if s.Settings.Name == name {
				if seen = s; ok(s) {
					return nil
				}
				return fmt.Errorf("%s is %s: %s", name, s.State, s.Reason)
			}
		}
		return fmt.Errorf("there is no %s", name)
	})
	return seen
}

func isEstablished(s neighbor.Status) bool { return s.State == neighbor.Established }
