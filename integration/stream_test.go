package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// stream is a compute node's stream as its agent sees it. It does what the protocol
// says and keeps what it was told, so that tests can look at it.
type stream struct {
	name string
	conn *grpc.ClientConn
	up   grpc.BidiStreamingClient[buoyv1.AttachRequest, buoyv1.AttachResponse]
	send sync.Mutex

	mu          sync.Mutex
	welcomed    bool
	floatingIPs map[string]string // what is to be programmed, by name
	routes      map[string]string // by network and prefix
	ended       map[buoyv1.EndOfSnapshot_Part]bool
	err         error // why the stream has ended
}

// attach begins a stream of a compute node, with what is to be reported first.
func (w *world) attach(node string, interfaces ...*buoyv1.ComputeInterface) *stream {
	w.t.Helper()
	s, err := attach(w.buoyd.Server(), node, interfaces...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(s.drop)
	return s
}

func attach(server, node string, interfaces ...*buoyv1.ComputeInterface) (*stream, error) {
	conn, err := grpc.NewClient(server, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	s := &stream{name: "computeNodes/" + node, conn: conn, floatingIPs: map[string]string{}, routes: map[string]string{}, ended: map[buoyv1.EndOfSnapshot_Part]bool{}}
	s.up, err = buoyv1.NewComputeStreamsClient(conn).Attach(context.Background())
	if err == nil {
		err = s.say(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Hello{Hello: &buoyv1.Hello{ComputeNode: s.name, AgentVersion: "test"}}})
	}
	if err == nil {
		err = s.report(true, interfaces...)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("attach %s: %w", node, err)
	}
	go s.read()
	go s.live()
	return s, nil
}

func (s *stream) say(m *buoyv1.AttachRequest) error {
	s.send.Lock()
	defer s.send.Unlock()
	return s.up.Send(m)
}

func (s *stream) report(complete bool, interfaces ...*buoyv1.ComputeInterface) error {
	return s.say(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Report{Report: &buoyv1.Report{Interfaces: interfaces, Complete: complete}}})
}

// live says that the node lives, until the stream ends.
func (s *stream) live() {
	for s.up.Context().Err() == nil {
		if s.say(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_KeepAlive{KeepAlive: &buoyv1.KeepAlive{}}}) != nil {
			return
		}
		select {
		case <-time.After(time.Second): // a third of the shortest hold time
		case <-s.up.Context().Done():
		}
	}
}

func (s *stream) read() {
	for {
		m, err := s.up.Recv()
		s.mu.Lock()
		if s.err = err; err != nil {
			s.mu.Unlock()
			return
		}
		s.welcomed = true
		if m.GetBeginOfSnapshot() != nil {
			clear(s.floatingIPs)
			clear(s.routes)
		}
		if e := m.GetEndOfSnapshot(); e != nil {
			s.ended[e.Part] = true
		}
		s.take(m.GetChanges())
		s.mu.Unlock()
	}
}

func (s *stream) take(c *buoyv1.Changes) {
	for _, name := range c.GetRemovedFloatingIps() {
		delete(s.floatingIPs, name)
	}
	for _, network := range c.GetRemovedNetworks() {
		maps.DeleteFunc(s.routes, func(key, _ string) bool { return strings.HasPrefix(key, network+" ") })
	}
	for _, r := range c.GetWithdrawnRoutes() {
		delete(s.routes, r.Network+" "+r.Prefix)
	}
	for _, f := range c.GetFloatingIps() {
		s.floatingIPs[f.Name] = fmt.Sprintf("%s at %s of %s label %d", f.Address, f.FixedIp, f.Interface, f.Label)
	}
	for _, r := range c.GetRoutes() {
		var hops []string
		for _, h := range r.NextHops {
			hops = append(hops, fmt.Sprintf("%s label %d by %s", h.Address, h.Label, strings.Join(h.Encapsulations, ",")))
		}
		s.routes[r.Network+" "+r.Prefix] = strings.Join(hops, "; ")
	}
}

// drop ends the connection as a dead node does.
func (s *stream) drop() { s.conn.Close() }

// programmes waits until the node was told to programme exactly this, and that it is
// complete: floating IPs and routes, as "KEY VALUE".
func (w *world) programmes(s *stream, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	w.eventually(s.name+" is told", func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		var got []string
		for _, list := range []map[string]string{s.floatingIPs, s.routes} {
			for key, value := range list {
				got = append(got, key+" "+value)
			}
		}
		slices.Sort(got)
		switch {
		case s.err != nil:
			return s.err
		case !s.ended[buoyv1.EndOfSnapshot_FLOATING_IPS] || !s.ended[buoyv1.EndOfSnapshot_ROUTES]:
			return fmt.Errorf("only %v is complete", s.ended)
		case !slices.Equal(got, want):
			return fmt.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
}

// reports sends what is new of interfaces.
func (w *world) reports(s *stream, interfaces ...*buoyv1.ComputeInterface) {
	w.t.Helper()
	if err := s.report(false, interfaces...); err != nil {
		w.t.Fatal(err)
	}
}

// isWelcome reports whether the stream is there.
func (s *stream) isWelcome(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && !s.welcomed {
		return errors.New("nothing has come yet")
	}
	return s.err
}

// nodeIs waits for the state of a compute node.
func (w *world) nodeIs(node, want string) {
	w.t.Helper()
	w.eventually(node+" is "+want, func(ctx context.Context) error {
		n, err := buoyv1.NewComputeNodesClient(w.dial()).GetComputeNode(ctx, &buoyv1.GetComputeNodeRequest{Name: "computeNodes/" + node})
		if err == nil && n.State.String() != want {
			err = fmt.Errorf("it is %s: %s", n.State, n.StateReason)
		}
		return err
	})
}

func up(name string) *buoyv1.ComputeInterface {
	return &buoyv1.ComputeInterface{Name: name, State: buoyv1.ComputeInterface_UP}
}

func down(name string) *buoyv1.ComputeInterface {
	return &buoyv1.ComputeInterface{Name: name, State: buoyv1.ComputeInterface_DOWN, Reason: "no carrier"}
}
