package ribin

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/buoynet/buoy/vrf"
)

// Local is what a speaker knows its own routes by.
type Local struct {
	AS       uint32
	RouterID netip.Addr
}

// Table is the Adj-RIBs-In of all neighbors, and which of them have changed. Its
// methods may be called concurrently.
type Table struct {
	local Local
	wake  chan struct{} // holds a token when changed is not empty

	mu      sync.Mutex // taken last
	changed map[*In]struct{}
}

// NewTable returns one without neighbors.
func NewTable(local Local) *Table {
	return &Table{local: local, wake: make(chan struct{}, 1), changed: map[*In]struct{}{}}
}

// Wake delivers when there is something to take.
func (t *Table) Wake() <-chan struct{} { return t.wake }

// Take returns what has changed since the last call. Changes that were not taken
// yet are merged: who is slow costs no more than what there is.
func (t *Table) Take() []vrf.Update {
	t.mu.Lock()
	changed := t.changed
	t.changed = map[*In]struct{}{}
	t.mu.Unlock()
	updates := make([]vrf.Update, 0, len(changed))
	for in := range changed {
		updates = append(updates, in.take())
	}
	// Another neighbor may have come to the address of one that is no more: its
	// routes take the places of the old ones, so those go first.
	slices.SortStableFunc(updates, func(a, b vrf.Update) int {
		switch {
		case a.Gone == b.Gone:
			return 0
		case a.Gone:
			return -1
		default:
			return 1
		}
	})
	return updates
}

func (t *Table) mark(in *In) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed[in] = struct{}{}
	select {
	case t.wake <- struct{}{}:
	default:
	}
}
