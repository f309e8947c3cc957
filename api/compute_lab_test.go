package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unique"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/programme"
	"github.com/buoynet/buoy/internal/reconcile"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// nodeLab is the socket for compute nodes, with a gateway that is only said to be there.
type nodeLab struct {
	*lab
	nodes    *fakeNodes
	gateway  *fakeGateway
	complete chan struct{}
	address  string // of the socket
	stop     func()
}

// newNodeLab serves compute nodes on a Unix socket.
func newNodeLab(t testing.TB) *nodeLab {
	t.Helper()
	l := &nodeLab{lab: newLab(t)}
	l.serve(t, endpoint{"unix", filepath.Join(shortDir(t), "n")}, nil)
	return l
}

// serve serves compute nodes on the lab's inventory.
func (l *nodeLab) serve(t testing.TB, at endpoint, tls *NodeTLS) {
	t.Helper()
	l.nodes = &fakeNodes{hold: 30 * time.Second, sessions: map[string]*fakeSession{}}
	l.gateway = &fakeGateway{rib: vrf.NewRIB(), wake: make(chan struct{}, 1)}
	l.complete = make(chan struct{})
	changes := reconcile.NewChanges()
	imports := reconcile.NewImports(l.follower.Subscribe(), l.gateway, changes)
	followers := programme.NewFollowers(l.follower, struct {
		*reconcile.Changes
		*reconcile.Imports
	}{changes, imports}, l.complete)
	server := NewNodeServer(Config{
		Inventory:    l.follower,
		ComputeNodes: l.nodes,
		Programmes:   programmes{followers},
		Logger:       slog.New(slog.NewTextHandler(l.log, nil)),
	}, tls)
	listeners, err := Listen(at)
	if err != nil {
		t.Fatal(err)
	}
	l.address = listeners[0].Addr().String()
	if at.network == "unix" {
		l.address = "unix://" + at.address
	}
	start(t, imports.Run, nil)
	start(t, followers.Run, nil)
	l.stop = start(t, func(ctx context.Context) error { return server.Serve(ctx, listeners) }, nil)
}

type programmes struct{ *programme.Followers }

func (p programmes) Follow(node, token string, floatingIPs, networks []string) (ProgrammeFollower, bool, error) {
	return p.Followers.Follow(node, token, floatingIPs, networks)
}

// furnishNodes makes compute nodes, each with a floating IP of one network.
func (l *nodeLab) furnishNodes(t testing.TB, nodes int) *nodeLab {
	t.Helper()
	batch := inventory.Batch{inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("20.0.0.0/8")},
		Targets: targetsOf(t, "target:64512:10003")}}}
	for i := range nodes {
		batch = append(batch, inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: nodeName(i), Address: netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})}},
			inventory.Allocate{Name: fmt.Sprint("projects/default/floatingIps/f", i), Network: public},
			inventory.Associate{Name: fmt.Sprint("projects/default/floatingIps/f", i), Association: inventory.Association{ComputeNode: nodeName(i), Interface: "tap0", FixedIP: netip.MustParseAddr("10.47.0.5")}})
	}
	if _, err := l.follower.Execute(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return l
}

func nodeName(i int) string { return fmt.Sprint("computeNodes/n", i) }

func targetsOf(t testing.TB, text string) routetarget.Set {
	t.Helper()
	target, err := routetarget.ParseTarget(text)
	if err != nil {
		t.Fatal(err)
	}
	return routetarget.NewSet(target)
}

// fakeGateway announces prefixes with the target of furnishNodes' network.
type fakeGateway struct {
	wake chan struct{}

	mu      sync.Mutex
	rib     vrf.RIB
	updates []vrf.Update
}

func (g *fakeGateway) Received() <-chan struct{} { return g.wake }

func (g *fakeGateway) TakeReceived() []vrf.Update {
	g.mu.Lock()
	defer g.mu.Unlock()
	defer func() { g.updates = nil }()
	return g.updates
}

// announce announces prefixes with a label, or withdraws them without.
func (g *fakeGateway) announce(label vrf.Label, prefixes ...netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	target, _ := routetarget.ParseTarget("target:64512:10003")
	attributes := unique.Make(vrf.Attributes{Targets: routetarget.NewSet(target), NextHop: netip.MustParseAddr("10.0.0.1"), LocalPref: 100})
	source := &vrf.Source{Neighbor: "mx1", Address: netip.MustParseAddr("10.0.0.1"), RouterID: netip.MustParseAddr("10.0.0.1")}
	rib := g.rib.Copy()
	for _, p := range prefixes {
		key := vrf.Key{RD: routetarget.IPv4Distinguisher(netip.MustParseAddr("10.0.0.1"), 1), Prefix: p}
		if rib.Delete(key); label > 0 {
			rib.Set(&vrf.Received{Key: key, Source: source, Attributes: attributes, Label: label})
		}
	}
	g.rib = rib
	g.updates = append(g.updates, vrf.Update{Of: g, Routes: rib, All: true})
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

var everywhere = netip.MustParsePrefix("0.0.0.0/0")

// manyPrefixes are so many different ones.
func manyPrefixes(n int) (list []netip.Prefix) {
	for i := range n {
		list = append(list, netip.PrefixFrom(netip.AddrFrom4([4]byte{30, byte(i >> 16), byte(i >> 8), byte(i)}), 32))
	}
	return list
}

// fakeNodes keeps sessions, and ends the older one of two.
type fakeNodes struct {
	mu       sync.Mutex
	hold     time.Duration
	sessions map[string]*fakeSession
	opened   int
	refuse   error
}

func (n *fakeNodes) Open(node, address, agent string) (NodeSession, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse != nil {
		return nil, n.refuse
	}
	if old := n.sessions[node]; old != nil {
		old.finish(&inventory.Error{Code: inventory.Aborted, Reason: ReasonReplaced, Message: "a newer stream took the place of this one, from " + address})
	}
	s := &fakeSession{nodes: n, address: address, agent: agent, done: make(chan struct{}), interfaces: map[string]inventory.InterfaceReport{}}
	n.sessions[node] = s
	n.opened++
	return s, nil
}

func (n *fakeNodes) session(node string) *fakeSession {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sessions[node]
}

func (n *fakeNodes) setHold(hold time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hold = hold
}

type fakeSession struct {
	nodes          *fakeNodes
	address, agent string
	done           chan struct{}

	mu         sync.Mutex
	interfaces map[string]inventory.InterfaceReport
	heard      int
	programmed []uint64
	complete   bool
	err        error
}

func (s *fakeSession) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = cmp.Or(err, errEndedInTest)
		close(s.done)
	}
}

