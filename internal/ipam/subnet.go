package ipam

import "net/netip"

// fewest is how many addresses a subnet has at least that can spare two for
// its gateway and its DNS server.
const fewest = 8

// Reserved returns the addresses of a subnet that no host may have: network
// and broadcast address of IPv4 (RFC 919 §7, RFC 1122 §3.2.1.3), the
// subnet-router anycast address of IPv6 (RFC 4291 §2.6.1). A /31, /32, /127 or
// /128 has none (RFC 3021, RFC 6164).
func Reserved(p netip.Prefix) Ranges {
	if p.Bits() >= p.Addr().BitLen()-1 {
		return Ranges{}
	}
	all := RangeOf(p)
	reserved := []Range{{all.First, all.First}}
	if p.Addr().Is4() {
		reserved = append(reserved, Range{all.Last, all.Last})
	}
	return NewRanges(reserved...)
}

// LastHosts returns the two addresses that a subnet conventionally keeps for
// its gateway and its DNS server: the last one for a host, and the one before.
// It reports false for a subnet of fewer than eight addresses, which could not
// spare them.
func LastHosts(p netip.Prefix) (gateway, dns netip.Addr, ok bool) {
	all := RangeOf(p)
	if all.Size() < fewest {
		return netip.Addr{}, netip.Addr{}, false
	}
	gateway = all.Last
	if gateway.Is4() { // the last one is the broadcast address
		gateway = gateway.Prev()
	}
	return gateway, gateway.Prev(), true
}

// FirstHosts is as LastHosts, but returns the first address for a host, and
// the one after it.
func FirstHosts(p netip.Prefix) (gateway, dns netip.Addr, ok bool) {
	all := RangeOf(p)
	if all.Size() < fewest {
		return netip.Addr{}, netip.Addr{}, false
	}
	gateway = all.First.Next() // the first one is reserved in both families
	return gateway, gateway.Next(), true
}
