package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/buoynet/buoy/internal/doctor"
	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/bolt"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// lab is the API over a real store, with a speaker that is only said to be
// there.
type lab struct {
	socket   string
	conn     *grpc.ClientConn
	follower *store.Follower
	speaker  *fakeSpeaker
	changes  *fakeChanges
	life     *fakeLife
	log      *lines
	observer *observer
	machine  atomic.Pointer[doctor.Machine] // what is examined; nil: nothing but the time is known
	history  *labHistory

	stopServer, stopStore func()

	shutdowns []string // what the daemon was asked to do

	networks     buoyv1.NetworksClient
	pools        buoyv1.PoolsClient
	computeNodes buoyv1.ComputeNodesClient
	neighbors    buoyv1.NeighborsClient
	floatingIPs  buoyv1.FloatingIPsClient
	routes       buoyv1.RoutesClient
	globals      buoyv1.GlobalsClient
	explanations buoyv1.ExplanationsClient
	examinations buoyv1.ExaminationsClient

	configurations buoyv1.ConfigurationsClient
	watches        buoyv1.WatchesClient
	events         buoyv1.EventsClient
}

// labHistory is that of the store. While it is deaf, nothing that is observed is in it:
// when that is seen is not the same twice.
type labHistory struct {
	*bolt.Store
	deaf atomic.Bool
}

func (h *labHistory) Record(events ...history.Event) {
	if !h.deaf.Load() {
		h.Store.Record(events...)
	}
}

// taken is when the fake speaker took every route, and when every session
// came into its state.
var taken = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newLab starts the API. The AS is 64512, and one neighbor is in the
// configuration file.
func newLab(t testing.TB) *lab {
	t.Helper()
	return newLabWith(t, inventory.Static{Neighbors: []*inventory.Neighbor{{Settings: neighbor.Settings{
		Name: "fixed", Address: netip.MustParseAddr("10.0.0.9"), Port: 179, AS: 64512, Families: neighbor.AllFamilies,
	}}}})
}

func newLabWith(t testing.TB, static inventory.Static) *lab {
	t.Helper()
	return newLabAt(t, static, filepath.Join(t.TempDir(), "buoy.db"))
}

// newLabAt starts the API over the store of a file.
func newLabAt(t testing.TB, static inventory.Static, path string) *lab {
	t.Helper()
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{speaker: &fakeSpeaker{refused: map[string]error{}, stale: map[string]error{}, withheld: map[string]bool{}}, changes: &fakeChanges{wake: make(chan struct{})}, log: &lines{}, life: newFakeLife()}
	l.history = &labHistory{Store: s}
	l.follower = store.NewFollower(s, static, time.Now)
	l.speaker.state, l.speaker.life = l.follower.State, l.life
	server := New(Config{
		Inventory: l.follower,
		Routes:    func() RouteTable { return l.speaker },
		Imports:   l.speaker.imports,
		Changes:   l.changes,
		Sessions:  l.speaker,
		Life:      l.life,
		History:   l.history,
		Families:  neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget),
		Local:     neighbor.Local{AS: 64512},
		Machine: func() doctor.Machine {
			if m := l.machine.Load(); m != nil {
				return *m
			}
			return doctor.Machine{Now: time.Now()}
		},
		Shutdown: func(_ context.Context, withdraw bool, communication string) error {
			l.shutdowns = append(l.shutdowns, fmt.Sprint(withdraw, " ", communication))
			return nil
		},
		Logger: slog.New(slog.NewTextHandler(l.log, nil)),
	})
	l.observer = server.watches.observer
	l.socket = filepath.Join(shortDir(t), "s")
	listeners, err := Listen(endpoint{"unix", l.socket})
	if err != nil {
		t.Fatal(err)
	}
	l.stopStore = start(t, l.follower.Run, s.Close)
	l.stopServer = start(t, func(ctx context.Context) error { return server.Serve(ctx, listeners) }, nil)
	if _, err := l.follower.Execute(t.Context(), inventory.SeedGlobal{AS: 64512}); err != nil {
		t.Fatal(err)
	}
	l.conn, err = grpc.NewClient("unix://"+l.socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.conn.Close() })
	l.networks = buoyv1.NewNetworksClient(l.conn)
	l.pools = buoyv1.NewPoolsClient(l.conn)
	l.computeNodes = buoyv1.NewComputeNodesClient(l.conn)
	l.neighbors = buoyv1.NewNeighborsClient(l.conn)
	l.floatingIPs = buoyv1.NewFloatingIPsClient(l.conn)
	l.routes = buoyv1.NewRoutesClient(l.conn)
	l.globals = buoyv1.NewGlobalsClient(l.conn)
	l.explanations = buoyv1.NewExplanationsClient(l.conn)
	l.examinations = buoyv1.NewExaminationsClient(l.conn)
	l.configurations = buoyv1.NewConfigurationsClient(l.conn)
	l.watches = buoyv1.NewWatchesClient(l.conn)
	l.events = buoyv1.NewEventsClient(l.conn)
	return l
}

