package dataplane

import (
	"maps"
	"slices"
	"strings"
)

// Plan is what is there, or should be, by key.
type Plan map[string]Item

func (p Plan) add(i Item) { p[i.Key()] = i }

// PlanOf returns a plan of items.
func PlanOf(items ...Item) Plan {
	p := Plan{}
	for _, i := range items {
		p.add(i)
	}
	return p
}

// String returns the items in the order in which they are made, one in a line.
func (p Plan) String() string {
	var b strings.Builder
	for _, i := range p.sorted() {
		b.WriteString(i.String() + "\n")
	}
	return b.String()
}

func (p Plan) sorted() []Item {
	return slices.SortedFunc(maps.Values(p), order)
}

func order(a, b Item) int {
	if d := int(a.phase()) - int(b.phase()); d != 0 {
		return d
	}
	return strings.Compare(a.Key(), b.Key())
}

// Step is one thing to do. Without Old it makes New, without New it removes Old, and with
// both New takes the place of Old.
type Step struct{ Old, New Item }

func (s Step) String() string {
	switch {
	case s.Old == nil:
		return "+ " + s.New.String()
	case s.New == nil:
		return "- " + s.Old.String()
	}
	return "~ " + s.New.String() + ", was: " + strings.TrimPrefix(s.Old.String(), s.Old.Key()+" ")
}

// Diff returns what makes of what is found what is wanted: first all that is new and
// changed, from the devices up to the labels, then what goes, from the labels down. So
// packets find the new way before the old one goes. What is as it should be is not touched.
func Diff(found, wanted Plan) (steps []Step) {
	for _, i := range wanted.sorted() {
		switch old := found[i.Key()]; {
		case old == nil:
			steps = append(steps, Step{New: i})
		case old.String() != i.String():
			steps = append(steps, Step{Old: old, New: i})
		}
	}
	gone := found.sorted()
	slices.Reverse(gone)
	for _, i := range gone {
		if wanted[i.Key()] == nil {
			steps = append(steps, Step{Old: i})
		}
	}
	return steps
}

// Keep returns wanted with what is found and not wanted, unless it was wanted before: what
// an earlier run has left behind stays as long as nobody has said that it may go.
func Keep(found, before, wanted Plan) Plan {
	all := maps.Clone(wanted)
	for key, i := range found {
		if all[key] == nil && before[key] == nil {
			all[key] = i
		}
	}
	return all
}
