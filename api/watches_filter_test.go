package api

import (
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// With a filter only those are sent that fulfil it; what no longer does is gone, whoever
// made it so, and whenever.
func TestWatchesFilter(t *testing.T) {
	l := newLab(t).furnish(t)
	l.sessions(neighbor.Established, neighbor.Active)
	withheld := &buoyv1.WatchRequest{Kinds: []string{"floatingIp"}, Filter: "state = WITHHELD"}
	m, away := l.mirror(t, "", withheld), l.mirror(t, "", withheld)
	if len(m.events) > 0 {
		t.Errorf("at first: got %q, want nothing", m.events)
	}
	has := func(m *mirror, names ...string) func() bool {
		return func() bool {
			for _, name := range names {
				if m.resources[name] == nil {
					return false
				}
			}
			return len(m.resources) == len(names)
		}
	}
	l.wants("fixed", true)
	m.until("withheld", has(m, web1, web6))
	away.until("withheld", has(away, web1, web6))
	away.disconnect()
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: web1})
	m.until("one is not associated", has(m, web6))
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: web1})
	call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: idle})
	l.wants("", true)
	m.until("advertised", has(m))
	away.connect()
	away.until("meanwhile", has(away))
}

// A client whose token is of another run may have what does not pass any more.
func TestWatchesFilterRestart(t *testing.T) {
	path := t.TempDir() + "/buoy.db"
	l := newLabAt(t, inventory.Static{}, path).furnish(t)
	m := l.mirror(t, "", &buoyv1.WatchRequest{Kinds: []string{"neighbor"}, Filter: "state != ESTABLISHED"})
	if m.neighbor(mx1) == nil {
		t.Fatal("at first: want mx1")
	}
	l.stopServer()
	l.stopStore()
	l = newLabAt(t, inventory.Static{}, path)
	l.sessions(neighbor.Established, neighbor.Established)
	m.lab = l
	m.connect()
	m.until("established", func() bool { return m.neighbor(mx1) == nil })
}

func TestWatchesFilterRefused(t *testing.T) {
	l := newLab(t)
	const oneKind = "expected one kind to go with it, whose fields it compares"
	for _, tt := range []struct {
		req  *buoyv1.WatchRequest
		want string
	}{
		{&buoyv1.WatchRequest{Filter: "name : web"}, oneKind},
		{&buoyv1.WatchRequest{Name: web1, Filter: "name : web"}, oneKind},
		{&buoyv1.WatchRequest{Kinds: []string{"network", "pool"}, Filter: "name : web"}, oneKind},
		{&buoyv1.WatchRequest{Kinds: []string{"global"}, Filter: "used > 1"}, `expected one of name, as, session_as, etag, got "used"`},
	} {
		stream, err := l.watches.Watch(t.Context(), tt.req)
		if err == nil {
			_, err = stream.Recv()
		}
		refusal{codes.InvalidArgument, "INVALID_FIELD", "filter", "", tt.want}.check(t, err)
	}
}
