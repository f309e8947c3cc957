package api

import (
	"fmt"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

var interfaceStateFromProto = map[buoyv1.ComputeInterface_State]inventory.InterfaceState{
	buoyv1.ComputeInterface_STATE_UNSPECIFIED: inventory.InterfaceUnknown,
	buoyv1.ComputeInterface_UP:                inventory.InterfaceUp,
	buoyv1.ComputeInterface_DOWN:              inventory.InterfaceDown,
	buoyv1.ComputeInterface_UNHEALTHY:         inventory.InterfaceUnhealthy,
}

var preferenceFromProto = map[buoyv1.ComputeInterface_Preference]inventory.Preference{
	buoyv1.ComputeInterface_PREFERENCE_UNSPECIFIED: inventory.AsAssociated,
	buoyv1.ComputeInterface_PREFERRED:              inventory.Preferred,
	buoyv1.ComputeInterface_BACKUP:                 inventory.Backup,
}

// reportFromProto reads a report. Whether its names and texts are any is for the session
// to say.
func reportFromProto(r *buoyv1.Report) ([]inventory.InterfaceReport, error) {
	var f fields
	list := make([]inventory.InterfaceReport, 0, len(r.GetInterfaces()))
	for i, p := range r.GetInterfaces() {
		field := func(name string) string { return fmt.Sprintf("interfaces[%d].%s", i, name) }
		list = append(list, inventory.InterfaceReport{
			Name:       p.GetName(),
			State:      enum(&f, field("state"), interfaceStateFromProto, p.GetState()),
			Reason:     p.GetReason(),
			Preference: enum(&f, field("preference"), preferenceFromProto, p.GetPreference()),
		})
	}
	return list, f.err
}

// changesToProto returns what is to be programmed, but for the routes.
func changesToProto(p *inventory.Programme) *buoyv1.Changes {
	c := &buoyv1.Changes{RemovedFloatingIps: p.RemovedFloatingIPs, RemovedNetworks: p.RemovedNetworks}
	for _, w := range p.Withdrawn {
		c.WithdrawnRoutes = append(c.WithdrawnRoutes, &buoyv1.WithdrawnRoute{Network: w.Network, Prefix: w.Prefix.String()})
	}
	for _, f := range p.FloatingIPs {
		c.FloatingIps = append(c.FloatingIps, placementToProto(f))
	}
	return c
}

func placementToProto(p inventory.Placement) *buoyv1.NodeFloatingIP {
	return &buoyv1.NodeFloatingIP{
		Name:         p.Name,
		Network:      p.Network,
		Address:      p.Address.String(),
		FixedIp:      p.Association.FixedIP.String(),
		Interface:    p.Association.Interface,
		Label:        uint32(p.Association.Label),
		Direction:    directionToProto[p.Direction],
		PortMappings: portMappingsToProto(p.PortMappings),
	}
}

func nodeRouteToProto(r inventory.NetworkRoute) *buoyv1.NodeRoute {
	p := &buoyv1.NodeRoute{Network: r.Network, Prefix: r.Prefix.String()}
	for _, h := range r.NextHops {
		p.NextHops = append(p.NextHops, &buoyv1.NextHop{Address: h.Address.String(), Label: uint32(h.Label), Encapsulations: h.Encapsulations.Strings()})
	}
	return p
}
