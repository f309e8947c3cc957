package inventory

import (
	"cmp"
	"slices"
	"strings"
)

// memory is a store: compare-and-swap and nothing else.
type memory struct {
	revision uint64
	keys     map[string]entry
}

type entry struct {
	value   string
	version Version
	changed Version // when the value became this one, as a state knows it
}

// commit applies the mutations as one and returns what has changed; or it
// names the key whose condition does not hold.
func (m *memory) commit(mutations []Mutation) (changes []Change, conflict string) {
	for _, mutation := range mutations {
		if !m.holds(mutation) {
			return nil, mutation.Key
		}
	}
	version := Version(m.revision + 1)
	written := map[string]bool{}
	for _, mutation := range mutations {
		if mutation.Op == Put || mutation.Op == Delete {
			if written[mutation.Key] {
				panic(mutation.Key + " is written twice") // a store refuses that
			}
			written[mutation.Key] = true
		}
		switch mutation.Op {
		case Put:
			is := entry{string(mutation.Value), version, version}
			if was, ok := m.keys[mutation.Key]; ok && was.value == is.value {
				is.changed = was.changed
			}
			m.keys[mutation.Key] = is
			changes = append(changes, Change{Key: mutation.Key, Value: mutation.Value, Version: version})
		case Delete:
			if _, ok := m.keys[mutation.Key]; ok {
				delete(m.keys, mutation.Key)
				changes = append(changes, Change{Key: mutation.Key})
			}
		}
	}
	if len(changes) > 0 {
		m.revision++
	}
	return changes, ""
}

func (m *memory) holds(mutation Mutation) bool {
	if mutation.Expect == AnyVersion {
		return true
	}
	if mutation.Op != CheckPrefix {
		return m.keys[mutation.Key].version == mutation.Expect
	}
	for key, e := range m.keys {
		if strings.HasPrefix(key, mutation.Key) && e.version > mutation.Expect {
			return false
		}
	}
	return true
}

// content is everything, as the first event of a watch reports it.
func (m *memory) content() (changes []Change) {
	for key, e := range m.keys {
		changes = append(changes, Change{Key: key, Value: []byte(e.value), Version: e.version})
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Key, b.Key) })
	return changes
}
