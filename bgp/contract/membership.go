package contract

import (
	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// withMembership is what a router has that says which routes it wants (RFC
// 4684).
var withMembership = []lab.Family{lab.VPNv4, lab.VPNv6, lab.RouteTarget}

// wants is a router's wish for the routes with a target.
func wants(t routetarget.Target) lab.Membership { return lab.Membership{AS: ourAS, Target: t} }

// everything is the default membership.
var everything lab.Membership

func plusMembership(t routetarget.Target) string {
	return lab.Event{Family: lab.RouteTarget, Membership: wants(t)}.String()
}

func minusMembership(t routetarget.Target) string {
	return lab.Event{Family: lab.RouteTarget, Withdrawn: true, Membership: wants(t)}.String()
}

// ownMembership: a neighbor with route-target is told which targets we want,
// and of each change its difference; others are told nothing.
func ownMembership(w *world) {
	set := func(targets ...routetarget.Target) {
		w.Helper()
		w.must(w.SetMembership(w.Context(), routetarget.NewSet(targets...)))
	}
	plain := w.peer(vpn...)
	plain.toldEnds()
	set(red, blue)
	r := w.member(red)
	r.toldEnds(plusMembership(red), plusMembership(blue)) // they are not routes
	set(blue, green)
	r.told(plusMembership(green), minusMembership(red))
	set(blue, green)
	set(green)
	r.told(minusMembership(blue))
	late := w.member(red)
	late.toldEnds(plusMembership(green))
	set()
	r.told(minusMembership(green))
	late.told(minusMembership(green))
	set(red)
	r.told(plusMembership(red))
	late.told(plusMembership(red))
	w.nothingElse(plain, r, late)
}

// member starts a router that has said that it wants these targets. It is
// established when it says so.
func (w *world) member(targets ...routetarget.Target) *router {
	w.Helper()
	r := w.peer(withMembership...)
	if len(targets) > 0 {
		r.joins(targets...)
	}
	w.must(r.EndOfRIB(lab.RouteTarget))
	return r
}

func (r *router) joins(targets ...routetarget.Target) {
	r.w.Helper()
	r.w.must(r.Join(wishes(targets)...))
}

func (r *router) leaves(targets ...routetarget.Target) {
	r.w.Helper()
	r.w.must(r.Leave(wishes(targets)...))
}

func wishes(targets []routetarget.Target) (list []lab.Membership) {
	for _, t := range targets {
		list = append(list, wants(t))
	}
	return list
}

// membershipFirst: a neighbor with route-target gets no route before it has
// said all that it wants, and then exactly that.
func membershipFirst(w *world) {
	w.must(w.SetMembership(w.Context(), routetarget.NewSet(red)))
	blue6 := withTargets(web6, blue)
	w.advertise(web4, blue6)
	r, plain := w.peer(withMembership...), w.peer(vpn...)
	plain.told(plus(web4), plus(blue6))
	plain.toldEnds()
	r.told(plusMembership(red))
	r.lacks(web4, membershipOpen)
	r.lacks(blue6, membershipOpen)
	r.has()
	// What it has said so far is not all.
	r.joins(red)
	w.advertise(other4)
	plain.told(plus(other4))
	w.must(w.SetMembership(w.Context(), routetarget.NewSet(red, green)))
	r.told(plusMembership(green))
	r.lacks(web4, membershipOpen)
	r.lacks(other4, membershipOpen)

	w.must(r.EndOfRIB(lab.RouteTarget))
	r.told(plus(web4), plus(other4))
	r.toldEnds()
	r.has(web4, other4)
	r.lacks(blue6, notAskedFor(blue6))
	w.nothingElse(r, plain)
}

// membershipWithoutEnd: a neighbor that never says that it has said all gets
// its routes in the end.
func membershipWithoutEnd(w *world) {
	w.advertise(web4, withTargets(web6, blue))
	r := w.peer(withMembership...)
	r.joins(red)
	r.told(plus(web4))
	r.toldEnds()
	w.nothingElse(r)
}

// membershipChange: joining a target sends, and leaving it withdraws, exactly
// the difference. Who wants nothing has nothing.
func membershipChange(w *world) {
	both4 := withTargets(web4, red, blue)
	blue4 := withTargets(other4, blue)
	w.advertise(both4, blue4, web6)
	r, neither := w.member(), w.member()
	neither.toldEnds()
	r.toldEnds()
	r.has()
	r.lacks(both4, notAskedFor(both4))
	r.joins(red)
	r.told(plus(both4), plus(web6))
	r.lacks(blue4, notAskedFor(blue4))
	r.joins(red) // again
	r.joins(blue)
	r.told(plus(blue4))
	r.has(both4, blue4, web6)
	r.leaves(red)
	r.told(minus(web6))
	r.lacks(web6, notAskedFor(web6))
	r.leaves(green) // which it never joined
	r.joins(green)
	r.leaves(blue)
	r.told(minus(both4), minus(blue4))
	r.has()
	r.joins(red, blue)
	r.told(plus(both4), plus(blue4), plus(web6))
	w.nothingElse(r)
	neither.joins(red)
	neither.told(plus(both4), plus(web6))
	w.nothingElse(r, neither)
}

// membershipDefault: the default membership is a wish for everything (RFC 4684
// §4), beside which others make no difference.
func membershipDefault(w *world) {
	blue6 := withTargets(web6, blue)
	w.advertise(web4, blue6)
	r := w.peer(withMembership...)
	w.must(r.Join(everything))
	w.must(r.EndOfRIB(lab.RouteTarget))
	r.told(plus(web4), plus(blue6))
	r.toldEnds()
	r.joins(red)
	w.nothingElse(r)
	w.must(r.Leave(everything))
	r.told(minus(blue6))
	r.has(web4)
	w.nothingElse(r)
	w.must(r.Join(everything))
	r.told(plus(blue6))
	r.leaves(red)
	w.nothingElse(r)
}

// membershipTargetChange: a route whose targets change is withdrawn from those
// who no longer want it, and from nobody else.
func membershipTargetChange(w *world) {
	w.advertise(web4, web6)
	plain, onlyRed, onlyBlue, both := w.peer(vpn...), w.member(red), w.member(blue), w.member(red, blue)
	for _, r := range []*router{plain, onlyRed, both} {
		r.told(plus(web4), plus(web6))
		r.toldEnds()
	}
	onlyBlue.toldEnds()

	changed := withTargets(web4, blue)
	w.advertise(changed)
	plain.told(plus(changed))
	both.told(plus(changed))
	onlyRed.told(minus(web4))
	onlyBlue.told(plus(changed))
	onlyRed.has(web6)
	onlyRed.lacks(changed, notAskedFor(changed))
	onlyBlue.has(changed)
	w.nothingElse(plain, onlyRed, onlyBlue, both)

	changed = withTargets(web4, red, blue)
	w.advertise(changed)
	for _, r := range []*router{plain, onlyRed, onlyBlue, both} {
		r.told(plus(changed))
	}
	changed = withTargets(web4, green)
	w.advertise(changed)
	plain.told(plus(changed))
	for _, r := range []*router{onlyRed, onlyBlue, both} {
		r.told(minus(web4))
	}
	w.withdraw(changed) // which they do not have
	plain.told(minus(changed))
	w.nothingElse(plain, onlyRed, onlyBlue, both)
}

// membershipNextSession: what a neighbor wanted in one session it has to say
// again in the next.
func membershipNextSession(w *world) {
	w.advertise(web4, withTargets(web6, blue))
	c := w.config(withMembership...)
	c.Active = true
	r := w.record(c)
	r.added()
	r.joins(red)
	w.must(r.EndOfRIB(lab.RouteTarget))
	r.told(plus(web4))
	r.toldEnds()
	w.must(r.Reset())
	r.await("the next session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == 2 })
	r.lacks(web4, membershipOpen)
	r.joins(blue)
	w.must(r.EndOfRIB(lab.RouteTarget))
	r.told(plus(withTargets(web6, blue)))
	r.toldEnds()
	r.lacks(web4, notAskedFor(web4))
	w.nothingElse(r)
}
