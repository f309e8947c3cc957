package engine

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	api "github.com/osrg/gobgp/v3/api"
	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// pathFromRoute returns a route in the engine's form, with the NLRI and the
// attributes as bytes: the engine takes these twice as fast as messages.
func pathFromRoute(r vrf.Route) (*api.Path, error) {
	nlri := nlriFromRoute(r)
	family := neighbor.VPNFamily(r.Prefix.Addr())
	var communities []bgp.ExtendedCommunityInterface
	for t := range r.Targets.All() {
		c, err := communityFromTarget(t)
		if err != nil {
			return nil, err
		}
		communities = append(communities, c)
	}
	for _, enc := range r.Encapsulations.Slice() {
		communities = append(communities, bgp.NewEncapExtended(bgp.TunnelType(enc)))
	}
	return newPath(family, nlri,
		bgp.NewPathAttributeOrigin(bgp.BGP_ORIGIN_ATTR_TYPE_INCOMPLETE),
		bgp.NewPathAttributeAsPath(nil),
		bgp.NewPathAttributeLocalPref(r.LocalPref),
		bgp.NewPathAttributeExtendedCommunities(communities),
		bgp.NewPathAttributeMpReachNLRI(r.NextHop.String(), []bgp.AddrPrefixInterface{nlri}),
	)
}

// nlriFromRoute returns the labeled VPN prefix (RFC 8277 §2, RFC 4364 §4.3.4).
func nlriFromRoute(r vrf.Route) bgp.AddrPrefixInterface {
	rd := r.RD.Bytes()
	labels := *bgp.NewMPLSLabelStack(uint32(r.Label))
	addr, bits := r.Prefix.Addr().String(), uint8(r.Prefix.Bits())
	if r.Prefix.Addr().Is4() {
		return bgp.NewLabeledVPNIPAddrPrefix(bits, addr, labels, bgp.GetRouteDistinguisher(rd[:]))
	}
	return bgp.NewLabeledVPNIPv6AddrPrefix(bits, addr, labels, bgp.GetRouteDistinguisher(rd[:]))
}

func communityFromTarget(t routetarget.Target) (bgp.ExtendedCommunityInterface, error) {
	b := t.Bytes()
	return bgp.ParseExtended(b[:])
}

// pathFromTarget returns the membership of a target: <our AS>:<target> (RFC
// 4684 §4).
func (e *Engine) pathFromTarget(t routetarget.Target) (*api.Path, error) {
	c, err := communityFromTarget(t)
	if err != nil {
		return nil, err
	}
	nlri := bgp.NewRouteTargetMembershipNLRI(e.cfg.AS, c)
	return newPath(neighbor.RouteTarget, nlri,
		bgp.NewPathAttributeOrigin(bgp.BGP_ORIGIN_ATTR_TYPE_IGP),
		bgp.NewPathAttributeAsPath(nil),
		bgp.NewPathAttributeLocalPref(vrf.LocalPrefDefault),
		bgp.NewPathAttributeMpReachNLRI(e.cfg.RouterID.String(), []bgp.AddrPrefixInterface{nlri}),
	)
}

// maxAttributes leaves room for the rest of an UPDATE of 4096 bytes (RFC 4271
// §4).
const maxAttributes = 4000

func newPath(family neighbor.Family, nlri bgp.AddrPrefixInterface, attrs ...bgp.PathAttributeInterface) (*api.Path, error) {
	path := &api.Path{Family: apiFamily(family), PattrsBinary: make([][]byte, 0, len(attrs))}
	var err error
	if path.NlriBinary, err = nlri.Serialize(); err != nil {
		return nil, err
	}
	size := 0
	for _, a := range attrs {
		b, err := a.Serialize()
		if err != nil {
			return nil, err
		}
		// The engine drops an UPDATE that is too long without a word.
		if size += len(b); size > maxAttributes {
			return nil, fmt.Errorf("its attributes need more than %d bytes, which do not fit into one UPDATE", maxAttributes)
		}
		path.PattrsBinary = append(path.PattrsBinary, b)
	}
	return path, nil
}

// routeFromPath reads back a VPN route that the engine shows, with binary NLRI
// and attributes. Only our own routes are read, so what does not fit is an
// error.
func routeFromPath(family neighbor.Family, p *api.Path) (r vrf.Route, err error) {
	var nlri *bgp.LabeledVPNIPAddrPrefix
	switch family {
	case neighbor.InetVPN:
		nlri = bgp.NewLabeledVPNIPAddrPrefix(0, "", *bgp.NewMPLSLabelStack(), nil)
		err = nlri.DecodeFromBytes(p.NlriBinary)
	default:
		six := bgp.NewLabeledVPNIPv6AddrPrefix(0, "", *bgp.NewMPLSLabelStack(), nil)
		err = six.DecodeFromBytes(p.NlriBinary)
		nlri = &six.LabeledVPNIPAddrPrefix
	}
	if err != nil {
		return r, fmt.Errorf("decode NLRI %x: %w", p.NlriBinary, err)
	}
	rd, err := nlri.RD.Serialize()
	if err != nil {
		return r, err
	}
	if len(nlri.Labels.Labels) != 1 {
		return r, fmt.Errorf("expected one label, got %v", nlri.Labels.Labels)
	}
	r.RD, _ = routetarget.DistinguisherFromBytes([8]byte(rd))
	r.Label = vrf.Label(nlri.Labels.Labels[0])
	r.Prefix = prefixFrom(family, nlri)
	for _, b := range p.PattrsBinary {
		attr, err := bgp.GetPathAttribute(b)
		if err == nil {
			err = attr.DecodeFromBytes(b)
		}
		if err != nil {
			return r, fmt.Errorf("decode attribute %x: %w", b, err)
		}
		switch a := attr.(type) {
		case *bgp.PathAttributeLocalPref:
			r.LocalPref = a.Value
		case *bgp.PathAttributeMpReachNLRI:
			r.NextHop = addrFrom(a.Nexthop)
		case *bgp.PathAttributeExtendedCommunities:
			r.Targets, r.Encapsulations = fromCommunities(a.Value)
		}
	}
	return r, nil
}

func prefixFrom(family neighbor.Family, nlri *bgp.LabeledVPNIPAddrPrefix) netip.Prefix {
	addr := addrFrom(nlri.Prefix)
	if family == neighbor.Inet6VPN {
		addr = netip.AddrFrom16([16]byte(nlri.Prefix.To16()))
	}
	// The length of the NLRI counts the label (24 bits) and the RD (64 bits).
	return netip.PrefixFrom(addr, int(nlri.Length)-24*len(nlri.Labels.Labels)-64)
}

func addrFrom(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

func fromCommunities(list []bgp.ExtendedCommunityInterface) (routetarget.Set, vrf.Encapsulations) {
	var targets []routetarget.Target
	var encapsulations []vrf.Encapsulation
	for _, c := range list {
		b, err := c.Serialize()
		if err != nil || len(b) != 8 {
			continue
		}
		if t, ok := routetarget.TargetFromBytes([8]byte(b)); ok {
			targets = append(targets, t)
		} else if b[0] == 0x03 && b[1] == 0x0c { // encapsulation (RFC 9012 §4.1)
			encapsulations = append(encapsulations, vrf.Encapsulation(binary.BigEndian.Uint16(b[6:])))
		}
	}
	return routetarget.NewSet(targets...), vrf.NewEncapsulations(encapsulations...)
}
