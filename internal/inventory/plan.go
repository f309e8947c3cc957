package inventory

import "cmp"

// Command is a wish that Plan can fulfil. The commands of this package are the
// only ones.
type Command interface {
	plan(s *State) ([]Mutation, error)
}

// Plan returns the mutations that fulfil a command in a state. The error is an
// *Error; then nothing must be committed.
func Plan(s *State, c Command) ([]Mutation, error) { return c.plan(s) }

// set takes over a field of an update that was given.
func set[T any](field *T, wanted *T) {
	if wanted != nil {
		*field = *wanted
	}
}

// SeedGlobal writes the AS at the first start. At later starts it checks that
// the configuration still says the same.
type SeedGlobal struct {
	AS uint32
}

func (c SeedGlobal) plan(s *State) ([]Mutation, error) {
	g, ok := s.Global()
	switch {
	case !ok:
		return []Mutation{put(globalKey, Absent, Global{AS: c.AS, NextNetworkID: 1})}, nil
	case g.AS != c.AS:
		return nil, precondition(ReasonASDiffers, "bgp.as", "",
			"the store belongs to AS %d and the configuration says %d; automatic route targets depend on it: set bgp.as back to %[1]d, or start on an empty store", g.AS, c.AS)
	default:
		return nil, nil
	}
}

// firstError returns the first error of some checks.
func firstError(errs ...*Error) error {
	if err := cmp.Or(errs...); err != nil {
		return err // a nil *Error must not become a non-nil error
	}
	return nil
}
