package main

import (
	"iter"
	"net/netip"
	"slices"
	"time"
	"unique"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// announced is what mx1 announces, ordered by key. The second route is stale.
var announced = []vrf.Received{
	{
		Key:   keyOf("10.255.0.1:1", "192.0.2.0/24"),
		Label: 24000,
		Attributes: unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("10.0.0.1"), Origin: vrf.IGP, LocalPref: 200,
			Targets: targetsOf("target:64512:10003"), Encapsulations: vrf.NewEncapsulations(vrf.GRE)}),
	},
	{
		Key:   keyOf("64512:7", "198.51.100.0/24"),
		Label: 24001,
		Attributes: unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("10.0.0.1"), Origin: vrf.Incomplete, ASPath: "65001 {65002 65003}",
			LocalPref: vrf.LocalPrefDefault, MED: 50, Targets: targetsOf("target:64512:10003", "target:64512:7")}),
		Stale: true,
	},
	{
		Key:        keyOf("64512:7", "2001:db8:ffff::/48"),
		Label:      24002,
		Attributes: unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("10.0.0.1"), Origin: vrf.EGP, ASPath: "65001", LocalPref: vrf.LocalPrefDefault}),
	},
}

func keyOf(rd, prefix string) vrf.Key {
	d, err := routetarget.ParseDistinguisher(rd)
	if err != nil {
		panic(err)
	}
	return vrf.Key{RD: d, Prefix: netip.MustParsePrefix(prefix)}
}

func targetsOf(texts ...string) routetarget.Set {
	list := make([]routetarget.Target, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = routetarget.ParseTarget(text); err != nil {
			panic(err)
		}
	}
	return routetarget.NewSet(list...)
}

// taken returns what is taken of mx1's routes, how many do not fit, and how many
// are not accepted. What does not fit may end the session.
func taken(n neighbor.Settings) (routes []*vrf.Received, left, filtered int) {
	if n.Name != "mx1" {
		return nil, 0, 0
	}
	for _, r := range announced {
		switch {
		case !n.Accepts(r.Prefix, r.Attributes.Value().Targets):
			filtered++
		case len(routes) == n.MaxRoutes():
			left++
		default:
			r.Since = time.Now().Add(-someAge)
			routes = append(routes, &r)
		}
	}
	if left > 0 && n.MaxReceivedAction == neighbor.MaxReceivedStop {
		routes = nil
	}
	return routes, left, filtered
}

// countTaken fills in what a status says about received routes.
func countTaken(s *neighbor.Status) {
	routes, left, filtered := taken(s.Settings)
	s.Taken, s.Left, s.Filtered = uint64(len(routes)), uint64(left), uint64(filtered)
	for _, r := range routes {
		if r.Stale {
			s.Stale++
		}
	}
	if left > 0 && routes == nil {
		s.State, s.Cause, s.Reason = neighbor.Idle, neighbor.CauseMaxReceived, "stopped: too many routes"
	}
}

func (s *fakeSpeaker) AdjRIBIn(addr netip.Addr) iter.Seq[*vrf.Received] {
	for n := range s.state().Neighbors() {
		if n.Address == addr {
			routes, _, _ := taken(n.Settings)
			return slices.Values(routes)
		}
	}
	return slices.Values([]*vrf.Received(nil))
}
