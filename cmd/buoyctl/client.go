package main

import (
	"context"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// client is a connection to buoyd.
type client struct {
	conn *grpc.ClientConn

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
	if path, ok := strings.CutPrefix(a.server, "unix://"); ok {
		network, address = "unix", path
	} else if _, _, err := net.SplitHostPort(a.server); err != nil {
		return nil, fmt.Errorf("--server: expected unix://PATH or HOST:PORT, got %q", a.server)
	}
	// gRPC's own name for a Unix socket has no relative paths.
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	conn, err := grpc.NewClient("passthrough:///buoyd",
		grpc.WithContextDialer(dial),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
	if err != nil {
		return nil, fmt.Errorf("--server: %w", err)
	}
	a.conn = &client{
		conn:         conn,
		networks:     buoyv1.NewNetworksClient(conn),
		computeNodes: buoyv1.NewComputeNodesClient(conn),
		neighbors:    buoyv1.NewNeighborsClient(conn),
		floatingIPs:  buoyv1.NewFloatingIPsClient(conn),
		routes:       buoyv1.NewRoutesClient(conn),
	}
	return a.conn, nil
}

func (a *app) close() {
	if a.conn != nil {
		a.conn.conn.Close()
	}
}