// start runs something until it is stopped or the test ends, then what is to be
// done after it.
func start(t testing.TB, run func(context.Context) error, after func() error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		err := <-done
		if after != nil {
			err = errors.Join(err, after())
		}
		if err != nil {
			t.Errorf("stop: got %v, want nil", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// call makes a request that must succeed.
func call[Req, Resp proto.Message](t testing.TB, rpc func(context.Context, Req, ...grpc.CallOption) (Resp, error), req Req) Resp {
	t.Helper()
	return callAs(t, "", rpc, req)
}

// callAs makes a request for a project that must succeed.
func callAs[Req, Resp proto.Message](t testing.TB, project string, rpc func(context.Context, Req, ...grpc.CallOption) (Resp, error), req Req) Resp {
	t.Helper()
	resp, err := rpc(as(t.Context(), project), req)
	if err != nil {
		t.Fatalf("%T: got error %v, want none", req, err)
	}
	return resp
}

// as makes requests be for a project; the empty one is the operator.
func as(ctx context.Context, project string) context.Context {
	if project == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, projectKey, project)
}

// equal compares messages but for their etags, which depend on what has been
// done before.
func equal(t testing.TB, what string, got, want proto.Message) {
	t.Helper()
	got, want = withoutEtags(got), withoutEtags(want)
	if !proto.Equal(got, want) {
		text := prototext.MarshalOptions{Multiline: true}
		t.Errorf("%s:\n--- got\n%s--- want\n%s", what, text.Format(got), text.Format(want))
	}
}

func withoutEtags(m proto.Message) proto.Message {
	clone := proto.Clone(m)
	protorange.Range(clone.ProtoReflect(), func(p protopath.Values) error {
		if m, ok := p.Index(-1).Value.Interface().(protoreflect.Message); ok {
			if field := m.Descriptor().Fields().ByName("etag"); field != nil && m.IsValid() {
				m.Clear(field)
			}
		}
		return nil
	})
	return clone
}

// Names of the resources that furnish makes, and of others.
const (
	public  = "projects/default/networks/vn-public"
	private = "projects/default/networks/vn-private"
	web1    = "projects/default/floatingIps/web-1"
	web6    = "projects/default/floatingIps/web-6"
	idle    = "projects/default/floatingIps/idle"
	cmp1    = "computeNodes/cmp1"
	cmp2    = "computeNodes/cmp2"
	mx1     = "neighbors/mx1"
	fixed   = "neighbors/fixed" // of the configuration file
)

// furnish makes two networks, two compute nodes, a neighbor, and three
// floating IPs of which two are associated.
func (l *lab) furnish(t testing.TB) *lab {
	t.Helper()
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{
		Name: public, Subnets: []string{"203.0.113.0/24", "2001:db8::/64"}, RouteTargets: []string{"target:64512:10003"}}})
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: private}})
	call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{
		Name: cmp1, Address: "10.0.0.11", Encapsulations: []string{"gre", "udp"}}})
	call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{
		Name: cmp2, Address: "2001:db8:1::12", RouterId: "10.0.0.12"}})
	call(t, l.neighbors.CreateNeighbor, &buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", As: 64513}})
	for name, address := range map[string]string{web1: "203.0.113.5", web6: "2001:db8::5", idle: "203.0.113.9"} {
		call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: name, Network: public, Address: address})
	}
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: web1, Association: &buoyv1.Association{
		ComputeNode: cmp1, Interface: "tap0", FixedIp: "10.47.255.249", Label: 100}})
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: web6, Association: &buoyv1.Association{
		ComputeNode: cmp2, Interface: "tap6", FixedIp: "fd00::5", Label: 106, Preferred: true}})
	return l
}

