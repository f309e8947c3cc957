package lab

import (
	"fmt"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/routetarget"
)

// Event is one thing that a router was told: a route or a membership was
// announced or withdrawn, or a family is complete for now.
type Event struct {
	Family     Family
	Withdrawn  bool
	Route      Route      // of a VPN family; when withdrawn, only its key
	Membership Membership // of the family route-target
	EndOfRIB   bool       // and nothing else
}

// String returns the event as "+ <route>", "- <key>", "+ membership …",
// "- membership …" or "End-of-RIB <family>".
func (e Event) String() string {
	switch {
	case e.EndOfRIB:
		return "End-of-RIB " + string(e.Family)
	case e.Family == RouteTarget && e.Withdrawn:
		return "- membership " + e.Membership.String()
	case e.Family == RouteTarget:
		return "+ membership " + e.Membership.String()
	case e.Withdrawn:
		return "- " + e.Route.Key()
	}
	return "+ " + e.Route.String()
}

// Membership is that somebody wants the routes with a target (RFC 4684 §4).
// The zero value is the default membership: every route.
type Membership struct {
	AS     uint32 // who wants them
	Target routetarget.Target
}

// String returns "64512:target:64512:10003", or "default".
func (m Membership) String() string {
	if m == (Membership{}) {
		return "default"
	}
	return fmt.Sprintf("%d:%s", m.AS, m.Target)
}

// routeFamilies has the families as GoBGP's codec knows them.
var routeFamilies = map[Family]bgp.RouteFamily{VPNv4: bgp.RF_IPv4_VPN, VPNv6: bgp.RF_IPv6_VPN, RouteTarget: bgp.RF_RTC_UC}

func familyOf(afi uint16, safi uint8) Family {
	for f, rf := range routeFamilies {
		if rf == bgp.AfiSafiToRouteFamily(afi, safi) {
			return f
		}
	}
	return Family(fmt.Sprintf("%d/%d", afi, safi))
}
