package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/api"
	"github.com/buoynet/buoy/internal/doctor"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/bolt"
	"github.com/buoynet/buoy/vrf"
)

// outcome is what a run of buoyctl left.
type outcome struct {
	status         int
	stdout, stderr string
}

// buoyctl runs the program. The environment says where the server is.
func buoyctl(ctx context.Context, server string, args ...string) outcome {
	return pipeInto(ctx, "", server, args...)
}

// pipeInto runs the program with something on its standard input.
func pipeInto(ctx context.Context, stdin, server string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	status := run(ctx, args, environment(server), strings.NewReader(stdin), &stdout, &stderr)
	return outcome{status, stdout.String(), stderr.String()}
}

// environment has the server, and pairs of other names and values.
func environment(server string, pairs ...string) func(name string) string {
	env := map[string]string{"BUOY_SERVER": server}
	for pair := range slices.Chunk(pairs, 2) {
		env[pair[0]] = pair[1]
	}
	return func(name string) string { return env[name] }
}

// socketPath returns a path that is short enough for a socket.
func socketPath(t testing.TB) string {
	dir, err := os.MkdirTemp("", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

type endpoint string

func (endpoint) Network() string   { return "unix" }
func (e endpoint) Address() string { return string(e) }

// someMachine is what the server says of where it runs.
var someMachine = doctor.Machine{
	Now: someTime, Started: someTime.Add(-time.Hour), Running: time.Hour, Kernel: doctor.Synchronised,
	Configuration: doctor.Configured{AS: 64512, Changes: []string{"log.level: info → debug"}},
	Listen:        []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:179")},
	Disk:          doctor.Disk{Path: "/var/lib/buoy/buoy.db", Size: 64 << 10, Free: 40 << 30, Total: 100 << 30},
}

// someTime is what the server's clock says: labels rest for ever.
var someTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// startServer serves the API over a real store and a fakeSpeaker until the
// test ends, and returns its address. The AS is 64512. The configuration file
// has the neighbor mx0.
func startServer(t testing.TB) string {
	t.Helper()
	return serve(t, "")
}

// serve is startServer with pools.global in the configuration file.
func serve(t testing.TB, globalPool string) string {
	t.Helper()
	return serveAt(t, socketPath(t), globalPool).address
}

// testServer is a server that can be stopped, and told what has changed.
type testServer struct {
	address string
	changes *fakeChanges
	stop    func()
	close   func() // stops the store, too
}

func serveAt(t testing.TB, path, globalPool string) *testServer {
	t.Helper()
	return serveStore(t, path, filepath.Join(t.TempDir(), "buoy.db"), globalPool)
}

// serveStore serves the store of a file.
func serveStore(t testing.TB, path, file, globalPool string) *testServer {
	t.Helper()
	s, err := bolt.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	follower := store.NewFollower(s, inventory.Static{GlobalPool: globalPool, Neighbors: []*inventory.Neighbor{{Settings: neighbor.Settings{
		Name: "mx0", Address: netip.MustParseAddr("10.0.0.9"), Port: 179, AS: 64512, Families: neighbor.AllFamilies,
	}}}}, func() time.Time { return someTime })
	speaker := &fakeSpeaker{state: follower.State, received: map[string][]*vrf.Received{}}
	changes := &fakeChanges{run: rand.Text(), wake: make(chan struct{})}
	server := api.New(api.Config{
		Inventory: follower,
		Routes:    func() api.RouteTable { return speaker },
		Imports:   speaker.imports,
		Changes:   changes,
		Sessions:  speaker,
		Families:  neighbor.AllFamilies,
		Local:     neighbor.Local{AS: 64512},
		Machine:   func() doctor.Machine { return someMachine },
		Shutdown:  func(context.Context, bool, string) error { return nil },
		Logger:    slog.New(slog.DiscardHandler),
	})
	listeners, err := api.Listen(endpoint(path))
	if err != nil {
		t.Fatal(err)
	}
	stopStore := start(t, follower.Run, s.Close)
	stop := start(t, func(ctx context.Context) error { return server.Serve(ctx, listeners) }, nil)
	if _, err := follower.Execute(t.Context(), inventory.SeedGlobal{AS: 64512}); err != nil {
		t.Fatal(err)
	}
	return &testServer{"unix://" + path, changes, stop, func() { stop(); stopStore() }}
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

// restarts are what routers say about restarts; mx1 says nothing.
var restarts = map[string]struct {
	capabilities []uint8
	says         neighbor.Restart
}{
	"both": {[]uint8{64, 71}, neighbor.Restart{
		Restarting: true, Notification: true, Time: 120 * time.Second, Families: neighbor.AllFamilies, Preserved: neighbor.NewFamilies(neighbor.InetVPN),
		LongLived: neighbor.StaleTimes{neighbor.InetVPN: 3600 * time.Second, neighbor.RouteTarget: 60 * time.Second}}},
	"babbler": {},
	"helper":  {[]uint8{64}, neighbor.Restart{Time: 120 * time.Second}},
}

// fakeSpeaker is as the transcripts need it: it takes every route at once,
// except those with label 666, and has sessions with mx1 and those of restarts
// alone, in which IPv6 was not negotiated.
type fakeSpeaker struct {
	state func() *inventory.State

	mu       sync.Mutex
	received map[string][]*vrf.Received // what neighbors announce, as it was first asked for
}

// Refused says that one connection was refused as soon as there are two neighbors.
func (s *fakeSpeaker) Refused() (r neighbor.Refused) {
	for range s.state().Neighbors() {
		r.Count++
	}
	if r.Count--; r.Count > 0 {
		r.Address, r.Time = netip.MustParseAddr("10.0.0.77"), time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	}
	return r
}

const refusedLabel = 666

// age is that of every route and session.
const someAge = 90 * time.Second

func (s *fakeSpeaker) wanted(taken bool) (routes []vrf.Route) {
	state := s.state()
	for f := range state.FloatingIPs("") {
		for _, r := range state.RoutesOf(f) {
			if taken == (r.Label != refusedLabel) {
				routes = append(routes, r)
			}
		}
	}
	slices.SortFunc(routes, func(a, b vrf.Route) int { return a.Key.Compare(b.Key) })
	return routes
}

func (s *fakeSpeaker) From(key vrf.Key) iter.Seq2[vrf.Route, time.Time] {
	return func(yield func(vrf.Route, time.Time) bool) {
		for _, r := range s.wanted(true) {
			if r.Key.Compare(key) >= 0 && !yield(r, time.Now().Add(-someAge)) {
				return
			}
		}
	}
}

func (s *fakeSpeaker) Get(key vrf.Key) (vrf.Route, time.Time, bool) {
	for r, since := range s.From(key) {
		if r.Key == key {
			return r, since, true
		}
	}
	return vrf.Route{}, time.Time{}, false
}

var errRefused = errors.New("the table is full")

func (s *fakeSpeaker) Failures(from vrf.Key) iter.Seq2[vrf.Route, error] {
	return func(yield func(vrf.Route, error) bool) {
		for _, r := range s.wanted(false) {
			if r.Key.Compare(from) >= 0 && !yield(r, errRefused) {
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
	for r, err := range s.Failures(key) {
		if r.Key == key {
			return err
		}
	}
	return nil
}

func (s *fakeSpeaker) Neighbors() (list []neighbor.Status) {
	for n := range s.state().Neighbors() {
		status := neighbor.Status{Settings: n.Settings, Since: time.Now().Add(-someAge)}
		if r, known := restarts[n.Name]; n.Name == "mx1" || known {
			status.State = neighbor.Established
			status.Established = 2
			status.LocalAddress = netip.MustParseAddrPort("10.0.0.2:40000")
			status.RemoteAddress = netip.AddrPortFrom(n.Address, n.Port)
			status.OpenSent = &neighbor.Open{AS: 64512, RouterID: netip.MustParseAddr("10.0.0.2"), HoldTime: 90 * time.Second, Families: n.Families,
				Restart: n.Offer()}
			if n.Graceful() != 0 {
				status.OpenSent.Restart.Preserved = n.Graceful() // as the wire does
				status.OpenSent.Capabilities = []uint8{64, 71}
			}
			status.OpenReceived = &neighbor.Open{AS: n.AS, RouterID: netip.MustParseAddr("10.255.0.1"), HoldTime: 90 * time.Second,
				Families: neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget), Others: []string{"1/1"},
				Restart: r.says, Capabilities: r.capabilities}
			status.NotificationReceived = &neighbor.Notification{Code: 6, Subcode: 4, Time: time.Now()}
			status.Sent = neighbor.Counters{Opens: 2, Updates: 3, Keepalives: 40, Bytes: 1234}
			status.Received = neighbor.Counters{Opens: 2, Updates: 1, Keepalives: 41, Notifications: 1, Bytes: 999, Refused: 5}
			if n.Name == "babbler" {
				header := slices.Repeat([]byte{0xff}, 16)
				status.Received.Malformed = 1
				status.BadMessages = []neighbor.BadMessage{
					{Time: time.Now(), Reason: "a message of type 99", Bytes: append(header, 0, 19, 99)},
					{Time: time.Now(), Reason: "an UPDATE: ORIGIN of 3 bytes", Bytes: append(header, make([]byte, 200)...)}}
			}
			status.Advertised, status.MaxReached = 12, n.MaxAdvertised == 12
			s.countTaken(&status)
		} else {
			status.State, status.Reason = neighbor.Active, "connection refused"
		}
		list = append(list, status)
	}
	slices.SortFunc(list, func(a, b neighbor.Status) int { return cmp.Compare(a.Settings.Name, b.Settings.Name) })
	return list
}

// Changed never tells: what is seen changes with the inventory alone.
func (s *fakeSpeaker) Changed() (count uint64, next <-chan struct{}) { return 0, nil }

func (s *fakeSpeaker) Progress() (p neighbor.Progress, next <-chan struct{}) { return p, nil }

func (s *fakeSpeaker) AdjRIBOut(addr netip.Addr, from vrf.Key) iter.Seq2[vrf.Route, time.Time] {
	return func(yield func(vrf.Route, time.Time) bool) {
		for r, since := range s.From(from) {
			if s.Delivery(addr, r.Key).Reason == "" && !yield(r, since) {
				return
			}
		}
	}
}

// Delivery says that mx1 has IPv4 routes.
func (s *fakeSpeaker) Delivery(addr netip.Addr, key vrf.Key) neighbor.Delivery {
	if n, ok := s.state().Neighbor("neighbors/mx1"); !ok || n.Address != addr {
		return neighbor.Delivery{Reason: "is not established", Check: neighbor.CheckSession}
	}
	if key.Prefix.Addr().Is6() {
		return neighbor.Delivery{Reason: "did not negotiate inet6-vpn", Check: neighbor.CheckFamily}
	}
	return neighbor.Delivery{At: time.Now()}
}
