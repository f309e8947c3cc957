package programme

import (
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/ring"
	"github.com/buoynet/buoy/vrf"
)

// Inventory is where the resources are.
type Inventory interface {
	State() *inventory.State
	// ShownSince returns what looks different since a revision, and the newest state.
	// It reports false for a revision that is too old, or not of this store. The
	// channel is closed at the next commit.
	ShownSince(revision uint64) (list []inventory.Shown, state *inventory.State, more <-chan struct{}, ok bool)
}

// Routes are what the networks import of what gateways announce, and a log of what has
// changed in it.
type Routes interface {
	Tables() vrf.Tables
	// End returns the position behind the last change. Tables that are read after it
	// show at least what came before it.
	End() ring.Position
	// Behind returns which destinations have changed behind a position, each once, as
	// far as they are wanted and at most so many, and the position behind what it has
	// looked at. It waits for nothing: more is closed when there is another change. It
	// reports false for a position that is too old, or of another run of the daemon.
	Behind(p ring.Position, most int, wanted func(vrf uint16) bool) (changed []vrf.Destination, end ring.Position, more <-chan struct{}, ok bool)
}
