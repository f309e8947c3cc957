package ribout

import "slices"

// changes is the log of which slots changed, for all groups: a change costs
// the same however many there are, and one that does not read costs nothing. Each
// group has a position in it. Its Table's mutex guards it.
type changes struct {
	slots []uint32
	base  uint64 // the position of the first of slots
	least int    // what it may grow to at least
}

// minLog is changes.least but in tests.
const minLog = 4096

// end is the position of the next entry.
func (c *changes) end() uint64 { return c.base + uint64(len(c.slots)) }

// changed makes every group look at a route again.
func (t *Table) changed(n uint32) {
	if len(t.groups) == 0 {
		return
	}
	c := &t.changes
	if len(c.slots) >= max(c.least, len(t.slots)) { // whoever is behind looks at all routes instead
		cut := len(c.slots) / 2
		c.base += uint64(cut)
		c.slots = slices.Clone(c.slots[cut:])
	}
	t.slots[n].logged = uint32(c.end()) // a log has not that many entries
	c.slots = append(c.slots, n)
}

// forgetRead empties the log when every group has read it.
func (t *Table) forgetRead() {
	c := &t.changes
	if !slices.ContainsFunc(t.groups, func(g *group) bool { return g.at < c.end() }) {
		c.base, c.slots = c.end(), nil
	}
}

// latest reports whether an entry is the newest one of its slot. Others are
// passed over.
func (t *Table) latest(position uint64) (n uint32, ok bool) {
	n = t.changes.slots[position-t.changes.base]
	return n, t.slots[n].logged == uint32(position)
}
