package api

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// First all there is, then what changes, in the order of their kinds.
func TestWatches(t *testing.T) {
	l := newLab(t).furnish(t)
	m := l.mirror(t, "", &buoyv1.WatchRequest{})
	if d := differences(m.resources, l.lists(t, "")); d != "" {
		t.Errorf("at first:\n%s", d)
	}
	if got, want := strings.Join(m.events, " "), "bgp vn-private vn-public cmp1 cmp2 fixed mx1 idle web-1 web-6"; got != want {
		t.Errorf("at first: got %s, want %s", got, want)
	}
	for _, tt := range []struct {
		do   func() error
		want string
	}{
		{func() error {
			return attempt(l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.0/28"}}})(t.Context())
		}, "a"},
		{func() error {
			return attempt(l.pools.BindPool, &buoyv1.BindPoolRequest{Name: blue, Pool: poolA})(t.Context())
		}, "poolBinding"},
		{func() error {
			return attempt(l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/default/floatingIps/new", Pool: poolA})(t.Context())
		}, "a new"},
		{func() error {
			return attempt(l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: "projects/default/floatingIps/new"})(t.Context())
		}, "-new a"},
		{func() error {
			return attempt(l.globals.UpdateGlobal, &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 64999}, UpdateMask: maskOf("as")})(t.Context())
		}, "bgp vn-private vn-public"},
		{func() error {
			return attempt(l.neighbors.DeleteNeighbor, &buoyv1.DeleteNeighborRequest{Name: mx1})(t.Context())
		}, "-mx1"},
		{func() error {
			return attempt(l.computeNodes.DrainComputeNode, &buoyv1.DrainComputeNodeRequest{Name: cmp1})(t.Context())
		}, "cmp1 web-1"}, // and, as its state is another one, web-1 once more
	} {
		if err := tt.do(); err != nil {
			t.Fatal(err)
		}
		if got := m.mark(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		if d := differences(m.resources, l.lists(t, "")); d != "" {
			t.Errorf("after %s:\n%s", tt.want, d)
		}
	}
}

// A watch is of what it was asked for.
func TestWatchesSome(t *testing.T) {
	l := newLab(t).furnish(t)
	createPool(t, l, poolA, []string{"203.0.113.100/30"}, "dev")
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: devNet}})
	for _, tt := range []struct {
		name, project string
		req           *buoyv1.WatchRequest
		want          string
	}{
		{"kinds", "", &buoyv1.WatchRequest{Kinds: []string{"computeNode", "global"}}, "bgp cmp1 cmp2"},
		{"parent", "", &buoyv1.WatchRequest{Parent: "projects/dev"}, "own"},
		{"name", "", &buoyv1.WatchRequest{Name: web1}, "web-1"},
		{"name of a kind", "", &buoyv1.WatchRequest{Name: web1, Kinds: []string{"floatingIp", "network"}}, "web-1"},
		{"name and another parent", "", &buoyv1.WatchRequest{Name: web1, Parent: "projects/dev"}, ""},
		{"name that does not exist", "", &buoyv1.WatchRequest{Name: "neighbors/mx7"}, ""},
		{"all of a project, and what may be drawn from", "dev", &buoyv1.WatchRequest{Parent: "projects/dev"}, "own a"},
		{"another's", "dev", &buoyv1.WatchRequest{Name: web1}, ""},
	} {
		if got := strings.Join(l.mirror(t, tt.project, tt.req).events, " "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestWatchesRefused(t *testing.T) {
	l := newLab(t)
	for _, tt := range []struct {
		req  *buoyv1.WatchRequest
		want refusal
	}{
		{&buoyv1.WatchRequest{Kinds: []string{"network", "route"}}, refusal{codes.InvalidArgument, "INVALID_FIELD", "kinds", "",
			`expected some of global, network, pool, poolBinding, computeNode, neighbor, floatingIp, got "route"`}},
		{&buoyv1.WatchRequest{Parent: "default"}, refusal{codes.InvalidArgument, "INVALID_FIELD", "parent", "", `expected projects/PROJECT, got "default"`}},
		{&buoyv1.WatchRequest{Name: "web-1"}, refusal{codes.InvalidArgument, "INVALID_FIELD", "name", "", `expected the full name of a resource, like neighbors/NAME, got "web-1"`}},
		{&buoyv1.WatchRequest{Name: web1, Kinds: []string{"neighbor"}}, refusal{codes.InvalidArgument, "INVALID_FIELD", "name", "", "expected a resource of one of the kinds, got " + web1}},
		{&buoyv1.WatchRequest{ResumeToken: "yesterday"}, refusal{codes.InvalidArgument, "INVALID_FIELD", "resume_token", "", `expected the resume_token of a bookmark, got "yesterday"`}},
		{&buoyv1.WatchRequest{ResumeToken: "1--0"}, refusal{codes.InvalidArgument, "INVALID_FIELD", "resume_token", "", `expected the resume_token of a bookmark, got "1--0"`}},
		{&buoyv1.WatchRequest{ResumeToken: "77-ABCDEFGH-0"}, tooOld},
	} {
		stream, err := l.watches.Watch(t.Context(), tt.req)
		if err == nil {
			_, err = stream.Recv()
		}
		tt.want.check(t, err)
	}
}

// What was deleted while nobody watched is told, also what came meanwhile.
func TestWatchesResumed(t *testing.T) {
	l := newLab(t).furnish(t)
	m := l.mirror(t, "", &buoyv1.WatchRequest{Kinds: []string{"floatingIp"}})
	m.disconnect()
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: idle})
	call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/default/floatingIps/short", Network: public})
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: "projects/default/floatingIps/short"})
	m.connect()
	if got, want := m.mark(), "-short -idle"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Who missed nothing is told so.
	m.connect()
	if got := m.mark(); got != "" {
		t.Errorf("got %s, want nothing", got)
	}
}

