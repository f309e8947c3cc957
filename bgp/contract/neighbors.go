package contract

import (
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// neighborsChange: a neighbor whose settings changed begins a new session, one
// that is removed gets none, each with a NOTIFICATION; the others keep theirs.
func neighborsChange(w *world) {
	w.advertise(web4)
	stays, changes, leaves := w.peer(vpn...), w.peer(vpn...), w.peer(vpn...)
	for _, r := range []*router{stays, changes, leaves} {
		r.told(plus(web4))
		r.toldEnds()
	}
	w.tell(stays.settings, changes.settings, leaves.settings) // as they are
	w.nothingElse(stays, changes, leaves)

	changes.settings.HoldTime = 30
	w.tell(changes.settings, stays.settings)
	changes.await("a session with the new hold time", func(s neighbor.Status) bool {
		return isEstablished(s) && s.OpenSent.HoldTime == 30*time.Second
	})
	changes.told(plus(web4))
	changes.toldEnds()
	changes.isNotified("6/6")
	leaves.isNotified("6/3")
	leaves.lacks(web4, notEstablished)
	leaves.has()
	if list := w.Neighbors(); len(list) != 2 || list[0].Settings != stays.settings || list[1].Settings != changes.settings {
		w.Errorf("the neighbors are %+v", list)
	}
	w.nothingElse(stays, changes)
	stays.await("its first session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == 1 && s.Flaps == 0 })

	leaves.added()
	leaves.told(plus(web4))
	leaves.toldEnds()
	w.nothingElse(stays, changes, leaves)
}

// policyChange: what a neighbor is sent changes in the session that it has.
func policyChange(w *world) {
	w.advertise(web4, web6)
	r, other := w.peer(vpn...), w.peer(vpn...)
	for _, r := range []*router{r, other} {
		r.told(plus(web4), plus(web6))
		r.toldEnds()
	}
	udp := func(route vrf.Route) vrf.Route {
		return with(route, func(r *vrf.Route) { r.Encapsulations = vrf.NewEncapsulations(vrf.MPLSInUDP) })
	}
	r.settings.Encapsulations = vrf.NewEncapsulations(vrf.MPLSInUDP)
	w.tell(r.settings, other.settings)
	r.told(plus(udp(web4)), plus(udp(web6)))
	r.has(udp(web4), udp(web6))
	other.has(web4, web6)
	w.advertise(other4)
	r.told(plus(udp(other4)))
	other.told(plus(other4))

	r.settings.Encapsulations = vrf.Encapsulations(0)
	w.tell(r.settings, other.settings)
	r.told(plus(web4), plus(web6), plus(other4))
	r.has(web4, web6, other4)
	r.await("the same session", func(s neighbor.Status) bool {
		return isEstablished(s) && s.Established == 1 && s.Settings == r.settings
	})
	w.nothingElse(r, other)
}

// maxAdvertised: a neighbor gets as many routes as it may, and the others as
// soon as it may have more. Fewer than it has is no withdrawal.
func maxAdvertised(w *world) {
	w.advertise(web4, web6)
	r := w.record(w.config(vpn...))
	r.settings.MaxAdvertised = 1
	r.added()
	// It is not said which one.
	first, second := web4, web6
	r.await("one of two", func(s neighbor.Status) bool { return s.Advertised == 1 && s.MaxReached })
	if w.Delivery(r.addr(), web4.Key).At.IsZero() {
		first, second = web6, web4
	}
	r.told(plus(first))
	r.toldEnds()
	r.has(first)
	r.lacks(second, neighbor.Delivery{Reason: "has the 1 routes that it may have at most", Check: neighbor.CheckMaximum})
	w.withdraw(first)
	r.told(minus(first))
	r.told(plus(second))
	r.has(second)

	w.advertise(first)
	r.lacks(first, neighbor.Delivery{Reason: "has the 1 routes that it may have at most", Check: neighbor.CheckMaximum})
	r.settings.MaxAdvertised = 0
	w.tell(r.settings)
	r.told(plus(first))
	r.await("all", func(s neighbor.Status) bool { return s.Advertised == 2 && !s.MaxReached })
	r.settings.MaxAdvertised = 1
	w.tell(r.settings)
	changed := withLabel(first, 200)
	w.advertise(changed) // which it has
	r.told(plus(changed))
	r.has(changed, second)
	r.settings.MaxAdvertised = 0
	w.tell(r.settings)
	w.nothingElse(r)
}
