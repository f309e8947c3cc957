package api

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func TestComputeNodeLife(t *testing.T) {
	l := newLab(t)
	first := &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11", RouterId: "10.0.0.11", Encapsulations: []string{"gre", "udp"},
		LabelRange: "100000-999999", LabelHoldDown: 60, Liveness: buoyv1.ComputeNode_NONE, HoldTime: 30, StaleTime: proto.Uint32(120), Drain: buoyv1.ComputeNode_NOT_DRAINED}
	equal(t, "router id from the address", call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{
		ComputeNode: &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11", Encapsulations: []string{"udp", "gre", "udp"}}}), first)
	second := &buoyv1.ComputeNode{Name: cmp2, Address: "2001:db8::12", RouterId: "10.0.0.12", LabelRange: "16-1048575", LabelHoldDown: 300,
		Liveness: buoyv1.ComputeNode_SESSION, HoldTime: 3, StaleTime: proto.Uint32(0), Drained: proto.Bool(true), Drain: buoyv1.ComputeNode_DRAINED}
	equal(t, "IPv6", call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{
		ComputeNode: &buoyv1.ComputeNode{Name: cmp2, Address: "2001:DB8:0::12", RouterId: "10.0.0.12", LabelRange: "16 - 1048575", LabelHoldDown: 300,
			Liveness: buoyv1.ComputeNode_SESSION, HoldTime: 3, StaleTime: proto.Uint32(0), Drained: proto.Bool(true)}}), second)

	equal(t, "got", call(t, l.computeNodes.GetComputeNode, &buoyv1.GetComputeNodeRequest{Name: cmp2}), second)
	equal(t, "listed", call(t, l.computeNodes.ListComputeNodes, &buoyv1.ListComputeNodesRequest{}),
		&buoyv1.ListComputeNodesResponse{ComputeNodes: []*buoyv1.ComputeNode{first, second}})
	equal(t, "deleted", call(t, l.computeNodes.DeleteComputeNode, &buoyv1.DeleteComputeNodeRequest{Name: cmp1}), &emptypb.Empty{})
	equal(t, "list afterwards", call(t, l.computeNodes.ListComputeNodes, &buoyv1.ListComputeNodesRequest{}),
		&buoyv1.ListComputeNodesResponse{ComputeNodes: []*buoyv1.ComputeNode{second}})
}

func TestUpdateComputeNode(t *testing.T) {
	before := &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11", RouterId: "10.1.0.11", Encapsulations: []string{"gre"},
		LabelRange: "100-200", LabelHoldDown: 5, Liveness: buoyv1.ComputeNode_SESSION, HoldTime: 10, StaleTime: proto.Uint32(20), Drain: buoyv1.ComputeNode_NOT_DRAINED}
	all := &buoyv1.ComputeNode{Name: cmp1, Address: "2001:db8::11", RouterId: "10.2.0.11", Encapsulations: []string{"udp"},
		LabelRange: "300", LabelHoldDown: 86400, Liveness: buoyv1.ComputeNode_SESSION, HoldTime: 3600, StaleTime: proto.Uint32(0), Drained: proto.Bool(true)}
	empty := &buoyv1.ComputeNode{Name: cmp1}
	for _, tt := range []struct {
		field string
		from  *buoyv1.ComputeNode
		want  func(n *buoyv1.ComputeNode)
	}{
		{"address", all, func(n *buoyv1.ComputeNode) { n.Address = all.Address }},
		{"router_id", all, func(n *buoyv1.ComputeNode) { n.RouterId = all.RouterId }},
		{"encapsulations", all, func(n *buoyv1.ComputeNode) { n.Encapsulations = all.Encapsulations }},
		{"label_range", all, func(n *buoyv1.ComputeNode) { n.LabelRange = "300-300" }},
		{"label_hold_down", all, func(n *buoyv1.ComputeNode) { n.LabelHoldDown = 86400 }},
		{"liveness", all, func(*buoyv1.ComputeNode) {}},
		{"hold_time", all, func(n *buoyv1.ComputeNode) { n.HoldTime = 3600 }},
		{"stale_time", all, func(n *buoyv1.ComputeNode) { n.StaleTime = proto.Uint32(0) }},
		{"drained", all, func(n *buoyv1.ComputeNode) { n.Drained, n.Drain = proto.Bool(true), buoyv1.ComputeNode_DRAINED }},
		// Back to the defaults.
		{"liveness", empty, func(n *buoyv1.ComputeNode) { n.Liveness = buoyv1.ComputeNode_NONE }},
		{"hold_time", empty, func(n *buoyv1.ComputeNode) { n.HoldTime = 30 }},
		{"stale_time", empty, func(n *buoyv1.ComputeNode) { n.StaleTime = proto.Uint32(120) }},
		{"drained", empty, func(*buoyv1.ComputeNode) {}},
		{"encapsulations", empty, func(n *buoyv1.ComputeNode) { n.Encapsulations = nil }},
		{"label_range", empty, func(n *buoyv1.ComputeNode) { n.LabelRange = "100000-999999" }},
		{"label_hold_down", empty, func(n *buoyv1.ComputeNode) { n.LabelHoldDown = 60 }},
	} {
		t.Run(tt.field, func(t *testing.T) {
			l := newLab(t)
			call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{ComputeNode: before})
			want := proto.CloneOf(before)
			tt.want(want)
			got := call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{
				ComputeNode: tt.from, UpdateMask: maskOf(tt.field)})
			equal(t, "updated", got, want)
			equal(t, "got", call(t, l.computeNodes.GetComputeNode, &buoyv1.GetComputeNodeRequest{Name: cmp1}), want)
		})
	}
}
