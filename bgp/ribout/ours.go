package ribout

import (
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// SetMembership announces exactly these targets as wanted, to the neighbors
// with route-target (RFC 4684).
func (t *Table) SetMembership(targets routetarget.Set) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.membership = targets
	t.wake()
}

// membershipDue reports whether the neighbor has to be told of our membership.
func (o *Out) membershipDue() bool {
	return o.session.Families.Contains(neighbor.RouteTarget) &&
		(o.marker|o.asked != 0 || o.membership != o.table.membership)
}

// sendMembership writes what changed of our membership, or all of it for a
// refresh. It goes out before all routes, and as a whole: it is small.
func (o *Out) sendMembership(m *builder) {
	want, have := o.table.membership, o.membership
	o.membership = want
	begin := o.begin(m, o.session.EnhancedRefresh)
	if begin != 0 {
		o.writeMembership(m, attrReach, want)
	} else {
		o.writeMembership(m, attrReach, want.Minus(have))
	}
	o.writeMembership(m, attrUnreach, have.Minus(want))
	o.finish(m)
}

// writeMembership packs the NLRIs <our AS>:<target> (RFC 4684 §4).
func (o *Out) writeMembership(m *builder, attribute byte, targets routetarget.Set) {
	if targets.Len() == 0 {
		return
	}
	var trailing []byte
	if attribute == attrReach {
		trailing = o.session.appendAS4Path(o.session.appendPath(nil, originIGP, vrf.LocalPrefDefault))
	}
	begin := func() {
		m.begin(attribute, neighbor.RouteTarget, len(trailing))
		if attribute == attrReach {
			id := o.session.RouterID.As4()
			m.b = append(append(append(m.b, 4), id[:]...), 0) // RFC 4684 §7; reserved
		}
	}
	begin()
	for t := range targets.All() {
		if !m.room(membershipSize) {
			m.finish(trailing)
			begin()
		}
		m.membership(o.session.LocalAS, t)
	}
	m.finish(trailing)
}
