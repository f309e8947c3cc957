package ribout

import (
	"net/netip"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// group is Outs that have been sent the same, and should have the same: what is
// written for one of them is for all. Its Table's mutex guards it.
type group struct {
	table *Table
	alike
	members []*Out // with equal memberships
	waiting bool   // for the membership of the one member

	count  int    // of routes that each has
	capped bool   // some are withheld, because they have as many as they may
	sent   []sent // by slot; may be shorter than the table's
	at     uint64 // the position in the table's changes up to which it has looked

	sweep  int  // the next slot of a round over all of them
	left   int  // how many slots it has yet to look at
	slots  int  // how many there were then
	rounds bool // such a round is under way
	marks       // of the VPN families

	chunks  []chunk // what was written, and not every member was handed
	first   uint64  // the number of the first of chunks
	bytes   int     // of chunks
	latest  int64   // when something was written last; no two writes have one time
	unequal bool    // it may be like another group, and was not compared since
}

// alike is what decides how routes are written, and which.
type alike struct {
	session Session
	policy  neighbor.Policy
}

// sent is what the neighbors have of a route.
type sent struct {
	at    int64        // Unix time in nanoseconds
	attrs attributesID // held; 0: nothing
	label vrf.Label    // with again: it must be sent again
}

// again is beyond the 20 bits of a label.
const again vrf.Label = 1 << 31

// forget notes that the neighbors no longer have a route.
func (g *group) forget(n uint32) {
	g.table.attributes.drop(g.sent[n].attrs)
	g.sent[n] = sent{}
	g.count--
	g.table.slots[n].known--
	g.table.release(n)
}

// round makes produce look at all routes. It goes on where the one before it is,
// so that each route gets its turn however often a round begins.
func (g *group) round() {
	g.slots, g.left, g.rounds = len(g.table.slots), len(g.table.slots), true
	g.table.progress.judged()
}

func (g *group) routesDue() bool {
	return !g.waiting && (g.rounds || g.asked != 0 || g.at < g.table.changes.end())
}

// batch bounds how many routes one chunk is about at, and so how long it
// holds the table. Single changes come before a round over all routes.
const batch = 8192

// sendRoutes writes the differences of one batch: single changes, then a part
// of a round.
func (g *group) sendRoutes(p *packer) {
	if begin := g.begin(&p.builder, g.session.EnhancedRefresh); begin != 0 {
		g.resend(func(k key) bool { return begin.Contains(k.family()) })
	}
	g.look(p)
	if g.capped && !g.full(0) { // there is room for what was withheld
		g.capped = false
		g.round()
	}
	if g.rounds && g.left == 0 && g.at == g.table.changes.end() {
		g.rounds, g.unequal = false, true
		g.finish(&p.builder)
		g.table.progress.judged()
	}
}

// full reports whether the neighbor has as many routes as it may, with some
// more.
func (g *group) full(more int) bool {
	return g.policy.MaxAdvertised > 0 && g.count+more >= int(g.policy.MaxAdvertised)
}

// look compares routes with what the neighbors have of them.
func (g *group) look(p *packer) {
	t := g.table
	if g.at < t.changes.base { // too far behind
		g.at = t.changes.end()
		g.round()
	}
	slots := len(t.slots)
	if len(g.sent) < slots {
		g.sent = slices.Grow(g.sent, cap(t.slots)-len(g.sent))[:cap(t.slots)] // as seldom as the table itself
	}
	n, under := 0, t.changes.markOf(g.at)
	for ; n < batch && g.at < t.changes.end(); g.at++ {
		if slot, ok := t.latest(g.at); ok {
			var at time.Time
			at, under = t.changes.committed(g.at, under)
			p.addFrom(slot, at)
			n++
		}
	}
	p.write()
	t.forgetRead()
	if !g.rounds {
		return
	}
	g.slots, g.left = slots, g.left+slots-g.slots // new ones may be between here and the end
	for ; n < batch && g.left > 0; n++ {
		if g.sweep >= slots {
			g.sweep = 0
		}
		p.add(uint32(g.sweep))
		g.sweep, g.left = g.sweep+1, g.left-1
	}
	p.write()
}

// wants reports whether the neighbors should have a route. Which targets they
// want is asked once for all routes of a batch that have the same: with many
// lengths of memberships that is expensive.
func (p *packer) wants(family neighbor.Family, id attributesID) bool {
	g := p.group
	a := g.table.attributes.of(id)
	if !g.session.Families.Contains(family) || !g.takesNextHop(family, a.nextHop) {
		return false
	}
	if !g.session.Families.Contains(neighbor.RouteTarget) {
		return true
	}
	wanted, known := p.wanted[a.targets]
	if !known {
		if p.wanted == nil {
			p.wanted = map[routetarget.Set]bool{}
		}
		wanted = g.wantsTargets(a.targets)
		p.wanted[a.targets] = wanted
	}
	return wanted
}

func (g *group) takesNextHop(family neighbor.Family, nextHop netip.Addr) bool {
	return family != neighbor.InetVPN || nextHop.Is4() || g.session.ExtendedNextHop
}

func (g *group) wantsTargets(targets routetarget.Set) bool {
	return !g.session.Families.Contains(neighbor.RouteTarget) || g.members[0].interest.in(targets)
}