// fakeSpeaker takes every route of the inventory at once, except those that it
// is told to refuse or to withhold. It is both a RouteTable and Sessions.
type fakeSpeaker struct {
	state func() *inventory.State
	life  *fakeLife

	mu        sync.Mutex
	refused   map[string]error // by key: wanted, not taken
	withheld  map[string]bool  // by key: wanted, not given yet
	stale     map[string]error // by key: taken, a change of it is refused
	sessions  []neighbor.Status
	out       map[netip.Addr][]vrf.Route
	in        map[netip.Addr][]*vrf.Received
	strangers neighbor.Refused
	waiting   bool            // established neighbors are being sent what they get
	unwanted  map[string]bool // by name of a neighbor: it wants no route
	panics    bool
	changes   uint64
	changed   chan struct{} // nil while nobody waits
	progress  neighbor.Progress
	next      chan struct{} // nil while nobody waits
}

func (s *fakeSpeaker) wanted(refused bool) (routes []vrf.Route) {
	state := s.state()
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range state.FloatingIPs("") {
		for _, r := range state.LiveRoutesOf(f, s.life.Living()) {
			if _, ok := s.refused[r.Key.String()]; ok == refused && !s.withheld[r.Key.String()] {
				routes = append(routes, r)
			}
		}
	}
	slices.SortFunc(routes, func(a, b vrf.Route) int { return a.Key.Compare(b.Key) })
	return routes
}

func (s *fakeSpeaker) From(key vrf.Key) iter.Seq2[vrf.Route, time.Time] {
	return func(yield func(vrf.Route, time.Time) bool) {
		for _, r := range s.wanted(false) {
			if r.Key.Compare(key) >= 0 && !yield(r, taken) {
				return
			}
		}
	}
}

func (s *fakeSpeaker) Get(key vrf.Key) (vrf.Route, time.Time, bool) {
	state := s.state()
	_, name := origin(state, key)
	f, ok := state.FloatingIP(name)
	if !ok {
		return vrf.Route{}, time.Time{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range state.LiveRoutesOf(f, s.life.Living()) {
		if _, refused := s.refused[key.String()]; r.Key == key && !refused && !s.withheld[key.String()] {
			return r, taken, true
		}
	}
	return vrf.Route{}, time.Time{}, false
}

func (s *fakeSpeaker) Failures(from vrf.Key) iter.Seq2[vrf.Route, error] {
	return func(yield func(vrf.Route, error) bool) {
		for _, r := range s.wanted(true) {
			if r.Key.Compare(from) >= 0 && !yield(r, s.refused[r.Key.String()]) {
				return
			}
		}
	}
}

// Awaits has nobody to wait for.
func (s *fakeSpeaker) Awaits(string) (node string, until time.Time, ok bool) {
	return "", time.Time{}, false
}

func (s *fakeSpeaker) Failure(key vrf.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return cmp.Or(s.refused[key.String()], s.stale[key.String()])
}

// set changes what the speaker says, and tells nobody.
func (s *fakeSpeaker) set(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

func (s *fakeSpeaker) Refused() neighbor.Refused { return s.strangers }

func (s *fakeSpeaker) Neighbors() []neighbor.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("no sessions today")
	}
	// Tests name the neighbor; its settings are those that are configured.
	list := slices.Clone(s.sessions)
	for i := range list {
		if n, ok := s.state().Neighbor(inventory.NeighborName(list[i].Settings.Name)); ok && list[i].Settings.AS == 0 {
			list[i].Settings = n.Settings
		}
	}
	return list
}

func (s *fakeSpeaker) Changed() (uint64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changes, s.changed
}

func (s *fakeSpeaker) Progress() (neighbor.Progress, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(chan struct{})
	}
	return s.progress, s.next
}

