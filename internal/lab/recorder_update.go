package lab

import (
	"fmt"
	"net/netip"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// eventsOf returns what an UPDATE says, the withdrawn first.
func eventsOf(u *bgp.BGPUpdate) ([]Event, error) {
	var withdrawn, announced []Event
	var common Route // what all routes of the UPDATE share
	if end, family := u.IsEndOfRib(); end {
		return []Event{{Family: familyOf(bgp.RouteFamilyToAfiSafi(family)), EndOfRIB: true}}, nil
	}
	for _, attr := range u.PathAttributes {
		switch a := attr.(type) {
		case *bgp.PathAttributeMpUnreachNLRI:
			for _, nlri := range a.Value {
				e, err := eventOfNLRI(nlri)
				if err != nil {
					return nil, err
				}
				e.Withdrawn = true
				withdrawn = append(withdrawn, e)
			}
		case *bgp.PathAttributeMpReachNLRI:
			for _, nlri := range a.Value {
				e, err := eventOfNLRI(nlri)
				if err != nil {
					return nil, err
				}
				// As sent: an IPv4-mapped address is not unmapped.
				e.Route.NextHop, _ = netip.AddrFromSlice(a.Nexthop)
				announced = append(announced, e)
			}
		case *bgp.PathAttributeOrigin:
			common.Origin = origins[a.Value]
		case *bgp.PathAttributeAsPath:
			asns := []uint32{}
			for _, segment := range a.Value {
				asns = append(asns, segment.GetAS()...)
			}
			common.ASPath = fmt.Sprint(asns)
		case *bgp.PathAttributeLocalPref:
			common.setLocalPref(a.Value)
		case *bgp.PathAttributeCommunities:
			for _, c := range a.Value {
				common.addCommunity(c)
			}
		case *bgp.PathAttributeExtendedCommunities:
			if err := common.addCommunities(a.Value); err != nil {
				return nil, err
			}
		default:
			common.Others = append(common.Others, fmt.Sprintf("attribute:%s", a))
		}
	}
	for i := range announced {
		r := &announced[i].Route
		r.Origin, r.ASPath, r.LocalPref, r.LastResort = common.Origin, common.ASPath, common.LocalPref, common.LastResort
		r.Targets, r.Encapsulations, r.Communities, r.Others = common.Targets, common.Encapsulations, common.Communities, common.Others
	}
	return append(withdrawn, announced...), nil
}

// eventOfNLRI returns what was announced or withdrawn.
func eventOfNLRI(nlri bgp.AddrPrefixInterface) (e Event, err error) {
	e.Family = familyOf(nlri.AFI(), nlri.SAFI())
	switch n := nlri.(type) {
	case *bgp.LabeledVPNIPAddrPrefix:
		e.Route, err = routeOfNLRI(n)
	case *bgp.LabeledVPNIPv6AddrPrefix:
		e.Route, err = routeOfNLRI(&n.LabeledVPNIPAddrPrefix)
	case *bgp.RouteTargetMembershipNLRI:
		e.Membership, err = membershipOfNLRI(n)
	default:
		err = fmt.Errorf("expected a VPN route or a membership, got %T", nlri)
	}
	return e, err
}

func membershipOfNLRI(n *bgp.RouteTargetMembershipNLRI) (m Membership, err error) {
	if m.AS = n.AS; n.RouteTarget == nil {
		return m, nil
	}
	b, err := n.RouteTarget.Serialize()
	if err == nil && len(b) == 8 {
		m.Target, _ = routetarget.TargetFromBytes([8]byte(b))
	}
	return m, err
}

func routeOfNLRI(vpn *bgp.LabeledVPNIPAddrPrefix) (r Route, err error) {
	rd, err := vpn.RD.Serialize()
	if err != nil {
		return r, err
	}
	r.RD, _ = routetarget.DistinguisherFromBytes([8]byte(rd))
	if r.Prefix, err = netip.ParsePrefix(vpn.IPPrefix()); err != nil {
		return r, err
	}
	if len(vpn.Labels.Labels) == 1 {
		r.Label = vpn.Labels.Labels[0]
	}
	return r, nil
}

func (r *Route) addCommunities(list []bgp.ExtendedCommunityInterface) error {
	var targets []routetarget.Target
	for _, c := range list {
		b, err := c.Serialize()
		if err != nil || len(b) != 8 {
			return fmt.Errorf("community %v: %w", c, err)
		}
		if t, ok := routetarget.TargetFromBytes([8]byte(b)); ok {
			targets = append(targets, t)
		} else if b[0] == 0x03 && b[1] == 0x0c { // RFC 9012 §4.1
			r.Encapsulations = append(r.Encapsulations, vrf.Encapsulation(uint16(b[6])<<8|uint16(b[7])))
		} else {
			r.Others = append(r.Others, fmt.Sprintf("community:%x", b))
		}
	}
	r.Targets = routetarget.NewSet(targets...)
	return nil
}