// A neighbor is sent again when its state or its reason changes, and not for its
// counters; also to those who were away.
func TestWatchesNeighbors(t *testing.T) {
	l := newLab(t).furnish(t)
	up := session("mx1", neighbor.Established, "", neighbor.InetVPN, neighbor.Inet6VPN, neighbor.RouteTarget)
	l.speaker.change(func() { l.speaker.sessions = []neighbor.Status{session("mx1", neighbor.Active, "connection refused")} })
	m, away := l.mirror(t, "", &buoyv1.WatchRequest{Kinds: []string{"neighbor"}}), l.mirror(t, "", &buoyv1.WatchRequest{Kinds: []string{"neighbor"}})
	away.disconnect()
	l.speaker.change(func() { l.speaker.sessions = []neighbor.Status{up} })
	if got := m.mark(); got != "mx1" || m.neighbor(mx1).State != buoyv1.Neighbor_ESTABLISHED {
		t.Errorf("got %q, %v, want mx1 established", got, m.neighbor(mx1))
	}
	counted := up
	counted.Received.Updates = 7
	l.speaker.change(func() { l.speaker.sessions = []neighbor.Status{counted} })
	down := session("mx1", neighbor.Active, "hold time expired")
	l.speaker.change(func() { l.speaker.sessions = []neighbor.Status{down} })
	if got := m.mark(); got != "mx1" || m.neighbor(mx1).StateReason != "hold time expired" {
		t.Errorf("got %q, %v, want mx1 without a session", got, m.neighbor(mx1))
	}
	away.connect()
	if got := away.mark(); got != "mx1" && got != "mx1 mx1" || away.neighbor(mx1).StateReason != "hold time expired" {
		t.Errorf("got %q, %v, want mx1 without a session", got, away.neighbor(mx1))
	}
}

