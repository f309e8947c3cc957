package api

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func reporting(complete bool, list ...*buoyv1.ComputeInterface) *buoyv1.AttachRequest {
	return &buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Report{Report: &buoyv1.Report{Interfaces: list, Complete: complete}}}
}

const f0 = "projects/default/floatingIps/f0"

// TestAttach: a snapshot, what changes, reports, and the same stream resumed.
func TestAttach(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 2)
	l.gateway.announce(100, everywhere)
	conn := l.dial(t, nil)
	a := attach(t, conn, &buoyv1.Hello{ComputeNode: nodeName(0), AgentVersion: "test 1"})
	a.expect("at first", "welcome, hold time 30, resumed false", "begin", "f0 20.0.0.1 at tap0", "end of FLOATING_IPS", "0.0.0.0/0 via 10.0.0.1 label 100 [gre]")
	close(l.complete)
	a.expect("complete", "end of ROUTES")
	l.gateway.announce(101, everywhere)
	a.expect("another label", "0.0.0.0/0 via 10.0.0.1 label 101 [gre]")
	l.gateway.announce(0, everywhere)
	a.expect("withdrawn", "-0.0.0.0/0")

	a.send(reporting(false, &buoyv1.ComputeInterface{Name: "tap0", State: buoyv1.ComputeInterface_UNHEALTHY, Reason: "no ARP", Preference: buoyv1.ComputeInterface_BACKUP}))
	a.send(reporting(true))
	a.send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_KeepAlive{KeepAlive: &buoyv1.KeepAlive{}}})
	s := l.nodes.session(nodeName(0))
	eventually(t, "the report", func() bool { return s.look(func(s *fakeSession) bool { return s.heard == 3 && s.complete }) })
	if got, want := s.interfaces["tap0"], (inventory.InterfaceReport{Name: "tap0", State: inventory.InterfaceUnhealthy, Reason: "no ARP", Preference: inventory.Backup}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if len(s.programmed) > 0 {
		t.Errorf("it has said that it programmed %d", s.programmed)
	}
	if s.agent != "test 1" || s.address != "this machine" {
		t.Errorf("got the agent %q from %q", s.agent, s.address)
	}

	if err := a.stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if err := a.fails(); err.Error() != "EOF" {
		t.Errorf("the node has ended the stream: got %v", err)
	}
	l.gateway.announce(102, everywhere)
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: f0})
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: f0, Association: &buoyv1.Association{ComputeNode: nodeName(1), Interface: "tap1", FixedIp: "10.47.0.6"}})
	token := a.token
	a = attach(t, conn, &buoyv1.Hello{ComputeNode: nodeName(0), ResumeToken: token, FloatingIps: []string{f0}, Networks: []string{public}})
	a.expect("resumed without the floating IP", "welcome, hold time 30, resumed true", "-f0, -vn-public")
	other := attach(t, conn, &buoyv1.Hello{ComputeNode: nodeName(1), ResumeToken: token, FloatingIps: []string{"projects/default/floatingIps/f1"}, Networks: []string{public}})
	other.expect("resumed with another one", "welcome, hold time 30, resumed true", "f0 20.0.0.1 at tap1", "0.0.0.0/0 via 10.0.0.1 label 102 [gre]")
}

// TestProgrammed: the revision comes with the last message that belongs to it, and is said
// back.
func TestProgrammed(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 2)
	l.gateway.announce(100, everywhere)
	a := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0), Acknowledges: true})
	var revisions []uint64
	read := func(what string, messages int, want int) {
		t.Helper()
		revisions = nil
		for range messages {
			m, err := a.stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if r := m.GetChanges().GetRevision() + m.GetEndOfSnapshot().GetRevision(); r > 0 {
				revisions = append(revisions, r)
			}
		}
		if len(revisions) != want {
			t.Fatalf("%s: got the revisions %d", what, revisions)
		}
	}
	read("the floating IPs", 4, 0) // with the Welcome, and the begin
	read("and the routes", 1, 1)
	first := revisions[0]
	a.send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Programmed{Programmed: &buoyv1.Programmed{Revision: first}}})
	call(t, l.floatingIPs.UpdateFloatingIP, &buoyv1.UpdateFloatingIPRequest{FloatingIp: &buoyv1.FloatingIP{Name: f0, Direction: buoyv1.FloatingIP_INGRESS}, UpdateMask: maskOf("direction")})
	read("a change", 1, 1)
	if revisions[0] <= first {
		t.Errorf("got revision %d after %d", revisions[0], first)
	}
	close(l.complete)
	read("the end", 1, 0)
	s := l.nodes.session(nodeName(0))
	eventually(t, "Programmed", func() bool {
		return s.look(func(s *fakeSession) bool { return slices.Equal(s.programmed, []uint64{0, first}) })
	})
}

