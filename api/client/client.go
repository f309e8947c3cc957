// Package client talks to buoyd from Go.
//
// # Basics
//
// Dial takes what buoyctl's --server takes, and returns the services of buoy.v1:
//
//	c, err := client.Dial("unix:///run/buoy/buoyd.sock")
//	f, err := c.FloatingIPs.Allocate(ctx, &buoyv1.AllocateRequest{
//		Name: "projects/default/floatingIps/web-1", RequestId: client.RequestID()})
//
// When the daemon is not there for a moment, because it restarts, requests are
// repeated for a while: those that only read, and those that have a request id,
// which the daemon carries out once however often they come. A change without
// one is not repeated; nobody knows whether it was carried out.
//
// Reason, Field and Resource say what a refusal is about.
//
// # Caveats
//
// The API has no authentication. WithProject keeps a client that means well
// inside its project; it proves nothing.
package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// Client is a connection to buoyd, and its services. It may be used by several
// goroutines.
type Client struct {
	Networks       buoyv1.NetworksClient
	Pools          buoyv1.PoolsClient
	ComputeNodes   buoyv1.ComputeNodesClient
	Neighbors      buoyv1.NeighborsClient
	FloatingIPs    buoyv1.FloatingIPsClient
	Routes         buoyv1.RoutesClient
	Explanations   buoyv1.ExplanationsClient
	Examinations   buoyv1.ExaminationsClient
	Globals        buoyv1.GlobalsClient
	Daemon         buoyv1.DaemonClient
	Configurations buoyv1.ConfigurationsClient
	Watches        buoyv1.WatchesClient
	Events         buoyv1.EventsClient

	conn *grpc.ClientConn

	mu     sync.Mutex
	dialed error // the last attempt
}

// maxMessage lets a list of hundreds of thousands of routes pass.
const maxMessage = 256 << 20

// Dial returns a client for the daemon that listens at unix://PATH or
// HOST:PORT. It connects with the first request.
func Dial(server string, opts ...Option) (*Client, error) {
	network, address, err := endpoint(server)
	if err != nil {
		return nil, err
	}
	o := options{patience: defaultPatience}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	c := &Client{}
	// gRPC's own name for a Unix socket has no relative paths.
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.dialed = err
		return conn, err
	}
	c.conn, err = grpc.NewClient("passthrough:///buoyd", append([]grpc.DialOption{
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 5 * time.Second, // the daemon is near, and back soon
			Backoff: backoff.Config{BaseDelay: firstPause, Multiplier: 2, Jitter: 0.2, MaxDelay: maxPause}}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)),
		grpc.WithChainUnaryInterceptor(o.forProject, o.again),
		grpc.WithChainStreamInterceptor(o.streamForProject),
	}, o.dial...)...)
	if err != nil {
		return nil, err
	}
	c.Networks = buoyv1.NewNetworksClient(c.conn)
	c.Pools = buoyv1.NewPoolsClient(c.conn)
	c.ComputeNodes = buoyv1.NewComputeNodesClient(c.conn)
	c.Neighbors = buoyv1.NewNeighborsClient(c.conn)
	c.FloatingIPs = buoyv1.NewFloatingIPsClient(c.conn)
	c.Routes = buoyv1.NewRoutesClient(c.conn)
	c.Explanations = buoyv1.NewExplanationsClient(c.conn)
	c.Examinations = buoyv1.NewExaminationsClient(c.conn)
	c.Globals = buoyv1.NewGlobalsClient(c.conn)
	c.Daemon = buoyv1.NewDaemonClient(c.conn)
	c.Configurations = buoyv1.NewConfigurationsClient(c.conn)
	c.Watches = buoyv1.NewWatchesClient(c.conn)
	c.Events = buoyv1.NewEventsClient(c.conn)
	return c, nil
}

// endpoint reads a server's name as net.Dial takes it.
func endpoint(server string) (network, address string, err error) {
	path, local := strings.CutPrefix(server, "unix://")
	_, _, wrong := net.SplitHostPort(server)
	switch {
	case local && path != "":
		return "unix", path, nil
	case !local && wrong == nil && !strings.HasPrefix(server, "unix:"):
		return "tcp", server, nil
	}
	return "", "", fmt.Errorf("server: expected unix://PATH or HOST:PORT, got %q", server)
}

// Close ends the connection, and with it the requests under way.
func (c *Client) Close() error { return c.conn.Close() }

// Conn is the connection, for services that are not in buoy.v1.
func (c *Client) Conn() *grpc.ClientConn { return c.conn }

// DialError says why there is no connection, without what gRPC and net add; nil
// when there is one, or none was needed yet.
func (c *Client) DialError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.dialed
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	return err
}
