package api

import (
	"context"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
)

type networkService struct {
	buoyv1.UnimplementedNetworksServer
	view
}

func (s *networkService) CreateNetwork(ctx context.Context, req *buoyv1.CreateNetworkRequest) (*buoyv1.Network, error) {
	n, err := networkFromProto(req.GetNetwork())
	if err != nil {
		return nil, err
	}
	state, err := s.Inventory.Execute(ctx, inventory.CreateNetwork{Network: n})
	if err != nil {
		return nil, err
	}
	return s.network(state, n.Name)
}

func (s *networkService) GetNetwork(_ context.Context, req *buoyv1.GetNetworkRequest) (*buoyv1.Network, error) {
	return s.network(s.Inventory.State(), req.GetName())
}

func (s *networkService) ListNetworks(_ context.Context, req *buoyv1.ListNetworksRequest) (*buoyv1.ListNetworksResponse, error) {
	var f fields
	parent := f.parent("parent", req.GetParent())
	if f.err != nil {
		return nil, f.err
	}
	state := s.Inventory.State()
	resp := &buoyv1.ListNetworksResponse{}
	for n := range state.Networks() {
		if inParent(n.Name, parent) {
			resp.Networks = append(resp.Networks, networkToProto(state, n))
		}
	}
	return resp, nil
}

func (s *networkService) UpdateNetwork(ctx context.Context, req *buoyv1.UpdateNetworkRequest) (*buoyv1.Network, error) {
	var f fields
	in := f.mask(req.GetUpdateMask(), "subnets", "route_targets", "import_targets", "export_targets", "encapsulations")
	n := req.GetNetwork()
	c := inventory.UpdateNetwork{
		Name:           n.GetName(),
		Subnets:        given(in("subnets"), f.prefixes("subnets", n.GetSubnets())),
		Targets:        given(in("route_targets"), f.targets("route_targets", n.GetRouteTargets())),
		ImportTargets:  given(in("import_targets"), f.targets("import_targets", n.GetImportTargets())),
		ExportTargets:  given(in("export_targets"), f.targets("export_targets", n.GetExportTargets())),
		Encapsulations: given(in("encapsulations"), f.encapsulations("encapsulations", n.GetEncapsulations())),
	}
	if f.err != nil {
		return nil, f.err
	}
	state, err := s.Inventory.Execute(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.network(state, c.Name)
}

func (s *networkService) DeleteNetwork(ctx context.Context, req *buoyv1.DeleteNetworkRequest) (*emptypb.Empty, error) {
	_, err := s.Inventory.Execute(ctx, inventory.DeleteNetwork{Name: req.GetName()})
	return &emptypb.Empty{}, err
}

func (v view) network(state *inventory.State, name string) (*buoyv1.Network, error) {
	n, ok := state.Network(name)
	if !ok {
		return nil, missing("name", name)
	}
	return networkToProto(state, n), nil
}

func networkFromProto(n *buoyv1.Network) (inventory.Network, error) {
	var f fields
	return inventory.Network{
		Name:           n.GetName(),
		Subnets:        f.prefixes("subnets", n.GetSubnets()),
		Targets:        f.targets("route_targets", n.GetRouteTargets()),
		ImportTargets:  f.targets("import_targets", n.GetImportTargets()),
		ExportTargets:  f.targets("export_targets", n.GetExportTargets()),
		Encapsulations: f.encapsulations("encapsulations", n.GetEncapsulations()),
	}, f.err
}

func networkToProto(state *inventory.State, n *inventory.Network) *buoyv1.Network {
	p := &buoyv1.Network{
		Name:           n.Name,
		Id:             uint32(n.ID),
		RouteTargets:   n.Targets.Strings(),
		ImportTargets:  n.ImportTargets.Strings(),
		ExportTargets:  n.ExportTargets.Strings(),
		Encapsulations: n.Encapsulations.Strings(),
	}
	for _, s := range n.Subnets {
		p.Subnets = append(p.Subnets, s.String())
	}
	if g, ok := state.Global(); ok {
		p.AutomaticTarget = routetarget.Automatic(g.AS, n.ID).String()
	}
	return p
}
