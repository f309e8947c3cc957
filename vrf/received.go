package vrf

import (
	"net/netip"
	"strconv"
	"time"
	"unique"

	"github.com/buoynet/buoy/routetarget"
)

// Received is a VPN route that a neighbor has announced. Its prefix has no host
// bits. It is shared and never changes: what a neighbor announces anew is
// another one.
type Received struct {
	Key
	Source     *Source
	Attributes unique.Handle[Attributes] // equal ones are there once
	Since      time.Time                 // when the neighbor announced it in this form
	Label      Label                     // the outermost
	Stale      bool                      // not announced again since the session was lost (RFC 4724 §4.2)
}

// Source is a neighbor in one session, as far as the choice between routes
// needs it.
type Source struct {
	Neighbor string     // its name
	Address  netip.Addr // its end of the session
	RouterID netip.Addr // its BGP Identifier
	External bool       // it is in another AS
}

// Attributes are what routes that were received have in common. They are
// comparable.
type Attributes struct {
	NextHop        netip.Addr // an IPv4-mapped one is the IPv4 address
	Origin         Origin
	Loop           Loop
	LongLivedStale bool       // LLGR_STALE: the last resort (RFC 9494 §4.3)
	Clusters       uint8      // the length of CLUSTER_LIST (RFC 4456 §9)
	PathLength     uint16     // of the AS path; a set counts once (RFC 4271 §9.1.2.2)
	NeighborAS     uint32     // the first AS of the path; 0 within our own AS
	LocalPref      uint32     // LocalPrefDefault where there is none, as from another AS
	MED            uint32     // 0 where there is none (RFC 4271 §9.1.2.2)
	Originator     netip.Addr // ORIGINATOR_ID (RFC 4456 §8); not valid where there is none
	ASPath         string     // as routers print it: "65001 {65002 65003}"; empty for our own AS
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

// Loop says by what a route is recognized that has been here before.
type Loop uint8

// The loops.
const (
	NoLoop         Loop = iota
	ASLoop              // our AS is in its AS path (RFC 4271 §9.1.2)
	OriginatorLoop      // ORIGINATOR_ID is our own BGP Identifier (RFC 4456 §8)
)

// Unusable says why packets cannot follow a route, or is empty.
func (r *Received) Unusable() string {
	a := r.Attributes.Value()
	switch {
	case a.Loop == ASLoop:
		return "our own AS is in its AS path"
	case a.Loop == OriginatorLoop:
		return "it is one of our own, reflected (ORIGINATOR_ID)"
	case r.Label < MinLabel:
		// RFC 3032 §2.1: 0 and 2 are explicit null, 3 is implicit null.
		return "label " + strconv.Itoa(int(r.Label)) + " is reserved: it does not tell the router which VRF is meant"
	case !a.NextHop.IsValid():
		return "it has no next hop"
	case !canForward(a.NextHop):
		return "next hop " + a.NextHop.String() + " is not the address of a router"
	}
	return ""
}

var (
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")   // RFC 1122 §3.2.1.3
	reserved    = netip.MustParsePrefix("240.0.0.0/4") // RFC 1112 §4, and the broadcast address
)

// canForward reports whether an address can be that of a router somewhere else.
// A loopback address can, as far as this machine knows: routers of a lab have
// one.
func canForward(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalUnicast() && !thisNetwork.Contains(a) && !reserved.Contains(a)
}