// TestAttachFields: what a floating IP says.
func TestAttachFields(t *testing.T) {
	l := newNodeLab(t)
	l.furnish(t)
	call(t, l.floatingIPs.UpdateFloatingIP, &buoyv1.UpdateFloatingIPRequest{FloatingIp: &buoyv1.FloatingIP{Name: web1, Direction: buoyv1.FloatingIP_INGRESS,
		PortMappings: []*buoyv1.PortMapping{{Protocol: "tcp", Port: 80, FixedPort: 8080}}}, UpdateMask: maskOf("direction", "port_mappings")})
	a := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: cmp1})
	a.expect("at first", "welcome, hold time 30, resumed false", "begin")
	m, err := a.stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "changes", m.GetChanges(), &buoyv1.Changes{FloatingIps: []*buoyv1.NodeFloatingIP{{Name: web1, Network: public, Address: "203.0.113.5",
		FixedIp: "10.47.255.249", Interface: "tap0", Label: 100, Direction: buoyv1.FloatingIP_INGRESS, PortMappings: []*buoyv1.PortMapping{{Protocol: "tcp", Port: 80, FixedPort: 8080}}}}})
}

// TestAttachReplaced: the newest stream is the node's; the older one is told, and where
// the newer one is from.
func TestAttachReplaced(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 1)
	old := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0)})
	old.expect("the old one", "welcome, hold time 30, resumed false")
	newer := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0)})
	newer.expect("the new one", "welcome, hold time 30, resumed false")
	refusal{codes.Aborted, "STREAM_REPLACED", "", "", "a newer stream took the place of this one, from this machine"}.check(t, old.fails())
}

// TestAttachRefused: what makes no sense ends the stream, and says why.
func TestAttachRefused(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 1)
	conn := l.dial(t, nil)
	const invalid, field = codes.InvalidArgument, "INVALID_FIELD"
	hello := &buoyv1.Hello{ComputeNode: nodeName(0)}
	again := &buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Hello{Hello: hello}}
	for name, tt := range map[string]struct {
		hello *buoyv1.Hello
		then  *buoyv1.AttachRequest
		want  refusal
	}{
		"a report first": {nil, reporting(true), refusal{invalid, field, "hello", "", "expected it as the first message"}},
		"nothing first":  {nil, &buoyv1.AttachRequest{}, refusal{invalid, field, "hello", "", "expected it as the first message"}},
		"two Hellos":     {hello, again, refusal{invalid, field, "hello", "", "expected it once, as the first message"}},
		"no name":        {&buoyv1.Hello{}, nil, refusal{invalid, field, "hello.compute_node", "", `expected computeNodes/NAME, got ""`}},
		"a short name":   {&buoyv1.Hello{ComputeNode: "n0"}, nil, refusal{invalid, field, "hello.compute_node", "", `expected computeNodes/NAME, got "n0"`}},
		"no token":       {&buoyv1.Hello{ComputeNode: nodeName(0), ResumeToken: "x"}, nil, refusal{invalid, field, "hello.resume_token", "", `expected the last resume_token of an earlier stream, or none, got "x"`}},
		"an interface":   {hello, reporting(false, &buoyv1.ComputeInterface{Name: "tap0"}, &buoyv1.ComputeInterface{Name: "a/b"}), refusal{invalid, field, "report.interfaces[1].name", "", `expected printable characters without blanks and slashes, got "a/b"`}},
		"a state":        {hello, reporting(false, &buoyv1.ComputeInterface{Name: "tap0", State: 9}), refusal{invalid, field, "report.interfaces[0].state", "", "the enumeration has no value 9"}},
		"a preference":   {hello, reporting(false, &buoyv1.ComputeInterface{Name: "tap0", Preference: 9}), refusal{invalid, field, "report.interfaces[0].preference", "", "the enumeration has no value 9"}},
		"too many names": {&buoyv1.Hello{ComputeNode: nodeName(0), ResumeToken: "1-x-1", Networks: make([]string, maxHello+1)}, nil, refusal{invalid, field, "hello.floating_ips", "", "expected at most 65536 names, with networks, got 65537; begin without a resume_token"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := attach(t, conn, tt.hello)
			if tt.then != nil {
				a.send(tt.then)
			}
			tt.want.check(t, a.fails())
		})
	}
	l.nodes.refuse = &inventory.Error{Code: inventory.NotFound, Reason: inventory.ReasonNotFound, Field: "compute_node", Resource: "computeNodes/x", Message: "computeNodes/x does not exist"}
	refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "hello.compute_node", "computeNodes/x", "computeNodes/x does not exist"}.check(t, attach(t, conn, &buoyv1.Hello{ComputeNode: "computeNodes/x"}).fails())
	l.nodes.refuse = ErrStopping
	refusal{code: codes.Unavailable, text: "buoyd is stopping"}.check(t, attach(t, conn, hello).fails())
}

