package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
)

// The ports are the same in every lab. They are unprivileged, and outside the
// ranges that the system and GoBGP choose from.
const (
	bgpPort     = 17900
	controlPort = 17901 // what the command line of a router connects to
)

// Loopback is a network of a lab: 254 addresses that nobody else on the
// machine uses.
type Loopback struct {
	prefix netip.Prefix
}

// NewLoopback finds a free network at random.
func NewLoopback() (Loopback, error) {
	for range 100 {
		// buoyd takes addresses below 127.128.0.0 for itself.
		addr := netip.AddrFrom4([4]byte{127, byte(128 + rand.IntN(127)), byte(rand.IntN(256)), 0})
		if l, err := LoopbackAt(addr); err == nil {
			return l, nil
		}
	}
	return Loopback{}, errors.New("find a loopback network: all that were tried are in use")
}

// LoopbackAt takes the /24 of an address, if it is free.
func LoopbackAt(addr netip.Addr) (Loopback, error) {
	prefix, err := addr.Prefix(24)
	if err != nil || !addr.Is4() || !addr.IsLoopback() {
		return Loopback{}, fmt.Errorf("take the network of %s: expected a loopback IPv4 address", addr)
	}
	l := Loopback{prefix}
	for _, n := range []byte{1, 2} {
		probe, err := net.Listen("tcp", l.Host(n).String())
		if errors.Is(err, syscall.EADDRINUSE) {
			return Loopback{}, fmt.Errorf("take the network %s: %s is in use", prefix, l.Host(n))
		}
		if err != nil {
			return Loopback{}, fmt.Errorf("take the network %s: %w", prefix, err)
		}
		probe.Close()
	}
	return l, nil
}

// Host returns the BGP address of the nth host, 1..254.
func (l Loopback) Host(n byte) netip.AddrPort {
	a := l.prefix.Addr().As4()
	a[3] = n
	return netip.AddrPortFrom(netip.AddrFrom4(a), bgpPort)
}
