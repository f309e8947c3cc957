package client

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"path"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A restart takes a fraction of a second, or as long as the store takes to load.
const (
	defaultPatience = 15 * time.Second
	firstPause      = 50 * time.Millisecond
	maxPause        = time.Second
)

// RequestID returns a new name for a request. Keep it with the job: who repeats
// the request under the same name, also after a crash, is given the first
// answer, for a day.
func RequestID() string { return rand.Text() }

// again repeats a request that found no daemon, as long as the patience lasts.
func (o *options) again(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	until := time.Now().Add(o.patience)
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := invoke(ctx, method, req, reply, conn, opts...)
		if status.Code(err) != codes.Unavailable || !repeatable(method, req) {
			return err
		}
		wait := pause/2 + mathrand.N(pause/2) // not all clients at once
		if time.Until(until) < wait {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err // it says more than that the time is up
		}
	}
}

// repeatable reports whether a request may come twice. UNAVAILABLE also means
// that the connection broke before the answer came.
func repeatable(method string, req any) bool {
	if try, ok := req.(interface{ GetValidateOnly() bool }); ok && try.GetValidateOnly() {
		return true
	}
	if named, ok := req.(interface{ GetRequestId() string }); ok {
		return named.GetRequestId() != ""
	}
	name := path.Base(method)
	return strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List") || name == "Check"
}
