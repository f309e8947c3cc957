package ribout

import (
	"net/netip"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// key is a vrf.Key of a host route without pointers: there are many of them,
// and the garbage collector need not look at each. IPv4 addresses are mapped.
type key struct {
	rd   routetarget.Distinguisher
	addr [16]byte
}

func keyOf(k vrf.Key) key { return key{k.RD, k.Prefix.Addr().As16()} }

func (k key) address() netip.Addr { return netip.AddrFrom16(k.addr).Unmap() }

func (k key) key() vrf.Key {
	a := k.address()
	return vrf.Key{RD: k.rd, Prefix: netip.PrefixFrom(a, a.BitLen())}
}

func (k key) family() neighbor.Family {
	if [12]byte(k.addr[:12]) == [12]byte{10: 0xff, 11: 0xff} {
		return neighbor.InetVPN
	}
	return neighbor.Inet6VPN
}
