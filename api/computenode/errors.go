package computenode

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errNoAnswer is a server that takes the connection and does not answer the Hello.
var errNoAnswer = fmt.Errorf("the server did not answer within %s", greeting)

// programError is one of the owner's Program.
type programError struct{ error }

func (e *programError) Unwrap() error { return e.error }

// silentError is a server that has said nothing for the hold time.
type silentError time.Duration

func (e silentError) Error() string {
	return fmt.Sprintf("the server was silent for the hold time, %s", time.Duration(e))
}

// kind is what the end of a stream means for the next one.
type kind uint8

const (
	lost     kind = iota // it may be back soon
	failed               // Program has failed
	refused              // as it is, there will be no stream; an operator may change that
	replaced             // another agent is this compute node, too
)

func kindOf(err error) kind {
	if _, ok := errors.AsType[*programError](err); ok {
		return failed
	}
	switch status.Code(err) {
	case codes.PermissionDenied, codes.NotFound, codes.InvalidArgument, codes.Unauthenticated, codes.Unimplemented:
		return refused
	case codes.Aborted:
		for _, d := range status.Convert(err).Details() {
			if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetReason() == "STREAM_REPLACED" {
				return replaced
			}
		}
	}
	return lost
}
