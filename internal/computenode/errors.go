package computenode

import "errors"

// The errors that a session ends with, or that there is none for.
var (
	// ErrUnknown means that the inventory does not have the compute node.
	ErrUnknown = errors.New("it does not exist; create it first")
	// ErrReplaced means that the compute node has opened a newer stream. The error
	// names where that is from.
	ErrReplaced = errors.New("a newer stream took the place of this one")
	// ErrSilent means that nothing came for the hold time, which the error names.
	ErrSilent = errors.New("the stream was silent")
	// ErrDeleted means that the compute node was deleted.
	ErrDeleted = errors.New("the compute node was deleted")
	// ErrEnded means that the stream ended without a reason.
	ErrEnded = errors.New("the stream ended")
	// ErrStopping means that this control node stops.
	ErrStopping = errors.New("the control node stops")
)
