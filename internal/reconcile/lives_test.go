package reconcile

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"

	"github.com/buoynet/buoy/internal/inventory"
)

// lives is what lives, as the test says. A compute node that it says nothing of is
// up, and so are its interfaces.
type lives struct {
	wake chan struct{}

	mu         sync.Mutex
	nodes      map[string]inventory.NodeState
	interfaces map[inventory.Place]inventory.InterfaceLife
	told       map[inventory.Place]bool
	programmed map[string]uint64 // the revision, by the nodes that say it
}

func newLives() *lives {
	return &lives{wake: make(chan struct{}, 1), nodes: map[string]inventory.NodeState{},
		interfaces: map[inventory.Place]inventory.InterfaceLife{}, told: map[inventory.Place]bool{}, programmed: map[string]uint64{}}
}

func (l *lives) Wake() <-chan struct{} { return l.wake }

func (l *lives) Take() (inventory.Living, []inventory.Place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var places []inventory.Place
	for p := range l.told {
		places = append(places, p)
	}
	clear(l.told)
	return &lives{nodes: maps.Clone(l.nodes), interfaces: maps.Clone(l.interfaces)}, places
}

func (l *lives) Behind(node string, revision uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	has, says := l.programmed[node]
	return says && has < revision
}

// has says what a compute node has programmed.
func (l *lives) has(node string, revision uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.programmed[node] = revision
	l.poke()
}

// silent makes a compute node one of those that do not say it.
func (l *lives) silent(node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.programmed, node)
	l.poke()
}

func (l *lives) Node(name string) inventory.NodeLife {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state, ok := l.nodes[name]; ok {
		return inventory.NodeLife{State: state}
	}
	return inventory.NodeLife{State: inventory.NodeUp}
}

func (l *lives) Interface(node, name string) inventory.InterfaceLife {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i, ok := l.interfaces[inventory.Place{ComputeNode: node, Interface: name}]; ok {
		return i
	}
	return inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: inventory.InterfaceUp}}
}

// node says how a compute node is.
func (l *lives) node(name string, state inventory.NodeState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nodes[name] = state
	l.tell(inventory.Place{ComputeNode: name})
}

// is says how an interface is.
func (l *lives) is(node, name string, state inventory.InterfaceState, preference inventory.Preference) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := inventory.Place{ComputeNode: node, Interface: name}
	l.interfaces[p] = inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: state, Preference: preference}}
	l.tell(p)
}

func (l *lives) tell(p inventory.Place) {
	l.told[p] = true
	l.poke()
}

func (l *lives) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// change changes something at random, over the names of command.
func (l *lives) change(g *rand.Rand) {
	node := fmt.Sprint("computeNodes/cmp", 1+g.IntN(3))
	if g.IntN(5) == 0 {
		l.node(node, inventory.NodeState(g.IntN(3)))
		return
	}
	// Labels of Buoy's make tap0 of those that have none.
	l.is(node, fmt.Sprint("tap", []int{0, 16, 17, 18, 19, 20, 21}[g.IntN(7)]), inventory.InterfaceState(g.IntN(4)), inventory.Preference(g.IntN(3)))
}
