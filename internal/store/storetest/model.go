package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// Entry is a key's value and version.
type Entry struct {
	Value   string
	Version inventory.Version
}

// Model is a store as simple as can be: what the tests compare with, and what
// the events of a watch add up to.
type Model struct {
	Revision uint64
	Keys     map[string]Entry
}

// Commit applies the mutations. It reports the key of a failed condition.
func (m *Model) Commit(mutations []inventory.Mutation) (conflict string, ok bool) {
	for _, mutation := range mutations {
		if !m.holds(mutation) {
			return mutation.Key, false
		}
	}
	next, changed := m.Revision+1, false
	for _, mutation := range mutations {
		switch mutation.Op {
		case inventory.Put:
			m.Keys[mutation.Key] = Entry{string(mutation.Value), inventory.Version(next)}
			changed = true
		case inventory.Delete:
			_, found := m.Keys[mutation.Key]
			changed = changed || found
			delete(m.Keys, mutation.Key)
		}
	}
	if changed {
		m.Revision = next
	}
	return "", true
}

func (m *Model) holds(mutation inventory.Mutation) bool {
	if mutation.Expect == inventory.AnyVersion {
		return true
	}
	if mutation.Op == inventory.CheckPrefix {
		for key, entry := range m.Keys {
			if strings.HasPrefix(key, mutation.Key) && entry.Version > mutation.Expect {
				return false
			}
		}
		return true
	}
	return m.Keys[mutation.Key].Version == mutation.Expect
}

// Apply takes an event of a watch. It refuses one that cannot follow.
func (m *Model) Apply(e store.Event) error {
	if e.Snapshot != (m.Keys == nil) {
		return fmt.Errorf("revision %d: Snapshot is %t", e.Revision, e.Snapshot)
	}
	if e.Snapshot {
		m.Keys = map[string]Entry{}
	} else if e.Revision != m.Revision+1 || len(e.Changes) == 0 {
		return fmt.Errorf("revision %d with %d changes follows %d", e.Revision, len(e.Changes), m.Revision)
	}
	seen := map[string]bool{}
	for _, c := range e.Changes {
		switch {
		case seen[c.Key]:
			return fmt.Errorf("revision %d: %q appears twice", e.Revision, c.Key)
		case c.Value == nil && (e.Snapshot || c.Version != inventory.Absent):
			return fmt.Errorf("revision %d: %q was deleted and has version %d", e.Revision, c.Key, c.Version)
		case c.Value != nil && e.Snapshot && (c.Version == inventory.Absent || uint64(c.Version) > e.Revision),
			c.Value != nil && !e.Snapshot && uint64(c.Version) != e.Revision:
			return fmt.Errorf("revision %d: %q has version %d", e.Revision, c.Key, c.Version)
		}
		seen[c.Key] = true
		if c.Value == nil {
			if _, ok := m.Keys[c.Key]; !ok {
				return fmt.Errorf("revision %d: %q was deleted and did not exist", e.Revision, c.Key)
			}
			delete(m.Keys, c.Key)
		} else {
			m.Keys[c.Key] = Entry{string(c.Value), c.Version}
		}
	}
	m.Revision = e.Revision
	return nil
}

// Diff says what the other has differently, or nothing.
func (m Model) Diff(other Model) string {
	var b strings.Builder
	if m.Revision != other.Revision {
		fmt.Fprintf(&b, "revision %d / %d ", m.Revision, other.Revision)
	}
	keys := slices.AppendSeq(slices.Collect(maps.Keys(m.Keys)), maps.Keys(other.Keys))
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		a, inA := m.Keys[key]
		o, inO := other.Keys[key]
		if a != o || inA != inO {
			fmt.Fprintf(&b, "%q: %.40q at %d / %.40q at %d ", key, a.Value, a.Version, o.Value, o.Version)
		}
	}
	return b.String()
}
