package gatewayconfig

import "net/netip"

// The words of the vendors for the families of the session, in order.

// CiscoVPN is for IOS XR and XE.
func (v view) CiscoVPN() []string { return v.families("vpnv4", "vpnv6") }

// EOSVPN is for EOS.
func (v view) EOSVPN() []string { return v.families("vpn-ipv4", "vpn-ipv6") }

// Unicast are the families within a VRF.
func (v view) Unicast() []string { return v.families("ipv4", "ipv6") }

// GoBGPFamilies are all of the session.
func (v view) GoBGPFamilies() []string {
	list := v.families("l3vpn-ipv4-unicast", "l3vpn-ipv6-unicast")
	if v.RTC {
		list = append(list, "rtc")
	}
	return list
}

func (v view) families(v4, v6 string) (list []string) {
	if v.V4 {
		list = append(list, v4)
	}
	if v.V6 {
		list = append(list, v6)
	}
	return list
}

// Table is a routing table of the kernel for a VRF: not one of the reserved ones
// below 256.
func (r vrfView) Table() int { return 1000 + int(r.ID) }

// Tunnels4 and Tunnels6 are those to compute nodes of a family.
func (v view) Tunnels4() []tunnel { return v.tunnelsOf(netip.Addr.Is4) }
func (v view) Tunnels6() []tunnel { return v.tunnelsOf(netip.Addr.Is6) }

func (v view) tunnelsOf(family func(netip.Addr) bool) (list []tunnel) {
	for _, t := range v.Tunnels {
		if family(t.Addr) {
			list = append(list, t)
		}
	}
	return list
}

// Inner is an address that leads into the tunnel, where it cannot be that of the
// far end. InnerLocal and InnerRemote are the two ends of a link of its own. All
// are link-local (RFC 3927), so they are nobody's.
func (t tunnel) Inner() netip.Addr       { return linkLocal(t.N) }
func (t tunnel) InnerLocal() netip.Addr  { return linkLocal(2 * t.N) }
func (t tunnel) InnerRemote() netip.Addr { return linkLocal(2*t.N + 1) }

func linkLocal(n int) netip.Addr {
	n += 256 // the first and the last 256 addresses are reserved
	return netip.AddrFrom4([4]byte{169, 254, byte(n >> 8), byte(n)})
}
