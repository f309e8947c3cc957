package api

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

type routeService struct {
	buoyv1.UnimplementedRoutesServer
	view
}

// tables are the names that network operators know the VPN tables by.
var tables = map[string]neighbor.Family{
	"bgp.l3vpn.0":       neighbor.InetVPN,
	"bgp.l3vpn-inet6.0": neighbor.Inet6VPN,
}

// routeFilter says which routes a request asks for. A viewer gets those whose
// floating IP it sees; a route that is nobody's any more is the operator's.
type routeFilter struct {
	state    *inventory.State
	viewer   viewer
	families neighbor.Families
	network  string // empty: all
	holder   string // the floating IP; empty: all
}

func (f routeFilter) takes(r vrf.Route) bool {
	if !f.families.Contains(neighbor.VPNFamily(r.Prefix.Addr())) {
		return false
	}
	if f.network == "" && f.holder == "" && f.viewer == "" {
		return true
	}
	network, floatingIP := origin(f.state, r.Key)
	if f.viewer != "" && (floatingIP == "" || !f.viewer.sees(f.state, floatingIP)) {
		return false
	}
	return (f.network == "" || network == f.network) && (f.holder == "" || floatingIP == f.holder)
}

func (s *routeService) ListRoutes(ctx context.Context, req *buoyv1.ListRoutesRequest) (*buoyv1.ListRoutesResponse, error) {
	received := req.GetDirection() == buoyv1.ListRoutesRequest_RECEIVED
	if v := viewerOf(ctx); received && v != "" {
		return nil, v.operatorsOnly()
	}
	filter := routeFilter{state: s.Inventory.State(), viewer: viewerOf(ctx), families: neighbor.AllFamilies, network: req.GetNetwork(), holder: req.GetFloatingIp()}
	if name := req.GetTable(); name != "" {
		family, ok := tables[name]
		if !ok {
			return nil, invalid("table", fmt.Errorf("expected bgp.l3vpn.0 or bgp.l3vpn-inet6.0, got %q", name))
		}
		filter.families = neighbor.NewFamilies(family)
	}
	if received {
		return s.listReceived(filter, req.GetNeighbor())
	}
	if filter.network != "" {
		if _, err := find(filter.viewer, filter.state, filter.state.Network, "network", filter.network); err != nil {
			return nil, err
		}
	}
	if filter.holder != "" {
		if _, err := find(filter.viewer, filter.state, filter.state.FloatingIP, "floating_ip", filter.holder); err != nil {
			return nil, err
		}
	}
	switch {
	case req.GetNeighbor() == "" && req.GetDirection() != buoyv1.ListRoutesRequest_DIRECTION_UNSPECIFIED:
		return nil, invalid("neighbor", errors.New("expected a neighbor to go with the direction"))
	case req.GetNeighbor() == "":
		return s.listAll(filter), nil
	case req.GetDirection() != buoyv1.ListRoutesRequest_ADVERTISED:
		return nil, invalid("direction", errors.New("expected ADVERTISED or RECEIVED to go with the neighbor"))
	default:
		return s.listAdvertised(filter, req.GetNeighbor())
	}
}

// listAll lists what the speaker has, and what it did not take.
func (s *routeService) listAll(filter routeFilter) *buoyv1.ListRoutesResponse {
	type line struct {
		key   vrf.Key
		route *buoyv1.Route
	}
	var lines []line
	seen := s.observe(filter.state)
	table := seen.table
	for r, since := range table.All() {
		if !filter.takes(r) {
			continue
		}
		p := routeToProto(filter.state, r)
		p.State = buoyv1.Route_ADVERTISED
		p.Since = timestamppb.New(since)
		reach := seen.reach(r.Key)
		p.StateReason = reach.String()
		switch {
		case reach.stuck():
			p.State = buoyv1.Route_WITHHELD
		case reach.ready == 0:
			p.State = buoyv1.Route_PENDING
		}
		if err := table.Failure(r.Key); err != nil {
			p.State, p.StateReason = buoyv1.Route_WITHHELD, "a change is tried again: "+err.Error()
		}
		lines = append(lines, line{r.Key, p})
	}
	for r, err := range table.Failures() {
		if _, _, listed := table.Get(r.Key); listed || !filter.takes(r) {
			continue
		}
		p := routeToProto(filter.state, r)
		p.State, p.StateReason = buoyv1.Route_WITHHELD, "it is tried again: "+err.Error()
		lines = append(lines, line{r.Key, p})
	}
	slices.SortFunc(lines, func(a, b line) int { return a.key.Compare(b.key) })
	resp := &buoyv1.ListRoutesResponse{Routes: make([]*buoyv1.Route, 0, len(lines))}
	for _, l := range lines {
		resp.Routes = append(resp.Routes, l.route)
	}
	return resp
}

