package vrf

import (
	"net/netip"
	"time"

	"github.com/buoynet/buoy/routetarget"
)

// Received is a VPN route that a neighbor has announced. Its prefix has no host
// bits.
type Received struct {
	Key
	Label Label // the outermost
	Attributes
	Since time.Time // when the neighbor announced it in this form
	Stale bool      // the neighbor has not announced it again since its session was lost (RFC 4724 §4.2)
}

// Attributes are what routes that were received have in common. They are
// comparable.
type Attributes struct {
	NextHop        netip.Addr // an IPv4-mapped one is the IPv4 address
	Origin         Origin
	ASPath         string // as routers print it: "65001 {65002 65003}"; empty for our own AS
	LocalPref      uint32 // LocalPrefDefault where there is none, as from another AS
	MED            uint32 // 0 where there is none (RFC 4271 §9.1.2.2)
	Targets        routetarget.Set
	Encapsulations Encapsulations // of those that Buoy knows; empty where there is none
}

// Origin is the ORIGIN of a route (RFC 4271 §5.1.1).
type Origin uint8

// The origins.
const (
	IGP Origin = iota
	EGP
	Incomplete
)

// String returns the RFC's name.
func (o Origin) String() string {
	return [...]string{"IGP", "EGP", "INCOMPLETE"}[min(o, Incomplete)]
}
