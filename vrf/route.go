package vrf

import (
	"encoding/binary"
	"net/netip"

	"github.com/buoynet/buoy/routetarget"
)

// LOCAL_PREF values (RFC 4271 §5.1.5). A backup is advertised too, with the
// lower one, so that a gateway can switch to it at once.
const (
	LocalPrefDefault   = 100
	LocalPrefPreferred = 200
	LocalPrefDraining  = 0 // RFC 8326 §4
)

// Key is what BGP tells VPN routes apart by (RFC 4364 §4.1).
type Key struct {
	RD     routetarget.Distinguisher
	Prefix netip.Prefix
}

// String returns "<RD>:<prefix>", as routers print it.
func (k Key) String() string { return k.RD.String() + ":" + k.Prefix.String() }

// Compare orders keys by prefix, then by distinguisher, so that the routes of
// one floating IP stand together.
func (k Key) Compare(other Key) int {
	if c := k.Prefix.Addr().Compare(other.Prefix.Addr()); c != 0 {
		return c
	}
	if c := k.Prefix.Bits() - other.Prefix.Bits(); c != 0 {
		return c
	}
	return k.RD.Compare(other.RD)
}

// Route is a VPN route that Buoy advertises: VPNv4 when the prefix is IPv4,
// VPNv6 when it is IPv6. It is comparable.
type Route struct {
	Key
	Label          Label
	LocalPref      uint32
	NextHop        netip.Addr // the compute node's tunnel address
	Targets        routetarget.Set
	Encapsulations Encapsulations
	// GracefulShutdown adds the community GRACEFUL_SHUTDOWN (RFC 8326).
	GracefulShutdown bool
}

// VRF is what a virtual network means to BGP.
type VRF struct {
	ID             uint16 // 1..routetarget.MaxNetworkID
	Import, Export routetarget.Set
	Encapsulations Encapsulations // empty = any
}

// Endpoint is one place where a floating IP can be reached.
type Endpoint struct {
	Address        netip.Addr // the floating IP
	NextHop        netip.Addr // the compute node's tunnel address
	RouterID       netip.Addr // the compute node's router id, IPv4
	Label          Label
	Preferred      bool
	Draining       bool           // gateways should choose another one
	Encapsulations Encapsulations // the compute node's; empty = any
}

// Distinguisher returns the RD of the VRF's routes at one compute node.
func (v VRF) Distinguisher(routerID netip.Addr) routetarget.Distinguisher {
	return routetarget.IPv4Distinguisher(routerID, v.ID)
}

// NetworkID returns the id of the VRF that a distinguisher of Distinguisher is
// of.
func NetworkID(rd routetarget.Distinguisher) uint16 {
	b := rd.Bytes()
	return binary.BigEndian.Uint16(b[6:])
}

// RoutesOf returns the host routes that make the endpoints reachable, in the
// endpoints' order.
func (v VRF) RoutesOf(endpoints []Endpoint) []Route {
	routes := make([]Route, 0, len(endpoints))
	for _, e := range endpoints {
		r := Route{
			Key: Key{
				RD:     v.Distinguisher(e.RouterID),
				Prefix: netip.PrefixFrom(e.Address, e.Address.BitLen()),
			},
			Label:          e.Label,
			LocalPref:      LocalPrefDefault,
			NextHop:        e.NextHop,
			Targets:        v.Export,
			Encapsulations: Agreed(e.Encapsulations, v.Encapsulations),
		}
		if e.Preferred {
			r.LocalPref = LocalPrefPreferred
		}
		if e.Draining {
			r.LocalPref, r.GracefulShutdown = LocalPrefDraining, true
		}
		routes = append(routes, r)
	}
	return routes
}

// Diff is what leads from one set of routes to another.
type Diff struct {
	Advertise []Route // new, or changed in any field
	Withdraw  []Route // as they were
}

// Empty reports whether there is nothing to do.
func (d Diff) Empty() bool { return len(d.Advertise) == 0 && len(d.Withdraw) == 0 }

// Add compares one route as it is with what it should be; nil means that there
// is none. It reports whether they differ.
func (d *Diff) Add(have, want *Route) bool {
	switch {
	case want != nil && (have == nil || *have != *want):
		d.Advertise = append(d.Advertise, *want)
	case want == nil && have != nil:
		d.Withdraw = append(d.Withdraw, *have)
	default:
		return false
	}
	return true
}
