package computenode

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

const (
	// greeting is how long a Welcome may take, with the connection.
	greeting = 10 * time.Second
	// usualHold is for a server that names none.
	usualHold = 30 * time.Second
)

type attachClient = grpc.BidiStreamingClient[buoyv1.AttachRequest, buoyv1.AttachResponse]

// session is one stream. Run reads what has come and programs it; one goroutine receives
// and another one sends, so that keep-alives go out however long Program takes. All
// fields but hold, has and changed are owned by run.
type session struct {
	*Agent
	stream   attachClient
	welcomed bool
	settled  bool // everything up to a resume token was programmed

	hold    atomic.Int64  // nanoseconds
	has     atomic.Uint64 // the last revision that was programmed
	changed chan struct{} // holds a token when hold or has has changed

	pumps sync.WaitGroup
}

type received struct {
	message *buoyv1.AttachResponse
	err     error
}

// run is the life of a stream. It returns why it has ended, when everything that belongs
// to it has.
func (s *session) run(ctx context.Context) error {
	conn, err := s.dialer.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	defer s.pumps.Wait()
	alive, cancel := context.WithCancel(ctx)
	defer cancel()
	s.changed = make(chan struct{}, 1)
	if err := s.open(alive, conn, cancel); err != nil {
		return err
	}
	in := make(chan received)
	s.pumps.Go(func() { s.receive(alive, in) })

	silence := time.NewTimer(greeting)
	defer silence.Stop()
	for {
		select {
		case r := <-in:
			if r.err != nil {
				return r.err
			}
			if err := s.take(ctx, alive, r.message); err != nil {
				return err
			}
			// While Program was busy nobody listened: that is not the server's silence.
			silence.Reset(s.holdTime())
		case <-silence.C:
			if !s.welcomed {
				return errNoAnswer
			}
			return silentError(s.holdTime())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// open connects, and says who is there. The server has as long as for the Welcome.
func (s *session) open(ctx context.Context, conn *grpc.ClientConn, cancel func()) (err error) {
	late := time.AfterFunc(greeting, cancel)
	defer func() {
		if !late.Stop() {
			err = errNoAnswer
		}
	}()
	if s.stream, err = buoyv1.NewComputeStreamsClient(conn).Attach(ctx); err != nil {
		return err
	}
	hello := &buoyv1.Hello{ComputeNode: s.node, AgentVersion: s.version, Acknowledges: true}
	s.mirror.hello(hello)
	err = s.stream.Send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Hello{Hello: hello}})
	if err == io.EOF {
		return nil // Recv knows more
	}
	return err
}

// receive hands over what comes. It waits for Program: then gRPC makes the server wait,
// and nothing piles up here.
func (s *session) receive(ctx context.Context, in chan<- received) {
	for {
		m, err := s.stream.Recv()
		if err == io.EOF {
			err = fmt.Errorf("the server has ended the stream: %w", err)
		}
		select {
		case in <- received{m, err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// take does what a message says.
func (s *session) take(ctx, alive context.Context, m *buoyv1.AttachResponse) error {
	if welcome := m.GetWelcome(); welcome != nil && !s.welcomed {
		s.welcomed = true
		s.setHold(welcome.GetHoldTime())
		s.logger.Info("the stream is there", "resumed", welcome.GetResumed(), "hold_time", s.holdTime())
		s.reports.begin()
		s.pumps.Go(func() { s.send(alive) })
		return nil
	}
	if !s.welcomed {
		return fmt.Errorf("expected a Welcome, got %T", m.GetMessage())
	}
	var err error
	switch m := m.GetMessage().(type) {
	case *buoyv1.AttachResponse_BeginOfSnapshot:
		s.mirror.begin()
	case *buoyv1.AttachResponse_Changes:
		if err = s.mirror.change(ctx, s.program, m.Changes); err == nil {
			s.acknowledge(m.Changes.GetRevision())
		}
	case *buoyv1.AttachResponse_EndOfSnapshot:
		if err = s.mirror.end(ctx, s.program, m.EndOfSnapshot); err == nil {
			s.acknowledge(m.EndOfSnapshot.GetRevision())
		}
	case *buoyv1.AttachResponse_KeepAlive:
		s.setHold(m.KeepAlive.GetHoldTime())
	}
	// Another message is a newer server's, and at least a sign of life.
	s.settled = err == nil && s.mirror.token != ""
	return err
}

func (s *session) holdTime() time.Duration { return time.Duration(s.hold.Load()) }

// setHold notes a hold time. One of 0 says nothing new.
func (s *session) setHold(seconds uint32) {
	hold := time.Duration(seconds) * time.Second
	if hold == 0 {
		if hold = s.holdTime(); hold == 0 {
			hold = usualHold
		}
	}
	if s.hold.Swap(int64(hold)) == int64(hold) {
		return
	}
	s.wake()
}

// acknowledge has it said that everything up to a revision was programmed.
func (s *session) acknowledge(revision uint64) {
	if revision > s.has.Load() {
		s.has.Store(revision)
		s.wake()
	}
}

// wake makes send look what there is to say.
func (s *session) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}
