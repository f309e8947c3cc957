package ribout

import (
	"bytes"
	"cmp"
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

// compare orders keys as vrf.Key.Compare does.
func (k *key) compare(o key) int {
	if a, b := k.family(), o.family(); a != b {
		return cmp.Compare(a.AFI(), b.AFI())
	}
	if c := bytes.Compare(k.addr[:], o.addr[:]); c != 0 {
		return c
	}
	return k.rd.Compare(o.rd)
}

// start is where a list of routes begins: at a key, or after it.
type start struct {
	key
	any, after bool // any: everything is in the list
}

// startOf returns where host routes begin that are not before a key.
func startOf(k vrf.Key) start {
	if !k.Prefix.IsValid() {
		return start{any: true}
	}
	s := start{key: keyOf(k)}
	if k.Prefix.Bits() < k.Prefix.Addr().BitLen() {
		s.rd = routetarget.Distinguisher{} // every host route of the address is longer
	}
	return s
}

// before reports whether a key is before the start.
func (s *start) before(k *key) bool {
	if s.any {
		return false
	}
	c := k.compare(s.key)
	return c < 0 || c == 0 && s.after
}
