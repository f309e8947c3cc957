package api

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// up is a stream that is there.
var up = inventory.NodeLife{State: inventory.NodeUp, Since: taken, Address: "10.0.0.11:4711", Agent: "agent/1"}

// A floating IP says what lives of its associations, and what does not, and why.
func TestFloatingIPLives(t *testing.T) {
	l := newLab(t).furnish(t)
	l.sessions(neighbor.Established, neighbor.Established)
	stands := func(when string, state buoyv1.FloatingIP_State, reason string) {
		t.Helper()
		if f := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1}); f.State != state || f.StateReason != reason {
			t.Errorf("%s: got %s: %s, want %s: %s", when, f.State, f.StateReason, state, reason)
		}
	}
	const advertised, withheld = buoyv1.FloatingIP_ADVERTISED, buoyv1.FloatingIP_WITHHELD
	l.life.node(cmp1, inventory.NodeLife{})
	stands("vouched for", advertised, "to 2 of 2 neighbors")
	l.life.is(cmp1, reported("tap0", inventory.InterfaceDown, "no cable"))
	stands("down", withheld, "tap0 of "+cmp1+" is down: no cable")
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: web1, Association: &buoyv1.Association{ComputeNode: cmp2, Interface: "tap7", FixedIp: "10.47.0.7"}})
	stands("another one lives", advertised, "to 2 of 2 neighbors; tap0 of "+cmp1+" is down: no cable")
	damped := reported("tap7", inventory.InterfaceUp, "")
	damped.DampedUntil, damped.Flaps = taken.Add(time.Minute), 5
	l.life.is(cmp2, damped)
	stands("none lives", withheld, "tap0 of "+cmp1+" is down: no cable; tap7 of "+cmp2+" has flapped 5 times; it counts as down until 12:01:00Z")
	l.life.is(cmp2, reported("tap7", inventory.InterfaceUp, ""))
	call(t, l.computeNodes.DrainComputeNode, &buoyv1.DrainComputeNodeRequest{Name: cmp2})
	stands("the one that lives is drained", withheld, "tap0 of "+cmp1+" is down: no cable; "+cmp2+" is drained")

	l.life.is(cmp1, inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{Name: "tap0"}})
	call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{
		Name: cmp1, Liveness: buoyv1.ComputeNode_SESSION}, UpdateMask: maskOf("liveness")})
	stands("no stream", withheld, cmp1+" is down: it has had no stream; "+cmp2+" is drained")
	l.life.node(cmp1, up)
	stands("no report", withheld, cmp1+" has not reported tap0; "+cmp2+" is drained")
	l.life.is(cmp1, reported("tap0", inventory.InterfaceUp, ""))
	stands("reported", advertised, "to 2 of 2 neighbors; "+cmp2+" is drained")

	// The speaker still has a route that leads nowhere: that is not the end of it.
	l.speaker.set(func() { l.speaker.life = nil })
	l.life.is(cmp1, reported("tap0", inventory.InterfaceDown, ""))
	state := l.follower.State()
	f, _ := state.FloatingIP(web1)
	if v := l.observer.observe(state).floatingIP(f); !v.soon || v.state != withheld {
		t.Errorf("a route is left: got %+v, want %v, and soon another one", v, withheld)
	}
	l.speaker.set(func() { l.speaker.life = l.life })
	l.life.is(cmp1, reported("tap0", inventory.InterfaceUp, ""))
	l.sessions(neighbor.Active, neighbor.Active)
	stands("no session", buoyv1.FloatingIP_PENDING, "no neighbor has the route: fixed is Active (); mx1 is Active (); "+cmp2+" is drained")
}

