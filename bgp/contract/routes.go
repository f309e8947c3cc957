package contract

import (
	"net/netip"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// routesBeforeSession: what was advertised before there was a neighbor, and
// before its session, is sent in it, and exactly so.
func routesBeforeSession(w *world) {
	w.advertise(web4)
	r := w.record(w.config(vpn...))
	r.lacks(web4, notEstablished) // there is no such neighbor
	c := w.config(vpn...)
	w.tell(settingsOf(c))
	w.await(w, settingsOf(c).Name, "nobody to be there", func(s neighbor.Status) bool { return s.Cause == neighbor.CauseConnectionRefused })
	w.advertise(web6, other4)
	w.withdraw(other4)
	late := w.record(c)
	late.lacks(web4, notEstablished)
	late.has()
	r.added()
	for _, r := range []*router{r, late} {
		r.told(
			"+ 10.0.1.11:1:203.0.113.5/32 label 100 next-hop 10.0.1.11 local-pref 100 origin incomplete as-path [] target:64512:1 encapsulation:gre",
			"+ 10.0.1.11:1:2001:db8:f::5/128 label 100 next-hop ::ffff:10.0.1.11 local-pref 100 origin incomplete as-path [] target:64512:1 encapsulation:gre",
		)
		r.toldEnds()
		r.has(web4, web6)
		r.lacks(other4, noSuchRoute)
	}
	w.nothingElse(r, late)
}

// routesChange: each part of a route that changes is sent, once and without a
// withdrawal.
func routesChange(w *world) {
	r := w.peer(vpn...)
	r.toldEnds()
	w.advertise(web4, other4, web6)
	r.told(plus(web4), plus(other4), plus(web6))
	for _, change := range []func(*vrf.Route){
		func(r *vrf.Route) { r.Label = 200 },
		func(r *vrf.Route) { r.NextHop = netip.MustParseAddr("10.0.1.12") },
		func(r *vrf.Route) { r.LocalPref = vrf.LocalPrefPreferred },
		func(r *vrf.Route) { r.LocalPref = vrf.LocalPrefDraining },
		func(r *vrf.Route) { r.GracefulShutdown = true },
		func(r *vrf.Route) { r.LocalPref, r.GracefulShutdown = vrf.LocalPrefDraining, true },
		func(r *vrf.Route) { r.Targets = routetarget.NewSet(blue) },
		func(r *vrf.Route) { r.Targets = routetarget.NewSet(blue, green) },
		func(r *vrf.Route) { r.Encapsulations = vrf.NewEncapsulations(vrf.MPLSInUDP) },
		func(r *vrf.Route) { r.Encapsulations = vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP) },
		func(r *vrf.Route) { r.Encapsulations = 0 },
		func(r *vrf.Route) { *r = with(route(r.Prefix.String()), func(r *vrf.Route) { r.Label = 300 }) }, // several at once
	} {
		before := w.Delivery(r.addr(), web4.Key)
		four, six := web4, web6
		change(&four)
		change(&six)
		w.advertise(four, six)
		r.told(plus(four), plus(six))
		r.has(four, other4, six)
		if now := w.Delivery(r.addr(), web4.Key); !now.At.After(before.At) {
			w.Errorf("sent at %s, and then as %s at %s", before.At, plus(four), now.At)
		}
	}
	w.nothingElse(r)
}

// routesUnchanged: the same route again is not sent.
func routesUnchanged(w *world) {
	r := w.peer(vpn...)
	r.toldEnds()
	w.advertise(web4, web6)
	r.told(plus(web4), plus(web6))
	before := w.Delivery(r.addr(), web4.Key)
	for range 3 {
		w.advertise(web4, web6)
		w.advertise(web6)
	}
	w.nothingElse(r)
	if now := w.Delivery(r.addr(), web4.Key); now != before {
		w.Errorf("sent at %s, and then said to be sent at %s", before.At, now.At)
	}
	r.has(web4, web6)
}

