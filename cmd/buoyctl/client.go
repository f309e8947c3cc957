package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	buoy "github.com/buoynet/buoy/api/client"
)

// client is a connection to buoyd.
type client = buoy.Client

// connect returns a client that gives up at once: a person is waiting.
func (a *app) connect() (*client, error) {
	opts := []buoy.Option{buoy.WithRetry(0), buoy.WithDialOptions(
		grpc.WithChainUnaryInterceptor(a.request),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: watchRetry, Multiplier: 1, MaxDelay: watchRetry}}))}
	if a.asProject {
		opts = append(opts, buoy.WithProject(a.project))
	}
	c, err := buoy.Dial(a.server, opts...)
	if err != nil {
		return nil, fmt.Errorf("--%w", err)
	}
	a.conn = c
	return c, nil
}

// changeFlags adds the flags that hold for whatever a verb changes.
func (a *app) changeFlags(verbs map[string]*cobra.Command) {
	for _, verb := range []string{"create", "set", "allocate", "bind", "unbind", "associate", "move", "disassociate", "release", "delete"} {
		flags := verbs[verb].PersistentFlags()
		flags.StringVar(&a.requestID, "request-id", "", "a name for this change: said again with the same one, it is done only once (for a day)")
		if verb != "create" && verb != "allocate" { // there is nothing yet
			flags.StringVar(&a.etag, "etag", "", "change only what still has this etag, as -o json shows it")
		}
	}
}

// request makes a request within the timeout, with what the flags add to it.
func (a *app) request(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	m := req.(proto.Message).ProtoReflect()
	for field, value := range map[protoreflect.Name]string{"request_id": a.requestID, "etag": a.etag} {
		if f := m.Descriptor().Fields().ByName(field); f != nil && value != "" {
			m.Set(f, protoreflect.ValueOfString(value))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return invoke(ctx, method, req, reply, conn, opts...)
}

func (a *app) close() {
	if a.conn != nil {
		a.conn.Close()
	}
}
