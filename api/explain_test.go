package api

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// An explanation is the same over gRPC and HTTP, by name and by address.
func TestExplain(t *testing.T) {
	l := newLab(t).furnish(t)
	l.sessions(neighbor.Established, neighbor.Active)
	got := call(t, l.explanations.Explain, &buoyv1.ExplainRequest{Address: "203.0.113.5"})
	if !got.Healthy || got.FloatingIp != web1 || got.Network != public || len(got.Paths) != 1 || len(got.Paths[0].Neighbors) != 2 || len(got.WayBack) != 1 {
		t.Errorf("got %v", got)
	}
	if route := got.Paths[0].Route; route.Prefix != "203.0.113.5/32" || route.FloatingIp != web1 || route.Label != 100 {
		t.Errorf("route: got %v", route)
	}
	equal(t, "by name", call(t, l.explanations.Explain, &buoyv1.ExplainRequest{FloatingIp: web1}), got)
	equal(t, "mapped into IPv6", call(t, l.explanations.Explain, &buoyv1.ExplainRequest{Address: "::ffff:203.0.113.5"}), got)
	over := l.ok(t, "GET", "/v1/explain?address=203.0.113.5", "")
	if over["healthy"] != true || over["summary"] != got.Summary {
		t.Errorf("over HTTP: got %v", over)
	}
	l.log.reset()
	for _, tt := range []struct {
		req  *buoyv1.ExplainRequest
		want refusal
	}{
		{&buoyv1.ExplainRequest{}, refusal{codes.InvalidArgument, "INVALID_FIELD", "address", "", "expected an address, or floating_ip"}},
		{&buoyv1.ExplainRequest{Address: "203.0.113.5", FloatingIp: web1}, refusal{codes.InvalidArgument, "INVALID_FIELD", "address", "", "expected an address, or floating_ip"}},
		{&buoyv1.ExplainRequest{Address: "web-1"}, refusal{codes.InvalidArgument, "INVALID_FIELD", "address", "", `expected an IPv4 or IPv6 address, got "web-1"`}},
		{&buoyv1.ExplainRequest{Address: "203.0.113.5", Client: "::1"}, refusal{codes.InvalidArgument, "INVALID_FIELD", "client", "", "expected an address of the same family"}},
		{&buoyv1.ExplainRequest{FloatingIp: "nope"}, refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "floating_ip", "nope", "nope does not exist"}},
		{&buoyv1.ExplainRequest{FloatingIp: web1, Neighbor: "nope"}, refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "neighbor", "nope", "nope does not exist"}},
		{&buoyv1.ExplainRequest{FloatingIp: web1, Network: "nope"}, refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "network", "nope", "nope does not exist"}},
	} {
		_, err := l.explanations.Explain(t.Context(), tt.req)
		tt.want.check(t, err)
	}
	if l.log.String() != "" {
		t.Errorf("log: got %s, want nothing: nothing was changed", l.log)
	}
}

// A floating IP is ADVERTISED exactly if every route that there should be has reached a
// neighbor, as its explanation says. So an explanation is healthy then; it may be, too,
// when another route of the floating IP is missing.
func TestExplainAgrees(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	l := newLab(t).furnish(t)
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: web1, Association: &buoyv1.Association{
		ComputeNode: cmp2, Interface: "tap2", FixedIp: "10.47.255.2", Label: 102}})
	call(t, l.neighbors.UpdateNeighbor, &buoyv1.UpdateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: mx1, Families: []string{"inet-vpn", "inet6-vpn"}}, UpdateMask: maskOf("families")})
	seen := map[string]int{}
	for i := range 400 {
		l.drainAny(t, random)
		l.disturb(random)
		for _, name := range []string{web1, web6, idle} {
			f := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: name})
			e := call(t, l.explanations.Explain, &buoyv1.ExplainRequest{FloatingIp: name})
			wanted, reached := 0, 0
			for _, p := range e.Paths {
				if p.Route != nil {
					wanted++
				}
				for _, hop := range p.Neighbors {
					if hop.Sent {
						reached++
						break
					}
				}
			}
			advertised := f.State == buoyv1.FloatingIP_ADVERTISED
			if advertised != (wanted > 0 && reached == wanted) || e.Healthy != (reached > 0) {
				t.Fatalf("round %d, %s: it is %s (%s), and %d of %d routes have reached a neighbor: %t, %s", i, name, f.State, f.StateReason, reached, wanted, e.Healthy, e.Summary)
			}
			seen[fmt.Sprint(f.State, e.Healthy)]++
		}
	}
	if len(seen) < 6 {
		t.Errorf("seen: %v", seen)
	}
}
