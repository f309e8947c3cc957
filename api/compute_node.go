package api

import (
	"context"
	"net/netip"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

type computeNodeService struct {
	buoyv1.UnimplementedComputeNodesServer
	view
}

func (s *computeNodeService) CreateComputeNode(ctx context.Context, req *buoyv1.CreateComputeNodeRequest) (*buoyv1.ComputeNode, error) {
	n, err := computeNodeFromProto(req.GetComputeNode())
	if err != nil {
		return nil, err
	}
	state, err := s.Inventory.Execute(ctx, inventory.CreateComputeNode{ComputeNode: n})
	if err != nil {
		return nil, err
	}
	return s.computeNode(state, n.Name)
}

func (s *computeNodeService) GetComputeNode(_ context.Context, req *buoyv1.GetComputeNodeRequest) (*buoyv1.ComputeNode, error) {
	return s.computeNode(s.Inventory.State(), req.GetName())
}

func (s *computeNodeService) ListComputeNodes(context.Context, *buoyv1.ListComputeNodesRequest) (*buoyv1.ListComputeNodesResponse, error) {
	resp := &buoyv1.ListComputeNodesResponse{}
	for n := range s.Inventory.State().ComputeNodes() {
		resp.ComputeNodes = append(resp.ComputeNodes, computeNodeToProto(n))
	}
	return resp, nil
}

func (s *computeNodeService) UpdateComputeNode(ctx context.Context, req *buoyv1.UpdateComputeNodeRequest) (*buoyv1.ComputeNode, error) {
	var f fields
	in := f.mask(req.GetUpdateMask(), "address", "router_id", "encapsulations")
	if f.err != nil {
		return nil, f.err
	}
	n, err := computeNodeFromProto(req.GetComputeNode())
	if err != nil {
		return nil, err
	}
	c := inventory.UpdateComputeNode{
		Name:           n.Name,
		Address:        given(in("address"), n.Address),
		RouterID:       given(in("router_id"), n.RouterID),
		Encapsulations: given(in("encapsulations"), n.Encapsulations),
	}
	state, err := s.Inventory.Execute(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.computeNode(state, c.Name)
}

func (s *computeNodeService) DeleteComputeNode(ctx context.Context, req *buoyv1.DeleteComputeNodeRequest) (*emptypb.Empty, error) {
	_, err := s.Inventory.Execute(ctx, inventory.DeleteComputeNode{Name: req.GetName()})
	return &emptypb.Empty{}, err
}

func (v view) computeNode(state *inventory.State, name string) (*buoyv1.ComputeNode, error) {
	n, ok := state.ComputeNode(name)
	if !ok {
		return nil, missing("name", name)
	}
	return computeNodeToProto(n), nil
}

func computeNodeFromProto(n *buoyv1.ComputeNode) (inventory.ComputeNode, error) {
	var f fields
	return inventory.ComputeNode{
		Name:           n.GetName(),
		Address:        f.addr("address", n.GetAddress()),
		RouterID:       f.addr("router_id", n.GetRouterId()),
		Encapsulations: f.encapsulations("encapsulations", n.GetEncapsulations()),
	}, f.err
}

func computeNodeToProto(n *inventory.ComputeNode) *buoyv1.ComputeNode {
	return &buoyv1.ComputeNode{
		Name:           n.Name,
		Address:        n.Address.String(),
		RouterId:       n.RouterID.String(),
		Encapsulations: n.Encapsulations.Strings(),
	}
}

// text returns an address, or nothing for the zero one.
func text(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
