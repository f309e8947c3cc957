package api

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// mirror is what a client has that watches.
type mirror struct {
	testing.TB
	lab     *lab
	project string
	req     *buoyv1.WatchRequest

	stream    grpc.ServerStreamingClient[buoyv1.WatchResponse]
	cancel    context.CancelFunc
	resources map[string]proto.Message // at the last bookmark, and what came since
	events    []string                 // since the last bookmark: names, and -NAME for what is gone
	token     string
}

// mirror begins a watch of a project's, and waits for its first bookmark.
func (l *lab) mirror(t testing.TB, project string, req *buoyv1.WatchRequest) *mirror {
	t.Helper()
	m := &mirror{TB: t, lab: l, project: project, req: req, resources: map[string]proto.Message{}}
	m.connect()
	m.mark()
	return m
}

// connect goes on with the last token.
func (m *mirror) connect() {
	m.Helper()
	m.disconnect()
	var ctx context.Context
	ctx, m.cancel = context.WithTimeout(m.Context(), 2*time.Minute)
	m.Cleanup(m.cancel)
	req := proto.CloneOf(m.req)
	req.ResumeToken = m.token
	stream, err := m.lab.watches.Watch(as(ctx, m.project), req)
	if err != nil {
		m.Fatal(err)
	}
	m.stream = stream
}

func (m *mirror) disconnect() {
	if m.cancel != nil {
		m.cancel()
	}
}

// mark reads up to the next bookmark, and returns what came before it.
func (m *mirror) mark() string {
	m.Helper()
	m.events = nil
	for {
		resp, err := m.stream.Recv()
		if err != nil {
			m.Fatalf("watch: got %v after %q, want a bookmark", err, m.events)
		}
		if m.take(resp) {
			return strings.Join(m.events, " ")
		}
	}
}

// take takes over an event. It reports whether that was a bookmark.
func (m *mirror) take(resp *buoyv1.WatchResponse) bool {
	if b := resp.GetBookmark(); b != nil {
		m.token = b.ResumeToken
		return true
	}
	if name, ok := resp.Event.(*buoyv1.WatchResponse_Deleted); ok {
		delete(m.resources, name.Deleted)
		m.events = append(m.events, "-"+inventory.ShortName(name.Deleted))
		return false
	}
	resource := eventOf(resp)
	name := resource.(interface{ GetName() string }).GetName()
	m.resources[name] = resource
	m.events = append(m.events, inventory.ShortName(name))
	return false
}

// until reads bookmarks until something is so.
func (m *mirror) until(what string, so func() bool) {
	m.Helper()
	for !so() {
		if resp, err := m.stream.Recv(); err != nil {
			m.Fatalf("%s: got %v, with %q", what, err, slices.Sorted(maps.Keys(m.resources)))
		} else {
			m.take(resp)
		}
	}
}

// floatingIP returns one as the client has it.
func (m *mirror) floatingIP(name string) *buoyv1.FloatingIP {
	f, _ := m.resources[name].(*buoyv1.FloatingIP)
	return f
}

func (m *mirror) neighbor(name string) *buoyv1.Neighbor {
	n, _ := m.resources[name].(*buoyv1.Neighbor)
	return n
}

// lists returns what a project gets from the lists.
func (l *lab) lists(t testing.TB, project string) map[string]proto.Message {
	t.Helper()
	all := map[string]proto.Message{}
	add := func(list ...proto.Message) {
		for _, m := range list {
			all[m.(interface{ GetName() string }).GetName()] = m
		}
	}
	add(callAs(t, project, l.globals.GetGlobal, &buoyv1.GetGlobalRequest{}))
	for _, m := range callAs(t, project, l.networks.ListNetworks, &buoyv1.ListNetworksRequest{}).Networks {
		add(m)
	}
	for _, m := range callAs(t, project, l.pools.ListPools, &buoyv1.ListPoolsRequest{}).Pools {
		add(m)
	}
	for _, m := range callAs(t, project, l.pools.ListPoolBindings, &buoyv1.ListPoolBindingsRequest{}).PoolBindings {
		add(m)
	}
	for _, m := range callAs(t, project, l.computeNodes.ListComputeNodes, &buoyv1.ListComputeNodesRequest{}).ComputeNodes {
		add(m)
	}
	for _, m := range callAs(t, project, l.neighbors.ListNeighbors, &buoyv1.ListNeighborsRequest{}).Neighbors {
		add(m)
	}
	for _, m := range callAs(t, project, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{}).FloatingIps {
		add(m)
	}
	return all
}

// differences says where two sets of resources differ. What is observed of floating
// IPs is left out: not every change of it is told.
func differences(got, want map[string]proto.Message) string {
	var lines []string
	for name, m := range got {
		if other, ok := want[name]; !ok {
			lines = append(lines, "  has "+name)
		} else if !proto.Equal(withoutState(m), withoutState(other)) {
			lines = append(lines, fmt.Sprintf("  got  %v\n  want %v", m, other))
		}
	}
	for name := range want {
		if _, ok := got[name]; !ok {
			lines = append(lines, "  has not "+name)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func withoutState(m proto.Message) proto.Message {
	f, ok := m.(*buoyv1.FloatingIP)
	if !ok {
		return m
	}
	f = proto.CloneOf(f)
	f.State, f.StateReason = 0, ""
	return f
}
