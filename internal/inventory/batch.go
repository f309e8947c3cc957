package inventory

import "fmt"

// Batch carries out commands one after another, each on the outcome of those
// before it: all of them, or none. The error is an *ItemError.
type Batch []Command

func (c Batch) plan(s moment) ([]Mutation, error) {
	d := NewDraft(s.State, s.now)
	for i, command := range c {
		if err := d.Do(command); err != nil {
			return nil, &ItemError{Item: i, Err: err}
		}
	}
	return d.Mutations(), nil
}

// ItemError says which command of a list was refused.
type ItemError struct {
	List string // what the caller calls it; empty for a Batch
	Item int    // from 0 on
	Err  error
}

func (e *ItemError) Error() string { return fmt.Sprintf("item %d: %v", e.Item, e.Err) }

func (e *ItemError) Unwrap() error { return e.Err }