// A compute node shows its stream, and what was reported.
func TestComputeNodeLives(t *testing.T) {
	l := newLab(t).furnish(t)
	stale := inventory.NodeLife{State: inventory.NodeStale, Since: taken, Until: taken.Add(2 * time.Minute), Reason: "the stream ended"}
	down := inventory.NodeLife{State: inventory.NodeDown, Since: taken, Reason: "the stream ended"}
	none, since := buoyv1.ComputeNode_NONE, "2026-03-01T12:00:00Z"
	for _, tt := range []struct {
		when     string
		liveness buoyv1.ComputeNode_Liveness
		life     inventory.NodeLife
		want     *buoyv1.ComputeNode
	}{
		{"never", none, inventory.NodeLife{}, &buoyv1.ComputeNode{StateReason: "no stream; whoever associates vouches"}},
		{"up", none, up, &buoyv1.ComputeNode{State: buoyv1.ComputeNode_UP, StateSince: since, StreamAddress: "10.0.0.11:4711", AgentVersion: "agent/1"}},
		{"down", none, down, &buoyv1.ComputeNode{State: buoyv1.ComputeNode_DOWN, StateSince: since, StateReason: "the stream ended; whoever associates vouches"}},
		{"never, and needed", buoyv1.ComputeNode_SESSION, inventory.NodeLife{}, &buoyv1.ComputeNode{State: buoyv1.ComputeNode_DOWN, StateReason: "it has had no stream"}},
		{"stale", buoyv1.ComputeNode_SESSION, stale, &buoyv1.ComputeNode{State: buoyv1.ComputeNode_STALE, StateSince: since,
			StateReason: "the stream ended; what it has reported holds until 2026-03-01T12:02:00Z"}},
		{"down, and needed", buoyv1.ComputeNode_SESSION, down, &buoyv1.ComputeNode{State: buoyv1.ComputeNode_DOWN, StateSince: since, StateReason: "the stream ended"}},
	} {
		l.life.node(cmp1, tt.life)
		got := call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{
			Name: cmp1, Liveness: tt.liveness}, UpdateMask: maskOf("liveness")})
		equal(t, tt.when, &buoyv1.ComputeNode{State: got.State, StateReason: got.StateReason, StateSince: got.StateSince,
			StreamAddress: got.StreamAddress, AgentVersion: got.AgentVersion}, tt.want)
		list := call(t, l.computeNodes.ListComputeNodes, &buoyv1.ListComputeNodesRequest{Filter: "name = " + cmp1}).ComputeNodes
		if len(list) != 1 || !proto.Equal(list[0], got) {
			t.Errorf("%s: listed %v, want %v", tt.when, list, got)
		}
	}
	if list := call(t, l.computeNodes.ListComputeNodes, &buoyv1.ListComputeNodesRequest{Filter: "state = DOWN"}).ComputeNodes; len(list) != 1 {
		t.Errorf("%d are down, want 1", len(list))
	}
	damped := reported("tap1", inventory.InterfaceUp, "")
	damped.DampedUntil, damped.Flaps, damped.Preference = taken.Add(time.Minute), 5, inventory.Backup
	l.life.is(cmp1, damped)
	l.life.is(cmp1, reported("tap2", inventory.InterfaceUnhealthy, "no answer"))
	got := call(t, l.computeNodes.GetComputeNode, &buoyv1.GetComputeNodeRequest{Name: cmp1})
	equal(t, "interfaces", &buoyv1.ComputeNode{Interfaces: got.Interfaces}, &buoyv1.ComputeNode{Interfaces: []*buoyv1.ComputeInterface{
		{Name: "tap0"}, // of an association
		{Name: "tap1", State: buoyv1.ComputeInterface_UP, Preference: buoyv1.ComputeInterface_BACKUP, Since: since, DampedUntil: "2026-03-01T12:01:00Z", Flaps: 5},
		{Name: "tap2", State: buoyv1.ComputeInterface_UNHEALTHY, Reason: "no answer", Since: since},
	}})
	var projects *buoyv1.ComputeNode
	projects, err := l.computeNodes.GetComputeNode(as(t.Context(), "shop"), &buoyv1.GetComputeNodeRequest{Name: cmp1})
	if err != nil || len(projects.Interfaces) > 0 {
		t.Errorf("a project sees others' interfaces: %v, %v", projects, err)
	}
}

// Who watches is told of compute nodes whose stream comes or goes, and of the floating
// IPs whose state that makes another one; also who was away. What no route depends on is not told.
func TestWatchesLives(t *testing.T) {
	for _, away := range []bool{false, true} {
		l := newLab(t).furnish(t)
		l.sessions(neighbor.Established, neighbor.Established)
		l.life.node(cmp1, inventory.NodeLife{})
		m := l.mirror(t, "", &buoyv1.WatchRequest{})
		for _, tt := range []struct {
			what  string
			do    func()
			node  buoyv1.ComputeNode_State
			state buoyv1.FloatingIP_State
		}{
			{"a stream", func() { l.life.node(cmp1, up) }, buoyv1.ComputeNode_UP, buoyv1.FloatingIP_ADVERTISED},
			{"an interface dies", func() { l.life.is(cmp1, reported("tap0", inventory.InterfaceDown, "")) }, buoyv1.ComputeNode_UP, buoyv1.FloatingIP_WITHHELD},
			{"it is back", func() { l.life.is(cmp1, reported("tap0", inventory.InterfaceUp, "")) }, buoyv1.ComputeNode_UP, buoyv1.FloatingIP_ADVERTISED},
			{"stale", func() { l.life.node(cmp1, inventory.NodeLife{State: inventory.NodeStale, Since: taken, Until: taken}) }, buoyv1.ComputeNode_STALE, buoyv1.FloatingIP_ADVERTISED},
			{"down", func() { l.life.node(cmp1, inventory.NodeLife{Since: taken}) }, buoyv1.ComputeNode_DOWN, buoyv1.FloatingIP_ADVERTISED},
		} {
			if away {
				m.disconnect()
			}
			tt.do()
			l.changes.add(1, web1Prefix) // the loop has given the speaker what lives
			if away {
				m.connect()
			}
			m.until(tt.what, func() bool {
				n, _ := m.resources[cmp1].(*buoyv1.ComputeNode)
				return n != nil && n.State == tt.node && m.floatingIP(web1).State == tt.state
			})
		}
		l.life.is(cmp2, reported("tap9", inventory.InterfaceDown, ""))
		call(t, l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: private, RouteTargets: []string{"target:64512:99"}}, UpdateMask: maskOf("route_targets")})
		if events := m.mark(); strings.Contains(events, cmp2) {
			t.Errorf("told of %s, want only the network", events)
		}
	}
}
