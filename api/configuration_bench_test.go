package api

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/grpc"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// BenchmarkApply applies 10 000 associated floating IPs where nothing is, and
// again where they are; beside it, a batch allocates and associates the same.
func BenchmarkApply(b *testing.B) {
	const many = 10_000
	world := documents(&buoyv1.Network{Name: public, Subnets: []string{"10.128.0.0/12"}}, &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11"})
	list := slices.Clone(world)
	allocate, associate := &buoyv1.BatchAllocateRequest{}, &buoyv1.BatchAssociateRequest{}
	for i := range many {
		name := fmt.Sprint("projects/default/floatingIps/f-", i)
		at := &buoyv1.Association{ComputeNode: cmp1, Interface: fmt.Sprint("tap", i), FixedIp: "10.47.0.1", Label: 1000 + uint32(i)}
		address := fmt.Sprintf("10.128.%d.%d", 1+i/250, 1+i%250)
		list = append(list, documents(&buoyv1.FloatingIP{Name: name, Network: public, Address: address, Associations: []*buoyv1.Association{at}})...)
		allocate.Requests = append(allocate.Requests, &buoyv1.AllocateRequest{Name: name, Network: public, Address: address})
		associate.Requests = append(associate.Requests, &buoyv1.AssociateRequest{Name: name, Association: at})
	}
	moved := slices.Clone(list)
	moved[0] = documents(&buoyv1.Network{Name: public, Subnets: []string{"10.128.0.0/12"}, RouteTargets: []string{"target:64512:1"}})[0]
	large := grpc.MaxCallRecvMsgSize(256 << 20)
	apply := func(l *lab, list []*buoyv1.Document, try bool) *buoyv1.ApplyResponse {
		resp, err := l.configurations.Apply(b.Context(), &buoyv1.ApplyRequest{Documents: list, ValidateOnly: try}, large)
		if err != nil {
			b.Fatal(err)
		}
		return resp
	}
	b.Run("batch", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			l := newLab(b)
			l.apply(b, world)
			b.StartTimer()
			call(b, l.floatingIPs.BatchAllocate, allocate)
			call(b, l.floatingIPs.BatchAssociate, associate)
		}
	})
	b.Run("create", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			l := newLab(b)
			b.StartTimer()
			apply(l, list, false)
		}
	})
	there := newLab(b)
	apply(there, list, false)
	b.Run("diff of all", func(b *testing.B) {
		l := newLab(b)
		for b.Loop() {
			apply(l, list, true)
		}
	})
	b.Run("diff of nothing", func(b *testing.B) {
		for b.Loop() {
			if resp := apply(there, list, true); int(resp.Unchanged) != len(list) {
				b.Fatal(resp.Unchanged)
			}
		}
	})
	b.Run("diff of every route", func(b *testing.B) {
		for b.Loop() {
			if resp := apply(there, moved, true); resp.RoutesChanged != many {
				b.Fatal(resp.RoutesChanged)
			}
		}
	})
}
