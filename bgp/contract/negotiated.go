package contract

import (
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// families: a neighbor gets routes of those that both sides offer.
func families(w *world) {
	w.advertise(web4, web6)
	four, six := w.peer(lab.VPNv4), w.peer(lab.VPNv6)
	ours := w.record(w.config(vpn...))
	ours.settings.Families = neighbor.NewFamilies(neighbor.Inet6VPN)
	ours.added()
	four.told(plus(web4))
	four.toldEnds()
	six.told(plus(web6))
	six.toldEnds()
	ours.told(plus(web6))
	ours.told(end(lab.VPNv6))
	four.has(web4)
	six.has(web6)
	ours.has(web6)
	four.lacks(web6, neighbor.Delivery{Reason: "did not negotiate inet6-vpn", Check: neighbor.CheckFamily})
	six.lacks(web4, neighbor.Delivery{Reason: "did not negotiate inet-vpn", Check: neighbor.CheckFamily})
	ours.lacks(web4, neighbor.Delivery{Reason: "did not negotiate inet-vpn", Check: neighbor.CheckFamily})
	changed := withLabel(web6, 200)
	w.advertise(changed)
	six.told(plus(changed))
	ours.told(plus(changed))
	w.withdraw(web4, web6)
	four.told(minus(web4))
	six.told(minus(web6))
	ours.told(minus(web6))
	w.nothingElse(four)
}

// nextHopIPv6: a VPNv4 route with an IPv6 next hop is for those who offered to
// understand it (RFC 8950); others have the route withdrawn that they had.
func nextHopIPv6(w *world) {
	r := w.peer(vpn...)
	r.toldEnds()
	w.advertise(web4, web6)
	r.told(plus(web4), plus(web6))
	far := func(r *vrf.Route) { r.NextHop = netip.MustParseAddr("2001:db8::11") }
	w.advertise(with(web4, far), with(web6, far))
	r.told(minus(web4), plus(with(web6, far)))
	r.has(with(web6, far))
	r.lacks(web4, neighbor.Delivery{Reason: "did not offer IPv6 next hops for inet-vpn (RFC 8950)", Check: neighbor.CheckNextHop})
	w.advertise(web4)
	r.told(plus(web4))
	w.nothingElse(r)
}

// externalNeighbor: a neighbor of another AS sees ours in the path, the next
// hop unchanged, and no LOCAL_PREF (RFC 4271 §5.1).
func externalNeighbor(w *world) {
	w.advertise(web4)
	c := w.config(vpn...)
	c.AS = 4_200_000_001
	r := w.record(c)
	r.added()
	of := func(route vrf.Route) string {
		return strings.NewReplacer("as-path []", "as-path [64512]", " local-pref 100", "").Replace(plus(route))
	}
	r.told(of(web4))
	r.toldEnds()
	w.advertise(web6)
	r.told(of(web6))
	w.withdraw(web4)
	r.told(minus(web4))
	w.advertise(marker)
	r.told(of(marker))
}
