package api

import (
	"context"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// What a connection of compute nodes may do.
const (
	maxNodeStreams = 64      // also for what simulates many nodes
	maxNodeMessage = 4 << 20 // a Hello with many names
	// nodePing is after how long without a word a connection is asked whether it lives,
	// and how long it may take for the answer: one that is half open holds memory.
	nodePing = 15 * time.Second
)

// NodeServer serves compute nodes, and nothing else.
type NodeServer struct {
	grpc       *grpc.Server
	streams    *computeStreamService
	stopping   context.Context
	endStreams context.CancelFunc
}

// NewNodeServer returns a server that is not serving yet. With nil credentials everybody
// may connect, and be any compute node.
func NewNodeServer(cfg Config, tls *NodeTLS) *NodeServer {
	s := &NodeServer{streams: newComputeStreamService(view{cfg})}
	s.stopping, s.endStreams = context.WithCancel(context.Background())
	var creds credentials.TransportCredentials = plain
	if tls != nil {
		creds, s.streams.identified = newNodeCredentials(tls), true
	}
	s.grpc = grpc.NewServer(
		grpc.Creds(creds),
		grpc.ChainStreamInterceptor(guardStream(cfg.Logger, s.stopping), scopeStream(cfg.Inventory)),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxConcurrentStreams(maxNodeStreams),
		grpc.MaxRecvMsgSize(maxNodeMessage),
		grpc.ConnectionTimeout(patience),
		// There are many connections, and little is said on each.
		grpc.ReadBufferSize(4<<10),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: nodePing, Timeout: nodePing}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	)
	buoyv1.RegisterComputeStreamsServer(s.grpc, s.streams)
	return s
}

// Serve answers on the listeners until the context ends. Then its streams end.
func (s *NodeServer) Serve(ctx context.Context, listeners []Listener) (err error) {
	failed := make(chan error, len(listeners))
	var running sync.WaitGroup
	for _, l := range listeners {
		running.Go(func() { failed <- s.grpc.Serve(l) })
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
		err = fmt.Errorf("serve compute nodes: %w", err)
	}
	s.endStreams()
	hard := time.AfterFunc(grace, s.grpc.Stop)
	s.grpc.GracefulStop()
	hard.Stop()
	running.Wait()
	s.streams.pumps.Wait()
	return err
}
