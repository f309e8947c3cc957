package ribout

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// Routes yields what the neighbor has, as it was sent, and when; ordered by key.
func (o *Out) Routes() iter.Seq2[vrf.Route, time.Time] {
	type line struct {
		vrf.Route
		at int64
	}
	t := o.table
	t.mu.Lock()
	var list []line
	for n := range o.sent {
		if s := &o.sent[n]; s.attrs != 0 {
			a := t.attributes.of(s.attrs)
			list = append(list, line{vrf.Route{
				Key: t.slots[n].key.key(), Label: s.label, LocalPref: a.localPref, NextHop: a.nextHop,
				Targets: a.targets, Encapsulations: a.encapsulations,
			}, s.at})
		}
	}
	t.mu.Unlock()
	slices.SortFunc(list, func(a, b line) int { return a.Key.Compare(b.Key) })
	return func(yield func(vrf.Route, time.Time) bool) {
		for _, l := range list {
			if !yield(l.Route, time.Unix(0, l.at)) {
				return
			}
		}
	}
}

// Delivery reports when a route went out as it should be now, or why it has
// not.
func (o *Out) Delivery(k vrf.Key) neighbor.Delivery {
	t := o.table
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.index[keyOf(k)]
	if !ok || t.slots[n].attrs == 0 {
		return neighbor.Delivery{Reason: "has no such route to get"}
	}
	s := &t.slots[n]
	if int(n) < len(o.sent) && o.sent[n].attrs == s.attrs && o.sent[n].label == s.label {
		return neighbor.Delivery{At: time.Unix(0, o.sent[n].at)}
	}
	a := t.attributes.of(s.attrs)
	family := s.family()
	switch {
	case !o.session.Families.Contains(family):
		return neighbor.Delivery{Reason: fmt.Sprintf("did not negotiate %s", family)}
	case !o.takesNextHop(family, a.nextHop):
		return neighbor.Delivery{Reason: "did not offer IPv6 next hops for inet-vpn (RFC 8950)"}
	case o.waiting:
		return neighbor.Delivery{Reason: "has not yet said which route targets it wants", Soon: true}
	case !o.wantsTargets(a.targets):
		return neighbor.Delivery{Reason: fmt.Sprintf("did not ask for any of %s", a.targets)}
	default:
		return neighbor.Delivery{Reason: "is being sent the route", Soon: true}
	}
}

// Refresh sends the routes of a family again (RFC 2918).
func (o *Out) Refresh(family neighbor.Family) {
	t := o.table
	t.mu.Lock()
	defer t.mu.Unlock()
	for n := range o.sent {
		if o.sent[n].attrs != 0 && t.slots[n].family() == family {
			o.sent[n].label = 0
		}
	}
	o.round()
	if o.pending() {
		o.signal()
	}
}
