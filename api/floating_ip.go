package api

import (
	"context"

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
	c := inventory.Allocate{
		Name:    req.GetName(),
		Network: req.GetNetwork(),
		Address: f.addr("address", req.GetAddress()),
	}
	return s.execute(ctx, c, c.Name, f.err)
}

func (s *floatingIPService) Associate(ctx context.Context, req *buoyv1.AssociateRequest) (*buoyv1.FloatingIP, error) {
	var f fields
	a := req.GetAssociation()
	c := inventory.Associate{
		Name: req.GetName(),
		Association: inventory.Association{
			ComputeNode: a.GetComputeNode(),
			Interface:   a.GetInterface(),
			FixedIP:     f.addr("fixed_ip", a.GetFixedIp()),
			Label:       vrf.Label(a.GetLabel()),
			Preferred:   a.GetPreferred(),
		},
	}
	return s.execute(ctx, c, c.Name, f.err)
}

func (s *floatingIPService) Disassociate(ctx context.Context, req *buoyv1.DisassociateRequest) (*buoyv1.FloatingIP, error) {
	c := inventory.Disassociate{
		Name:        req.GetName(),
		Interface:   req.GetInterface(),
		ComputeNode: req.GetComputeNode(),
	}
	return s.execute(ctx, c, c.Name, nil)
}

func (s *floatingIPService) Release(ctx context.Context, req *buoyv1.ReleaseRequest) (*emptypb.Empty, error) {
	_, err := s.Inventory.Execute(ctx, inventory.Release{Name: req.GetName()})
	return &emptypb.Empty{}, err
}

func (s *floatingIPService) GetFloatingIP(_ context.Context, req *buoyv1.GetFloatingIPRequest) (*buoyv1.FloatingIP, error) {
	return s.floatingIP(s.Inventory.State(), req.GetName())
}

func (s *floatingIPService) ListFloatingIPs(_ context.Context, req *buoyv1.ListFloatingIPsRequest) (*buoyv1.ListFloatingIPsResponse, error) {
	var in fields
	parent := in.parent("parent", req.GetParent())
	if in.err != nil {
		return nil, in.err
	}
	state := s.Inventory.State()
	seen := s.observe(state)
	resp := &buoyv1.ListFloatingIPsResponse{}
	for f := range state.FloatingIPs() {
		if inParent(f.Name, parent) {
			resp.FloatingIps = append(resp.FloatingIps, floatingIPToProto(f, seen))
		}
	}
	return resp, nil
}

func (s *floatingIPService) execute(ctx context.Context, c inventory.Command, name string, err error) (*buoyv1.FloatingIP, error) {
	if err != nil {
		return nil, err
	}
	state, err := s.Inventory.Execute(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.floatingIP(state, name)
}

func (v view) floatingIP(state *inventory.State, name string) (*buoyv1.FloatingIP, error) {
	f, ok := state.FloatingIP(name)
	if !ok {
		return nil, missing("name", name)
	}
	return floatingIPToProto(f, v.observe(state)), nil
}

func floatingIPToProto(f *inventory.FloatingIP, seen *observed) *buoyv1.FloatingIP {
	p := &buoyv1.FloatingIP{
		Name:    f.Name,
		Network: f.Network,
		Address: f.Address.String(),
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
	p.State, p.StateReason = seen.floatingIP(f)
	return p
}
