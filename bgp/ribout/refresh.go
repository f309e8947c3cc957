package ribout

import (
	"encoding/binary"

	"github.com/buoynet/buoy/internal/neighbor"
)

// The subtypes of ROUTE-REFRESH that mark where a refresh begins and ends (RFC
// 7313 §3.2).
const (
	beginOfRefresh = 1 // BoRR
	endOfRefresh   = 2 // EoRR
)

// Refresh sends the routes of a family again (RFC 2918), between marks when
// both sides know them (RFC 7313). What is asked for again before it has begun
// is sent once.
func (o *Out) Refresh(family neighbor.Family) {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	o.asked |= o.session.Families & neighbor.NewFamilies(family)
	if o.pending() {
		o.signal()
	}
}

// beginRefresh returns those of the families whose refresh is to begin now, and
// writes their marks. One that is under way begins anew, with another mark: what
// was sent before it is stale for the neighbor again. No refresh begins before
// the family's End-of-RIB (RFC 7313 §4.1).
func (o *Out) beginRefresh(m *builder, of neighbor.Families) (begin neighbor.Families) {
	begin = o.asked & of &^ o.marker
	o.asked &^= begin
	if o.session.EnhancedRefresh {
		m.refreshMarks(begin, beginOfRefresh)
		o.refreshing |= begin
	}
	return begin
}

// endRound writes what follows when all of some families was sent.
func (o *Out) endRound(m *builder, of neighbor.Families) {
	for _, f := range (o.marker & of).Slice() {
		m.endOfRIB(f)
	}
	m.refreshMarks(o.refreshing&of, endOfRefresh)
	o.marker, o.refreshing = o.marker&^of, o.refreshing&^of
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
	if !o.waiting {
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
	o.round()
	if o.pending() {
		o.signal()
	}
}
