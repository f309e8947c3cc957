package ribout

import (
	"slices"
	"sort"
	"time"
)

// changes is the log of which slots changed, for all groups: a change costs
// the same however many there are, and one that does not read costs nothing. Each
// group has a position in it. Its Table's mutex guards it.
type changes struct {
	slots []uint32
	base  uint64 // the position of the first of slots
	least int    // what it may grow to at least

	marks []mark // in the order of their positions
}

// mark says that the entries from a position on, up to the next mark, come from a commit.
type mark struct {
	position uint64
	at       time.Time // when it was on disk; zero: from none
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
		c.marks = slices.Delete(c.marks, 0, c.markOf(c.base))
	}
	c.mark(t.committed)
	t.slots[n].logged = uint32(c.end()) // a log has not that many entries
	c.slots = append(c.slots, n)
}

// mark notes which commit the next entry comes from.
func (c *changes) mark(at time.Time) {
	if last := len(c.marks) - 1; last < 0 && !at.IsZero() || last >= 0 && c.marks[last].at != at {
		c.marks = append(c.marks, mark{c.end(), at})
	}
}

// markOf returns the index of the mark that an entry is under; 0 if it is before all.
func (c *changes) markOf(position uint64) int {
	behind := sort.Search(len(c.marks), func(i int) bool { return c.marks[i].position > position })
	return max(behind-1, 0)
}

// committed returns when the commit of an entry was on disk, given the index of the mark
// that an earlier one is under, and the index of its own.
func (c *changes) committed(position uint64, i int) (at time.Time, now int) {
	for i+1 < len(c.marks) && c.marks[i+1].position <= position {
		i++
	}
	if i < len(c.marks) && c.marks[i].position <= position {
		at = c.marks[i].at
	}
	return at, i
}

// SetCommitted says since when what is advertised and withdrawn next is on disk, which
// Out.Commits returns when it is to be written. The zero time is for what nobody waits for.
func (t *Table) SetCommitted(at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.committed = at
}

// forgetRead empties the log when every group has read it.
func (t *Table) forgetRead() {
	c := &t.changes
	if !slices.ContainsFunc(t.groups, func(g *group) bool { return g.at < c.end() }) {
		c.base, c.slots, c.marks = c.end(), nil, c.marks[:0]
	}
}

// latest reports whether an entry is the newest one of its slot. Others are
// passed over.
func (t *Table) latest(position uint64) (n uint32, ok bool) {
	n = t.changes.slots[position-t.changes.base]
	return n, t.slots[n].logged == uint32(position)
}
