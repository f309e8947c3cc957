package computenode

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// maxMessage is far more than a message of Buoy has.
const maxMessage = 64 << 20

// dialer makes connections.
type dialer struct {
	connect     func(ctx context.Context) (net.Conn, error)
	credentials credentials.TransportCredentials
}

func newDialer(server string, secrets *tls.Config) (*dialer, error) {
	network, address, err := endpoint(server)
	if err != nil {
		return nil, err
	}
	d := &dialer{credentials: insecure.NewCredentials(), connect: func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	if secrets == nil {
		return d, nil
	}
	secrets = secrets.Clone()
	if secrets.ServerName == "" && !secrets.InsecureSkipVerify {
		if network == "unix" {
			return nil, fmt.Errorf("tls: expected a ServerName, as %s has no name of a host", server)
		}
		secrets.ServerName, _, _ = net.SplitHostPort(address)
	}
	d.credentials = credentials.NewTLS(secrets)
	return d, nil
}

// dial returns a connection for one stream. Each has its own: that of a stream which
// went silent may be dead.
func (d *dialer) dial() (*grpc.ClientConn, error) {
	// gRPC's own name for a Unix socket has no relative paths.
	connect := func(ctx context.Context, _ string) (net.Conn, error) { return d.connect(ctx) }
	return grpc.NewClient("passthrough:///buoyd",
		grpc.WithContextDialer(connect),
		grpc.WithTransportCredentials(d.credentials),
		// The pauses are ours: gRPC must not try again by itself while a stream ends.
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 5 * time.Second, Backoff: backoff.Config{BaseDelay: time.Hour, MaxDelay: time.Hour}}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage)))
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
