package api

import (
	"maps"
	"slices"
	"sync"

	"github.com/buoynet/buoy/internal/inventory"
)

// fakeLife is what lives, as a test says. Until it says something, everybody vouches.
type fakeLife struct {
	mu         sync.Mutex
	nodes      map[string]inventory.NodeLife // nil until the test says something
	interfaces map[inventory.Place]inventory.InterfaceLife
	count      uint64
	changed    chan struct{}
}

func newFakeLife() *fakeLife {
	return &fakeLife{interfaces: map[inventory.Place]inventory.InterfaceLife{}, changed: make(chan struct{})}
}

func (l *fakeLife) Living() inventory.Living {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes == nil {
		return nil
	}
	return fakeLiving{maps.Clone(l.nodes), maps.Clone(l.interfaces)}
}

func (l *fakeLife) Interfaces(node string) (list []inventory.InterfaceLife) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p, i := range l.interfaces {
		if p.ComputeNode == node {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b inventory.InterfaceLife) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

func (l *fakeLife) Changed() (uint64, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count, l.changed
}

// node says how the stream of a compute node is.
func (l *fakeLife) node(name string, life inventory.NodeLife) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes == nil {
		l.nodes = map[string]inventory.NodeLife{}
	}
	l.nodes[name] = life
	l.tell()
}

// is says how an interface is.
func (l *fakeLife) is(node string, i inventory.InterfaceLife) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.interfaces[inventory.Place{ComputeNode: node, Interface: i.Name}] = i
	l.tell()
}

func (l *fakeLife) tell() {
	l.count++
	close(l.changed)
	l.changed = make(chan struct{})
}

type fakeLiving struct {
	nodes      map[string]inventory.NodeLife
	interfaces map[inventory.Place]inventory.InterfaceLife
}

func (l fakeLiving) Node(name string) inventory.NodeLife { return l.nodes[name] }
func (l fakeLiving) Interface(node, name string) inventory.InterfaceLife {
	return l.interfaces[inventory.Place{ComputeNode: node, Interface: name}]
}

// reported is an interface in a state.
func reported(name string, state inventory.InterfaceState, reason string) inventory.InterfaceLife {
	return inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{Name: name, State: state, Reason: reason}, Since: taken}
}
