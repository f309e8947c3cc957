package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	buoy "github.com/buoynet/buoy/api/client"
)

// The exit statuses. They are part of the interface.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitUnreachable = 4 // or not allowed
	exitConflict    = 5 // exists already, or not in a state for it
	exitDiffers     = 6 // diff found changes
	exitUnhealthy   = 7 // explain or doctor found something that is not well
)

func exitStatus(err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	if errors.Is(err, errDiffers) {
		return exitDiffers
	}
	if errors.Is(err, errUnhealthy) {
		return exitUnhealthy
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
func (a *app) describeError(cmd *cobra.Command, err error) string {
	if _, ok := errors.AsType[*usageError](err); ok {
		if cmd.Name() == "help" {
			cmd = cmd.Root()
		}
		return fmt.Sprintf("%v\nRun '%s --help' for usage.", err, cmd.CommandPath())
	}
	s, ok := status.FromError(err)
	if !ok {
		return err.Error()
	}
	switch s.Code() {
	case codes.Unavailable:
		why := s.Message()
		if err := a.conn.DialError(); err != nil {
			why = err.Error()
		}
		hint := "Is it running? --server or BUOY_SERVER says where."
		if strings.Contains(why, "permission denied") {
			hint = "The socket is for its owner and group: use sudo, or join the group."
		}
		return fmt.Sprintf("buoyd cannot be reached at %s: %s\n%s", a.server, why, hint)
	case codes.DeadlineExceeded:
		return fmt.Sprintf("buoyd at %s did not answer within %s; --timeout allows more", a.server, a.timeout)
	case codes.Canceled:
		return "interrupted"
	case codes.Unimplemented:
		return fmt.Sprintf("buoyd at %s does not know this request: %s\nIs it an older version?", a.server, s.Message())
	default:
		return inFlags(cmd, s)
	}
}

// inFlags is the message of a refusal, with the flag or the argument in place
// of the API's field.
func inFlags(cmd *cobra.Command, s *status.Status) string {
	field := buoy.Field(s.Err())
	rest, ok := strings.CutPrefix(s.Message(), field+": ")
	if field == "" || !ok {
		return s.Message()
	}
	if field == "floating_ip" && strings.Contains(cmd.Use, "NAME") {
		field = "name"
	}
	word := strings.ToUpper(field)
	if field == "name" && !strings.Contains(cmd.Use, word) {
		word = "--namespace" // the binding of one has no other name
	}
	if field == "name" || strings.Contains(cmd.Use, word) {
		if s.Code() == codes.InvalidArgument {
			return word + ": " + rest
		}
		return rest // it begins with the name
	}
	name := ""
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if plain(f.Name) == plain(field) {
			name = f.Name
		}
	})
	if name == "" {
		return s.Message()
	}
	return "--" + name + ": " + rest
}

// plain makes a flag and its field equal: route-target, route_targets.
func plain(name string) string {
	switch name {
	case "parent", "buoy-project":
		return "project"
	case "shared_with":
		return "sharewith"
	case "accept_prefixes":
		return "acceptprefix"
	case "client":
		return "from"
	}
	return strings.TrimSuffix(strings.NewReplacer("-", "", "_", "").Replace(name), "s")
}

// notFound is the answer when a list does not have what was asked for.
func notFound(format string, args ...any) error {
	return status.Error(codes.NotFound, fmt.Sprintf(format, args...))
}
