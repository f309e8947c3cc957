package api

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// inbound reads what a compute node says. It is owned by run.
type inbound struct {
	stream  grpc.BidiStreamingServer[buoyv1.AttachRequest, buoyv1.AttachResponse]
	hello   chan *buoyv1.Hello
	session chan NodeSession // given once the Hello was taken
}

// run reads until the stream ends, or something makes no sense. It returns io.EOF when the
// node has ended it.
func (in *inbound) run(ctx context.Context) error {
	first, err := in.stream.Recv()
	if err != nil {
		return err
	}
	hello := first.GetHello()
	if hello == nil {
		return invalid("hello", errors.New("expected it as the first message"))
	}
	in.hello <- hello
	var session NodeSession
	select {
	case session = <-in.session:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		m, err := in.stream.Recv()
		if err != nil {
			return err
		}
		session.Heard()
		switch m := m.GetMessage().(type) {
		case *buoyv1.AttachRequest_Hello:
			return invalid("hello", errors.New("expected it once, as the first message"))
		case *buoyv1.AttachRequest_Report:
			list, err := reportFromProto(m.Report)
			if err == nil {
				err = session.Report(list, m.Report.GetComplete())
			}
			if err != nil {
				return inventory.Inside("report", err)
			}
		case *buoyv1.AttachRequest_Programmed:
			session.Programmed(m.Programmed.GetRevision())
		}
		// Another message is a newer agent's, and at least a sign of life.
	}
}

// outbound writes what a compute node must do. It is owned by run.
type outbound struct {
	stream   grpc.ServerStream
	session  NodeSession
	follower ProgrammeFollower
	resumed  bool
	encoded  *routeEncodings
	stuck    func(error) // called once, when the node takes nothing

	watch *time.Timer   // calls stuck
	hold  time.Duration // as the node knows it
	last  time.Time     // when something was written
}

// maxWait is how long a change of the hold time may take to get to the node.
const maxWait = time.Second

// run writes until the stream ends. A node that takes nothing makes it wait: nothing piles
// up but what gRPC has taken.
func (out *outbound) run(ctx context.Context) error {
	defer out.follower.Close()
	out.hold = out.session.HoldTime()
	out.watch = time.AfterFunc(out.hold, func() {
		out.stuck(&inventory.Error{Code: inventory.Aborted, Reason: reasonStuck,
			Message: fmt.Sprintf("the compute node has taken nothing for the hold time, %s", out.session.HoldTime())})
	})
	defer out.watch.Stop()
	welcome := &buoyv1.Welcome{HoldTime: seconds(out.hold), Resumed: out.resumed}
	if err := out.write(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Welcome{Welcome: welcome}}); err != nil {
		return err
	}
	for {
		if err := out.alive(); err != nil {
			return err
		}
		wait, cancel := context.WithTimeout(ctx, min(out.hold/3-time.Since(out.last), maxWait))
		p, err := out.follower.Next(wait)
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, context.DeadlineExceeded):
			continue
		case err != nil:
			return err
		}
		for _, m := range out.encoded.messages(&p) {
			if err := out.write(m); err != nil {
				return err
			}
		}
		if p.ResumeToken != "" {
			pause(ctx, watchPace)
		}
	}
}

// alive writes a keep-alive if one is due, or the hold time has changed.
func (out *outbound) alive() error {
	hold := out.session.HoldTime()
	if hold == out.hold && time.Since(out.last) < hold/3 {
		return nil
	}
	out.hold = hold
	return out.write(&buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_KeepAlive{KeepAlive: &buoyv1.KeepAlive{HoldTime: seconds(hold)}}})
}

func (out *outbound) write(m any) error {
	out.watch.Reset(out.hold)
	defer out.watch.Stop()
	if err := out.stream.SendMsg(m); err != nil {
		return err
	}
	out.last = time.Now()
	return nil
}

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) }
