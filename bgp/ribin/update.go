package ribin

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// announced is an NLRI.
type announced struct {
	key   vrf.Key
	label vrf.Label
}

// announcements returns the VPN routes that an UPDATE announces, and what they
// have in common.
func (l Local) announcements(u *bgp.BGPUpdate) (a vrf.Attributes, routes []announced) {
	a.LocalPref = vrf.LocalPrefDefault
	for _, attr := range u.PathAttributes {
		switch attr := attr.(type) {
		case *bgp.PathAttributeMpReachNLRI:
			a.NextHop = address(attr.Nexthop)
			routes = readNLRIs(attr.Value)
		case *bgp.PathAttributeOrigin:
			a.Origin = vrf.Origin(attr.Value)
		case *bgp.PathAttributeAsPath:
			l.readPath(&a, attr)
		case *bgp.PathAttributeLocalPref:
			a.LocalPref = attr.Value
		case *bgp.PathAttributeMultiExitDisc:
			a.MED = attr.Value
		case *bgp.PathAttributeCommunities:
			a.LongLivedStale = slices.Contains(attr.Value, uint32(bgp.COMMUNITY_LLGR_STALE))
		case *bgp.PathAttributeOriginatorId:
			if a.Originator = address(attr.Value); a.Originator == l.RouterID {
				a.Loop = vrf.OriginatorLoop
			}
		case *bgp.PathAttributeClusterList:
			a.Clusters = uint8(min(len(attr.Value), math.MaxUint8))
		case *bgp.PathAttributeExtendedCommunities:
			a.Targets, a.Encapsulations = communities(attr.Value)
		}
	}
	return a, routes
}

// withdrawals returns the keys of the VPN routes that an UPDATE withdraws, or
// also those that it announces.
func withdrawals(u *bgp.BGPUpdate, all bool) (keys []vrf.Key) {
	for _, attr := range u.PathAttributes {
		switch attr := attr.(type) {
		case *bgp.PathAttributeMpUnreachNLRI:
			keys = appendKeys(keys, attr.Value)
		case *bgp.PathAttributeMpReachNLRI:
			if all {
				keys = appendKeys(keys, attr.Value)
			}
		}
	}
	return keys
}

func appendKeys(keys []vrf.Key, nlris []bgp.AddrPrefixInterface) []vrf.Key {
	for _, r := range readNLRIs(nlris) {
		keys = append(keys, r.key)
	}
	return keys
}

// endOfRIB returns the VPN family that an UPDATE ends (RFC 4724 §2).
func endOfRIB(u *bgp.BGPUpdate) (neighbor.Family, bool) {
	if len(u.PathAttributes) != 1 || len(u.NLRI)+len(u.WithdrawnRoutes) > 0 {
		return 0, false
	}
	un, ok := u.PathAttributes[0].(*bgp.PathAttributeMpUnreachNLRI)
	if !ok || len(un.Value) > 0 {
		return 0, false
	}
	f, ok := neighbor.FamilyOf(un.AFI, un.SAFI)
	return f, ok && f != neighbor.RouteTarget
}

// readNLRIs leaves out what is no VPN route. Host bits are cleared (RFC 4271
// §4.3: they mean nothing).
func readNLRIs(nlris []bgp.AddrPrefixInterface) (list []announced) {
	for _, n := range nlris {
		var vpn *bgp.LabeledVPNIPAddrPrefix
		switch n := n.(type) {
		case *bgp.LabeledVPNIPAddrPrefix:
			vpn = n
		case *bgp.LabeledVPNIPv6AddrPrefix:
			vpn = &n.LabeledVPNIPAddrPrefix
		default:
			continue
		}
		raw, err := vpn.RD.Serialize()
		addr, ok := netip.AddrFromSlice(vpn.Prefix)
		if err != nil || len(raw) != 8 || !ok {
			continue
		}
		rd, ok := routetarget.DistinguisherFromBytes([8]byte(raw))
		bits := int(vpn.Length) - 8*(vpn.Labels.Len()+vpn.RD.Len())
		prefix, err := addr.Prefix(bits)
		if err != nil || !ok {
			continue
		}
		r := announced{key: vrf.Key{RD: rd, Prefix: prefix}}
		if len(vpn.Labels.Labels) > 0 {
			r.label = vrf.Label(vpn.Labels.Labels[0])
		}
		list = append(list, r)
	}
	return list
}

func address(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// readPath reads an AS path, and writes it as routers do.
func (l Local) readPath(a *vrf.Attributes, path *bgp.PathAttributeAsPath) {
	var parts []string
	length := 0
	for i, segment := range path.Value {
		list := segment.GetAS()
		if slices.Contains(list, l.AS) {
			a.Loop = vrf.ASLoop
		}
		var texts []string
		for _, as := range list {
			texts = append(texts, fmt.Sprint(as))
		}
		text := strings.Join(texts, " ")
		switch segment.GetType() {
		case bgp.BGP_ASPATH_ATTR_TYPE_SEQ:
			if length += len(list); i == 0 && len(list) > 0 {
				a.NeighborAS = list[0]
			}
		case bgp.BGP_ASPATH_ATTR_TYPE_SET:
			text = "{" + text + "}"
			length++
		default: // of a confederation: they do not count (RFC 5065 §5.3)
			text = "(" + text + ")"
		}
		parts = append(parts, text)
	}
	a.ASPath = strings.Join(parts, " ")
	a.PathLength = uint16(min(length, math.MaxUint16))
}

// communities returns the route targets (RFC 4360 §4) and the tunnels (RFC 9012
// §4.1) of extended communities.
func communities(list []bgp.ExtendedCommunityInterface) (routetarget.Set, vrf.Encapsulations) {
	var targets []routetarget.Target
	var tunnels []vrf.Encapsulation
	for _, c := range list {
		raw, err := c.Serialize()
		if err != nil || len(raw) != 8 {
			continue
		}
		if t, ok := routetarget.TargetFromBytes([8]byte(raw)); ok {
			targets = append(targets, t)
		}
		if e, ok := c.(*bgp.EncapExtended); ok {
			tunnels = append(tunnels, vrf.Encapsulation(e.TunnelType))
		}
	}
	return routetarget.NewSet(targets...), vrf.NewEncapsulations(tunnels...)
}
