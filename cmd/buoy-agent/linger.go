package main

import (
	"maps"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/dataplane"
)

// lingering is what was taken away a moment ago. A gateway learns that a floating IP has
// moved after the node does: what it sends until then still arrives.
type lingering struct {
	last  map[string]dataplane.FloatingIP // what was to be programmed, by name
	ways  map[string][]dataplane.Route    // and the routes, by network
	until map[string]leaving
}

type leaving struct {
	floatingIP dataplane.FloatingIP
	routes     []dataplane.Route
	end        time.Time
}

// with returns a programme with what lingers, and whether something has begun to. What
// lingers opens no connections, and gives way to whatever is in its place.
func (l *lingering) with(p dataplane.Programme, now time.Time, linger time.Duration) (all dataplane.Programme, begun bool) {
	floatingIPs, routes := map[string]dataplane.FloatingIP{}, map[string][]dataplane.Route{}
	for _, f := range p.FloatingIPs {
		floatingIPs[f.Name] = f
		delete(l.until, f.Name)
	}
	for _, r := range p.Routes {
		routes[r.Network] = append(routes[r.Network], r)
	}
	if l.until == nil {
		l.until = map[string]leaving{}
	}
	for name, f := range l.last {
		if _, here := floatingIPs[name]; !here && linger > 0 {
			if f.Direction == dataplane.Both {
				f.Direction = dataplane.Ingress
			}
			l.until[name] = leaving{f, l.ways[f.Network], now.Add(linger)}
			begun = true
		}
	}
	l.last, l.ways = floatingIPs, routes
	maps.DeleteFunc(l.until, func(_ string, w leaving) bool {
		return !now.Before(w.end) || slices.ContainsFunc(p.FloatingIPs, func(f dataplane.FloatingIP) bool { return inTheWay(w.floatingIP, f) })
	})
	all = dataplane.Programme{FloatingIPs: slices.Clone(p.FloatingIPs), Routes: slices.Clone(p.Routes)}
	for _, name := range slices.Sorted(maps.Keys(l.until)) {
		w := l.until[name]
		all.FloatingIPs = append(all.FloatingIPs, w.floatingIP)
		if network := w.floatingIP.Network; routes[network] == nil {
			// The network went with its last floating IP.
			all.Routes, routes[network] = append(all.Routes, w.routes...), w.routes
		}
	}
	return all, begun
}

// inTheWay tells whether an old floating IP cannot stay beside a new one: it is the same
// address, or its label belongs to another interface, or its workload is another one.
func inTheWay(old, other dataplane.FloatingIP) bool {
	return old.Network == other.Network && old.Address == other.Address ||
		old.Label == other.Label && (old.Interface != other.Interface || old.Address.Is4() == other.Address.Is4() && old.FixedIP != other.FixedIP)
}
