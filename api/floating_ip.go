package api

import (
	"context"
	"iter"

	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

type floatingIPService struct {
	buoyv1.UnimplementedFloatingIPsServer
	view
}

func (s *floatingIPService) Allocate(ctx context.Context, req *buoyv1.AllocateRequest) (*buoyv1.FloatingIP, error) {
	var f fields
	c := f.allocate(req)
	return s.execute(ctx, req, c, c.Name, f.err)
}

func (s *floatingIPService) Associate(ctx context.Context, req *buoyv1.AssociateRequest) (*buoyv1.FloatingIP, error) {
	var f fields
	c := f.associate(req)
	return s.execute(ctx, req, c, c.Name, f.err)
}

func (s *floatingIPService) Disassociate(ctx context.Context, req *buoyv1.DisassociateRequest) (*buoyv1.FloatingIP, error) {
	c := inventory.Disassociate{
		Name:        req.GetName(),
		Interface:   req.GetInterface(),
		ComputeNode: req.GetComputeNode(),
	}
	return s.execute(ctx, req, c, c.Name, nil)
}

func (s *floatingIPService) Move(ctx context.Context, req *buoyv1.MoveRequest) (*buoyv1.FloatingIP, error) {
	var f fields
	c := inventory.Move{Name: req.GetName(), From: req.GetFrom(), Association: f.association(req.GetAssociation())}
	return s.execute(ctx, req, c, c.Name, f.err)
}

func (s *floatingIPService) UpdateFloatingIP(ctx context.Context, req *buoyv1.UpdateFloatingIPRequest) (*buoyv1.FloatingIP, error) {
	var f fields
	in := f.mask(req.GetUpdateMask(), "direction", "port_mappings")
	p := req.GetFloatingIp()
	c := inventory.UpdateFloatingIP{
		Name:         p.GetName(),
		Direction:    given(in("direction"), enum(&f, "direction", directionFromProto, p.GetDirection())),
		PortMappings: given(in("port_mappings"), f.portMappings("port_mappings", p.GetPortMappings())),
	}
	return s.execute(ctx, req, c, c.Name, f.err)
}

func (s *floatingIPService) Release(ctx context.Context, req *buoyv1.ReleaseRequest) (*emptypb.Empty, error) {
	_, err := s.do(ctx, req, inventory.Release{Name: req.GetName()}, req.GetName())
	return &emptypb.Empty{}, err
}

func (s *floatingIPService) GetFloatingIP(ctx context.Context, req *buoyv1.GetFloatingIPRequest) (*buoyv1.FloatingIP, error) {
	return s.floatingIP(ctx, s.Inventory.State(), req.GetName())
}

func (s *floatingIPService) ListFloatingIPs(ctx context.Context, req *buoyv1.ListFloatingIPsRequest) (*buoyv1.ListFloatingIPsResponse, error) {
	var in fields
	parent := in.parent("parent", req.GetParent())
	page := in.page(req.GetPageSize(), req.GetPageToken(), inventory.KindFloatingIP)
	wanted := in.filter(req.GetFilter(), &buoyv1.FloatingIP{})
	if in.err != nil {
		return nil, in.err
	}
	state, viewer := s.Inventory.State(), viewerOf(ctx)
	network, pool := req.GetNetwork(), req.GetPool()
	if network != "" {
		if _, err := find(viewer, state, state.Network, "network", network); err != nil {
			return nil, err
		}
	}
	if pool != "" {
		if _, err := find(viewer, state, state.Pool, "pool", pool); err != nil {
			return nil, err
		}
	}
	seen := s.observe(state)
	list, next := pageOf(page, floatingIPsIn(state, parent, page.after), floatingIPName, func(f *inventory.FloatingIP) bool {
		return (network == "" || f.Network == network) && (pool == "" || f.Pool == pool) && viewer.sees(state, f.Name) &&
			(wanted == nil || wanted.matches(floatingIPToProto(f, seen)))
	})
	resp := &buoyv1.ListFloatingIPsResponse{NextPageToken: next}
	for _, f := range list {
		resp.FloatingIps = append(resp.FloatingIps, floatingIPToProto(f, seen))
	}
	return resp, nil
}

func floatingIPName(f *inventory.FloatingIP) string { return f.Name }

// floatingIPsIn yields the floating IPs of a parent from a name on, and looks
// at no others: there are many.
func floatingIPsIn(state *inventory.State, parent, after string) iter.Seq[*inventory.FloatingIP] {
	prefix := ""
	if parent != "" {
		prefix = parent + "/"
	}
	return within(state.FloatingIPs(max(prefix, after)), floatingIPName, prefix)
}

func (s *floatingIPService) execute(ctx context.Context, req change, c inventory.Command, name string, err error) (*buoyv1.FloatingIP, error) {
	if err != nil {
		return nil, err
	}
	state, err := s.do(ctx, req, c, name)
	if err != nil {
		return nil, err
	}
	return s.floatingIP(ctx, state, name)
}

func (v view) floatingIP(ctx context.Context, state *inventory.State, name string) (*buoyv1.FloatingIP, error) {
	f, err := find(viewerOf(ctx), state, state.FloatingIP, "name", name)
	if err != nil {
		return nil, err
	}
	return floatingIPToProto(f, v.observe(state)), nil
}

func (f *fields) allocate(req *buoyv1.AllocateRequest) inventory.Allocate {
	return inventory.Allocate{
		Name:         req.GetName(),
		Pool:         req.GetPool(),
		Network:      req.GetNetwork(),
		Namespace:    req.GetNamespace(),
		Address:      f.addr("address", req.GetAddress()),
		Family:       enum(f, "family", familyFromProto, req.GetFamily()),
		Direction:    enum(f, "direction", directionFromProto, req.GetDirection()),
		PortMappings: f.portMappings("port_mappings", req.GetPortMappings()),
	}
}

func (f *fields) associate(req *buoyv1.AssociateRequest) inventory.Associate {
	return inventory.Associate{Name: req.GetName(), Association: f.association(req.GetAssociation())}
}

func (f *fields) association(a *buoyv1.Association) inventory.Association {
	return inventory.Association{
		ComputeNode: a.GetComputeNode(),
		Interface:   a.GetInterface(),
		FixedIP:     f.addr("fixed_ip", a.GetFixedIp()),
		Label:       vrf.Label(a.GetLabel()),
		Preferred:   a.GetPreferred(),
	}
}

func floatingIPToProto(f *inventory.FloatingIP, seen *observed) *buoyv1.FloatingIP {
	p, v := settledToProto(f), seen.floatingIP(f)
	p.State, p.StateReason = v.state, v.reason
	return p
}

// settledToProto leaves out what is observed.
func settledToProto(f *inventory.FloatingIP) *buoyv1.FloatingIP {
	p := &buoyv1.FloatingIP{
		Name:         f.Name,
		Network:      f.Network,
		Pool:         f.Pool,
		Scope:        scopeToProto[f.Scope],
		Namespace:    f.Namespace,
		Address:      f.Address.String(),
		Direction:    directionToProto[f.Direction],
		PortMappings: portMappingsToProto(f.PortMappings),
		Etag:         f.Etag.String(),
	}
	for _, a := range f.Associations {
		p.Associations = append(p.Associations, &buoyv1.Association{
			ComputeNode: a.ComputeNode,
			Interface:   a.Interface,
			FixedIp:     a.FixedIP.String(),
			Label:       uint32(a.Label),
			Preferred:   a.Preferred,
		})
	}
	return p
}
