package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// client is a connection to buoyd.
type client struct {
	conn *grpc.ClientConn

	mu     sync.Mutex
	dialed error // the last attempt

	networks     buoyv1.NetworksClient
	pools        buoyv1.PoolsClient
	computeNodes buoyv1.ComputeNodesClient
	neighbors    buoyv1.NeighborsClient
	floatingIPs  buoyv1.FloatingIPsClient
	routes       buoyv1.RoutesClient
	globals      buoyv1.GlobalsClient
	daemon       buoyv1.DaemonClient
}

// maxMessage lets a list of hundreds of thousands of routes pass.
const maxMessage = 256 << 20

func (a *app) connect() (*client, error) {
	network, address := "tcp", a.server
	path, local := strings.CutPrefix(a.server, "unix://")
	if local {
		network, address = "unix", path
	}
	_, _, err := net.SplitHostPort(a.server)
	if local && path == "" || !local && (err != nil || strings.HasPrefix(a.server, "unix:")) {
		return nil, fmt.Errorf("--server: expected unix://PATH or HOST:PORT, got %q", a.server)
	}
	c := &client{}
	// gRPC's own name for a Unix socket has no relative paths.
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.dialed = err
		return conn, err
	}
	conn, err := grpc.NewClient("passthrough:///buoyd",
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(a.request),
		grpc.WithStreamInterceptor(a.watching),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: watchRetry, Multiplier: 1, MaxDelay: watchRetry}}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	c.conn = conn
	c.networks = buoyv1.NewNetworksClient(conn)
	c.pools = buoyv1.NewPoolsClient(conn)
	c.computeNodes = buoyv1.NewComputeNodesClient(conn)
	c.neighbors = buoyv1.NewNeighborsClient(conn)
	c.floatingIPs = buoyv1.NewFloatingIPsClient(conn)
	c.routes = buoyv1.NewRoutesClient(conn)
	c.globals = buoyv1.NewGlobalsClient(conn)
	c.daemon = buoyv1.NewDaemonClient(conn)
	a.conn = c
	return c, nil
}

// projectKey is the metadata that says which project asks. Without it the
// operator does, who sees everything.
const projectKey = "buoy-project"

// request makes a request within the timeout, for the project if one was given.
func (a *app) request(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	if a.asProject {
		ctx = metadata.AppendToOutgoingContext(ctx, projectKey, a.project)
	}
	return invoke(ctx, method, req, reply, conn, opts...)
}

// everyPage follows a list from page to page until the end.
func everyPage[T any](page func(token string) (part []T, next string, err error)) (list []T, err error) {
	for token := ""; ; {
		part, next, err := page(token)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
		if next == "" {
			return list, nil
		}
		token = next
	}
}

// dialError says why there is no connection, without what gRPC and net add;
// "" when there is one.
func (c *client) dialError() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.dialed
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return err.Error()
}

func (a *app) close() {
	if a.conn != nil {
		a.conn.conn.Close()
	}
}