func (s *routeService) listAdvertised(filter routeFilter, name string) (*buoyv1.ListRoutesResponse, error) {
	n, ok := filter.state.Neighbor(name)
	if !ok {
		return nil, missing("neighbor", name)
	}
	resp := &buoyv1.ListRoutesResponse{}
	for r, at := range s.Sessions.AdjRIBOut(n.Address) {
		if filter.takes(r) {
			p := routeToProto(filter.state, r)
			p.State, p.Since = buoyv1.Route_ADVERTISED, timestamppb.New(at)
			resp.Routes = append(resp.Routes, p)
		}
	}
	return resp, nil
}

// listReceived lists what is taken of what a neighbor has announced.
func (s *routeService) listReceived(filter routeFilter, name string) (*buoyv1.ListRoutesResponse, error) {
	switch {
	case name == "":
		return nil, invalid("neighbor", errors.New("expected a neighbor to go with the direction"))
	case filter.network != "":
		return nil, invalid("network", errors.New("expected none with direction RECEIVED: what a neighbor announces is of no network"))
	case filter.holder != "":
		return nil, invalid("floating_ip", errors.New("expected none with direction RECEIVED: what a neighbor announces is of no floating IP"))
	}
	n, ok := filter.state.Neighbor(name)
	if !ok {
		return nil, missing("neighbor", name)
	}
	resp := &buoyv1.ListRoutesResponse{}
	for r := range s.Sessions.AdjRIBIn(n.Address) {
		if filter.families.Contains(neighbor.VPNFamily(r.Prefix.Addr())) {
			resp.Routes = append(resp.Routes, receivedToProto(name, r))
		}
	}
	return resp, nil
}

func receivedToProto(source string, r *vrf.Received) *buoyv1.Route {
	a := r.Attributes.Value()
	p := vpnToProto(vrf.Route{
		Key: r.Key, Label: r.Label, LocalPref: a.LocalPref, NextHop: a.NextHop, Targets: a.Targets, Encapsulations: a.Encapsulations,
	})
	p.State, p.Since, p.Stale, p.Source = buoyv1.Route_RECEIVED, timestamp(r.Since), r.Stale, source
	p.Origin, p.AsPath, p.Med = a.Origin.String(), a.ASPath, a.MED
	if r.Stale {
		p.StateReason = "stale: the neighbor has yet to announce it again"
	}
	return p
}

func routeToProto(state *inventory.State, r vrf.Route) *buoyv1.Route {
	p := vpnToProto(r)
	p.Network, p.FloatingIp = origin(state, r.Key)
	p.Origin = vrf.Incomplete.String()
	return p
}

// vpnToProto returns what all VPN routes have.
func vpnToProto(r vrf.Route) *buoyv1.Route {
	return &buoyv1.Route{
		Prefix:             r.Prefix.String(),
		RouteDistinguisher: r.RD.String(),
		Label:              uint32(r.Label),
		NextHop:            text(r.NextHop),
		LocalPref:          r.LocalPref,
		RouteTargets:       r.Targets.Strings(),
		Encapsulations:     r.Encapsulations.Strings(),
		Family:             neighbor.VPNFamily(r.Prefix.Addr()).String(),
	}
}
