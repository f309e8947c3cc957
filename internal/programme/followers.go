package programme

import (
	"context"
	"math"
	"sync"

	"github.com/buoynet/buoy/internal/inventory"
)

// Followers are the followers of all compute nodes. Its methods may be called
// concurrently.
type Followers struct {
	inventory Inventory
	routes    Routes
	complete  <-chan struct{} // closed when the gateways' routes are complete
	shared    *shared

	mu        sync.Mutex
	all       group
	byNode    map[string]group // by name of the compute node
	byNetwork map[uint16]group // by id of a network that the node is told routes of
}

type group map[*Follower]struct{}

// NewFollowers returns those of no node yet. Complete is closed when the gateways'
// routes are complete.
func NewFollowers(inv Inventory, routes Routes, complete <-chan struct{}) *Followers {
	return &Followers{
		inventory: inv,
		routes:    routes,
		complete:  complete,
		shared:    newShared(),
		all:       group{},
		byNode:    map[string]group{},
		byNetwork: map[uint16]group{},
	}
}

// Run wakes the followers that a change concerns, until the context ends.
func (fs *Followers) Run(ctx context.Context) error {
	at, last := fs.routes.End(), fs.inventory.State()
	fs.wakeAll() // somebody may have waited since before this
	complete := fs.complete
	for passed := uint64(0); ; {
		shown, state, moreShown, ok := fs.inventory.ShownSince(last.Revision())
		touched := map[uint16]bool{}
		_, end, moreRoutes, also := fs.routes.Behind(at, math.MaxInt, func(vrf uint16) bool {
			touched[vrf] = true
			return false
		})
		if !also {
			end = fs.routes.End()
		}
		passed += end.Next - at.Next + uint64(len(shown))
		if !ok || !also || passed >= farBehind/2 {
			passed = 0
			fs.wakeAll()
		} else {
			fs.wakeFor(last, state, shown, touched)
		}
		at, last = end, state
		shown, state = nil, nil
		select {
		case <-moreShown:
		case <-moreRoutes:
		case <-complete:
			complete = nil
			fs.wakeAll()
		case <-ctx.Done():
			return nil
		}
	}
}

func (fs *Followers) wakeAll() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.all.wake()
}

// wakeFor wakes those whom something concerns that was committed between two states, or
// changed in the tables of some networks.
func (fs *Followers) wakeFor(was, is *inventory.State, shown []inventory.Shown, touched map[uint16]bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, s := range shown {
		switch inventory.KindOf(s.Name) {
		case inventory.KindComputeNode:
			fs.byNode[s.Name].wake()
		case inventory.KindNetwork:
			for _, state := range []*inventory.State{was, is} {
				if n, ok := state.Network(s.Name); ok {
					touched[n.ID] = true
				}
			}
		case inventory.KindFloatingIP:
			for _, state := range []*inventory.State{was, is} {
				if f, ok := state.FloatingIP(s.Name); ok {
					for _, a := range f.Associations {
						fs.byNode[a.ComputeNode].wake()
					}
				}
			}
		}
	}
	for id := range touched {
		fs.byNetwork[id].wake()
	}
}

func (g group) wake() {
	for f := range g {
		select {
		case f.woken <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// enter adds a follower of a compute node.
func (fs *Followers) enter(f *Follower) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.all[f] = struct{}{}
	join(fs.byNode, f.node, f)
}

// leave removes it.
func (fs *Followers) leave(f *Follower) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.all, f)
	part(fs.byNode, f.node, f)
}

// enterNetwork makes changes of a network's table concern a follower. What it reads
// after that may be told twice, but nothing is missed.
func (fs *Followers) enterNetwork(id uint16, f *Follower) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	join(fs.byNetwork, id, f)
}

func (fs *Followers) leaveNetwork(id uint16, f *Follower) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	part(fs.byNetwork, id, f)
}

func join[K comparable](groups map[K]group, key K, f *Follower) {
	if groups[key] == nil {
		groups[key] = group{}
	}
	groups[key][f] = struct{}{}
}

func part[K comparable](groups map[K]group, key K, f *Follower) {
	if delete(groups[key], f); len(groups[key]) == 0 {
		delete(groups, key)
	}
}