// TestAttachViewer: on the operators' socket, too, a project may not be a compute node.
func TestAttachViewer(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 1)
	for name, client := range map[string]buoyv1.ComputeStreamsClient{"nodes": buoyv1.NewComputeStreamsClient(l.dial(t, nil)), "operators": buoyv1.NewComputeStreamsClient(l.conn)} {
		stream, err := client.Attach(as(t.Context(), "dev"))
		if err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestAttachSocket: the socket for compute nodes serves nothing else.
func TestAttachSocket(t *testing.T) {
	l := newNodeLab(t)
	_, err := buoyv1.NewNetworksClient(l.dial(t, nil)).ListNetworks(t.Context(), &buoyv1.ListNetworksRequest{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("got %v", err)
	}
}

// TestAttachStops: streams end at once when the server does, with a word, and so does
// everything that belonged to them.
func TestAttachStops(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 1)
	a := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0)})
	a.expect("at first", "welcome, hold time 30, resumed false")
	silent := attach(t, l.dial(t, nil), nil)
	began := time.Now()
	l.stop()
	refusal{code: codes.Unavailable, text: "buoyd is stopping"}.check(t, a.fails())
	if err := silent.fails(); status.Code(err) != codes.Unavailable {
		t.Errorf("a stream that has not begun: got %v", err)
	}
	if took := time.Since(began); took > grace/2 {
		t.Errorf("stop: took %s", took)
	}
}

// TestAttachSessionEnds: what ends the session ends the stream; and the other way round.
func TestAttachSessionEnds(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 1)
	conn := l.dial(t, nil)
	a := attach(t, conn, &buoyv1.Hello{ComputeNode: nodeName(0)})
	a.expect("at first", "welcome, hold time 30, resumed false")
	l.nodes.session(nodeName(0)).finish(&inventory.Error{Code: inventory.Aborted, Reason: ReasonSilent, Message: "the stream was silent for 30s"})
	refusal{codes.Aborted, "STREAM_SILENT", "", "", "the stream was silent for 30s"}.check(t, a.fails())

	a = attach(t, conn, &buoyv1.Hello{ComputeNode: nodeName(0)})
	a.expect("again", "welcome, hold time 30, resumed false")
	s := l.nodes.session(nodeName(0))
	a.end()
	<-s.done
	if !errors.Is(s.Err(), errLost) {
		t.Errorf("the node is gone: got %v", s.Err())
	}
	a = attach(t, conn, &buoyv1.Hello{ComputeNode: nodeName(0)})
	a.expect("and again", "welcome, hold time 30, resumed false")
	s = l.nodes.session(nodeName(0))
	a.send(reporting(false, &buoyv1.ComputeInterface{}))
	<-s.done
	if err := s.Err(); err == nil || !strings.HasPrefix(err.Error(), "report.interfaces[0].name: expected the name") {
		t.Errorf("nonsense: got %v", err)
	}
}

// TestAttachKeepAlives: something comes every third of the hold time, and a hold time
// that changes is told.
func TestAttachKeepAlives(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 1)
	close(l.complete)
	l.nodes.setHold(3 * time.Second)
	a := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0)})
	a.expect("at first", "welcome, hold time 3, resumed false", "begin", "f0 20.0.0.1 at tap0", "end of FLOATING_IPS", "end of ROUTES")
	last := time.Now()
	for i, want := range []uint32{3, 3, 9} {
		if i == 2 {
			l.nodes.setHold(9 * time.Second)
		}
		m, err := a.stream.Recv()
		if err != nil || m.GetKeepAlive().GetHoldTime() != want {
			t.Fatalf("got %v, %v, want a keep-alive with %d", m, err, want)
		}
		if took := time.Since(last); took > 2*time.Second {
			t.Errorf("after %s, want about a second", took)
		}
		last = time.Now()
	}
}

