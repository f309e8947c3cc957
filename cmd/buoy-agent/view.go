package main

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/buoynet/buoy/api/computenode"
	"github.com/buoynet/buoy/internal/dataplane"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// view is what one control node says. It is guarded by the node's mutex.
type view struct {
	server      string
	floatingIPs map[string]stamped[dataplane.FloatingIP]
	routes      map[routeKey]stamped[dataplane.Route]
	// What was said in this run; nil once that was all.
	saidFloatingIPs map[string]bool
	saidRoutes      map[routeKey]bool
}

type routeKey struct {
	network string
	prefix  netip.Prefix
}

// stamped is something with the number of the change that brought it.
type stamped[T any] struct {
	value T
	when  uint64
}

func newView(server string) *view {
	return &view{server: server, floatingIPs: map[string]stamped[dataplane.FloatingIP]{}, routes: map[routeKey]stamped[dataplane.Route]{},
		saidFloatingIPs: map[string]bool{}, saidRoutes: map[routeKey]bool{}}
}

// load takes what was noted in an earlier run.
func (v *view) load(p dataplane.Programme) {
	for _, f := range p.FloatingIPs {
		v.floatingIPs[f.Name] = stamped[dataplane.FloatingIP]{value: f}
	}
	for _, r := range p.Routes {
		v.routes[routeKey{r.Network, r.Prefix}] = stamped[dataplane.Route]{value: r}
	}
}

// programme returns what the view has.
func (v *view) programme() (p dataplane.Programme) {
	for _, f := range v.floatingIPs {
		p.FloatingIPs = append(p.FloatingIPs, f.value)
	}
	for _, r := range v.routes {
		p.Routes = append(p.Routes, r.value)
	}
	return p
}

// take takes a batch, which is the change of this number. What an earlier run has noted,
// and nobody has said until all was said, goes.
func (v *view) take(b computenode.Batch, when uint64) {
	for _, f := range b.RemovedFloatingIPs {
		delete(v.floatingIPs, f.GetName())
	}
	for _, r := range b.RemovedRoutes {
		delete(v.routes, routeFromProto(r).key())
	}
	for _, c := range b.FloatingIPs {
		f := floatingIPFromProto(c.New)
		v.floatingIPs[f.Name] = stamped[dataplane.FloatingIP]{f, when}
		if v.saidFloatingIPs != nil {
			v.saidFloatingIPs[f.Name] = true
		}
	}
	for _, c := range b.Routes {
		r := routeFromProto(c.New)
		v.routes[r.key()] = stamped[dataplane.Route]{r.Route, when}
		if v.saidRoutes != nil {
			v.saidRoutes[r.key()] = true
		}
	}
	if b.AllFloatingIPs && v.saidFloatingIPs != nil {
		maps.DeleteFunc(v.floatingIPs, func(name string, _ stamped[dataplane.FloatingIP]) bool { return !v.saidFloatingIPs[name] })
		v.saidFloatingIPs = nil
	}
	if b.AllRoutes && v.saidRoutes != nil {
		maps.DeleteFunc(v.routes, func(k routeKey, _ stamped[dataplane.Route]) bool { return !v.saidRoutes[k] })
		v.saidRoutes = nil
	}
}

// complete tells whether the server has said all that there is, in this run.
func (v *view) complete() bool { return v.saidFloatingIPs == nil && v.saidRoutes == nil }

// merge returns what any control node says; where they differ, what was said last.
func merge(views []*view) (p dataplane.Programme) {
	floatingIPs, routes := map[string]stamped[dataplane.FloatingIP]{}, map[routeKey]stamped[dataplane.Route]{}
	for _, v := range views {
		newest(floatingIPs, v.floatingIPs)
		newest(routes, v.routes)
	}
	all := view{floatingIPs: floatingIPs, routes: routes}
	return all.programme()
}

func newest[K comparable, T any](all, some map[K]stamped[T]) {
	for k, s := range some {
		if old, ok := all[k]; !ok || s.when > old.when {
			all[k] = s
		}
	}
}

// floatingIPFromProto keeps what makes no sense, as what Check refuses.
func floatingIPFromProto(f *buoyv1.NodeFloatingIP) dataplane.FloatingIP {
	addr, _ := netip.ParseAddr(f.GetAddress())
	fixed, _ := netip.ParseAddr(f.GetFixedIp())
	to := dataplane.FloatingIP{Name: f.GetName(), Network: f.GetNetwork(), Address: addr, FixedIP: fixed,
		Interface: f.GetInterface(), Label: f.GetLabel(), Direction: dataplane.Both}
	if d := f.GetDirection(); d != buoyv1.FloatingIP_DIRECTION_UNSPECIFIED {
		to.Direction = dataplane.Direction(strings.ToLower(d.String()))
	}
	for _, m := range f.GetPortMappings() {
		to.Ports = append(to.Ports, dataplane.PortMapping{Protocol: dataplane.Protocol(m.GetProtocol()), Port: uint16(m.GetPort()), FixedPort: uint16(m.GetFixedPort())})
	}
	return to
}

// protoRoute is a route with its key.
type protoRoute struct{ dataplane.Route }

func (r protoRoute) key() routeKey { return routeKey{r.Network, r.Prefix} }

func routeFromProto(r *buoyv1.NodeRoute) protoRoute {
	prefix, _ := netip.ParsePrefix(r.GetPrefix())
	to := dataplane.Route{Network: r.GetNetwork(), Prefix: prefix}
	for _, h := range r.GetNextHops() {
		addr, _ := netip.ParseAddr(h.GetAddress())
		next := dataplane.NextHop{Address: addr, Label: h.GetLabel()}
		for _, e := range h.GetEncapsulations() {
			next.Encapsulations = append(next.Encapsulations, dataplane.Encapsulation(e))
		}
		slices.Sort(next.Encapsulations)
		to.NextHops = append(to.NextHops, next)
	}
	return protoRoute{to}
}
