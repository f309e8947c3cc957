package ribout

import (
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// packer collects differences, each slot once, and packs them.
type packer struct {
	wanted    map[routetarget.Set]bool // what is known of the neighbors' membership
	group     *group
	builder   builder
	now       int64
	changed   []difference
	withdrawn []difference
	commits   []time.Time // that wrote changed and withdrawn, each once
	added     int         // of changed: those that the neighbors do not have
}

// difference is a route that is to be sent or withdrawn. In order, those that
// can share an UPDATE stand together: family, attributes, slot.
type difference uint64

const (
	slotBits       = 32
	attributesBits = 31
)

func differenceOf(f neighbor.Family, id attributesID, n uint32) difference {
	d := difference(id)<<slotBits | difference(n)
	if f == neighbor.Inet6VPN {
		d |= 1 << (slotBits + attributesBits)
	}
	return d
}

func (d difference) slot() uint32 { return uint32(d) }

func (d difference) attributes() attributesID { return attributesID(d << 1 >> (slotBits + 1)) }

func (d difference) family() neighbor.Family {
	if d>>(slotBits+attributesBits) == 0 {
		return neighbor.InetVPN
	}
	return neighbor.Inet6VPN
}

// shares reports whether two can stand in one UPDATE.
func (d difference) shares(o difference) bool { return d>>slotBits == o>>slotBits }

// addFrom is add for a route that a commit changed, if the time is not zero.
func (p *packer) addFrom(n uint32, at time.Time) {
	before := len(p.changed) + len(p.withdrawn)
	p.add(n)
	if last := len(p.commits) - 1; before < len(p.changed)+len(p.withdrawn) && !at.IsZero() && (last < 0 || p.commits[last] != at) {
		p.commits = append(p.commits, at)
	}
}

// add compares a route with what the neighbors have of it.
func (p *packer) add(n uint32) {
	g := p.group
	s, have := &g.table.slots[n], &g.sent[n]
	if s.attrs == 0 && have.attrs == 0 {
		return
	}
	f := s.family()
	wanted := s.attrs != 0 && p.wants(f, s.attrs)
	switch {
	case wanted && have.attrs == 0 && g.full(p.added):
		g.capped = true
	case wanted && (have.attrs != s.attrs || have.label != s.label):
		if have.attrs == 0 {
			p.added++
		}
		p.changed = append(p.changed, differenceOf(f, s.attrs, n))
	case !wanted && have.attrs != 0:
		p.withdrawn = append(p.withdrawn, differenceOf(f, 0, n))
	}
}

// write packs what was collected: what is new or changed first, so that a
// floating IP that moves is never without a route.
func (p *packer) write() {
	slices.Sort(p.changed)
	slices.Sort(p.withdrawn)
	p.announce()
	p.withdraw()
	p.changed, p.withdrawn, p.added = p.changed[:0], p.withdrawn[:0], 0
}

func (p *packer) announce() {
	g, m := p.group, &p.builder
	var trailing []byte
	for i, d := range p.changed {
		f := d.family()
		if i == 0 || !d.shares(p.changed[i-1]) || !m.room(nlriSize(f)) {
			if i > 0 {
				m.finish(trailing)
			}
			a := g.table.attributes.of(d.attributes())
			trailing = g.appendAttributes(trailing[:0], a)
			m.begin(attrReach, f, len(trailing))
			m.b = append(appendNextHop(m.b, f, a.nextHop), 0) // reserved
		}
		s, have := &g.table.slots[d.slot()], &g.sent[d.slot()]
		m.nlri(s.key, bottomOfStack(s.label))
		if have.attrs == 0 {
			s.known++
			g.count++
		}
		g.table.attributes.drop(have.attrs)
		*have = sent{at: p.now, attrs: g.table.attributes.hold(s.attrs), label: s.label}
	}
	if len(p.changed) > 0 {
		m.finish(trailing)
	}
}

func (p *packer) withdraw() {
	g, m := p.group, &p.builder
	for i, d := range p.withdrawn {
		f := d.family()
		if i == 0 || !d.shares(p.withdrawn[i-1]) || !m.room(nlriSize(f)) {
			if i > 0 {
				m.finish(nil)
			}
			m.begin(attrUnreach, f, 0)
		}
		m.nlri(g.table.slots[d.slot()].key, withdrawnLabel)
		g.forget(d.slot())
	}
	if len(p.withdrawn) > 0 {
		m.finish(nil)
	}
}
