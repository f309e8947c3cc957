package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Option is something that Dial may be given.
type Option func(*options) error

type options struct {
	project  *string // nil for the operator
	patience time.Duration
	dial     []grpc.DialOption
}

// projectKey is the metadata that says which project asks. Without it the
// operator does, who sees everything.
const projectKey = "buoy-project"

// WithProject makes all requests see and change only what a project may. With
// an empty name all are refused: who forgot the project is not the operator.
func WithProject(name string) Option {
	return func(o *options) error {
		// gRPC would not take it, and say so late.
		if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			return fmt.Errorf("project: expected lower-case letters, digits and inside the name '-', '_', '.'; got %q", name)
		}
		o.project = &name
		return nil
	}
}

// WithRetry says for how long a request is repeated when the daemon is not
// there: 15 s by default, 0 for never. The request's context ends it earlier.
func WithRetry(patience time.Duration) Option {
	return func(o *options) error {
		o.patience = patience
		return nil
	}
}

// WithDialOptions adds options of gRPC.
func WithDialOptions(opts ...grpc.DialOption) Option {
	return func(o *options) error {
		o.dial = append(o.dial, opts...)
		return nil
	}
}

func (o *options) as(ctx context.Context) context.Context {
	if o.project == nil {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, projectKey, *o.project)
}

func (o *options) forProject(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return invoke(o.as(ctx), method, req, reply, conn, opts...)
}

func (o *options) streamForProject(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	return open(o.as(ctx), desc, conn, method, opts...)
}
