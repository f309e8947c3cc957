package computenode

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// Feed tells which resources changed.
type Feed interface {
	Wake() <-chan struct{}
	Take() (*inventory.State, []string)
}

// Clock says what time it is, and how long it has run: that goes on when the time is
// set.
type Clock func() (wall time.Time, elapsed time.Duration)

// SystemClock is the clock of the machine.
func SystemClock() Clock {
	began := time.Now()
	return func() (time.Time, time.Duration) {
		now := time.Now()
		return now.Round(0), now.Sub(began)
	}
}

// Config is what Nodes needs.
type Config struct {
	Inventory Feed
	Notes     Notes
	Clock     Clock
	Logger    *slog.Logger
	// Turned is told of interfaces in other states, and how many there are beside
	// them; it may be nil. It must not wait.
	Turned func(list []Turn, more int)
}

// Nodes knows which compute nodes and interfaces live. Its methods may be called
// concurrently.
type Nodes struct {
	feed  Feed
	notes Notes
	clock Clock
	log   *slog.Logger
	tell  func([]Turn, int)

	wake  chan struct{} // holds a token when places count otherwise
	dirty chan struct{} // holds a token when notes are out of date

	mu       sync.Mutex
	core     core
	sessions map[*node]*Session
	frozen   bool
	advanced chan struct{} // closed when something looks different
	told     uint64        // core.count when it was closed last

	snapshot   *living
	snapshotOf uint64 // core.count
}

// New returns what the notes say, for the compute nodes that the inventory has.
func New(cfg Config) (*Nodes, error) {
	n := &Nodes{
		feed:     cfg.Inventory,
		notes:    cfg.Notes,
		clock:    cfg.Clock,
		log:      cfg.Logger,
		tell:     cfg.Turned,
		wake:     make(chan struct{}, 1),
		dirty:    make(chan struct{}, 1),
		core:     newCore(),
		sessions: map[*node]*Session{},
		advanced: make(chan struct{}),
	}
	notes, err := n.notes.LoadNotes()
	if err != nil {
		return nil, fmt.Errorf("load the notes on compute nodes: %w", err)
	}
	now := n.lock()
	defer n.unlock()
	n.followLocked(now)
	n.restoreLocked(now, notes)
	return n, nil
}

// lock reads the clock, too: what happens later is not earlier.
func (n *Nodes) lock() moment {
	n.mu.Lock()
	wall, elapsed := n.clock()
	return moment{wall, elapsed}
}

// unlock tells everybody what has changed since lock.
func (n *Nodes) unlock() {
	if len(n.core.places) > 0 {
		signal(n.wake)
	}
	if len(n.core.unnoted) > 0 {
		signal(n.dirty)
	}
	if n.told != n.core.count {
		n.told = n.core.count
		close(n.advanced)
		n.advanced = make(chan struct{})
	}
	began, turned, more := n.core.began, n.core.turned, n.core.more
	n.core.began, n.core.turned, n.core.more = nil, nil, 0
	n.mu.Unlock()
	if len(turned) > 0 && n.tell != nil {
		n.tell(turned, more)
	}
	for _, l := range began {
		n.log.Info(texts[l.State], "compute_node", l.node, "address", l.Address, "agent", l.Agent, "reason", l.Reason)
	}
}

var texts = map[inventory.NodeState]string{
	inventory.NodeUp:    "a compute node has a stream",
	inventory.NodeStale: "the stream of a compute node is lost; its routes are kept for now",
	inventory.NodeDown:  "a compute node is down",
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// followLocked takes over what the inventory says of compute nodes.
func (n *Nodes) followLocked(now moment) {
	state, touched := n.feed.Take()
	for _, name := range touched {
		if inventory.KindOf(name) != inventory.KindComputeNode {
			continue
		}
		if has, ok := state.ComputeNode(name); ok {
			n.core.have(now, name, has.Liveness)
		} else if gone, ok := n.core.nodes[name]; ok {
			n.endLocked(gone, ErrDeleted)
			n.core.remove(gone)
		}
	}
}

// follow takes over what the inventory says.
func (n *Nodes) follow() {
	now := n.lock()
	defer n.unlock()
	if !n.frozen {
		n.followLocked(now)
	}
}

// tick does what has become due. When it comes late, streams are excused for so long.
func (n *Nodes) tick(late time.Duration) {
	now := n.lock()
	defer n.unlock()
	if n.frozen {
		return
	}
	if late > 0 {
		n.core.excuse(now, late)
	}
	for _, silent := range n.core.tick(now) {
		n.endLocked(silent, fmt.Errorf("%w for %s", ErrSilent, silent.hold()))
	}
}

// next is how long nothing happens by itself.
func (n *Nodes) next() time.Duration {
	now := n.lock()
	defer n.unlock()
	if next := n.core.next(); next != never {
		return max(next-now.mono, 0)
	}
	return never
}

// Freeze makes everything stay as it is: streams end because this daemon does, and
// that says nothing of the compute nodes.
func (n *Nodes) Freeze() {
	n.lock()
	defer n.unlock()
	n.frozen = true
}
