package ribout

import (
	"math"
	"slices"
	"time"
	"unsafe"

	"github.com/buoynet/buoy/internal/neighbor"
)

// chunk is what one call of produce wrote. Nobody changes it.
type chunk struct {
	messages []byte
	at       int64       // as in sent
	commits  []time.Time // see Out.Commits
}

// What is kept for members that do not read is bounded by what a record of
// their own would take, with this as the least, in bytes.
const minBehind = 1 << 20

// size is what a chunk takes, roughly.
func (c *chunk) size() int { return len(c.messages) + 64 }

// enter finds a new session its group: one that has not begun, so that routers
// that come up together share their first round, or a new one.
func (t *Table) enter(o *Out, like alike) {
	waiting := like.session.Families.Contains(neighbor.RouteTarget)
	for _, g := range t.groups {
		if g.alike == like && !waiting && g.rounds && g.latest == 0 && g.asked == 0 {
			o.group, g.members = g, append(g.members, o)
			return
		}
	}
	o.group = &group{
		table: t, alike: like, members: []*Out{o}, waiting: waiting, at: t.changes.end(),
		marks: marks{marker: like.session.Families & neighbor.VPNFamilies},
	}
	o.group.round()
	t.groups = append(t.groups, o.group)
}

// end is the number of the next chunk.
func (g *group) end() uint64 { return g.first + uint64(len(g.chunks)) }

// produce writes what is next for a member that was handed all there is. The
// others are handed it later.
func (g *group) produce(o *Out, b []byte, now int64) []byte {
	start := len(b)
	g.latest = max(now, g.latest+1)
	p := packer{group: g, builder: builder{b: b, limit: g.session.MaxMessage}, now: g.latest, commits: o.commits}
	g.sendRoutes(&p)
	b, o.commits = p.builder.b, p.commits
	if len(g.members) == 1 || len(b) == start {
		return b
	}
	c := chunk{slices.Clone(b[start:]), g.latest, slices.Clone(o.commits)}
	g.chunks, g.bytes = append(g.chunks, c), g.bytes+c.size()
	o.next++
	for _, m := range g.members {
		if m != o {
			m.signal()
		}
	}
	g.shed()
	return b
}

// hand gives a member its next chunk.
func (g *group) hand(o *Out, b []byte) []byte {
	c := &g.chunks[o.next-g.first]
	b, o.commits = append(b, c.messages...), append(o.commits, c.commits...)
	o.next++
	g.trim()
	return b
}

// trim drops what every member was handed.
func (g *group) trim() {
	first := g.end()
	for _, m := range g.members {
		first = min(first, m.next)
	}
	n := first - g.first
	for i := range g.chunks[:n] {
		g.bytes -= g.chunks[i].size()
		g.chunks[i] = chunk{}
	}
	if g.chunks, g.first = g.chunks[n:], first; len(g.chunks) == 0 {
		g.chunks = nil
	}
}

// shed lets those that are too far behind go on their own.
func (g *group) shed() {
	for g.bytes > max(g.table.behind, len(g.sent)*int(unsafe.Sizeof(sent{}))) {
		slow := slices.Clone(g.members)
		g.split(slices.DeleteFunc(slow, func(m *Out) bool { return m.next > g.first }))
	}
}

// alone makes a member's group its own.
func (o *Out) alone() *group { return o.group.split([]*Out{o}) }

// split makes a group of some members. They have been sent the same so far, and
// have the same chunks to come.
func (g *group) split(members []*Out) *group {
	if len(members) == len(g.members) {
		return g
	}
	t, part := g.table, *g
	part.members, part.sent, part.chunks, part.unequal = members, slices.Clone(g.sent), slices.Clone(g.chunks), true
	for n := range part.sent {
		if id := part.sent[n].attrs; id != 0 {
			t.attributes.hold(id)
			t.slots[n].known++
		}
	}
	g.members = slices.DeleteFunc(g.members, func(m *Out) bool { return slices.Contains(members, m) })
	for _, m := range members {
		m.group = &part
	}
	g.trim()
	part.trim()
	t.groups = append(t.groups, &part)
	return &part
}

// remove takes a member out, and with the last one the group.
func (g *group) remove(o *Out) {
	if len(g.members) == 1 {
		g.dissolve()
		return
	}
	g.members = slices.DeleteFunc(g.members, func(m *Out) bool { return m == o })
	g.trim()
	o.group = &group{table: g.table, members: []*Out{o}, waiting: true} // that nobody writes for
}

// dissolve forgets all that was sent.
func (g *group) dissolve() {
	for n := range g.sent {
		if g.sent[n].attrs != 0 {
			g.forget(uint32(n))
		}
	}
	g.sent, g.rounds, g.waiting = nil, false, true
	g.table.groups = slices.DeleteFunc(g.table.groups, func(other *group) bool { return other == g })
	g.table.forgetRead()
}

// idle reports whether all members have what they should, as far as they may.
func (g *group) idle() bool { return !g.waiting && !g.routesDue() && len(g.chunks) == 0 }

// settle joins another group that has come to the same. That all routes are
// compared happens only after a round, or after what made the groups two.
func (g *group) settle() {
	if !g.idle() {
		return
	}
	for _, other := range g.table.groups {
		if other == g || !g.unequal && !other.unequal || !other.idle() || !g.like(other) {
			continue
		}
		if g.equal(other) {
			g.join(other)
			return
		}
		g.unequal, other.unequal = false, false
	}
}

// like reports whether the members should be sent the same.
func (g *group) like(other *group) bool {
	return g.alike == other.alike && g.members[0].interest.equal(&other.members[0].interest)
}

// equal compares what was sent, but for the time.
func (g *group) equal(other *group) bool {
	short, long := g.sent, other.sent
	if len(short) > len(long) {
		short, long = long, short
	}
	for n := range long {
		var s sent
		if n < len(short) {
			s = short[n]
		}
		if long[n].attrs != s.attrs || long[n].label != s.label {
			return false
		}
	}
	return g.capped == other.capped
}

func (g *group) join(other *group) {
	for _, m := range g.members {
		m.group, m.next, m.since = other, other.end(), g.latest
	}
	other.members = append(other.members, g.members...)
	other.latest = max(other.latest, g.latest)
	g.dissolve()
}

// handed returns before when what was sent has reached the member: the rest is
// in chunks that it was not handed.
func (o *Out) handed() int64 {
	if o.next < o.group.end() {
		return o.group.chunks[o.next-o.group.first].at
	}
	return math.MaxInt64
}
