package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// ComputeNodes is where the streams of compute nodes count.
type ComputeNodes interface {
	// Open begins a session of a compute node; another one that it has ends. The
	// errors are those of refusals.
	Open(node, address, agent string) (NodeSession, error)
}

// NodeSession is a stream of a compute node, as far as the node's life depends on it.
// Its methods may be called concurrently.
type NodeSession interface {
	// Heard says that something has come.
	Heard()
	// Report says how interfaces are. The error says what is wrong with the report, or
	// why the session has ended.
	Report(list []inventory.InterfaceReport, complete bool) error
	// Programmed says that the node has programmed what it was told up to a revision of
	// the store. Who has said so is waited for from then on.
	Programmed(revision uint64)
	// HoldTime returns how long the stream may be silent. It may change.
	HoldTime() time.Duration
	// Done is closed when the session has ended, and Err says why.
	Done() <-chan struct{}
	Err() error
	// Close says that the stream has ended by itself, and why.
	Close(reason error)
}

// Programmes says what compute nodes must do.
type Programmes interface {
	// Follow begins to follow for a compute node, which has floating IPs and networks
	// from where a token says, if there is one. It reports whether what has changed
	// since comes; otherwise it is a snapshot. The error says what is wrong with the
	// token.
	Follow(node, token string, floatingIPs, networks []string) (f ProgrammeFollower, resumed bool, err error)
}

// ProgrammeFollower returns part after part. Its methods are for one goroutine.
type ProgrammeFollower interface {
	// Next waits for the next part. What it returns is shared and must not be changed.
	Next(ctx context.Context) (inventory.Programme, error)
	Close()
}

// maxHello is how many names a Hello may have.
const maxHello = 1 << 16

// computeStreamService serves compute nodes. With identified, a node is who its
// certificate says, if it has shown one.
type computeStreamService struct {
	buoyv1.UnimplementedComputeStreamsServer
	view
	encoded    *routeEncodings
	identified bool

	pumps sync.WaitGroup // what reads and writes, until the streams have ended
}

func newComputeStreamService(v view) *computeStreamService {
	return &computeStreamService{view: v, encoded: newRouteEncodings()}
}

// errLost ends a stream whose other end has gone without a word.
var errLost = errors.New("the connection was lost, or the compute node gave it up")

// Attach is the life of a stream. One goroutine reads and another one writes; both end
// with the stream, which ends when this returns.
func (s *computeStreamService) Attach(stream grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]) error {
	ctx := stream.Context()
	in := &inbound{stream: stream, hello: make(chan *buoyv1.Hello, 1), session: make(chan NodeSession, 1)}
	received := s.pump(func() error { return in.run(ctx) })
	var hello *buoyv1.Hello
	select {
	case hello = <-in.hello:
	case err := <-received:
		return err
	case <-time.After(patience):
		return invalid("hello", fmt.Errorf("expected it within %s", patience))
	case <-ctx.Done():
		return ctx.Err()
	}
	out, session, err := s.open(stream, hello)
	if err != nil {
		s.Logger.Warn("a stream of a compute node was refused", "compute_node", hello.GetComputeNode(), "address", addressOf(ctx), "reason", err)
		return err
	}
	in.session <- session
	stuck := make(chan error, 1)
	out.stuck = func(err error) { stuck <- err }
	sent := s.pump(func() error { return out.run(ctx) })
	select {
	case err = <-received:
	case err = <-sent:
	case err = <-stuck:
	case <-session.Done():
		err = session.Err()
	case <-ctx.Done():
		err = ctx.Err()
	}
	switch {
	case err == io.EOF:
		err = nil
		session.Close(nil)
	case isCanceled(err):
		session.Close(errLost)
	default:
		session.Close(err)
	}
	return err
}

// pump runs a part of a stream, and returns how it ended. A panic is an error: it must not
// end the sessions with the gateways.
func (s *computeStreamService) pump(run func() error) <-chan error {
	ended := make(chan error, 1)
	s.pumps.Go(func() {
		err := errors.New("internal error; the daemon's log has the details")
		defer func() {
			if p := recover(); p != nil {
				s.Logger.Error("a stream of a compute node panicked", "panic", p, "stack", string(debug.Stack()))
			}
			ended <- err
		}()
		err = run()
	})
	return ended
}

// open takes a Hello. What it returns must be run, and closed.
func (s *computeStreamService) open(stream grpc.ServerStream, hello *buoyv1.Hello) (*outbound, NodeSession, error) {
	ctx, name := stream.Context(), hello.GetComputeNode()
	if inventory.KindOf(name) != inventory.KindComputeNode {
		return nil, nil, invalid("hello.compute_node", fmt.Errorf("expected computeNodes/NAME, got %q", name))
	}
	if s.identified {
		if err := mayBe(ctx, name); err != nil {
			return nil, nil, err
		}
	}
	if n := len(hello.GetFloatingIps()) + len(hello.GetNetworks()); n > maxHello {
		return nil, nil, invalid("hello.floating_ips", fmt.Errorf("expected at most %d names, with networks, got %d; begin without a resume_token", maxHello, n))
	}
	session, err := s.ComputeNodes.Open(name, addressOf(ctx), hello.GetAgentVersion())
	if err != nil {
		return nil, nil, inventory.Inside("hello", err)
	}
	if hello.GetAcknowledges() {
		session.Programmed(0)
	}
	follower, resumed, err := s.Programmes.Follow(name, hello.GetResumeToken(), hello.GetFloatingIps(), hello.GetNetworks())
	if err != nil {
		session.Close(err)
		return nil, nil, invalid("hello.resume_token", err)
	}
	return &outbound{stream: stream, session: session, follower: follower, resumed: resumed, encoded: s.encoded}, session, nil
}

// addressOf says where a stream comes from.
func addressOf(ctx context.Context) string {
	if p, ok := peer.FromContext(ctx); ok && p.Addr.Network() == "tcp" {
		return p.Addr.String()
	}
	return "this machine"
}

// nodeID returns NAME of computeNodes/NAME.
func nodeID(name string) string { return name[strings.LastIndex(name, "/")+1:] }
