package ipam

import (
	"cmp"

	"github.com/tidwall/btree"
)

// Runs is a set of numbers in several spaces. It is kept as maximal runs of
// consecutive numbers, so that the next absent one is found in the time that
// finding a run takes, however full the set is. NewRuns makes one.
type Runs[S cmp.Ordered] struct {
	tree *btree.BTreeG[run[S]] // by space and first number
}

// run is consecutive numbers of the set. The numbers right before and after
// are not in it.
type run[S cmp.Ordered] struct {
	space       S
	first, last Number
}

// NewRuns returns an empty set.
func NewRuns[S cmp.Ordered]() *Runs[S] {
	unlocked := btree.Options{NoLocks: true} // one owner writes, others have copies
	return &Runs[S]{btree.NewBTreeGOptions(func(a, b run[S]) bool {
		if a.space != b.space {
			return a.space < b.space
		}
		return a.first.less(b.first)
	}, unlocked)}
}

// Copy returns a copy that later changes of the set do not touch, nor the
// other way round. It takes constant time.
func (r *Runs[S]) Copy() *Runs[S] { return &Runs[S]{r.tree.Copy()} }

// Len returns the number of runs in all spaces.
func (r *Runs[S]) Len() int { return r.tree.Len() }

// Add puts a number into the set. It reports false when it was there already.
func (r *Runs[S]) Add(space S, n Number) (added bool) {
	joined := run[S]{space, n, n}
	if before, ok := r.upTo(space, n); ok {
		if !before.last.less(n) {
			return false
		}
		if before.last.next() == n {
			joined.first = before.first
		}
	}
	if n != maxNumber {
		if after, ok := r.tree.Delete(run[S]{space: space, first: n.next()}); ok {
			joined.last = after.last
		}
	}
	r.tree.Set(joined) // in the place of the one before, if there was one
	return true
}

// Remove takes a number out of the set. It reports false when it was not
// there.
func (r *Runs[S]) Remove(space S, n Number) (removed bool) {
	old, ok := r.upTo(space, n)
	if !ok || old.last.less(n) {
		return false
	}
	if old.first == n {
		r.tree.Delete(old)
	} else {
		r.tree.Set(run[S]{space, old.first, n.prev()})
	}
	if old.last != n {
		r.tree.Set(run[S]{space, n.next(), old.last})
	}
	return true
}

// Contains reports whether a number is in the set.
func (r *Runs[S]) Contains(space S, n Number) bool {
	found, ok := r.upTo(space, n)
	return ok && !found.last.less(n)
}

// NextAbsent returns the lowest number from first to last that is not in the
// set. It reports false when all of them are.
func (r *Runs[S]) NextAbsent(space S, first, last Number) (Number, bool) {
	if last.less(first) {
		return Number{}, false
	}
	found, ok := r.upTo(space, first)
	switch {
	case !ok || found.last.less(first):
		return first, true
	case found.last.less(last): // the number after a run is not in the set
		return found.last.next(), true
	default:
		return Number{}, false
	}
}

// Count returns how many numbers from first to last are in the set, at most
// math.MaxUint64.
func (r *Runs[S]) Count(space S, first, last Number) (n uint64) {
	start := run[S]{space: space, first: first}
	if found, ok := r.upTo(space, first); ok {
		start = found // may reach beyond first
	}
	r.tree.Ascend(start, func(x run[S]) bool {
		if x.space != space || last.less(x.first) {
			return false
		}
		if x.first.less(first) {
			x.first = first
		}
		if last.less(x.last) {
			x.last = last
		}
		if !x.last.less(x.first) {
			n = addSaturating(n, count(x.first, x.last))
		}
		return true
	})
	return n
}

// upTo returns the last run that begins at n or before. If n is in the set, it
// is in that run.
func (r *Runs[S]) upTo(space S, n Number) (found run[S], ok bool) {
	r.tree.Descend(run[S]{space: space, first: n}, func(x run[S]) bool {
		found, ok = x, x.space == space
		return false
	})
	return found, ok
}