// send does something to what neighbors were sent or, judged, should be, and tells that
// it did.
func (s *fakeSpeaker) send(judged bool, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	if s.progress.Sent++; judged {
		s.progress.Judged++
	}
	if s.next != nil {
		close(s.next)
		s.next = nil
	}
}

// change does something to what the speaker says, and tells that it did.
func (s *fakeSpeaker) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	s.changes++
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

func (s *fakeSpeaker) AdjRIBOut(addr netip.Addr, from vrf.Key) iter.Seq2[vrf.Route, time.Time] {
	return func(yield func(vrf.Route, time.Time) bool) {
		for _, r := range s.out[addr] {
			if r.Key.Compare(from) >= 0 && !yield(r, taken) {
				return
			}
		}
	}
}

func (s *fakeSpeaker) AdjRIBIn(addr netip.Addr, from vrf.Key) iter.Seq[*vrf.Received] {
	return func(yield func(*vrf.Received) bool) {
		for _, r := range s.announced()[addr] {
			if r.Key.Compare(from) >= 0 && !yield(r) {
				return
			}
		}
	}
}

// announced returns what the neighbors have announced, ordered by key.
func (s *fakeSpeaker) announced() map[netip.Addr][]*vrf.Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in
}

// imports is what the networks import of it.
func (s *fakeSpeaker) imports() vrf.Tables {
	i, imports, state := vrf.NewImport(), map[uint16]routetarget.Set{}, s.state()
	for n := range state.Networks() {
		g, _ := state.Global()
		imports[n.ID] = n.VRF(g.AS).Import
	}
	i.Retarget(imports, slices.Values([]*vrf.Received{}))
	for _, list := range s.announced() {
		for _, r := range list {
			i.Replace(nil, r)
		}
	}
	return i.Tables()
}

// Delivery says that a neighbor has what its families allow.
func (s *fakeSpeaker) Delivery(addr netip.Addr, key vrf.Key) neighbor.Delivery {
	family := neighbor.VPNFamily(key.Prefix.Addr())
	s.mu.Lock()
	waiting, unwanted := s.waiting, maps.Clone(s.unwanted)
	s.mu.Unlock()
	for _, n := range s.Neighbors() {
		switch {
		case n.Settings.Address != addr:
		case unwanted[n.Settings.Name]:
			return neighbor.Delivery{Reason: "did not ask for it", Check: neighbor.CheckMembership}
		case waiting:
			return neighbor.Delivery{Reason: "is being sent the route", Soon: true, Check: neighbor.CheckSent}
		case !n.Negotiated().Contains(family):
			return neighbor.Delivery{Reason: "did not negotiate " + family.String(), Check: neighbor.CheckFamily}
		default:
			return neighbor.Delivery{At: taken}
		}
	}
	return neighbor.Delivery{Reason: "is not established", Check: neighbor.CheckSession}
}

// session is a session in a state. An established one has negotiated the
// families.
func session(name string, state neighbor.State, reason string, families ...neighbor.Family) neighbor.Status {
	s := neighbor.Status{Settings: neighbor.Settings{Name: name}, State: state, Since: taken, Reason: reason}
	if state == neighbor.Established {
		s.OpenSent = &neighbor.Open{Families: neighbor.AllFamilies}
		s.OpenReceived = &neighbor.Open{Families: neighbor.NewFamilies(families...)}
	}
	return s
}

// lines keeps what is logged.
type lines struct {
	mu   sync.Mutex
	text []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *lines) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}
