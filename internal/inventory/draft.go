package inventory

import (
	"fmt"
	"time"
)

// Draft carries out commands on a copy of a state, one after another. Each
// sees what those before it did. Their mutations make one commit: all of them
// happen, or none. A Draft has one owner.
//
// It takes for granted that the commit will have the revision that comes next.
// A store that says otherwise had another writer; what was planned on the draft
// must then be planned anew.
type Draft struct {
	state *State // shows all commands but the last one
	now   time.Time

	last      []Mutation // of the last command
	mutations []Mutation
	positions map[string]int // of each key in mutations
	prefixes  map[string]bool
}

// NewDraft begins with a copy of a state, under the conditions of Snapshot.
func NewDraft(s *State, now time.Time) *Draft { return newDraft(s.Snapshot(), now) }

func newDraft(own *State, now time.Time) *Draft {
	return &Draft{state: own, now: now, positions: map[string]int{}, prefixes: map[string]bool{}}
}

// Revision returns the revision that the commit will have.
func (d *Draft) Revision() uint64 {
	if len(d.mutations) == 0 {
		return d.state.revision
	}
	return d.state.revision + 1
}

// Next returns a draft for the commit after this one. This one must not be
// used any more but for its mutations.
func (d *Draft) Next(now time.Time) (*Draft, error) {
	state, err := d.State()
	if err != nil {
		return nil, err
	}
	if len(d.mutations) > 0 {
		state.revision++
	}
	return newDraft(state, now), nil
}

// Do carries out a command, or refuses it with an *Error and goes on as if it
// had never been asked.
func (d *Draft) Do(c Command) error {
	state, err := d.State()
	if err != nil {
		return err
	}
	mutations, err := Plan(state, d.now, c)
	if err != nil {
		return err
	}
	d.last = mutations
	for _, m := range mutations {
		d.merge(m)
	}
	return nil
}

// State returns a state that shows all commands. It must not be changed, and
// changes with the next command.
func (d *Draft) State() (*State, error) {
	if len(d.last) == 0 {
		return d.state, nil
	}
	var changes []Change
	for _, m := range d.last {
		switch m.Op {
		case Put:
			changes = append(changes, Change{Key: m.Key, Value: m.Value, Version: Version(d.state.revision + 1), resource: m.resource})
		case Delete:
			changes = append(changes, Change{Key: m.Key})
		}
	}
	d.last = nil
	if _, err := d.state.Apply(d.state.revision, changes); err != nil {
		return nil, fmt.Errorf("draft: %w", err)
	}
	return d.state, nil
}

// Written yields the resources that the last command writes: the key, the name and the
// value, nil for one that is deleted. Not among them is what nobody sees.
func (d *Draft) Written(yield func(key, name string, value []byte)) {
	for _, m := range d.last {
		name := resourceOf(m.Key)
		if name == "" || m.Op != Put && m.Op != Delete {
			continue
		}
		if g, ok := m.resource.(Global); ok && d.state.global != nil && g.AS == d.state.global.AS {
			continue // only where to look for the next network id
		}
		yield(m.Key, name, m.Value)
	}
}

// Mutations returns what fulfils all commands, each key once.
func (d *Draft) Mutations() []Mutation { return d.mutations }

// merge adds a mutation to those before it. The condition on a key is that of
// the first command that had one; later ones were planned on the draft.
func (d *Draft) merge(m Mutation) {
	if m.Op == CheckPrefix {
		if !d.prefixes[m.Key] { // all are as old as the state
			d.prefixes[m.Key] = true
			d.mutations = append(d.mutations, m)
		}
		return
	}
	at, ok := d.positions[m.Key]
	if !ok {
		d.positions[m.Key] = len(d.mutations)
		d.mutations = append(d.mutations, m)
		return
	}
	switch held := &d.mutations[at]; {
	case m.Op == Check:
	case m.Op == Delete && held.Expect == Absent:
		*held = check(m.Key, Absent) // it came and went within the draft
	default:
		m.Expect = held.Expect
		*held = m
	}
}
