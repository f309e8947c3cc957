package api

import (
	"context"
	"errors"

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
	state, err := s.do(ctx, req, inventory.CreateNetwork{Network: n}, n.Name)
	if err != nil {
		return nil, err
	}
	return s.network(ctx, state, n.Name)
}

func (s *networkService) GetNetwork(ctx context.Context, req *buoyv1.GetNetworkRequest) (*buoyv1.Network, error) {
	return s.network(ctx, s.Inventory.State(), req.GetName())
}

func (s *networkService) ListNetworks(ctx context.Context, req *buoyv1.ListNetworksRequest) (*buoyv1.ListNetworksResponse, error) {
	var f fields
	parent := f.parent("parent", req.GetParent())
	page := f.page(req.GetPageSize(), req.GetPageToken(), inventory.KindNetwork)
	wanted := f.filter(req.GetFilter(), &buoyv1.Network{})
	if f.err != nil {
		return nil, f.err
	}
	state, viewer := s.Inventory.State(), viewerOf(ctx)
	list, next := pageOf(page, state.Networks(), networkName, func(n *inventory.Network) bool {
		return inParent(n.Name, parent) && viewer.sees(state, n.Name) && (wanted == nil || wanted.matches(networkToProto(state, n)))
	})
	resp := &buoyv1.ListNetworksResponse{NextPageToken: next}
	for _, n := range list {
		resp.Networks = append(resp.Networks, networkToProto(state, n))
	}
	return resp, nil
}

func networkName(n *inventory.Network) string { return n.Name }

func (s *networkService) UpdateNetwork(ctx context.Context, req *buoyv1.UpdateNetworkRequest) (*buoyv1.Network, error) {
	var f fields
	in := f.mask(req.GetUpdateMask(), "subnets", "route_targets", "import_targets", "export_targets", "encapsulations",
		"external", "reserved_hosts", "gateways", "dns_servers")
	n := req.GetNetwork()
	if in("reserved_hosts") && n.GetReservedHosts() == buoyv1.Network_RESERVED_HOSTS_UNSPECIFIED {
		f.fail("reserved_hosts", errors.New("expected NONE, LAST_TWO or FIRST_TWO"))
	}
	c := inventory.UpdateNetwork{
		Name:           n.GetName(),
		Subnets:        given(in("subnets"), f.prefixes("subnets", n.GetSubnets())),
		Targets:        given(in("route_targets"), f.targets("route_targets", n.GetRouteTargets())),
		ImportTargets:  given(in("import_targets"), f.targets("import_targets", n.GetImportTargets())),
		ExportTargets:  given(in("export_targets"), f.targets("export_targets", n.GetExportTargets())),
		Encapsulations: given(in("encapsulations"), f.encapsulations("encapsulations", n.GetEncapsulations())),
		External:       given(in("external"), n.GetExternal()),
		Hosts:          given(in("reserved_hosts"), enum(&f, "reserved_hosts", hostsFromProto, n.GetReservedHosts())),
		Gateways:       given(in("gateways"), f.addrs("gateways", n.GetGateways())),
		DNS:            given(in("dns_servers"), f.addrs("dns_servers", n.GetDnsServers())),
	}
	if f.err != nil {
		return nil, f.err
	}
	state, err := s.do(ctx, req, c, c.Name)
	if err != nil {
		return nil, err
	}
	return s.network(ctx, state, c.Name)
}

func (s *networkService) DeleteNetwork(ctx context.Context, req *buoyv1.DeleteNetworkRequest) (*emptypb.Empty, error) {
	_, err := s.do(ctx, req, inventory.DeleteNetwork{Name: req.GetName()}, req.GetName())
	return &emptypb.Empty{}, err
}

func (v view) network(ctx context.Context, state *inventory.State, name string) (*buoyv1.Network, error) {
	n, err := find(viewerOf(ctx), state, state.Network, "name", name)
	if err != nil {
		return nil, err
	}
	p := networkToProto(state, n)
	p.SharedTargets = sharedTargets(viewerOf(ctx), state, n)
	return p, nil
}

var hostsFromProto = map[buoyv1.Network_ReservedHosts]inventory.ReservedHosts{
	buoyv1.Network_RESERVED_HOSTS_UNSPECIFIED: inventory.ReserveLast, // an update refuses it
	buoyv1.Network_NONE:                       inventory.ReserveNone,
	buoyv1.Network_LAST_TWO:                   inventory.ReserveLast,
	buoyv1.Network_FIRST_TWO:                  inventory.ReserveFirst,
}

var hostsToProto = map[inventory.ReservedHosts]buoyv1.Network_ReservedHosts{
	inventory.ReserveNone:  buoyv1.Network_NONE,
	inventory.ReserveLast:  buoyv1.Network_LAST_TWO,
	inventory.ReserveFirst: buoyv1.Network_FIRST_TWO,
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
		External:       n.GetExternal(),
		Reservations: inventory.Reservations{
			Hosts:    enum(&f, "reserved_hosts", hostsFromProto, n.GetReservedHosts()),
			Gateways: f.addrs("gateways", n.GetGateways()),
			DNS:      f.addrs("dns_servers", n.GetDnsServers()),
		},
	}, f.err
}

// networkToProto leaves out the shared targets: they depend on all networks, so
// a list does not have them.
func networkToProto(state *inventory.State, n *inventory.Network) *buoyv1.Network {
	p := &buoyv1.Network{
		Name:              n.Name,
		Id:                uint32(n.ID),
		RouteTargets:      n.Targets.Strings(),
		ImportTargets:     n.ImportTargets.Strings(),
		ExportTargets:     n.ExportTargets.Strings(),
		Encapsulations:    n.Encapsulations.Strings(),
		External:          n.External,
		ReservedHosts:     hostsToProto[n.Hosts],
		Gateways:          texts(n.Gateways),
		DnsServers:        texts(n.DNS),
		ReservedAddresses: n.ReservedAddresses(),
		Subnets:           texts(n.Subnets),
		Etag:              n.Etag.String(),
	}
	if g, ok := state.Global(); ok {
		p.AutomaticTarget = routetarget.Automatic(g.AS, n.ID).String()
	}
	return p
}

// sharedTargets returns the targets that other networks have too, as far as the
// viewer sees those. Of the automatic target that is so only if somebody
// configured it.
func sharedTargets(v viewer, state *inventory.State, n *inventory.Network) (list []*buoyv1.SharedTarget) {
	g, ok := state.Global()
	if !ok {
		return nil
	}
	ours := n.VRF(g.AS)
	targets := ours.Import.Union(ours.Export)
	sharers := map[routetarget.Target][]string{}
	for other := range state.Networks() {
		if other.Name == n.Name || !v.sees(state, other.Name) {
			continue
		}
		theirs := other.VRF(g.AS)
		for t := range targets.All() {
			if theirs.Import.Contains(t) || theirs.Export.Contains(t) {
				sharers[t] = append(sharers[t], other.Name)
			}
		}
	}
	for t := range targets.All() {
		if len(sharers[t]) > 0 {
			list = append(list, &buoyv1.SharedTarget{Target: t.String(), Networks: sharers[t]})
		}
	}
	return list
}
