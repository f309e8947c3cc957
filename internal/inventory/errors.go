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
	ReasonFamilyMismatch = "ADDRESS_FAMILY_MISMATCH"
	ReasonInUse          = "RESOURCE_IN_USE"
	ReasonReadOnly       = "DEFINED_IN_CONFIGURATION_FILE"
	ReasonExhausted      = "NETWORK_IDS_EXHAUSTED"
	ReasonASDiffers      = "AS_DIFFERS"
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

// maxListed is how many users of a resource an error names.
const maxListed = 5

// inUse refuses to change or remove something that others depend on; it names
// the first of them.
func inUse(what string, users []string) *Error {
	listed := users[:min(len(users), maxListed)]
	text := strings.Join(listed, ", ")
	if more := len(users) - len(listed); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return precondition(ReasonInUse, "name", users[0], "%s is in use by %s", what, text)
}
