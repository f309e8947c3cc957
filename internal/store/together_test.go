package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// counted is a store that counts the commits.
type counted struct {
	store.Store
	commits atomic.Int32
}

func (s *counted) Commit(ctx context.Context, mutations []inventory.Mutation, steps ...history.Step) (uint64, error) {
	s.commits.Add(1)
	return s.Store.Commit(ctx, mutations, steps...)
}

// outcome is what Execute answered.
type outcome struct {
	state *inventory.State
	err   error
}

// together executes commands that wait at the same time, in the given order. It
// returns their outcomes and how many commits it took.
func together(w *world, bolt store.Store, contexts []context.Context, commands []inventory.Command) ([]outcome, int32) {
	w.Helper()
	s := &counted{Store: bolt}
	second := follow(w.TB, s)
	<-second.Ready()
	release := second.Hold()
	outcomes := make([]outcome, len(commands))
	var running sync.WaitGroup
	for i, c := range commands {
		running.Go(func() {
			outcomes[i].state, outcomes[i].err = second.Execute(contexts[i%len(contexts)], c)
		})
		for second.Queued() == i { // in order
			runtime.Gosched()
		}
	}
	release()
	running.Wait()
	return outcomes, s.commits.Load()
}

func nextFree(i int) inventory.Command {
	return inventory.Allocate{Name: fmt.Sprint("projects/p/floatingIps/f", i), Network: public}
}

// TestShared lets callers want the next free address at the same time. Each
// gets one of its own, and all of them share a commit. Those that come too late
// are told that nothing is left.
func TestShared(t *testing.T) {
	bolt := openBolt(t)
	w := seeded(t, bolt)
	w.do(inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/26")}}})
	const callers, addresses = 70, 62
	var commands []inventory.Command
	for i := range callers {
		commands = append(commands, nextFree(i))
	}
	outcomes, commits := together(w, bolt, []context.Context{t.Context()}, commands)
	if commits != 1 {
		t.Errorf("%d commits, want 1", commits)
	}
	for i, o := range outcomes {
		var refused *inventory.Error
		switch {
		case i >= addresses:
			if !errors.As(o.err, &refused) || refused.Reason != inventory.ReasonNetExhausted {
				t.Errorf("caller %d: got %v, want it refused because of %s", i, o.err, inventory.ReasonNetExhausted)
			}
		case o.err != nil:
			t.Errorf("caller %d: %v", i, o.err)
		default:
			f, _ := o.state.FloatingIP(fmt.Sprint("projects/p/floatingIps/f", i))
			if want := netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + i)}); f == nil || f.Address != want {
				t.Errorf("caller %d has %+v, want %s", i, f, want)
			}
		}
	}
}

// TestLastAddress lets callers race for the last address, as they come.
func TestLastAddress(t *testing.T) {
	for range 20 {
		w := seeded(t, openBolt(t))
		w.do(inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}}})
		var mu sync.Mutex
		winners := 0
		var running sync.WaitGroup
		for i := range 8 {
			running.Go(func() {
				_, err := w.Execute(t.Context(), nextFree(i))
				var refused *inventory.Error
				switch {
				case err == nil:
					mu.Lock()
					winners++
					mu.Unlock()
				case !errors.As(err, &refused) || refused.Code != inventory.ResourceExhausted:
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		running.Wait()
		if winners != 1 {
			t.Fatalf("%d callers got the last address", winners)
		}
	}
}

// TestSharedWithOthers checks that a command does not suffer from those that it
// shares a commit with.
func TestSharedWithOthers(t *testing.T) {
	bolt := openBolt(t)
	w := seeded(t, bolt)
	w.do(network(public), node(cmp1, "10.0.0.11"))
	// A claim without a holder: a store that contradicts itself.
	if _, err := bolt.Commit(t.Context(), []inventory.Mutation{{Key: "addr/1/203.0.113.50", Value: []byte("nobody")}}); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	outcomes, commits := together(w, bolt,
		[]context.Context{t.Context(), t.Context(), t.Context(), ended, t.Context()},
		[]inventory.Command{
			allocate(web, "203.0.113.5"),
			allocate(mail, "203.0.113.50"),                      // in conflict for good
			allocate(web, "203.0.113.6"),                        // exists
			allocate("projects/p/floatingIps/x", "203.0.113.7"), // nobody waits for it
			associate(web, cmp1, "tap0"),
		})
	var refused *inventory.Error
	if o := outcomes[0]; o.err != nil {
		t.Errorf("the first one: %v", o.err)
	}
	if o := outcomes[1]; !errors.Is(o.err, store.ErrCorrupt) {
		t.Errorf("in conflict: got %v", o.err)
	}
	if o := outcomes[2]; !errors.As(o.err, &refused) || refused.Reason != inventory.ReasonExists {
		t.Errorf("exists: got %v", o.err)
	}
	if o := outcomes[3]; !errors.Is(o.err, context.Canceled) {
		t.Errorf("nobody waits: got %v", o.err)
	}
	if o := outcomes[4]; o.err != nil {
		t.Errorf("the last one: %v", o.err)
	} else if f, _ := o.state.FloatingIP(web); len(f.Associations) != 1 {
		t.Errorf("the last one does not see its change: %+v", f)
	}
	if commits < 2 {
		t.Errorf("%d commits; the one at fault was not looked for", commits)
	}
	if _, ok := w.State().FloatingIP("projects/p/floatingIps/x"); ok {
		t.Error("what nobody waits for was carried out")
	}
}

// TestFailedTogether lets a commit fail. What was refused because of it is not
// told as if it had been committed.
func TestFailedTogether(t *testing.T) {
	bolt := openBolt(t)
	w := seeded(t, bolt)
	w.do(network(public))
	failing := &interposed{Store: bolt, before: []func(){func() { bolt.Close() }}}
	outcomes, _ := together(w, failing, []context.Context{t.Context()}, []inventory.Command{
		allocate(mail, "198.51.100.1"), // refused whatever happens
		allocate(web, "203.0.113.5"),
		allocate(mail, "203.0.113.5"), // refused only if the one before happens
	})
	var refused *inventory.Error
	if !errors.As(outcomes[0].err, &refused) {
		t.Errorf("refused: got %v", outcomes[0].err)
	}
	for _, o := range outcomes[1:] {
		if !errors.Is(o.err, store.ErrClosed) {
			t.Errorf("got %v, want %v", o.err, store.ErrClosed)
		}
	}
}

// TestOtherWriter: somebody else's commit comes before that of two callers who
// want the last two addresses. Nobody is told that there is none on a state that
// never was.
func TestOtherWriter(t *testing.T) {
	bolt := openBolt(t)
	w := seeded(t, bolt)
	w.do(inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.6/31")}}},
		allocate(web, "203.0.113.7"))
	other := follow(t, bolt)
	<-other.Ready()
	s := &interposed{Store: bolt, before: []func(){func() { other.do(inventory.Release{Name: web}) }}}
	outcomes, _ := together(w, s, []context.Context{t.Context()}, []inventory.Command{nextFree(0), nextFree(1)})
	for i, o := range outcomes {
		if o.err != nil {
			t.Errorf("caller %d: %v", i, o.err)
		}
	}
}

// TestEnded: who executes a command after the follower has ended is told so.
func TestEnded(t *testing.T) {
	w := seeded(t, openBolt(t))
	w.stop()
	if _, err := w.Execute(t.Context(), network(public)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
