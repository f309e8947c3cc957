package api

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// A drain goes through its stages, and the floating IPs and routes say so.
func TestDrainLife(t *testing.T) {
	l := newLab(t).furnish(t)
	l.speaker.set(func() {
		l.speaker.sessions = []neighbor.Status{session("mx1", neighbor.Established, "", neighbor.InetVPN), session("fixed", neighbor.Established, "", neighbor.InetVPN, neighbor.Inet6VPN)}
	})
	stands := func(when string, n *buoyv1.ComputeNode, drain buoyv1.ComputeNode_Drain, routes uint32, preference string, state buoyv1.FloatingIP_State, reason string) {
		t.Helper()
		if n.Drain != drain || n.GetDrained() != (drain != buoyv1.ComputeNode_NOT_DRAINED) || (n.DrainUntil != "") != (drain == buoyv1.ComputeNode_DRAINING) {
			t.Errorf("%s: got %v", when, n)
		}
		got := call(t, l.computeNodes.GetComputeNode, &buoyv1.GetComputeNodeRequest{Name: cmp1})
		if got.Routes != routes {
			t.Errorf("%s: got %d routes, want %d", when, got.Routes, routes)
		}
		if got.Routes = 0; !proto.Equal(got, n) {
			t.Errorf("%s: answered\n%v\nand then read\n%v", when, n, got)
		}
		var prefs []string
		for _, r := range call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{FloatingIp: web1}).Routes {
			prefs = append(prefs, strings.TrimSpace(strings.Join(append(r.Communities, strings.Repeat("zero", int(1-min(r.LocalPref, 1)))), " ")))
		}
		if got := strings.Join(prefs, ", "); got != preference {
			t.Errorf("%s: routes: got %q, want %q", when, got, preference)
		}
		if f := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1}); f.State != state || f.StateReason != reason {
			t.Errorf("%s: got %s: %s, want %s: %s", when, f.State, f.StateReason, state, reason)
		}
	}
	drain := func(wait uint32) *buoyv1.ComputeNode {
		t.Helper()
		return call(t, l.computeNodes.DrainComputeNode, &buoyv1.DrainComputeNodeRequest{Name: cmp1, Wait: wait})
	}
	undrain := func() *buoyv1.ComputeNode {
		t.Helper()
		return call(t, l.computeNodes.UndrainComputeNode, &buoyv1.UndrainComputeNodeRequest{Name: cmp1})
	}
	const (
		in, draining, out    = buoyv1.ComputeNode_NOT_DRAINED, buoyv1.ComputeNode_DRAINING, buoyv1.ComputeNode_DRAINED
		advertised, withheld = buoyv1.FloatingIP_ADVERTISED, buoyv1.FloatingIP_WITHHELD
	)
	before := time.Now()
	first := drain(3600)
	stands("draining", first, draining, 1, "graceful-shutdown zero", advertised, "to 2 of 2 neighbors; "+cmp1+" is draining")
	until, err := time.Parse(time.RFC3339, first.DrainUntil)
	if wait := until.Sub(before); err != nil || wait < time.Hour || wait > 2*time.Hour {
		t.Errorf("drained after %s, %v", wait, err)
	}
	stands("undrained while draining", undrain(), in, 1, "", advertised, "to 2 of 2 neighbors")
	drain(3600)
	stands("at once", drain(0), out, 0, "", withheld, cmp1+" is drained")
	stands("again", drain(60), out, 0, "", withheld, cmp1+" is drained")
	stands("undrained", undrain(), in, 1, "", advertised, "to 2 of 2 neighbors")
	stands("set", call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{
		ComputeNode: &buoyv1.ComputeNode{Name: cmp1, Drained: proto.Bool(true)}, UpdateMask: maskOf("drained")}), out, 0, "", withheld, cmp1+" is drained")

	// One that is withheld is told beside one that is not.
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: web1, Association: &buoyv1.Association{ComputeNode: cmp2, Interface: "tap7", FixedIp: "10.47.0.7"}})
	if f := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1}); f.State != advertised || f.StateReason != "to 2 of 2 neighbors; "+cmp1+" is drained" {
		t.Errorf("got %s: %s", f.State, f.StateReason)
	}
}

