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
	"google.golang.org/grpc/credentials/insecure"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// client is a connection to buoyd.
type client struct {
	conn *grpc.ClientConn

	mu     sync.Mutex
	dialed error // the last attempt

	networks     buoyv1.NetworksClient
	computeNodes buoyv1.ComputeNodesClient
	neighbors    buoyv1.NeighborsClient
	floatingIPs  buoyv1.FloatingIPsClient
	routes       buoyv1.RoutesClient
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
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	c.conn = conn
	c.networks = buoyv1.NewNetworksClient(conn)
	c.computeNodes = buoyv1.NewComputeNodesClient(conn)
	c.neighbors = buoyv1.NewNeighborsClient(conn)
	c.floatingIPs = buoyv1.NewFloatingIPsClient(conn)
	c.routes = buoyv1.NewRoutesClient(conn)
	a.conn = c
	return c, nil
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
