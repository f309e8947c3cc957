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
// For what was sent before the neighbor joined a group, that is when it joined.
func (o *Out) Routes() iter.Seq2[vrf.Route, time.Time] {
	type line struct {
		vrf.Route
		at int64
	}
	t := o.table
	t.mu.Lock()
	var list []line
	g, handed := o.group, o.handed()
	for n := range g.sent {
		if s := &g.sent[n]; s.attrs != 0 && s.at < handed {
			a := t.attributes.of(s.attrs)
			list = append(list, line{vrf.Route{
				Key: t.slots[n].key.key(), Label: s.label &^ again, LocalPref: a.localPref, NextHop: a.nextHop,
				Targets: a.targets, Encapsulations: g.encapsulations(a), GracefulShutdown: a.gracefulShutdown,
			}, max(s.at, o.since)})
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
	n, ok := t.index.find(t.slots, keyOf(k))
	if !ok || t.slots[n].attrs == 0 {
		return neighbor.Delivery{Reason: "has no such route to get", Check: neighbor.CheckRoute}
	}
	s, g := &t.slots[n], o.group
	have := g.sentOf(n)
	if have.attrs == s.attrs && have.label&^again == s.label && have.at < o.handed() {
		return neighbor.Delivery{At: time.Unix(0, max(have.at, o.since))}
	}
	a := t.attributes.of(s.attrs)
	family := s.family()
	switch {
	case !o.session.Families.Contains(family):
		return neighbor.Delivery{Reason: fmt.Sprintf("did not negotiate %s", family), Check: neighbor.CheckFamily}
	case !g.takesNextHop(family, a.nextHop):
		return neighbor.Delivery{Reason: "did not offer IPv6 next hops for inet-vpn (RFC 8950)", Check: neighbor.CheckNextHop}
	case g.waiting:
		return neighbor.Delivery{Reason: "has not yet said which route targets it wants", Soon: true, Check: neighbor.CheckMembership}
	case !g.wantsTargets(a.targets):
		return neighbor.Delivery{Reason: fmt.Sprintf("did not ask for any of %s", a.targets), Check: neighbor.CheckMembership}
	case g.capped && have.attrs == 0 && !g.rounds:
		return neighbor.Delivery{Reason: fmt.Sprintf("has the %d routes that it may have at most", g.policy.MaxAdvertised), Check: neighbor.CheckMaximum}
	}
	d := neighbor.Delivery{Reason: "is being sent the route", Soon: true, Check: neighbor.CheckSent}
	if o.due != 0 {
		d.Since = time.Unix(0, o.due)
	}
	return d
}

// sentOf returns what the neighbors have of a route.
func (g *group) sentOf(n uint32) sent {
	if int(n) < len(g.sent) {
		return g.sent[n]
	}
	return sent{}
}

// Count returns how many routes the neighbor has, and whether others are
// withheld because it may have no more.
func (o *Out) Count() (n int, capped bool) {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	return o.group.count, o.group.capped
}

// SetPolicy changes what the neighbor is sent from now on. When it may have
// fewer routes than it has, it keeps them: none is withdrawn for that.
func (o *Out) SetPolicy(policy neighbor.Policy) {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	g := o.alone()
	old := g.policy
	g.policy, g.capped = policy, false
	g.resend(func(key) bool { return old.Encapsulations != policy.Encapsulations })
	if o.pending() {
		o.signal()
	}
}

// resend looks at all routes, and sends those that are chosen although the
// neighbors have them. The caller holds the table's mutex.
func (g *group) resend(chosen func(key) bool) {
	for n := range g.sent {
		if g.sent[n].attrs != 0 && chosen(g.table.slots[n].key) {
			g.sent[n].label |= again
		}
	}
	g.round()
}
