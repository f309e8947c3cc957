package lab

import (
	"fmt"
	"net/netip"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// eventsOf returns what an UPDATE says of VPN routes, the withdrawn first. An
// End-of-RIB says nothing.
func eventsOf(u *bgp.BGPUpdate) ([]Event, error) {
	var withdrawn, announced []Event
	var common Route // what all routes of the UPDATE share
	for _, attr := range u.PathAttributes {
		switch a := attr.(type) {
		case *bgp.PathAttributeMpUnreachNLRI:
			for _, nlri := range a.Value {
				r, err := routeOfNLRI(nlri)
				if err != nil {
					return nil, err
				}
				withdrawn = append(withdrawn, Event{Withdrawn: true, Route: r})
			}
		case *bgp.PathAttributeMpReachNLRI:
			for _, nlri := range a.Value {
				r, err := routeOfNLRI(nlri)
				if err != nil {
					return nil, err
				}
				// As sent: an IPv4-mapped address is not unmapped.
				r.NextHop, _ = netip.AddrFromSlice(a.Nexthop)
				announced = append(announced, Event{Route: r})
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
			common.LocalPref = a.Value
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
		r.Origin, r.ASPath, r.LocalPref = common.Origin, common.ASPath, common.LocalPref
		r.Targets, r.Encapsulations, r.Others = common.Targets, common.Encapsulations, common.Others
	}
	return append(withdrawn, announced...), nil
}

func routeOfNLRI(nlri bgp.AddrPrefixInterface) (r Route, err error) {
	var vpn *bgp.LabeledVPNIPAddrPrefix
	switch n := nlri.(type) {
	case *bgp.LabeledVPNIPAddrPrefix:
		vpn = n
	case *bgp.LabeledVPNIPv6AddrPrefix:
		vpn = &n.LabeledVPNIPAddrPrefix
	default:
		return r, fmt.Errorf("expected a VPN route, got %T", nlri)
	}
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
