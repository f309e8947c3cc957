package main

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	buoy "github.com/buoynet/buoy/api/client"
	"github.com/buoynet/buoy/internal/version"
)

// client is a connection to buoyd.
type client = buoy.Client

// connect returns a client that gives up at once: a person is waiting.
func (a *app) connect() (*client, error) {
	opts := []buoy.Option{buoy.WithRetry(0), buoy.WithDialOptions(
		grpc.WithUserAgent("buoyctl/"+version.Text()),
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

// request makes a request within the timeout, with what the flags add to it.
func (a *app) request(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	a.change.fill(req)
	a.fillFilter(req)
	return invoke(ctx, method, req, reply, conn, opts...)
}

// fillFilter writes the filter into the request for the list that was asked for,
// and no other.
func (a *app) fillFilter(req any) {
	m, ok := req.(proto.Message)
	if !ok || a.filter == "" || !strings.EqualFold(string(m.ProtoReflect().Descriptor().Name()), "List"+a.filtered+"sRequest") {
		return
	}
	m.ProtoReflect().Set(m.ProtoReflect().Descriptor().Fields().ByName("filter"), protoreflect.ValueOf(a.filter))
}

func (a *app) close() {
	if a.conn != nil {
		a.conn.Close()
	}
}
