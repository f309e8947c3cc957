package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/buoynet/buoy/internal/inventory"
)

// errorDomain qualifies the reasons in ErrorInfo.
const errorDomain = "buoy.v1"

// The reasons that only the API has, beside those of internal/inventory.
const (
	reasonNotYours      = "NOT_YOUR_PROJECT"
	reasonOperatorsOnly = inventory.ReasonOperatorsOnly
	reasonTooOld        = "REVISION_TOO_OLD"
	reasonCrossOrigin   = "CROSS_ORIGIN"
	reasonOtherNode     = "NOT_YOUR_COMPUTE_NODE"
	reasonStuck         = "STREAM_STUCK"
)

// The reasons for which a NodeSession ends, with the code inventory.Aborted.
const (
	ReasonReplaced = "STREAM_REPLACED"
	ReasonSilent   = "STREAM_SILENT"
)

var codeOf = map[inventory.Code]codes.Code{
	inventory.InvalidArgument:    codes.InvalidArgument,
	inventory.NotFound:           codes.NotFound,
	inventory.AlreadyExists:      codes.AlreadyExists,
	inventory.FailedPrecondition: codes.FailedPrecondition,
	inventory.PermissionDenied:   codes.PermissionDenied,
	inventory.ResourceExhausted:  codes.ResourceExhausted,
	inventory.OutOfRange:         codes.OutOfRange,
	inventory.Aborted:            codes.Aborted,
}

// ErrStopping ends streams, and refuses sessions of compute nodes.
var ErrStopping = errors.New("buoyd is stopping")

// errTooOld ends a watch that cannot go on where its reader is.
var errTooOld = &inventory.Error{Code: inventory.OutOfRange, Reason: reasonTooOld,
	Message: "what has changed since is no longer known: begin again without a resume_token"}

// statusOf turns an error into a gRPC status with google.rpc details.
func statusOf(err error) error {
	var refusal *inventory.Error
	switch {
	case errors.As(err, &refusal):
		return statusOfRefusal(ofItem(refusal, err))
	case errors.Is(err, ErrStopping):
		return status.Error(codes.Unavailable, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return status.Error(codes.DeadlineExceeded, err.Error())
	case errors.Is(err, context.Canceled):
		return status.Error(codes.Canceled, err.Error())
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.Error(codes.Internal, err.Error())
}

// isCanceled reports whether the other end of a stream has gone.
func isCanceled(err error) bool {
	return errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled
}

func statusOfRefusal(e *inventory.Error) error {
	info := &errdetails.ErrorInfo{Reason: e.Reason, Domain: errorDomain}
	if e.Field != "" {
		info.Metadata = map[string]string{"field": e.Field}
	}
	details := []protoadapt.MessageV1{protoadapt.MessageV1Of(info)}
	if e.Field != "" {
		details = append(details, protoadapt.MessageV1Of(&errdetails.BadRequest{
			FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: e.Field, Description: e.Message, Reason: e.Reason}},
		}))
	}
	if e.Resource != "" {
		details = append(details, protoadapt.MessageV1Of(&errdetails.ResourceInfo{ResourceName: e.Resource, Description: e.Message}))
	}
	switch e.Code {
	case inventory.FailedPrecondition:
		details = append(details, protoadapt.MessageV1Of(&errdetails.PreconditionFailure{
			Violations: []*errdetails.PreconditionFailure_Violation{{Type: e.Reason, Subject: e.Resource, Description: e.Message}},
		}))
	case inventory.ResourceExhausted:
		details = append(details, protoadapt.MessageV1Of(&errdetails.QuotaFailure{
			Violations: []*errdetails.QuotaFailure_Violation{{Subject: e.Resource, Description: e.Message}},
		}))
	}
	s := status.New(codeOf[e.Code], e.Error())
	if detailed, err := s.WithDetails(details...); err == nil {
		s = detailed
	}
	return s.Err()
}

// ofItem names the request of a batch, or the document, that a refusal is about.
func ofItem(e *inventory.Error, err error) *inventory.Error {
	var item *inventory.ItemError
	if !errors.As(err, &item) {
		return e
	}
	named := *e
	named.Field = strings.TrimSuffix(fmt.Sprintf("%s[%d].%s", cmp.Or(item.List, requestsField), item.Item, e.Field), ".")
	return &named
}

// invalid refuses a field of a request.
func invalid(field string, err error) error {
	return &inventory.Error{Code: inventory.InvalidArgument, Reason: inventory.ReasonInvalid, Field: field, Message: err.Error()}
}

// missing refuses a name that no resource has.
func missing(field, name string) error {
	if name == "" {
		return invalid(field, errors.New("expected a name"))
	}
	return &inventory.Error{Code: inventory.NotFound, Reason: inventory.ReasonNotFound, Field: field, Resource: name,
		Message: name + " does not exist"}
}