// routesWithdrawn: a route that is withdrawn goes, once; one that is not there
// is no error and is not mentioned.
func routesWithdrawn(w *world) {
	r := w.peer(vpn...)
	r.toldEnds()
	w.withdraw(web4)
	w.advertise(web4, web6, other4)
	r.told(plus(web4), plus(web6), plus(other4))
	w.withdraw(web4, web4)
	r.told(minus(web4))
	r.has(web6, other4)
	r.lacks(web4, noSuchRoute)
	w.withdraw(web4, marker, withLabel(web6, 999)) // of these only the last is there, and only its key counts
	r.told(minus(web6))
	w.nothingElse(r)
	w.advertise(web4)
	r.told(plus(web4))
	w.withdraw(web4, other4)
	r.told(minus(web4), minus(other4))
	r.has()
	w.nothingElse(r)
}

// routesRefused: of a batch with a route that no UPDATE can carry, or that is
// none of ours, none is taken, and what is advertised stays.
func routesRefused(w *world) {
	r := w.peer(vpn...)
	r.toldEnds()
	w.advertise(web4)
	r.told(plus(web4))
	for name, bad := range map[string]vrf.Route{
		"a network":           with(other4, func(r *vrf.Route) { r.Prefix = netip.MustParsePrefix("203.0.113.0/24") }),
		"an IPv6 network":     with(web6, func(r *vrf.Route) { r.Prefix = netip.MustParsePrefix("2001:db8:f::/64") }),
		"a mapped address":    with(other4, func(r *vrf.Route) { r.Prefix = netip.MustParsePrefix("::ffff:203.0.113.7/128") }),
		"no prefix":           with(other4, func(r *vrf.Route) { r.Prefix = netip.Prefix{} }),
		"a reserved label":    withLabel(other4, vrf.MinLabel-1),
		"too large a label":   withLabel(other4, vrf.MaxLabel+1),
		"no next hop":         with(other4, func(r *vrf.Route) { r.NextHop = netip.Addr{} }),
		"no target":           withTargets(other4),
		"too many targets":    withTargets(other4, targets(600)...),
		"a change of another": withLabel(web4, vrf.MaxLabel+1),
	} {
		for _, batch := range [][]vrf.Route{{bad}, {bad, other4, withLabel(web4, 200)}, {other4, withLabel(web4, 200), bad}} {
			if err := w.Advertise(w.Context(), batch); err == nil {
				w.Errorf("%s: a batch of %d was taken", name, len(batch))
			}
		}
	}
	w.nothingElse(r)
	r.has(web4)
	r.lacks(other4, noSuchRoute)
}

func targets(n uint32) (list []routetarget.Target) {
	for i := range n {
		list = append(list, routetarget.Automatic(ourAS, uint16(i+1)))
	}
	return list
}

// routesUndeclared: once networks are declared, no route of another one leaves,
// nor one with other targets than its network's.
func routesUndeclared(w *world) {
	r := w.peer(vpn...)
	r.toldEnds()
	w.advertise(web4)
	r.told(plus(web4))
	declare := func(networks map[uint16]routetarget.Set) {
		w.must(w.SetNetworks(w.Context(), networks))
	}
	refused := func(route vrf.Route) {
		w.Helper()
		if err := w.Advertise(w.Context(), []vrf.Route{web6, route}); err == nil {
			w.Errorf("taken: %s", plus(route))
		}
	}
	stranger := with(other4, func(r *vrf.Route) { r.RD = routetarget.IPv4Distinguisher(r.NextHop, 2) })

	declare(map[uint16]routetarget.Set{1: routetarget.NewSet(red)})
	refused(stranger)
	refused(withTargets(other4, blue))
	refused(withTargets(other4, red, blue)) // more than its own
	w.advertise(other4)
	r.told(plus(other4))

	declare(map[uint16]routetarget.Set{1: routetarget.NewSet(red, blue, green)})
	refused(withTargets(other4, red)) // fewer
	w.nothingElse(r)
	declare(map[uint16]routetarget.Set{})
	refused(other4)
	refused(marker)
	// What is advertised already stays, and can go.
	r.has(web4, other4)
	w.withdraw(web4)
	r.told(minus(web4))
	declare(map[uint16]routetarget.Set{1: marker.Targets, 2: routetarget.NewSet(red)})
	w.advertise(stranger)
	r.told(plus(stranger))
	w.nothingElse(r)
}
