package programme

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// keptRoutes is how many routes are kept at least, after they were asked for.
const keptRoutes = 1 << 14

// shared is what was made of routes a moment ago, for the next one who asks. Its methods
// may be called concurrently.
type shared struct {
	mu sync.Mutex
	// Two generations: when the younger one is full, the older one goes.
	young, old map[wanted]*made
}

// wanted is what a route to tell depends on, beside the routes of its prefix.
type wanted struct {
	vrf           uint16
	prefix        netip.Prefix
	network, node vrf.Encapsulations
}

// made is what was made of some routes.
type made struct {
	of    []*vrf.Received
	route inventory.NetworkRoute // without next hops if packets cannot follow any of them
}

func newShared() *shared { return &shared{young: map[wanted]*made{}} }

// route returns where packets for a prefix go, and reports whether they go anywhere. The
// next hops of equal routes are the same slice. The list stays the caller's.
func (s *shared) route(n *network, node vrf.Encapsulations, prefix netip.Prefix, list []*vrf.Received) (inventory.NetworkRoute, bool) {
	if len(list) == 0 {
		return inventory.NetworkRoute{}, false
	}
	key := wanted{n.id, prefix, n.encapsulations, node}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, fresh := s.young[key]
	if !fresh {
		m = s.old[key]
	}
	// What a neighbor announces anew is another Received. The id may be another network's.
	if m == nil || m.route.Network != n.name || !slices.Equal(m.of, list) {
		m, fresh = &made{of: slices.Clone(list), route: routeOf(n, node, prefix, list)}, false
	}
	if !fresh {
		if len(s.young) >= keptRoutes {
			s.old, s.young = s.young, map[wanted]*made{}
		}
		s.young[key] = m
	}
	return m.route, len(m.route.NextHops) > 0
}

// routeOf returns where packets for a prefix go: to all gateways whose routes are equally
// good. A gateway that is there twice with one label, as by two reflectors, is one.
func routeOf(n *network, node vrf.Encapsulations, prefix netip.Prefix, list []*vrf.Received) inventory.NetworkRoute {
	route := inventory.NetworkRoute{NetworkPrefix: inventory.NetworkPrefix{Network: n.name, Prefix: prefix}}
	for _, r := range vrf.Rank(list).Best {
		a := r.Attributes.Value()
		hop := inventory.NextHop{Address: a.NextHop, Label: r.Label, Encapsulations: vrf.Agreed(a.Encapsulations, n.encapsulations, node)}
		if !slices.ContainsFunc(route.NextHops, func(h inventory.NextHop) bool { return h.Address == hop.Address && h.Label == hop.Label }) {
			route.NextHops = append(route.NextHops, hop)
		}
	}
	return route
}
