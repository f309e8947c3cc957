package vrf

import (
	"iter"
	"net/netip"
	"slices"

	"github.com/tidwall/btree"

	"github.com/buoynet/buoy/routetarget"
)

// Import keeps the VRFs' tables: a route is in the table of each VRF that
// imports one of the targets that it carries (RFC 4364 §4.3.1). It is owned by
// one goroutine.
type Import struct {
	imports map[uint16]routetarget.Set               // by VRF
	takers  map[routetarget.Target][]uint16          // VRFs that import a target, sorted
	sets    map[routetarget.Set]*carried             // what the routes carry
	bearers map[routetarget.Target]map[*carried]bool // those of sets with a target
	tables  Tables
	near    btree.PathHint // where the last row was: those next to it are found faster
	touched map[Destination]struct{}
}

// carried is a set of targets that routes carry, and the VRFs that they enter
// with it, sorted.
type carried struct {
	targets routetarget.Set
	routes  int
	vrfs    []uint16
}

// Destination is a prefix in the table of a VRF.
type Destination struct {
	VRF    uint16
	Prefix netip.Prefix
}

// NewImport returns one without VRFs and routes.
func NewImport() *Import {
	return &Import{
		imports: map[uint16]routetarget.Set{},
		takers:  map[routetarget.Target][]uint16{},
		sets:    map[routetarget.Set]*carried{},
		bearers: map[routetarget.Target]map[*carried]bool{},
		tables:  newTables(),
		touched: map[Destination]struct{}{},
	}
}

// Tables returns a snapshot of the tables.
func (i *Import) Tables() Tables { return i.tables.copy() }

// manyTouched is when touched becomes a new map: to range over one, and to clear
// it, takes as long as for the most that it ever had.
const manyTouched = 256

// Touched returns the destinations whose routes have changed since the last
// call, in no order.
func (i *Import) Touched() []Destination {
	list := make([]Destination, 0, len(i.touched))
	for d := range i.touched {
		list = append(list, d)
	}
	if len(list) > manyTouched {
		i.touched = map[Destination]struct{}{}
	}
	clear(i.touched)
	return list
}

// Untold returns how many destinations Touched would return.
func (i *Import) Untold() int { return len(i.touched) }

// Replace takes a route of a neighbor in place of another one with the same
// key; nil stands for none.
func (i *Import) Replace(was, is *Received) {
	var before, now []uint16
	if was != nil {
		before = i.leave(was)
	}
	if is != nil {
		now = i.enter(is)
	}
	for _, vrf := range without(before, now) {
		i.remove(vrf, was)
	}
	for _, vrf := range now {
		i.add(vrf, is)
	}
}

// enter counts a route with its targets, and returns where it belongs.
func (i *Import) enter(r *Received) []uint16 {
	targets := r.Attributes.Value().Targets
	c := i.sets[targets]
	if c == nil {
		c = &carried{targets: targets}
		c.vrfs = i.vrfsOf(targets)
		i.sets[targets] = c
		for t := range targets.All() {
			if i.bearers[t] == nil {
				i.bearers[t] = map[*carried]bool{}
			}
			i.bearers[t][c] = true
		}
	}
	c.routes++
	return c.vrfs
}

// leave is the opposite of enter.
func (i *Import) leave(r *Received) []uint16 {
	targets := r.Attributes.Value().Targets
	c := i.sets[targets]
	if c.routes--; c.routes == 0 {
		delete(i.sets, targets)
		for t := range targets.All() {
			if delete(i.bearers[t], c); len(i.bearers[t]) == 0 {
				delete(i.bearers, t)
			}
		}
	}
	return c.vrfs
}

// vrfsOf returns the VRFs that import one of some targets.
func (i *Import) vrfsOf(targets routetarget.Set) (vrfs []uint16) {
	for t := range targets.All() {
		vrfs = append(vrfs, i.takers[t]...)
	}
	slices.Sort(vrfs)
	return slices.Compact(vrfs)
}

func (i *Import) add(vrf uint16, r *Received) {
	if _, replaced := i.tables.rows.SetHint(row{vrf, r}, &i.near); !replaced {
		i.tables.count(vrf, 1)
	}
	i.touched[Destination{vrf, r.Prefix}] = struct{}{}
}

func (i *Import) remove(vrf uint16, r *Received) {
	if _, deleted := i.tables.rows.DeleteHint(row{vrf, r}, &i.near); deleted {
		i.tables.count(vrf, -1)
	}
	i.touched[Destination{vrf, r.Prefix}] = struct{}{}
}

// Retarget makes VRFs import other targets; the empty set removes a VRF. Routes
// are all that there are: it looks at them only if some carry a target that
// counts now, or no longer.
func (i *Import) Retarget(imports map[uint16]routetarget.Set, routes iter.Seq[*Received]) {
	affected := map[*carried]bool{}
	note := func(targets routetarget.Set) {
		for t := range targets.All() {
			for c := range i.bearers[t] {
				affected[c] = true
			}
		}
	}
	for vrf, targets := range imports {
		old := i.imports[vrf]
		if i.imports[vrf] = targets; targets.Len() == 0 {
			delete(i.imports, vrf)
		}
		gone, added := old.Minus(targets), targets.Minus(old)
		for t := range gone.All() {
			i.takers[t] = slices.DeleteFunc(i.takers[t], func(v uint16) bool { return v == vrf })
			if len(i.takers[t]) == 0 {
				delete(i.takers, t)
			}
		}
		for t := range added.All() {
			at, _ := slices.BinarySearch(i.takers[t], vrf)
			i.takers[t] = slices.Insert(i.takers[t], at, vrf)
		}
		note(gone)
		note(added)
	}
	moves := map[routetarget.Set]move{}
	for c := range affected {
		now := i.vrfsOf(c.targets)
		if m := (move{without(c.vrfs, now), without(now, c.vrfs)}); len(m.from)+len(m.to) > 0 {
			moves[c.targets] = m
		}
		c.vrfs = now
	}
	if len(moves) == 0 {
		return
	}
	for r := range routes {
		m := moves[r.Attributes.Value().Targets]
		for _, vrf := range m.from {
			i.remove(vrf, r)
		}
		for _, vrf := range m.to {
			i.add(vrf, r)
		}
	}
}

// move is which VRFs routes with certain targets leave, and which they enter.
type move struct{ from, to []uint16 }

func without(list, others []uint16) (rest []uint16) {
	for _, v := range list {
		if _, found := slices.BinarySearch(others, v); !found {
			rest = append(rest, v)
		}
	}
	return rest
}

// row is a route in the table of a VRF.
type row struct {
	vrf   uint16
	route *Received
}

// compare orders rows by VRF and prefix; then what is there for one prefix.
func (r row) compare(o row) int {
	if r.vrf != o.vrf {
		return int(r.vrf) - int(o.vrf)
	}
	if c := r.route.Key.Compare(o.route.Key); c != 0 {
		return c
	}
	return r.route.Source.compare(o.route.Source)
}

func newTables() Tables {
	return Tables{
		rows:  btree.NewBTreeGOptions(func(a, b row) bool { return a.compare(b) < 0 }, btree.Options{NoLocks: true}),
		byVRF: btree.NewMap[uint16, int](0),
	}
}
