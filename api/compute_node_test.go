package api

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func TestComputeNodeLife(t *testing.T) {
	l := newLab(t)
	first := &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11", RouterId: "10.0.0.11", Encapsulations: []string{"gre", "udp"}}
	equal(t, "router id from the address", call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{
		ComputeNode: &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11", Encapsulations: []string{"udp", "gre", "udp"}}}), first)
	second := &buoyv1.ComputeNode{Name: cmp2, Address: "2001:db8::12", RouterId: "10.0.0.12"}
	equal(t, "IPv6", call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{
		ComputeNode: &buoyv1.ComputeNode{Name: cmp2, Address: "2001:DB8:0::12", RouterId: "10.0.0.12"}}), second)

	equal(t, "got", call(t, l.computeNodes.GetComputeNode, &buoyv1.GetComputeNodeRequest{Name: cmp2}), second)
	equal(t, "listed", call(t, l.computeNodes.ListComputeNodes, &buoyv1.ListComputeNodesRequest{}),
		&buoyv1.ListComputeNodesResponse{ComputeNodes: []*buoyv1.ComputeNode{first, second}})
	equal(t, "deleted", call(t, l.computeNodes.DeleteComputeNode, &buoyv1.DeleteComputeNodeRequest{Name: cmp1}), &emptypb.Empty{})
	equal(t, "list afterwards", call(t, l.computeNodes.ListComputeNodes, &buoyv1.ListComputeNodesRequest{}),
		&buoyv1.ListComputeNodesResponse{ComputeNodes: []*buoyv1.ComputeNode{second}})
}

func TestUpdateComputeNode(t *testing.T) {
	before := &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11", RouterId: "10.1.0.11", Encapsulations: []string{"gre"}}
	all := &buoyv1.ComputeNode{Name: cmp1, Address: "2001:db8::11", RouterId: "10.2.0.11", Encapsulations: []string{"udp"}}
	changes := map[string]func(n *buoyv1.ComputeNode){
		"address":        func(n *buoyv1.ComputeNode) { n.Address = all.Address },
		"router_id":      func(n *buoyv1.ComputeNode) { n.RouterId = all.RouterId },
		"encapsulations": func(n *buoyv1.ComputeNode) { n.Encapsulations = all.Encapsulations },
	}
	for _, field := range sorted(changes) {
		t.Run(field, func(t *testing.T) {
			l := newLab(t)
			call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{ComputeNode: before})
			want := proto.CloneOf(before)
			changes[field](want)
			got := call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{
				ComputeNode: all, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{field}}})
			equal(t, "updated", got, want)
			equal(t, "got", call(t, l.computeNodes.GetComputeNode, &buoyv1.GetComputeNodeRequest{Name: cmp1}), want)
		})
	}
}
