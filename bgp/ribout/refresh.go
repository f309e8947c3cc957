package ribout

import (
	"encoding/binary"

	"github.com/buoynet/buoy/internal/neighbor"
)

// The subtypes of ROUTE-REFRESH (RFC 7313 §3.2).
const (
	RefreshRequest = 0
	BeginOfRefresh = 1 // BoRR
	EndOfRefresh   = 2 // EoRR
)

// marks is what some families are owed besides NLRIs. A group has those of the
// routes, an Out that of route-target.
type marks struct {
	marker     neighbor.Families // whose End-of-RIB follows when all was sent once
	asked      neighbor.Families // whose refresh has yet to begin
	refreshing neighbor.Families // whose EoRR follows when all was sent again
}

// begin returns the families whose refresh is to begin now, and writes their
// marks. One that is under way begins anew, with another mark: what was sent
// before it is stale for the neighbor again. No refresh begins before the
// family's End-of-RIB (RFC 7313 §4.1). With marks the families follow each other:
// FRR does not take one refresh inside another.
func (k *marks) begin(m *builder, enhanced bool) (begin neighbor.Families) {
	begin = k.asked &^ k.marker
	if enhanced {
		if k.refreshing != 0 {
			begin &= k.refreshing
		}
		begin &= -begin // the first of them
		m.refreshMarks(begin, BeginOfRefresh)
		k.refreshing |= begin
	}
	k.asked &^= begin
	return begin
}

// finish writes what follows when everything was sent.
func (k *marks) finish(m *builder) {
	for _, f := range k.marker.Slice() {
		m.endOfRIB(f)
	}
	m.refreshMarks(k.refreshing, EndOfRefresh)
	k.marker, k.refreshing = 0, 0
}

// Refresh sends the routes of a family again (RFC 2918), between marks when
// both sides know them (RFC 7313). What is asked for again before it has begun
// is sent once.
func (o *Out) Refresh(family neighbor.Family) {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	asked := o.session.Families & neighbor.NewFamilies(family)
	o.asked |= asked & rtFamilies
	if asked &= neighbor.VPNFamilies; asked != 0 {
		o.alone().asked |= asked
	}
	if o.pending() {
		o.signal()
	}
}

// refreshMarks writes a ROUTE-REFRESH for each family.
func (m *builder) refreshMarks(families neighbor.Families, subtype byte) {
	for _, f := range families.Slice() {
		m.header(typeRouteRefresh)
		m.b = binary.BigEndian.AppendUint16(m.b, f.AFI())
		m.b = append(m.b, subtype, f.SAFI())
		m.end()
	}
}

// RefreshBegins is for the neighbor's BoRR for route-target: from here on its
// memberships are stale until it announces them again (RFC 7313 §4.2). One
// before its End-of-RIB does not count.
func (o *Out) RefreshBegins() {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	if !o.group.waiting {
		o.interest.age()
	}
}

// RefreshEnds is for its EoRR: what is stale is gone.
func (o *Out) RefreshEnds() {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	if !o.interest.dropStale() {
		return
	}
	o.alone().round()
	if o.pending() {
		o.signal()
	}
}