// TestAttachSlow: a node that reads nothing delays no other, holds a bounded amount of
// memory, and loses its stream after the hold time, although it is heard of.
func TestAttachSlow(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 2)
	close(l.complete)
	l.nodes.setHold(3 * time.Second)
	slow := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0)})
	eventually(t, "the slow one", func() bool { return l.nodes.session(nodeName(0)) != nil })
	fast := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(1)})
	fast.expect("the fast one", "welcome, hold time 3, resumed false", "begin", "f1 20.0.0.2 at tap0", "end of FLOATING_IPS", "end of ROUTES")
	prefixes := manyPrefixes(20_000)
	l.gateway.announce(100, prefixes...)
	for got := 0; got < len(prefixes); {
		m, err := fast.stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		got += len(m.GetChanges().GetRoutes())
		slow.stream.Send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_KeepAlive{KeepAlive: &buoyv1.KeepAlive{}}})
	}
	s := l.nodes.session(nodeName(0))
	eventually(t, "the slow one loses its stream", func() bool { return s.Err() != nil })
	if err := s.Err(); err.Error() != "the compute node has taken nothing for the hold time, 3s" {
		t.Errorf("got %v", err)
	}
	refusal{codes.Aborted, "STREAM_STUCK", "", "", "the compute node has taken nothing for the hold time, 3s"}.check(t, slow.fails())
	l.gateway.announce(100, everywhere)
	fast.expect("still there", "0.0.0.0/0 via 10.0.0.1 label 100 [gre]")
}

// TestAttachPanics: a stream that panics ends alone.
func TestAttachPanics(t *testing.T) {
	l := newNodeLab(t).furnishNodes(t, 1)
	a := attach(t, l.dial(t, nil), &buoyv1.Hello{ComputeNode: nodeName(0)})
	a.expect("at first", "welcome, hold time 30, resumed false")
	s := l.nodes.session(nodeName(0))
	s.mu.Lock()
	s.interfaces = nil // which Report does not expect
	s.mu.Unlock()
	a.send(reporting(false, &buoyv1.ComputeInterface{Name: "tap0"}))
	refusal{code: codes.Internal, text: "internal error; the daemon's log has the details"}.check(t, a.fails())
	eventually(t, "the log", func() bool { return strings.Contains(l.log.String(), "a stream of a compute node panicked") })
}

// TestManyNodes: a thousand compute nodes that connect at once have everything soon.
func TestManyNodes(t *testing.T) {
	const nodes, routes = 1000, 100
	l := newNodeLab(t).furnishNodes(t, nodes)
	l.gateway.announce(100, manyPrefixes(routes)...)
	close(l.complete)
	ready := make(chan error, nodes)
	began := time.Now()
	conn := l.dial(t, nil)
	for i := range nodes {
		if i%50 == 0 {
			conn = l.dial(t, nil)
		}
		client := buoyv1.NewComputeStreamsClient(conn)
		go func() { ready <- attached(t, client, nodeName(i), routes) }()
	}
	for range nodes {
		if err := <-ready; err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d nodes have %d routes each after %s", nodes, routes, time.Since(began))
}

// attached opens a stream and waits until it has its floating IP and so many routes.
func attached(t testing.TB, client buoyv1.ComputeStreamsClient, node string, routes int) error {
	stream, err := client.Attach(t.Context())
	if err != nil {
		return err
	}
	if err := stream.Send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Hello{Hello: &buoyv1.Hello{ComputeNode: node}}}); err != nil {
		return err
	}
	floatingIPs, got := 0, 0
	for {
		m, err := stream.Recv()
		if err != nil {
			return err
		}
		floatingIPs += len(m.GetChanges().GetFloatingIps())
		got += len(m.GetChanges().GetRoutes())
		if m.GetEndOfSnapshot().GetPart() == buoyv1.EndOfSnapshot_ROUTES {
			if floatingIPs != 1 || got < routes {
				return fmt.Errorf("%s: %d floating IPs and %d routes", node, floatingIPs, got)
			}
			return nil
		}
	}
}
