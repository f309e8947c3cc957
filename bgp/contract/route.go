package contract

import (
	"net/netip"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// The targets that routes have here.
var red, blue, green = mustTarget("target:64512:1"), mustTarget("target:64512:2"), mustTarget("target:64512:3")

func mustTarget(s string) routetarget.Target {
	t, err := routetarget.ParseTarget(s)
	if err != nil {
		panic(err)
	}
	return t
}

// The routes: web4 and web6 are of one address family each.
var (
	web4   = route("203.0.113.5/32")
	other4 = route("203.0.113.6/32")
	web6   = route("2001:db8:f::5/128")
	// marker is for world.nothingElse. Everybody who wants any route wants it.
	marker = with(route("203.0.113.255/32"), func(r *vrf.Route) { r.Targets = routetarget.NewSet(red, blue, green) })
)

func route(prefix string) vrf.Route {
	node := netip.MustParseAddr("10.0.1.11")
	return vrf.Route{
		Key:   vrf.Key{RD: routetarget.IPv4Distinguisher(node, 1), Prefix: netip.MustParsePrefix(prefix)},
		Label: 100, LocalPref: vrf.LocalPrefDefault, NextHop: node,
		Targets: routetarget.NewSet(red), Encapsulations: vrf.NewEncapsulations(vrf.GRE),
	}
}

// many returns so many routes, of both families, from several compute nodes.
func many(n int) []vrf.Route {
	routes := make([]vrf.Route, n)
	for i := range routes {
		a, prefix := [4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}, netip.Prefix{}
		if prefix = netip.PrefixFrom(netip.AddrFrom4(a), 32); i%2 == 1 {
			prefix = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 12: a[0], a[1], a[2], a[3]}), 128)
		}
		node := netip.AddrFrom4([4]byte{10, 0, 2, byte(i % 50)})
		routes[i] = with(route(prefix.String()), func(r *vrf.Route) {
			r.RD, r.NextHop = routetarget.IPv4Distinguisher(node, 1), node
		})
	}
	return routes
}

// with returns a route with a change.
func with(r vrf.Route, change func(*vrf.Route)) vrf.Route {
	change(&r)
	return r
}

func withLabel(r vrf.Route, label vrf.Label) vrf.Route {
	return with(r, func(r *vrf.Route) { r.Label = label })
}

func withTargets(r vrf.Route, targets ...routetarget.Target) vrf.Route {
	return with(r, func(r *vrf.Route) { r.Targets = routetarget.NewSet(targets...) })
}

// plus returns what an internal router is told of a route.
func plus(r vrf.Route) string {
	nextHop := r.NextHop
	if r.Prefix.Addr().Is6() { // RFC 4659 §3.2.1.2
		nextHop = netip.AddrFrom16(nextHop.As16())
	}
	route := lab.Route{
		RD: r.RD, Prefix: r.Prefix, Label: uint32(r.Label), NextHop: nextHop, LocalPref: r.LocalPref, LastResort: r.LocalPref == 0,
		Origin: "incomplete", ASPath: "[]", Targets: r.Targets, Encapsulations: r.Encapsulations.Slice(),
	}
	if r.GracefulShutdown {
		route.Communities = []string{"graceful-shutdown"}
	}
	return lab.Event{Route: route}.String()
}

// minus returns how a router is told that a route is gone.
func minus(r vrf.Route) string {
	return lab.Event{Withdrawn: true, Route: lab.Route{RD: r.RD, Prefix: r.Prefix}}.String()
}

func end(f lab.Family) string { return lab.Event{Family: f, EndOfRIB: true}.String() }

// nothingElse shows that routers were told nothing but what has been compared:
// a route comes next, and after it its withdrawal.
func (w *world) nothingElse(routers ...*router) {
	w.Helper()
	w.advertise(marker)
	for _, r := range routers {
		r.told(plus(marker))
	}
	w.withdraw(marker)
	for _, r := range routers {
		r.told(minus(marker))
	}
}

// What Delivery says of a route that a neighbor does not have.
var (
	notEstablished = neighbor.Delivery{Reason: "is not established", Check: neighbor.CheckSession}
	noSuchRoute    = neighbor.Delivery{Reason: "has no such route to get", Check: neighbor.CheckRoute}
	membershipOpen = neighbor.Delivery{Reason: "has not yet said which route targets it wants", Soon: true, Check: neighbor.CheckMembership}
)

func notAskedFor(r vrf.Route) neighbor.Delivery {
	return neighbor.Delivery{Reason: "did not ask for any of " + r.Targets.String(), Check: neighbor.CheckMembership}
}
