package main

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The exit statuses. They are part of the interface.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitUnreachable = 4 // or not allowed
	exitConflict    = 5 // exists already, or not in a state for it
)

func (a *app) exitStatus(err error) int {
	switch {
	case err == nil:
		return exitOK
	case !a.working:
		return exitUsage
	case errors.Is(err, errNothingToSet):
		return exitUsage
	}
	switch codeOf(err) {
	case codes.NotFound:
		return exitNotFound
	case codes.Unavailable, codes.PermissionDenied, codes.Unauthenticated, codes.DeadlineExceeded:
		return exitUnreachable
	case codes.AlreadyExists, codes.FailedPrecondition, codes.Aborted:
		return exitConflict
	default:
		return exitError
	}
}

func codeOf(err error) codes.Code {
	if errors.Is(err, context.DeadlineExceeded) {
		return codes.DeadlineExceeded
	}
	return status.Code(err)
}

// describeError says in the operator's words what went wrong.
func describeError(err error, server string) string {
	s, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	switch s.Code() {
	case codes.Unavailable:
		return fmt.Sprintf("buoyd cannot be reached at %s: %s\nIs it running? --server or BUOY_SERVER says where.", server, s.Message())
	case codes.DeadlineExceeded:
		return fmt.Sprintf("buoyd at %s did not answer in time: %s", server, s.Message())
	case codes.Unimplemented:
		return fmt.Sprintf("buoyd at %s does not know this request: %s\nIs it an older version?", server, s.Message())
	default:
		return s.Message()
	}
}

// notFound is the answer when a list does not have what was asked for.
func notFound(what string) error { return status.Error(codes.NotFound, what+" does not exist") }