// A drain is a change like others.
func TestDrainRequests(t *testing.T) {
	l := newLab(t).furnish(t)
	revision := l.follower.State().Revision()
	tried := call(t, l.computeNodes.DrainComputeNode, &buoyv1.DrainComputeNodeRequest{Name: cmp1, Wait: 60, ValidateOnly: true})
	if now := l.follower.State().Revision(); tried.Drain != buoyv1.ComputeNode_DRAINING || now != revision {
		t.Errorf("tried: got %v at revision %d, want %d", tried, now, revision)
	}
	req := &buoyv1.DrainComputeNodeRequest{Name: cmp1, Wait: 60, RequestId: "d-1"}
	first := call(t, l.computeNodes.DrainComputeNode, req)
	undrain := &buoyv1.UndrainComputeNodeRequest{Name: cmp1, RequestId: "d-2", Etag: first.Etag}
	undrained := call(t, l.computeNodes.UndrainComputeNode, undrain)
	equal(t, "drain again", call(t, l.computeNodes.DrainComputeNode, req), first)
	equal(t, "undrain again", call(t, l.computeNodes.UndrainComputeNode, undrain), undrained)
	if n := call(t, l.computeNodes.GetComputeNode, &buoyv1.GetComputeNodeRequest{Name: cmp1}); n.Drain != buoyv1.ComputeNode_NOT_DRAINED {
		t.Errorf("the drain was repeated: %v", n)
	}
	for name, tt := range map[string]struct {
		req  *buoyv1.DrainComputeNodeRequest
		want refusal
	}{
		"unknown": {&buoyv1.DrainComputeNodeRequest{Name: "computeNodes/x"}, notFound("name", "computeNodes/x")},
		"no name": {&buoyv1.DrainComputeNodeRequest{}, notFound("name", "")},
		"wait":    {&buoyv1.DrainComputeNodeRequest{Name: cmp1, Wait: 86401}, refusal{codes.InvalidArgument, "INVALID_FIELD", "wait", "", "expected 0..86400 seconds, got 86401"}},
		"etag":    {&buoyv1.DrainComputeNodeRequest{Name: cmp1, Etag: first.Etag}, refusal{codes.Aborted, "ETAG_DIFFERS", "etag", cmp1, cmp1 + " has changed since it was read; read it again"}},
	} {
		_, err := l.computeNodes.DrainComputeNode(t.Context(), tt.req)
		t.Run(name, func(t *testing.T) { tt.want.check(t, err) })
	}
	_, err := l.computeNodes.UpdateComputeNode(t.Context(), &buoyv1.UpdateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: cmp1, Liveness: 7}, UpdateMask: maskOf("liveness")})
	refusal{codes.InvalidArgument, "INVALID_FIELD", "liveness", "", "the enumeration has no value 7"}.check(t, err)
}

// Documents say whether a compute node is drained, and those that say nothing
// leave it.
func TestDrainedDocuments(t *testing.T) {
	l := newLab(t).furnish(t)
	call(t, l.computeNodes.DrainComputeNode, &buoyv1.DrainComputeNodeRequest{Name: cmp1, Wait: 600})
	var described *buoyv1.ComputeNode
	for _, d := range l.export(t, t.Context(), "") {
		if n := d.GetComputeNode(); n.GetName() == cmp1 {
			described = n
		}
	}
	equal(t, "exported", described, &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11", RouterId: "10.0.0.11", Encapsulations: []string{"gre", "udp"}, LabelRange: "100000-999999",
		LabelHoldDown: 60, Liveness: buoyv1.ComputeNode_NONE, HoldTime: 30, StaleTime: proto.Uint32(120), Drained: proto.Bool(true)})
	apply := func(what string, want buoyv1.AppliedDocument_Action, drain inventory.DrainState) *buoyv1.ApplyResponse {
		t.Helper()
		resp := l.apply(t, documents(described))
		n, _ := l.follower.State().ComputeNode(cmp1)
		if resp.Documents[0].Action != want || n.Drain.State != drain {
			t.Errorf("%s: got %v, %s", what, resp, n.Drain.State)
		}
		return resp
	}
	apply("as exported", buoyv1.AppliedDocument_UNCHANGED, inventory.Draining)
	described.Drained = nil
	apply("nothing said", buoyv1.AppliedDocument_UNCHANGED, inventory.Draining)
	described.Drained = proto.Bool(false)
	resp := apply("false", buoyv1.AppliedDocument_UPDATED, inventory.NotDrained)
	if got := strings.Join(resp.Documents[0].ChangedFields, " "); got != "drained" {
		t.Errorf("changed: %s", got)
	}
	if len(resp.RouteChanges) != 1 || strings.Join(resp.RouteChanges[0].Before.Communities, " ") != "graceful-shutdown" || len(resp.RouteChanges[0].After.Communities) > 0 {
		t.Errorf("routes: %v", resp.RouteChanges)
	}
	described.Drained = proto.Bool(true)
	if resp := apply("true", buoyv1.AppliedDocument_UPDATED, inventory.Drained); resp.RoutesWithdrawn != 1 {
		t.Errorf("got %v", resp)
	}
}
