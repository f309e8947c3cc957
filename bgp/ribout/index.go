package ribout

import "hash/maphash"

// index finds a slot by its key: an open-addressing table with linear probing
// that holds no keys. Keys come from users, so the hash has a secret. Its
// Table's mutex guards it.
type index struct {
	seed  maphash.Seed
	cells []cell // as many as a power of two
	used  int
}

// cell is a slot and half of the hash of its key, so that neither growing nor
// closing a gap, and no other key in the way, needs a look at the slots.
type cell struct {
	hash uint32
	slot uint32 // its number, and 1; 0: empty
}

const minCells = 64

func newIndex() index { return index{seed: maphash.MakeSeed(), cells: make([]cell, minCells)} }

func (x *index) hash(k key) uint32 { return uint32(maphash.Comparable(x.seed, k)) }

// at wraps around the end.
func (x *index) at(i int) int { return i & (len(x.cells) - 1) }

// find returns the slot with a key.
func (x *index) find(slots []slot, k key) (n uint32, ok bool) {
	hash := x.hash(k)
	for i := x.at(int(hash)); x.cells[i].slot != 0; i = x.at(i + 1) {
		if c := x.cells[i]; c.hash == hash && slots[c.slot-1].key == k {
			return c.slot - 1, true
		}
	}
	return 0, false
}

// add takes up a slot whose key is not there.
func (x *index) add(k key, n uint32) {
	if x.used++; x.used*4 > len(x.cells)*3 {
		old := x.cells
		x.cells = make([]cell, 2*len(old))
		for _, c := range old {
			if c.slot != 0 {
				x.place(c)
			}
		}
	}
	x.place(cell{x.hash(k), n + 1})
}

func (x *index) place(c cell) {
	i := x.at(int(c.hash))
	for x.cells[i].slot != 0 {
		i = x.at(i + 1)
	}
	x.cells[i] = c
}

// remove forgets a slot that is there, and closes the gap: whoever stands
// behind it and could stand in it does, so that no search ends too early.
func (x *index) remove(k key, n uint32) {
	x.used--
	gap := x.at(int(x.hash(k)))
	for x.cells[gap].slot != n+1 {
		gap = x.at(gap + 1)
	}
	for i := x.at(gap + 1); x.cells[i].slot != 0; i = x.at(i + 1) {
		if c := x.cells[i]; x.at(i-int(c.hash)) >= x.at(i-gap) { // its home is not behind the gap
			x.cells[gap], gap = c, i
		}
	}
	x.cells[gap] = cell{}
}
