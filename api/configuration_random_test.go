package api

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestExportApply: what is exported brings back the same where nothing is, in
// whatever order, and changes nothing where it holds.
func TestExportApply(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	kinds := map[string]int{}
	for round := range 6 {
		l := newLab(t)
		for range 150 {
			disturb(t.Context(), l, r)
		}
		list := l.export(t, t.Context(), "")
		for _, d := range list {
			kinds[fmt.Sprintf("%T", d.Resource)]++
		}
		for range 2 {
			anew := newLab(t)
			anew.apply(t, list)
			if got, want := inText(anew.export(t, t.Context(), "")), inText(l.export(t, t.Context(), "")); !slices.Equal(got, want) {
				t.Fatalf("seed %d, round %d:\n got %q\nwant %q", seed, round, got, want)
			}
			revision := anew.follower.State().Revision()
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			if resp := anew.apply(t, list); int(resp.Unchanged) != len(list) || anew.follower.State().Revision() != revision {
				t.Fatalf("seed %d, round %d: again: %v", seed, round, resp)
			}
		}
	}
	if len(kinds) != 7 {
		t.Errorf("got %v, want all kinds", kinds)
	}
}

func inText(list []*buoyv1.Document) (lines []string) {
	for _, d := range list {
		lines = append(lines, prototext.MarshalOptions{}.Format(d))
	}
	return lines
}

// disturb makes a random request. Many are refused.
func disturb(ctx context.Context, l *lab, r *rand.Rand) {
	one := func(list ...string) string { return list[r.IntN(len(list))] }
	some := func(list ...string) []string { return list[:r.IntN(len(list)+1)] }
	network := one(public, private, "projects/dev/networks/n")
	pool := network + "/pools/" + one("a", "b", "public")
	node := one(cmp1, cmp2)
	fip := one(web1, web6, idle, "projects/dev/floatingIps/x", "projects/dev/floatingIps/y")
	targets := some("target:64512:1", "target:64512:2", "target:70000:3")
	host := r.IntN(20)
	switch r.IntN(14) {
	case 0:
		_, _ = l.networks.CreateNetwork(ctx, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: network, Subnets: some("203.0.113.0/26", "2001:db8::/64"),
			RouteTargets: targets, ExportTargets: some("target:64512:9"), External: r.IntN(3) == 0, ReservedHosts: buoyv1.Network_ReservedHosts(r.IntN(4)),
			Encapsulations: some("gre", "udp"), Gateways: some("203.0.113.1")}})
	case 1:
		_, _ = l.networks.UpdateNetwork(ctx, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: network, ImportTargets: targets, External: r.IntN(3) > 0},
			UpdateMask: maskOf("import_targets", "external")})
	case 2, 3:
		_, _ = l.pools.CreatePool(ctx, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: pool, SharedWith: some("dev", "*"),
			Ranges: some(fmt.Sprintf("203.0.113.%d-203.0.113.%d", host, host+9), "2001:db8::/80")}})
	case 4:
		_, _ = l.pools.UpdatePool(ctx, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: pool, SharedWith: some("dev")}, UpdateMask: maskOf("shared_with")})
	case 5:
		_, _ = l.pools.BindPool(ctx, &buoyv1.BindPoolRequest{Name: one(blue, ofGlobal), Pool: pool})
	case 6:
		_, _ = l.computeNodes.CreateComputeNode(ctx, &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: node, Address: fmt.Sprint("10.0.0.", host),
			RouterId: one("", "10.9.9.9"), LabelRange: one("", "16-20", "100000-999999"), LabelHoldDown: uint32(r.IntN(2) * 60),
			Liveness: buoyv1.ComputeNode_Liveness(r.IntN(3)), HoldTime: uint32(r.IntN(2) * 3), StaleTime: []*uint32{nil, proto.Uint32(0), proto.Uint32(60)}[r.IntN(3)],
			Drained: []*bool{nil, proto.Bool(false), proto.Bool(true)}[r.IntN(3)]}})
	case 7:
		_, _ = l.neighbors.CreateNeighbor(ctx, &buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: one(mx1, "neighbors/mx2"), Address: fmt.Sprint("10.0.1.", host), As: 64512,
			Families: some("inet-vpn", "inet6-vpn"), GracefulRestart: some("inet-vpn"), LongLivedTime: uint32(r.IntN(2) * 60), RestartTime: uint32(r.IntN(2) * 300),
			HoldTime: uint32(r.IntN(2) * 90), MaxReceived: uint32(host), Md5KeyFile: one("", "/key"), AcceptPrefixes: some("10.0.0.0/8 le 24", "2001:db8::/32"), AcceptTargets: targets, Passive: r.IntN(2) == 0, Multihop: uint32(r.IntN(2))}})
	case 8, 9, 10:
		req := &buoyv1.AllocateRequest{Name: fip, Namespace: one("", "blue"), Direction: buoyv1.FloatingIP_Direction(r.IntN(4)),
			PortMappings: []*buoyv1.PortMapping{{Protocol: "tcp", Port: 80, FixedPort: 8080}}[:r.IntN(2)]}
		switch r.IntN(3) {
		case 0:
			req.Pool = pool
		case 1:
			req.Network = network
		}
		_, _ = l.floatingIPs.Allocate(ctx, req)
	case 11, 12:
		_, _ = l.floatingIPs.Associate(ctx, &buoyv1.AssociateRequest{Name: fip, Association: &buoyv1.Association{ComputeNode: node, Interface: one("tap0", "tap1"),
			FixedIp: one("10.47.0.1", "10.47.0.2", "fd00::1"), Label: uint32(r.IntN(2) * (16 + host)), Preferred: r.IntN(2) == 0}})
	default:
		_, _ = l.globals.UpdateGlobal(ctx, &buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 64512 + uint32(r.IntN(3))}, UpdateMask: maskOf("as")})
	}
}
