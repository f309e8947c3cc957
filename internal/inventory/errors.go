package inventory

import (
	"fmt"
	"strings"
)

// Code classifies an Error.
type Code uint8

// The codes, with the meaning of their namesakes in google.rpc.Code.
const (
	InvalidArgument    Code = iota // wrong whatever the state is
	NotFound                       // a named resource does not exist
	AlreadyExists                  // something unique is taken
	FailedPrecondition             // right in itself, but not in this state
	PermissionDenied               // it belongs to somebody else, or does not exist: that is not told
	ResourceExhausted              // nothing is left
	OutOfRange                     // it was right once, and is too old by now
	Aborted                        // somebody else was faster
)

// The reasons, as machines read them.
const (
	ReasonInvalid        = "INVALID_FIELD"
	ReasonNotFound       = "RESOURCE_NOT_FOUND"
	ReasonExists         = "RESOURCE_EXISTS"
	ReasonAddressTaken   = "ADDRESS_TAKEN"
	ReasonOutsideSubnets = "ADDRESS_OUTSIDE_SUBNETS"
	ReasonReserved       = "ADDRESS_RESERVED"
	ReasonRouterIDTaken  = "ROUTER_ID_TAKEN"
	ReasonAutomatic      = "TARGET_IN_AUTOMATIC_RANGE"
	ReasonOverlap        = "SUBNETS_OVERLAP"
	ReasonLabelTaken     = "LABEL_TAKEN"
	ReasonLabelDiffers   = "INTERFACE_HAS_ANOTHER_LABEL"
	ReasonAssociated     = "ALREADY_ASSOCIATED"
	ReasonNotAssociated  = "NOT_ASSOCIATED"
	ReasonAmbiguous      = "SEVERAL_ASSOCIATIONS"
	ReasonFamilyMismatch = "ADDRESS_FAMILY_MISMATCH"
	ReasonInUse          = "RESOURCE_IN_USE"
	ReasonReadOnly       = "DEFINED_IN_CONFIGURATION_FILE"
	ReasonExhausted      = "NETWORK_IDS_EXHAUSTED"
	ReasonASDiffers      = "AS_DIFFERS"
	ReasonOutsidePool    = "ADDRESS_OUTSIDE_POOL"
	ReasonInPool         = "ADDRESS_BELONGS_TO_POOL"
	ReasonPoolExhausted  = "POOL_EXHAUSTED"
	ReasonNetExhausted   = "NETWORK_EXHAUSTED"
	ReasonNotShared      = "POOL_NOT_SHARED"
	ReasonOtherProject   = "NETWORK_OF_ANOTHER_PROJECT"
	ReasonNoPool         = "NO_POOL_BOUND"
	ReasonBoundPool      = "BOUND_POOL_UNUSABLE"
	ReasonPoolsOverlap   = "POOLS_OVERLAP"
	ReasonOutsideNetwork = "RANGE_OUTSIDE_NETWORK"
	ReasonLabelResting   = "LABEL_RESTING"
	ReasonLabelExhausted = "LABELS_EXHAUSTED"
	ReasonTargetCollides = "TARGETS_WOULD_COLLIDE"
	ReasonPoolsExhausted = "POOLS_EXHAUSTED"
	ReasonRequestID      = "REQUEST_ID_REUSED"
	ReasonChanged        = "ETAG_DIFFERS"
	ReasonIDTaken        = "NETWORK_ID_TAKEN"
	ReasonImmutable      = "FIELD_IMMUTABLE"
	ReasonOperatorsOnly  = "OPERATORS_ONLY"
)

// Error is why a command was refused. Its text is a whole sentence for a
// person; the other fields are for machines.
type Error struct {
	Code     Code
	Reason   string
	Field    string // of the command, in snake_case; empty when none is at fault
	Resource string // the name of what is missing or in the way; may be empty
	Message  string // what is wrong and what was expected, without the field
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + ": " + e.Message
}

// Inside says in which field the field of a refusal is.
func Inside(field string, err error) error {
	refusal, ok := err.(*Error)
	if !ok {
		return err
	}
	e := *refusal
	e.Field = strings.TrimSuffix(field+"."+e.Field, ".")
	return &e
}

func invalid(reason, field, format string, args ...any) *Error {
	return &Error{Code: InvalidArgument, Reason: reason, Field: field, Message: fmt.Sprintf(format, args...)}
}

func notFound(field, resource string) *Error {
	return &Error{Code: NotFound, Reason: ReasonNotFound, Field: field, Resource: resource,
		Message: resource + " does not exist"}
}

func exists(reason, field, holder, format string, args ...any) *Error {
	return &Error{Code: AlreadyExists, Reason: reason, Field: field, Resource: holder,
		Message: fmt.Sprintf(format, args...)}
}

func precondition(reason, field, resource, format string, args ...any) *Error {
	return &Error{Code: FailedPrecondition, Reason: reason, Field: field, Resource: resource,
		Message: fmt.Sprintf(format, args...)}
}

func denied(reason, field, format string, args ...any) *Error {
	return &Error{Code: PermissionDenied, Reason: reason, Field: field, Message: fmt.Sprintf(format, args...)}
}

func exhausted(reason, field, resource, format string, args ...any) *Error {
	return &Error{Code: ResourceExhausted, Reason: reason, Field: field, Resource: resource, Message: fmt.Sprintf(format, args...)}
}

// maxListed is how many things an error names.
const maxListed = 5

// inUse refuses to change or remove something that others depend on; it names
// the first of them.
func inUse(what string, users []string) *Error {
	return precondition(ReasonInUse, "name", users[0], "%s is in use by %s", what, listed(users, ", "))
}

// listed names the first of some things, and says how many more there are.
func listed(things []string, separator string) string {
	text := strings.Join(things[:min(len(things), maxListed)], separator)
	if more := len(things) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
