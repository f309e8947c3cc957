package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Announce announces VPN routes, whatever they say: no router would announce some
// of them. Each is an UPDATE of its own.
func (r *Recorder) Announce(routes ...Route) error {
	for _, route := range routes {
		msg, err := updateOf(route)
		if err == nil {
			err = r.Send(msg)
		}
		if err != nil {
			return fmt.Errorf("announce %s: %w", route, err)
		}
	}
	return nil
}

// updateOf returns the UPDATE that announces a route. Origin and ASPath are as a
// Route has them; an empty one stands for incomplete, and for our own AS.
func updateOf(r Route) (*bgp.BGPMessage, error) {
	origin := slices.Index(origins, cmp.Or(r.Origin, "incomplete"))
	var asns []uint32
	for _, text := range strings.Fields(strings.Trim(r.ASPath, "[]")) {
		n, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, err
		}
		asns = append(asns, uint32(n))
	}
	var path []bgp.AsPathParamInterface
	if len(asns) > 0 {
		path = append(path, bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_SEQ, asns))
	}
	communities, err := communitiesOf(r.Targets, r.Encapsulations)
	if err != nil {
		return nil, err
	}
	attributes := []bgp.PathAttributeInterface{bgp.NewPathAttributeOrigin(uint8(origin)), bgp.NewPathAttributeAsPath(path)}
	if r.MED != 0 {
		attributes = append(attributes, bgp.NewPathAttributeMultiExitDisc(r.MED))
	}
	return bgp.NewBGPUpdateMessage(nil, append(attributes,
		bgp.NewPathAttributeLocalPref(cmp.Or(r.LocalPref, vrf.LocalPrefDefault)),
		bgp.NewPathAttributeExtendedCommunities(communities),
		bgp.NewPathAttributeMpReachNLRI(r.NextHop.String(), []bgp.AddrPrefixInterface{vpnNLRI(r)}),
	), nil), nil
}

// vpnNLRI returns the NLRI of a route.
func vpnNLRI(r Route) bgp.AddrPrefixInterface {
	raw := r.RD.Bytes()
	rd, labels := bgp.GetRouteDistinguisher(raw[:]), *bgp.NewMPLSLabelStack(r.Label)
	bits, addr := uint8(r.Prefix.Bits()), r.Prefix.Addr().String()
	if r.Family() == VPNv6 {
		return bgp.NewLabeledVPNIPv6AddrPrefix(bits, addr, labels, rd)
	}
	return bgp.NewLabeledVPNIPAddrPrefix(bits, addr, labels, rd)
}

// communitiesOf returns the extended communities of a route.
func communitiesOf(targets routetarget.Set, encapsulations []vrf.Encapsulation) (list []bgp.ExtendedCommunityInterface, err error) {
	for t := range targets.All() {
		b := t.Bytes()
		c, err := bgp.ParseExtended(b[:])
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	for _, e := range encapsulations {
		list = append(list, bgp.NewEncapExtended(bgp.TunnelType(e)))
	}
	return list, nil
}
