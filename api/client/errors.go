package client

import (
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// Reason returns why a request was refused, in a word that does not change:
// POOL_EXHAUSTED, ADDRESS_TAKEN, ETAG_DIFFERS. It is empty for other errors;
// status.Code tells more about them.
func Reason(err error) string {
	info, _ := detail[*errdetails.ErrorInfo](err)
	return info.GetReason()
}

// Field returns the field of the request that a refusal is about:
// association.label, or requests[17].address in a batch.
func Field(err error) string {
	bad, _ := detail[*errdetails.BadRequest](err)
	if len(bad.GetFieldViolations()) == 0 {
		return ""
	}
	return bad.FieldViolations[0].GetField()
}

// Resource returns the name of what is missing, in the way or exhausted.
func Resource(err error) string {
	info, _ := detail[*errdetails.ResourceInfo](err)
	return info.GetResourceName()
}

func detail[D any](err error) (none D, ok bool) {
	s, ok := status.FromError(err)
	if !ok {
		return none, false
	}
	for _, d := range s.Details() {
		if d, ok := d.(D); ok {
			return d, true
		}
	}
	return none, false
}
