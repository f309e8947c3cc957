package computenode

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

const (
	red  = "projects/default/networks/red"
	blue = "projects/default/networks/blue"
)

// lab is an agent and a server whose streams a test leads, in a bubble with its own time.
type lab struct {
	testing.TB
	agent   *Agent
	streams chan *serverStream // that the agent has opened
	log     *logBuffer
	stop    func()

	mu      sync.Mutex
	batches []string
	fail    error
	slow    time.Duration
	away    bool
	dials   []time.Time
}

// serverStream is one stream, as the server sees it.
type serverStream struct {
	testing.TB
	stream grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]
	hello  *buoyv1.Hello
	in     chan *buoyv1.AttachRequest // closed when the agent has gone
	end    chan error
}

// logBuffer is written by the agent and read by the test.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

type fakeServer struct {
	buoyv1.UnimplementedComputeStreamsServer
	attach func(grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]) error
}

func (f fakeServer) Attach(stream grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]) error {
	return f.attach(stream)
}

// within runs a test in a bubble. That it ends proves that all goroutines do.
func within(t *testing.T, test func(t *testing.T, l *lab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{TB: t, streams: make(chan *serverStream, 100), log: &logBuffer{}}
		l.serve(t, l.lead)
		test(t, l)
		l.stop()
	})
}

// serve starts a server, and an agent that runs until stop.
func (l *lab) serve(t *testing.T, attach func(grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]) error) {
	listener := bufconn.Listen(1 << 16)
	server := grpc.NewServer(grpc.WaitForHandlers(true))
	buoyv1.RegisterComputeStreamsServer(server, fakeServer{attach: attach})
	go server.Serve(listener)
	var err error
	l.agent, err = New(Config{Server: "unix:///nodes.sock", Node: "cmp1", Version: "test 1", Program: l.program,
		Logger: slog.New(slog.NewTextHandler(l.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	l.agent.dialer.connect = func(ctx context.Context) (net.Conn, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.dials = append(l.dials, time.Now())
		if l.away {
			return nil, fmt.Errorf("nobody is there")
		}
		return listener.DialContext(ctx)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	l.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: got %v", err)
		}
		server.Stop()
	}
	go func() { ended <- l.agent.Run(ctx) }()
}

// lead hands a stream to the test.
func (l *lab) lead(stream grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	s := &serverStream{TB: l.TB, stream: stream, hello: first.GetHello(), in: make(chan *buoyv1.AttachRequest, 10_000), end: make(chan error, 1)}
	go func() {
		defer close(s.in)
		for {
			m, err := stream.Recv()
			if err != nil {
				return
			}
			s.in <- m
		}
	}()
	l.streams <- s
	select {
	case err := <-s.end:
		return err
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

// program notes batches.
func (l *lab) program(ctx context.Context, b Batch) error {
	l.mu.Lock()
	slow, err := l.slow, l.fail
	l.batches = append(l.batches, text(b))
	l.mu.Unlock()
	time.Sleep(slow)
	return err
}

func (l *lab) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// expect compares the batches since the last time, once nothing moves.
func (l *lab) expect(what string, want ...string) {
	l.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.batches, want) {
		l.Errorf("%s: got\n %s\nwant\n %s", what, strings.Join(l.batches, "\n "), strings.Join(want, "\n "))
	}
	l.batches = nil
}

// next waits for a stream.
func (l *lab) next() *serverStream { return <-l.streams }

// welcome waits for a stream and welcomes it.
func (l *lab) welcome(resumed bool) *serverStream {
	s := l.next()
	s.send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Welcome{Welcome: &buoyv1.Welcome{HoldTime: 30, Resumed: resumed}}})
	return s
}

func (s *serverStream) send(m *buoyv1.AttachResponse) {
	s.Helper()
	if err := s.stream.Send(m); err != nil {
		s.Fatal(err)
	}
}

func (s *serverStream) begin() {
	s.send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_BeginOfSnapshot{BeginOfSnapshot: &buoyv1.BeginOfSnapshot{}}})
}

func (s *serverStream) change(c *buoyv1.Changes) {
	s.send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Changes{Changes: c}})
}

func (s *serverStream) complete(part buoyv1.EndOfSnapshot_Part, token string) {
	s.send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_EndOfSnapshot{EndOfSnapshot: &buoyv1.EndOfSnapshot{Part: part, ResumeToken: token}}})
}

func (s *serverStream) keepAlive(hold uint32) {
	s.send(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_KeepAlive{KeepAlive: &buoyv1.KeepAlive{HoldTime: hold}}})
}

// snapshot sends one, whole.
func (s *serverStream) snapshot(token string, floatingIPs []*buoyv1.NodeFloatingIP, routes []*buoyv1.NodeRoute) {
	s.begin()
	s.change(&buoyv1.Changes{FloatingIps: floatingIPs})
	s.complete(buoyv1.EndOfSnapshot_FLOATING_IPS, "")
	s.change(&buoyv1.Changes{Routes: routes})
	s.complete(buoyv1.EndOfSnapshot_ROUTES, token)
}

func replacedError() error {
	s, _ := status.New(codes.Aborted, "a newer stream took the place of this one").WithDetails(&errdetails.ErrorInfo{Reason: "STREAM_REPLACED", Domain: "buoy.v1"})
	return s.Err()
}
