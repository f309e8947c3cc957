package ipam

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"net/netip"
)

// Number is an unsigned integer of 128 bits.
type Number struct{ Hi, Lo uint64 }

// maxNumber is the greatest one.
var maxNumber = Number{math.MaxUint64, math.MaxUint64}

// Compare orders numbers by their value.
func (n Number) Compare(o Number) int {
	if c := cmp.Compare(n.Hi, o.Hi); c != 0 {
		return c
	}
	return cmp.Compare(n.Lo, o.Lo)
}

func (n Number) less(o Number) bool { return n.Compare(o) < 0 }

// next returns n+1; zero follows the greatest number.
func (n Number) next() Number {
	lo, carry := bits.Add64(n.Lo, 1, 0)
	return Number{n.Hi + carry, lo}
}

// prev returns n-1; the greatest number precedes zero.
func (n Number) prev() Number {
	lo, borrow := bits.Sub64(n.Lo, 1, 0)
	return Number{n.Hi - borrow, lo}
}

// count returns how many numbers there are from first to last, and the
// greatest uint64 if they are more.
func count(first, last Number) uint64 {
	lo, borrow := bits.Sub64(last.Lo, first.Lo, 0)
	if last.Hi-first.Hi-borrow != 0 {
		return math.MaxUint64
	}
	return addSaturating(lo, 1)
}

func addSaturating(a, b uint64) uint64 {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

// lowBits returns the number whose n lowest bits are set, n in 0..128.
func lowBits(n int) Number {
	if n <= 64 {
		return Number{0, 1<<n - 1}
	}
	return Number{1<<(n-64) - 1, math.MaxUint64}
}

// numberOf returns an address as a number. IPv4 addresses are those of
// ::ffff:0:0/96, so that both families fit into one order.
func numberOf(a netip.Addr) Number {
	b := a.As16()
	return Number{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// addrOf is the inverse of numberOf.
func addrOf(n Number) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], n.Hi)
	binary.BigEndian.PutUint64(b[8:], n.Lo)
	return netip.AddrFrom16(b).Unmap()
}
