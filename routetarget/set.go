package routetarget

import (
	"iter"
	"slices"
	"strings"
)

// Set is an immutable set of targets. Equal sets compare equal with ==, so a
// route that carries one is itself comparable. The zero value is empty.
type Set struct {
	s string // the targets' bytes, sorted, without repetition
}

// NewSet returns the set of the given targets. Zero targets are left out.
func NewSet(targets ...Target) Set {
	sorted := slices.Clone(targets)
	slices.SortFunc(sorted, Target.Compare)
	sorted = slices.Compact(sorted)
	var b strings.Builder
	for _, t := range sorted {
		if !t.IsZero() {
			b.Write(t.b[:])
		}
	}
	return Set{b.String()}
}

// Len returns the number of targets.
func (s Set) Len() int { return len(s.s) / 8 }

// All yields the targets in order.
func (s Set) All() iter.Seq[Target] {
	return func(yield func(Target) bool) {
		for i := range s.Len() {
			if !yield(s.at(i)) {
				return
			}
		}
	}
}

// Slice returns the targets in order.
func (s Set) Slice() []Target { return slices.AppendSeq(make([]Target, 0, s.Len()), s.All()) }

// Contains reports whether t is in the set.
func (s Set) Contains(t Target) bool {
	lo, hi := 0, s.Len()
	for lo < hi {
		mid := (lo + hi) / 2
		switch c := s.at(mid).Compare(t); {
		case c == 0:
			return true
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return false
}

// Intersects reports whether the sets have a target in common: whether a VRF
// that imports one of them takes a route that carries the other.
func (s Set) Intersects(other Set) bool {
	for t := range s.All() {
		if other.Contains(t) {
			return true
		}
	}
	return false
}

// Union returns the targets that are in either set.
func (s Set) Union(other Set) Set { return NewSet(append(s.Slice(), other.Slice()...)...) }

// Minus returns the targets of s that are not in the other set.
func (s Set) Minus(other Set) Set {
	return NewSet(slices.DeleteFunc(s.Slice(), other.Contains)...)
}

// Strings returns each target's text, in order.
func (s Set) Strings() []string {
	out := make([]string, 0, s.Len())
	for t := range s.All() {
		out = append(out, t.String())
	}
	return out
}

// String returns the targets separated by blanks.
func (s Set) String() string { return strings.Join(s.Strings(), " ") }

func (s Set) at(i int) (t Target) {
	copy(t.b[:], s.s[i*8:])
	return t
}

// MarshalText implements encoding.TextMarshaler.
func (s Set) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Set) UnmarshalText(text []byte) error {
	var targets []Target
	for field := range strings.FieldsSeq(string(text)) {
		t, err := ParseTarget(field)
		if err != nil {
			return err
		}
		targets = append(targets, t)
	}
	*s = NewSet(targets...)
	return nil
}
