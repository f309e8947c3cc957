package api

import (
	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

var familyFromProto = map[buoyv1.AllocateRequest_Family]inventory.Family{
	buoyv1.AllocateRequest_FAMILY_UNSPECIFIED: inventory.AnyFamily,
	buoyv1.AllocateRequest_IPV4:               inventory.IPv4,
	buoyv1.AllocateRequest_IPV6:               inventory.IPv6,
}

var scopeToProto = map[inventory.Scope]buoyv1.FloatingIP_Scope{
	inventory.ScopeNetwork:   buoyv1.FloatingIP_NETWORK,
	inventory.ScopeRequest:   buoyv1.FloatingIP_REQUEST,
	inventory.ScopeNamespace: buoyv1.FloatingIP_NAMESPACE,
	inventory.ScopeGlobal:    buoyv1.FloatingIP_GLOBAL,
}

var scopeFromProto = map[buoyv1.FloatingIP_Scope]inventory.Scope{
	buoyv1.FloatingIP_NETWORK:   inventory.ScopeNetwork,
	buoyv1.FloatingIP_REQUEST:   inventory.ScopeRequest,
	buoyv1.FloatingIP_NAMESPACE: inventory.ScopeNamespace,
	buoyv1.FloatingIP_GLOBAL:    inventory.ScopeGlobal,
}

var directionFromProto = map[buoyv1.FloatingIP_Direction]inventory.Direction{
	buoyv1.FloatingIP_DIRECTION_UNSPECIFIED: inventory.Both,
	buoyv1.FloatingIP_BOTH:                  inventory.Both,
	buoyv1.FloatingIP_INGRESS:               inventory.Ingress,
	buoyv1.FloatingIP_EGRESS:                inventory.Egress,
}

var directionToProto = map[inventory.Direction]buoyv1.FloatingIP_Direction{
	inventory.Both:    buoyv1.FloatingIP_BOTH,
	inventory.Ingress: buoyv1.FloatingIP_INGRESS,
	inventory.Egress:  buoyv1.FloatingIP_EGRESS,
}

func (f *fields) portMappings(field string, list []*buoyv1.PortMapping) (mappings []inventory.PortMapping) {
	for _, m := range list {
		protocol, err := inventory.ParseProtocol(m.GetProtocol())
		if err != nil {
			f.fail(field, err)
		}
		mappings = append(mappings, inventory.PortMapping{
			Protocol:  protocol,
			Port:      f.port(field, m.GetPort()),
			FixedPort: f.port(field, m.GetFixedPort()),
		})
	}
	return mappings
}

func portMappingsToProto(mappings []inventory.PortMapping) (list []*buoyv1.PortMapping) {
	for _, m := range mappings {
		list = append(list, &buoyv1.PortMapping{
			Protocol:  m.Protocol.String(),
			Port:      uint32(m.Port),
			FixedPort: uint32(m.FixedPort),
		})
	}
	return list
}
