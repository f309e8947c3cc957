package contract

import (
	"slices"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/routetarget"
)

// capRouteRefresh is the code of the capability (RFC 2918 §2).
const capRouteRefresh = 2

// refreshFamily: a neighbor that asks gets all routes of the family again, and
// no other; the others are told nothing.
func refreshFamily(w *world) {
	w.advertise(web4, web6, other4)
	r, other := w.peer(vpn...), w.peer(vpn...)
	for _, r := range []*router{r, other} {
		r.told(plus(web4), plus(web6), plus(other4))
		r.toldEnds()
	}
	if s := r.await("a session", isEstablished); !slices.Contains(s.OpenSent.Capabilities, capRouteRefresh) {
		w.Errorf("our OPEN does not offer it: %v", s.OpenSent.Capabilities)
	}
	before4, before6 := w.Delivery(r.addr(), web4.Key), w.Delivery(r.addr(), web6.Key)
	for _, round := range []struct {
		family lab.Family
		want   []string
	}{
		{lab.VPNv4, []string{plus(web4), plus(other4)}},
		{lab.VPNv6, []string{plus(web6)}},
	} {
		w.must(r.RouteRefresh(round.family))
		r.told(round.want...)
		w.nothingElse(r, other)
		r.has(web4, web6, other4)
		if now4, now6 := w.Delivery(r.addr(), web4.Key), w.Delivery(r.addr(), web6.Key); !now4.At.After(before4.At) ||
			now6.At.Before(before6.At) || round.family == lab.VPNv6 && !now6.At.After(before6.At) {
			w.Errorf("%s: sent at %s and %s, before at %s and %s", round.family, now4.At, now6.At, before4.At, before6.At)
		}
	}
	w.withdraw(web4, other4)
	r.told(minus(web4), minus(other4))
	other.told(minus(web4), minus(other4))
	w.must(r.RouteRefresh(lab.VPNv4)) // of which there is none
	w.must(r.RouteRefresh(lab.VPNv6)) // what answers this comes after it
	r.told(plus(web6))
	w.nothingElse(r, other)
}

// refreshMembership: also a neighbor that asks again gets only what it wants,
// and our memberships when it asks for these.
func refreshMembership(w *world) {
	w.must(w.SetMembership(w.Context(), routetarget.NewSet(green)))
	w.advertise(web4, withTargets(other4, blue), web6)
	r := w.member(red)
	r.toldEnds(plusMembership(green), plus(web4), plus(web6))
	w.must(r.RouteRefresh(lab.VPNv4))
	r.told(plus(web4))
	w.must(r.RouteRefresh(lab.RouteTarget))
	r.told(plusMembership(green))
	w.nothingElse(r)
}