func (s *fakeSession) Programmed(revision uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.programmed = append(s.programmed, revision)
}

var errEndedInTest = errors.New("ended")

func (s *fakeSession) Heard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard++
}

func (s *fakeSession) Report(list []inventory.InterfaceReport, complete bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	for i, r := range list {
		if err := inventory.CheckInterface(fmt.Sprintf("interfaces[%d].name", i), r.Name); err != nil {
			return err
		}
		s.interfaces[r.Name] = r
	}
	s.complete = s.complete || complete
	return nil
}

func (s *fakeSession) HoldTime() time.Duration {
	s.nodes.mu.Lock()
	defer s.nodes.mu.Unlock()
	return s.nodes.hold
}

func (s *fakeSession) Done() <-chan struct{} { return s.done }

func (s *fakeSession) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *fakeSession) Close(reason error) { s.finish(reason) }

// look reads what a session has come to.
func (s *fakeSession) look(do func(*fakeSession) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return do(s)
}

// dial opens a connection to the socket for compute nodes.
func (l *nodeLab) dial(t testing.TB, creds credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	if creds == nil {
		creds = insecure.NewCredentials()
	}
	conn, err := grpc.NewClient(l.address, grpc.WithTransportCredentials(creds))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// agent is a stream of a compute node, as the node sees it.
type agent struct {
	testing.TB
	stream grpc.BidiStreamingClient[buoyv1.AttachRequest, buoyv1.AttachResponse]
	token  string
	end    context.CancelFunc
}

// attach opens a stream on a connection.
func attach(t testing.TB, conn *grpc.ClientConn, hello *buoyv1.Hello) *agent {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // nothing takes as long
	t.Cleanup(cancel)
	stream, err := buoyv1.NewComputeStreamsClient(conn).Attach(ctx)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{TB: t, stream: stream, end: cancel}
	if hello != nil {
		a.send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Hello{Hello: hello}})
	}
	return a
}

func (a *agent) send(m *buoyv1.AttachRequest) {
	a.Helper()
	if err := a.stream.Send(m); err != nil {
		_, err := a.stream.Recv()
		a.Fatalf("send: %v", err)
	}
}

// next returns what the next message says, in short; keep-alives are left out.
func (a *agent) next() string {
	a.Helper()
	for {
		m, err := a.stream.Recv()
		if err != nil {
			a.Fatalf("receive: %v", err)
		}
		switch m := m.Message.(type) {
		case *buoyv1.AttachResponse_Welcome:
			return fmt.Sprintf("welcome, hold time %d, resumed %t", m.Welcome.HoldTime, m.Welcome.Resumed)
		case *buoyv1.AttachResponse_BeginOfSnapshot:
			return "begin"
		case *buoyv1.AttachResponse_Changes:
			a.token = cmp.Or(m.Changes.ResumeToken, a.token)
			if text := changesText(m.Changes); text != "" { // a token alone is not awaited
				return text
			}
		case *buoyv1.AttachResponse_EndOfSnapshot:
			a.token = cmp.Or(m.EndOfSnapshot.ResumeToken, a.token)
			return "end of " + m.EndOfSnapshot.Part.String()
		}
	}
}

func changesText(c *buoyv1.Changes) string {
	var parts []string
	for _, name := range c.RemovedFloatingIps {
		parts = append(parts, "-"+nodeID(name))
	}
	for _, name := range c.RemovedNetworks {
		parts = append(parts, "-"+nodeID(name))
	}
	for _, w := range c.WithdrawnRoutes {
		parts = append(parts, "-"+w.Prefix)
	}
	for _, f := range c.FloatingIps {
		parts = append(parts, fmt.Sprintf("%s %s at %s", nodeID(f.Name), f.Address, f.Interface))
	}
	for _, r := range c.Routes {
		parts = append(parts, fmt.Sprintf("%s via %s label %d %s", r.Prefix, r.NextHops[0].Address, r.NextHops[0].Label, r.NextHops[0].Encapsulations))
	}
	if len(parts) > 10 {
		return fmt.Sprint(len(parts), " changes")
	}
	return strings.Join(parts, ", ")
}

// expect compares the next messages.
func (a *agent) expect(what string, want ...string) {
	a.Helper()
	for _, w := range want {
		if got := a.next(); got != w {
			a.Fatalf("%s:\n got %q\nwant %q", what, got, w)
		}
	}
}

// fails waits for the end of the stream.
func (a *agent) fails() error {
	a.Helper()
	for {
		if _, err := a.stream.Recv(); err != nil {
			return err
		}
	}
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not after 30s", what)
		}
	}
}
