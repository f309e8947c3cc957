package inventory

import (
	"cmp"
	"time"
)

// Command is a wish that Plan can fulfil. The commands of this package are the
// only ones.
type Command interface {
	plan(s moment) ([]Mutation, error)
}

// moment is a state and the time at which something is planned.
type moment struct {
	*State
	now time.Time
}

// Plan returns the mutations that fulfil a command in a state. The time is
// what the rest of labels is measured with. The error is an *Error; then
// nothing must be committed.
func Plan(s *State, now time.Time, c Command) ([]Mutation, error) { return c.plan(moment{s, now}) }

// set takes over a field of an update that was given.
func set[T any](field *T, wanted *T) {
	if wanted != nil {
		*field = *wanted
	}
}

// firstError returns the first error of some checks.
func firstError(errs ...*Error) error {
	if err := cmp.Or(errs...); err != nil {
		return err // a nil *Error must not become a non-nil error
	}
	return nil
}
