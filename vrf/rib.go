package vrf

import (
	"iter"

	"github.com/tidwall/btree"
)

// RIB is a set of routes of one neighbor, ordered by key. A copy costs nothing
// until one of both changes. The zero value cannot be used.
type RIB struct {
	tree *btree.BTreeG[*Received]
}

func lessKey(a, b *Received) bool { return a.Key.Compare(b.Key) < 0 }

// NewRIB returns an empty set.
func NewRIB() RIB { return RIB{btree.NewBTreeGOptions(lessKey, btree.Options{NoLocks: true})} }

// Copy returns an independent set with the same routes. Both may be read at the
// same time; whoever changes one of them must be alone with it.
func (r RIB) Copy() RIB { return RIB{r.tree.Copy()} }

// Len returns the number of routes.
func (r RIB) Len() int { return r.tree.Len() }

// Get returns the route with a key, or nil.
func (r RIB) Get(key Key) *Received {
	found, _ := r.tree.Get(&Received{Key: key})
	return found
}

// Set adds a route, or replaces the one with its key.
func (r RIB) Set(route *Received) { r.tree.Set(route) }

// Delete removes the route with a key, if there is one.
func (r RIB) Delete(key Key) { r.tree.Delete(&Received{Key: key}) }

// Load adds a route behind all others, faster than Set.
func (r RIB) Load(route *Received) { r.tree.Load(route) }

// Hint remembers where a route was, so that those next to it are found faster.
// It belongs to one goroutine, and may be wrong: the zero value always is.
type Hint struct {
	path  btree.PathHint
	probe Received // what is looked for, not to be allocated each time
}

// GetNear is Get with a hint.
func (r RIB) GetNear(key Key, h *Hint) *Received {
	h.probe.Key = key
	found, _ := r.tree.GetHint(&h.probe, &h.path)
	return found
}

// SetNear is Set with a hint.
func (r RIB) SetNear(route *Received, h *Hint) { r.tree.SetHint(route, &h.path) }

// All yields the routes in order.
func (r RIB) All() iter.Seq[*Received] {
	return func(yield func(*Received) bool) { r.tree.Scan(yield) }
}

// From yields the routes whose keys are not below one, in order.
func (r RIB) From(key Key) iter.Seq[*Received] {
	return func(yield func(*Received) bool) { r.tree.Ascend(&Received{Key: key}, yield) }
}

// Differences yields the routes that differ between two sets, each as it was and
// as it is; nil stands for none.
func Differences(old, new RIB) iter.Seq2[*Received, *Received] {
	return func(yield func(was, is *Received) bool) {
		a, b := old.tree.Iter(), new.tree.Iter()
		defer a.Release()
		defer b.Release()
		more, also := a.First(), b.First()
		for more || also {
			var was, is *Received
			switch {
			case more && also && a.Item() == b.Item(): // by far the most, told apart without a look at them
				more, also = a.Next(), b.Next()
				continue
			case !also:
				was = a.Item()
			case !more:
				is = b.Item()
			default:
				switch c := a.Item().Key.Compare(b.Item().Key); {
				case c < 0:
					was = a.Item()
				case c > 0:
					is = b.Item()
				default:
					was, is = a.Item(), b.Item()
				}
			}
			if !yield(was, is) {
				return
			}
			more, also = more && (was == nil || a.Next()), also && (is == nil || b.Next())
		}
	}
}

// Update is what has changed in what one neighbor has announced.
type Update struct {
	Of     any   // tells the neighbors apart
	Routes RIB   // as they are now
	Keys   []Key // of the routes that have changed; one may be there twice
	All    bool  // any route may have changed, not only those of Keys
	Gone   bool  // the neighbor is no more: there is nothing, and will not be
}
