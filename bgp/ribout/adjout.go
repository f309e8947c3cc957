package ribout

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// line is a route that a neighbor has, and when it was sent.
type line struct {
	vrf.Route
	at int64
}

// firstPart is how many routes are found in the first look at all of them: some more
// than a page of the API has.
const firstPart = 1024

// Routes yields what the neighbor has, as it was sent, and when; ordered by key, from one
// on. For what was sent before the neighbor joined a group, that is when it joined. The
// routes are found in parts, each in one look at all and twice as long as the one before:
// what changes meanwhile is in a later part, or not.
func (o *Out) Routes(from vrf.Key) iter.Seq2[vrf.Route, time.Time] {
	return func(yield func(vrf.Route, time.Time) bool) {
		next := startOf(from)
		for n := firstPart; ; n *= 2 {
			part, last := o.part(next, n)
			for _, l := range part {
				if !yield(l.Route, time.Unix(0, l.at)) {
					return
				}
			}
			if len(part) < n {
				return
			}
			next = start{key: last, after: true}
		}
	}
}

// part returns the first n of the routes that the neighbor has from a start on, and the
// key of the last.
func (o *Out) part(from start, n int) (part []line, last key) {
	t := o.table
	t.mu.Lock()
	defer t.mu.Unlock()
	g, handed := o.group, o.handed()
	first := make([]uint32, 0, 2*n) // slots: the first n are among them, once all were seen
	compare := func(a, b uint32) int { return t.slots[a].key.compare(t.slots[b].key) }
	full := false // then last is the n-th of those seen
	cut := func() {
		slices.SortFunc(first, compare)
		if len(first) >= n {
			first, full = first[:n], true
			last = t.slots[first[n-1]].key
		}
	}
	for i := range g.sent {
		s := &g.sent[i]
		if s.attrs == 0 || s.at >= handed {
			continue
		}
		if k := &t.slots[i].key; from.before(k) || full && k.compare(last) > 0 {
			continue
		}
		if first = append(first, uint32(i)); len(first) == cap(first) {
			cut()
		}
	}
	cut()
	part = make([]line, len(first))
	for i, slot := range first {
		s := &g.sent[slot]
		a := t.attributes.of(s.attrs)
		part[i] = line{vrf.Route{
			Key: t.slots[slot].key.key(), Label: s.label &^ again, LocalPref: a.localPref, NextHop: a.nextHop,
			Targets: a.targets, Encapsulations: g.encapsulations(a), GracefulShutdown: a.gracefulShutdown,
		}, max(s.at, o.since)}
	}
	return part, last
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

// Queue returns how many routes have yet to be compared with what the neighbor has, and
// how many bytes of messages are written and were not handed to it.
func (o *Out) Queue() (routes, bytes int) {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	g := o.group
	if g.waiting {
		return 0, 0 // for its membership: nothing is due
	}
	routes = int(o.table.changes.end()-max(g.at, o.table.changes.base)) + g.left
	for _, c := range g.chunks[o.next-g.first:] {
		bytes += len(c.messages)
	}
	return routes, bytes
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
