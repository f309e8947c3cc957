package ribout

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Table is the routes that should be advertised, and the Outs that they are
// sent through. Its methods, and those of its Outs, may be called concurrently;
// mu guards all of it.
type Table struct {
	mu         sync.Mutex
	slots      []slot
	index      index    // of the slots in use
	free       []uint32 // slots that nobody knows any more
	groups     []*group // of all Outs
	changes    changes
	committed  time.Time                  // see SetCommitted
	behind     int                        // how far a member of a group may be behind at least, in bytes; see shed
	networks   map[uint16]routetarget.Set // see Declare
	attributes attributesTable
	membership routetarget.Set // see SetMembership
	progress   progress
}

// slot holds one route. It stays the same route's until no neighbor has it any
// more.
type slot struct {
	key
	label  vrf.Label
	attrs  attributesID // 0: it should not be advertised
	known  uint32       // how many groups have it
	logged uint32       // the position of its newest entry in changes; its lower half
}

// NewTable returns an empty table.
func NewTable() *Table {
	return &Table{index: newIndex(), changes: changes{least: minLog}, behind: minBehind, attributes: newAttributesTable()}
}

// Advertise adds routes, or replaces those with the same keys. When one of them
// cannot be sent, none is taken.
func (t *Table) Advertise(routes []vrf.Route) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range routes {
		err := check(&routes[i])
		if err == nil {
			err = t.checkDeclared(&routes[i])
		}
		if err != nil {
			return fmt.Errorf("advertise %s: %w", routes[i].Key, err)
		}
	}
	for i := range routes {
		t.advertise(&routes[i])
	}
	t.wake()
	return nil
}

func (t *Table) advertise(r *vrf.Route) {
	id := t.attributes.take(r) // before the old ones go: they may be the same
	k := keyOf(r.Key)
	n, ok := t.index.find(t.slots, k)
	if !ok {
		n = t.newSlot(k)
	}
	s := &t.slots[n]
	t.attributes.drop(s.attrs)
	if s.attrs == id && s.label == r.Label {
		return
	}
	s.attrs, s.label = id, r.Label
	t.changed(n)
}

// newSlot returns a slot for a route.
func (t *Table) newSlot(k key) (n uint32) {
	if last := len(t.free) - 1; last >= 0 {
		n, t.free = t.free[last], t.free[:last]
	} else {
		n = uint32(len(t.slots))
		t.slots = append(t.slots, slot{})
	}
	t.slots[n] = slot{key: k}
	t.index.add(k, n)
	return n
}

// Withdraw removes routes. What is not there is left out.
func (t *Table) Withdraw(routes []vrf.Route) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range routes {
		n, ok := t.index.find(t.slots, keyOf(routes[i].Key))
		if !ok || t.slots[n].attrs == 0 {
			continue
		}
		t.withdraw(n)
	}
	t.wake()
}

func (t *Table) withdraw(n uint32) {
	t.attributes.drop(t.slots[n].attrs)
	t.slots[n].attrs = 0
	t.changed(n)
	t.release(n)
}

// WithdrawAll removes every route.
func (t *Table) WithdrawAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.committed = time.Time{} // nobody has committed it
	for n := range t.slots {
		if t.slots[n].attrs != 0 {
			t.withdraw(uint32(n))
		}
	}
	t.wake()
}

// Idle reports whether every neighbor has been sent what it should have.
func (t *Table) Idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !slices.ContainsFunc(t.groups, func(g *group) bool { return slices.ContainsFunc(g.members, (*Out).pending) })
}

// release frees a slot that is neither wanted nor known to a neighbor.
func (t *Table) release(n uint32) {
	if s := &t.slots[n]; s.attrs == 0 && s.known == 0 {
		t.index.remove(s.key, n)
		t.free = append(t.free, n)
	}
}

func (t *Table) wake() {
	for _, g := range t.groups {
		for _, o := range g.members {
			if o.pending() {
				o.signal()
			}
		}
	}
}

// Declare says which networks there are, by their ids, and which targets their
// routes carry. From then on Advertise takes no other route: whatever goes
// wrong on the way to this table, nothing else leaves. It does not touch what
// is advertised already.
func (t *Table) Declare(networks map[uint16]routetarget.Set) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.networks = networks
}

// checkDeclared compares a route with the network that its distinguisher
// names.
func (t *Table) checkDeclared(r *vrf.Route) error {
	if t.networks == nil {
		return nil
	}
	id := vrf.NetworkID(r.RD)
	switch targets, ok := t.networks[id]; {
	case !ok:
		return fmt.Errorf("there is no network %d", id)
	case targets != r.Targets:
		return fmt.Errorf("expected the targets of network %d, %s, got %s", id, targets, r.Targets)
	}
	return nil
}

// Sessions returns the number of sessions that routes are sent in.
func (t *Table) Sessions() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, g := range t.groups {
		n += len(g.members)
	}
	return n
}

// check refuses a route that no UPDATE can carry, or that is none of ours.
func check(r *vrf.Route) error {
	switch {
	case r.Prefix.Bits() != r.Prefix.Addr().BitLen() || r.Prefix.Addr().Is4In6():
		return fmt.Errorf("expected a host route, got %s", r.Prefix)
	case r.Label < vrf.MinLabel || r.Label > vrf.MaxLabel:
		return fmt.Errorf("expected a label %d..%d, got %d", vrf.MinLabel, vrf.MaxLabel, r.Label)
	case !r.NextHop.IsValid() || r.NextHop.Is4In6():
		return fmt.Errorf("expected a next hop")
	case r.Targets.Len() == 0:
		return fmt.Errorf("expected a route target")
	}
	if size := communitiesSize(r.Targets, r.Encapsulations); size > maxCommunities {
		return fmt.Errorf("its attributes need more than %d bytes, which do not fit into one UPDATE", maxCommunities)
	}
	return nil
}
