package inventory

import (
	"cmp"
	"slices"
)

// Configure makes resources as they are described, whether or not they exist:
// all of them, or none. What is not described stays as it is. The error is an
// *ItemError of List.
type Configure struct {
	List    string   // what the caller calls Wanted
	Wanted  []Wanted // in any order
	Outcome *Outcome
}

// Wanted is a resource as it should be: one of the Put types.
type Wanted interface {
	ResourceName() string
	steps() []step
}

// step is a part of what is to be done for a resource.
type step struct {
	stage   stage
	command Command
}

// stage orders steps: each depends on those before it only. What the caller
// has chosen comes before what is chosen here, which must not take it away.
type stage uint8

const (
	stageGlobal stage = iota
	stageNetworks
	stageNewNetworks // without an id
	stagePools
	stageBindings
	stageComputeNodes
	stageNeighbors
	stageFloatingIPs
	stageNewFloatingIPs // without an address
	stageLeave          // associations that are no longer wanted
	stageJoin           // with a label
	stageNewLabels      // without
	stages
)

// todo is a step of the resource at an index of the caller's list.
type todo struct {
	item    int
	command Command
}

func (c Configure) plan(s moment) ([]Mutation, error) {
	if err := c.checkNames(); err != nil {
		return nil, err
	}
	var todos [stages][]todo
	for i, w := range c.Wanted {
		for _, step := range w.steps() {
			todos[step.stage] = append(todos[step.stage], todo{i, step.command})
		}
	}
	d := NewDraft(s.State, s.now)
	for _, list := range todos {
		if err := c.carryOut(d, list); err != nil {
			return nil, err
		}
	}
	return d.Mutations(), c.Outcome.note(s, d)
}

// checkNames refuses two descriptions of one resource: they could not both hold.
func (c Configure) checkNames() error {
	seen := make(map[string]bool, len(c.Wanted))
	for i, w := range c.Wanted {
		if seen[w.ResourceName()] {
			return &ItemError{List: c.List, Item: i, Err: invalid(ReasonInvalid, "name", "%s is described twice", w.ResourceName())}
		}
		seen[w.ResourceName()] = true
	}
	return nil
}

// maxPasses bounds how often the steps of one stage are tried.
const maxPasses = 16

// carryOut carries out the steps of one stage. One may have to wait for another,
// in whatever order they are written: a pool takes a range that another gives
// up. So those that are refused are tried again, as long as that helps.
func (c Configure) carryOut(d *Draft, list []todo) error {
	for pass := 1; ; pass++ {
		var first error
		var refused []todo
		for _, t := range list {
			if err := d.Do(t.command); err != nil {
				first = cmp.Or(first, error(&ItemError{List: c.List, Item: t.item, Err: err}))
				refused = append(refused, t)
			}
		}
		if first == nil || len(refused) == len(list) || pass == maxPasses {
			return first
		}
		list = refused
	}
}

// PutGlobal makes the AS as it should be.
type PutGlobal struct{ AS uint32 }

// ResourceName implements Wanted.
func (PutGlobal) ResourceName() string { return GlobalName }

func (c PutGlobal) steps() []step { return []step{{stageGlobal, SetGlobal(c)}} }

// immutable refuses to change what a resource keeps for its life.
func immutable(field, name string, has any, instead string) *Error {
	return precondition(ReasonImmutable, field, name, "%s has %v, and keeps it; %s", name, has, instead)
}

// differing returns a field of an update, if it is one.
func differing[T any](same bool, wanted T) *T {
	if same {
		return nil
	}
	return &wanted
}

// sameSet reports whether two lists have the same values.
func sameSet[T comparable](a, b []T) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(v T) bool { return !slices.Contains(b, v) })
}
