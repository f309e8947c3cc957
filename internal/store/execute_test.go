package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// TestExecute checks that a caller sees its own change.
func TestExecute(t *testing.T) {
	w := seeded(t, openBolt(t))
	before := w.State()
	state := w.do(network(public), node(cmp1, "10.0.0.11"), allocate(web, "203.0.113.5"), associate(web, cmp1, "tap0"))
	f, ok := state.FloatingIP(web)
	if !ok || len(f.Associations) != 1 || uint64(f.Version) != state.Revision() {
		t.Errorf("at revision %d: got %+v", state.Revision(), f)
	}
	if _, ok := before.Network(public); ok {
		t.Error("an older state has changed")
	}
	if state := w.do(inventory.SeedGlobal{AS: 64512}); state.Revision() != w.State().Revision() {
		t.Errorf("nothing to commit: got revision %d, want %d", state.Revision(), w.State().Revision())
	}
}

// TestOneWinner lets many callers want one address, for many addresses.
func TestOneWinner(t *testing.T) {
	w := seeded(t, openBolt(t))
	w.do(network(public))
	const addresses, callers = 20, 8
	var mu sync.Mutex
	winners := map[string]string{}
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range addresses {
				address := fmt.Sprintf("203.0.113.%d", 1+i)
				name := fmt.Sprintf("projects/p/floatingIps/f%d-%d", i, caller)
				state, err := w.Execute(t.Context(), allocate(name, address))
				var refused *inventory.Error
				switch {
				case err == nil:
					if f, ok := state.FloatingIP(name); !ok || f.Address != addr(address) {
						t.Errorf("%s has won and is %+v", name, f)
					}
					mu.Lock()
					if other := winners[address]; other != "" {
						t.Errorf("%s belongs to %s and to %s", address, other, name)
					}
					winners[address] = name
					mu.Unlock()
				case !errors.As(err, &refused) || refused.Reason != inventory.ReasonAddressTaken:
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	wg.Wait()
	state := w.State()
	for i := range addresses {
		address := fmt.Sprintf("203.0.113.%d", 1+i)
		held, ok := state.Holder(public, addr(address))
		if !ok || held.Name != winners[address] {
			t.Errorf("%s is held by %+v, want %q", address, held, winners[address])
		}
	}
}

// TestEverybodyWins lets many callers need the same keys: the next network id,
// and the users of one interface. All of them succeed in the end.
func TestEverybodyWins(t *testing.T) {
	w := seeded(t, openBolt(t))
	w.do(network(public), node(cmp1, "10.0.0.11"))
	const each, callers = 5, 8
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range each {
				n := caller*each + i
				name := fmt.Sprint("projects/p/floatingIps/f", n)
				for _, c := range []inventory.Command{
					network(fmt.Sprint("projects/p/networks/n", n)),
					allocate(name, netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + n)}).String()),
					associate(name, cmp1, "tap0"),
				} {
					if _, err := w.Execute(t.Context(), c); err != nil {
						t.Errorf("%T %d: %v", c, n, err)
					}
				}
			}
		})
	}
	wg.Wait()
	state := w.State()
	for id := range uint16(each*callers + 1) {
		if _, ok := state.NetworkByID(id + 1); !ok {
			t.Errorf("nobody has the network id %d", id+1)
		}
	}
	users := 0
	for range state.FloatingIPsAt(cmp1) {
		users++
	}
	if users != each*callers {
		t.Errorf("%d floating IPs at %s, want %d", users, cmp1, each*callers)
	}
}

// TestReplanned lets somebody else's commit come between plan and commit.
func TestReplanned(t *testing.T) {
	s := &interposed{Store: openBolt(t)}
	w := seeded(t, s)
	w.do(network(public), node(cmp1, "10.0.0.11"), allocate(web, "203.0.113.5"), allocate(mail, "203.0.113.6"))
	other := func(c inventory.Command) func() { // a commit of somebody else
		return func() {
			mutations, err := inventory.Plan(w.State(), time.Now(), c)
			if err != nil {
				t.Error(err)
			}
			if _, err := s.Store.Commit(context.Background(), mutations); err != nil {
				t.Error(err)
			}
		}
	}
	// Twice in a row, and the third attempt is right.
	s.before = []func(){other(associate(mail, cmp1, "tap0")), other(inventory.Disassociate{Name: mail})}
	state := w.do(associate(web, cmp1, "tap0"))
	if f, _ := state.FloatingIP(web); len(f.Associations) != 1 {
		t.Errorf("got %+v", f)
	}
	// What has become wrong is refused by the new plan.
	s.before = []func(){other(associate(mail, cmp1, "tap0"))}
	_, err := w.Execute(t.Context(), inventory.Associate{Name: mail, Association: inventory.Association{
		ComputeNode: cmp1, Interface: "tap0", FixedIP: addr("10.47.0.1"), Label: 100}})
	var refused *inventory.Error
	if !errors.As(err, &refused) || refused.Reason != inventory.ReasonAssociated {
		t.Errorf("got %v, want it refused because of %s", err, inventory.ReasonAssociated)
	}
}

func TestExecuteErrors(t *testing.T) {
	s := &interposed{Store: openBolt(t)}
	w := seeded(t, s)
	w.do(network(public))
	revision := w.State().Revision()

	_, err := w.Execute(t.Context(), allocate(web, "198.51.100.1"))
	if refused, ok := err.(*inventory.Error); !ok || refused.Reason != inventory.ReasonOutsideSubnets {
		t.Errorf("refused: got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Execute(ended, allocate(web, "203.0.113.5")); !errors.Is(err, context.Canceled) || err.Error() != "commit: context canceled" {
		t.Errorf("ended context: got %v", err)
	}
	if got := w.State().Revision(); got != revision {
		t.Errorf("the revision has become %d, want %d", got, revision)
	}

	// A claim without a holder: the plan knows everything and is still refused.
	if _, err := s.Store.Commit(t.Context(), []inventory.Mutation{{Key: "addr/1/203.0.113.5", Value: []byte("nobody")}}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Execute(t.Context(), allocate(web, "203.0.113.5"))
	want := fmt.Sprintf("store is corrupt: conflict on addr/1/203.0.113.5 at revision %d: planned at revision %[1]d", revision+1)
	if !errors.Is(err, store.ErrCorrupt) || !errors.Is(err, store.ErrConflict) || err.Error() != want {
		t.Errorf("corrupt:\n got %v\nwant %s", err, want)
	}
	w.do(allocate(web, "203.0.113.6")) // others are not hurt

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Execute(t.Context(), allocate(mail, "203.0.113.7")); !errors.Is(err, store.ErrClosed) || err.Error() != "commit: store is closed" {
		t.Errorf("closed: got %v", err)
	}
	if err := w.runError(); !errors.Is(err, store.ErrClosed) || err.Error() != "follow store: store is closed" {
		t.Errorf("Run: got %v", err)
	}
}
