package computenode

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
)

// feed is an inventory of compute nodes.
type feed struct {
	testing.TB
	wake chan struct{}

	mu      sync.Mutex
	state   *inventory.State
	touched map[string]struct{}
}

func newFeed(t testing.TB) *feed {
	return &feed{TB: t, wake: make(chan struct{}, 1), state: inventory.NewState(inventory.Static{}), touched: map[string]struct{}{}}
}

func (f *feed) Wake() <-chan struct{} { return f.wake }

func (f *feed) Take() (*inventory.State, []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	touched := slices.Sorted(maps.Keys(f.touched))
	clear(f.touched)
	return f.state.Snapshot(), touched
}

// everything is what a new subscription begins with.
func (f *feed) everything() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.state.Names() {
		f.touched[name] = struct{}{}
	}
}

// put makes a compute node one with a policy.
func (f *feed) put(name string, policy inventory.Liveness) {
	address := netip.AddrFrom4([4]byte{10, 1, name[len(name)-2], name[len(name)-1]})
	value, err := json.Marshal(inventory.ComputeNode{Name: name, Address: address, RouterID: address, Liveness: policy})
	if err != nil {
		f.Fatal(err)
	}
	f.change(inventory.Change{Key: "node/" + name, Value: value, Version: 1})
}

func (f *feed) remove(name string) { f.change(inventory.Change{Key: "node/" + name}) }

func (f *feed) change(c inventory.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	names, err := f.state.Apply(f.state.Revision()+1, []inventory.Change{c})
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		f.touched[name] = struct{}{}
	}
	signal(f.wake)
}