// A floating IP that was sent as pending is sent again when it is not any more, also
// to those who were away.
func TestWatchesPending(t *testing.T) {
	l := newLab(t).furnish(t)
	l.speaker.change(func() {
		l.speaker.sessions = []neighbor.Status{session("mx1", neighbor.Established, "", neighbor.InetVPN)}
		l.speaker.waiting = true
	})
	m, away := l.mirror(t, "", &buoyv1.WatchRequest{Name: web1}), l.mirror(t, "", &buoyv1.WatchRequest{Name: web1})
	away.disconnect()
	if got := m.floatingIP(web1).GetState(); got != buoyv1.FloatingIP_PENDING {
		t.Fatalf("at first: got %v, want PENDING", got)
	}
	l.speaker.send(false, func() { l.speaker.waiting = false })
	if got := m.mark(); got != "web-1" || m.floatingIP(web1).State != buoyv1.FloatingIP_ADVERTISED {
		t.Errorf("got %q, %v, want web-1 advertised", got, m.floatingIP(web1))
	}
	away.connect()
	if got := away.mark(); got != "web-1" || away.floatingIP(web1).State != buoyv1.FloatingIP_ADVERTISED {
		t.Errorf("got %q, %v, want web-1 advertised", got, away.floatingIP(web1))
	}
}

// A watch ends at once when the server stops, with a word.
func TestWatchesStops(t *testing.T) {
	l := newLab(t)
	m := l.mirror(t, "", &buoyv1.WatchRequest{})
	began := time.Now()
	l.stopServer()
	_, err := m.stream.Recv()
	refusal{code: codes.Unavailable, text: "buoyd is stopping"}.check(t, err)
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("stop: took %s, want nothing to wait for", took)
	}
}

// A watch that panics ends alone; so does a look of the observer.
func TestWatchesPanics(t *testing.T) {
	l := newLab(t).furnish(t)
	m := l.mirror(t, "", &buoyv1.WatchRequest{Kinds: []string{"network"}})
	l.speaker.change(func() { l.speaker.panics = true })
	stream, err := l.watches.Watch(t.Context(), &buoyv1.WatchRequest{})
	if err == nil {
		for err == nil {
			_, err = stream.Recv()
		}
	}
	refusal{code: codes.Internal, text: "internal error; the daemon's log has the details"}.check(t, err)
	l.speaker.change(func() { l.speaker.panics = false })
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: devNet}})
	if got := m.mark(); got != "own" {
		t.Errorf("the other watch: got %s, want own", got)
	}
	for _, want := range []string{"a stream panicked", "method=/buoy.v1.Watches/Watch", "no sessions today"} {
		if !strings.Contains(l.log.String(), want) {
			t.Errorf("log: got %s, want %q in it", l.log, want)
		}
	}
}

// What a project may not see any more is gone for it, and what it never could is not
// told at all.
func TestWatchesVisible(t *testing.T) {
	l := tenants(t, true)
	m := l.mirror(t, "dev", &buoyv1.WatchRequest{})
	if d := differences(m.resources, l.lists(t, "dev")); d != "" {
		t.Errorf("at first:\n%s", d)
	}
	secret := "projects/ops/floatingIps/secret-2"
	call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: secret, Network: secretNet})
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: secret})
	call(t, l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: closedPool, SharedWith: []string{"dev"}}, UpdateMask: maskOf("shared_with")})
	if got, want := m.mark(), "secret"; got != want {
		t.Errorf("a pool is shared: got %s, want %s", got, want)
	}
	call(t, l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: closedPool}, UpdateMask: maskOf("shared_with")})
	if got, want := m.mark(), "-secret"; got != want {
		t.Errorf("a pool is not shared any more: got %s, want %s", got, want)
	}
	call(t, l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: sharedPool}, UpdateMask: maskOf("shared_with")})
	if got, want := m.mark(), "-shared poolBinding"; got != want {
		t.Errorf("the bound pool is not shared any more: got %s, want %s", got, want)
	}
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: guest})
	if got, want := m.mark(), "guest"; got != want {
		t.Errorf("a guest: got %s, want %s", got, want)
	}
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: guest})
	if got, want := m.mark(), "-guest own"; got != want {
		t.Errorf("a guest has gone: got %s, want %s", got, want)
	}
	if d := differences(m.resources, l.lists(t, "dev")); d != "" {
		t.Errorf("at last:\n%s", d)
	}
}
