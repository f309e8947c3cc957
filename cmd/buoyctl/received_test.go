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

// announced is what mx1 and peer announce, ordered by key. The second route of
// mx1 is stale.
var announced = map[string][]vrf.Received{"mx1": {
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
}, "peer": {
	{
		Key:        keyOf("64513:7", "192.0.2.0/24"),
		Label:      3,
		Attributes: unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("10.0.0.3"), LocalPref: 300, Targets: targetsOf("target:64512:10003")}),
	},
	{
		Key:   keyOf("64513:7", "198.51.100.0/24"),
		Label: 25001,
		Attributes: unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("10.0.0.3"), Origin: vrf.Incomplete, ASPath: "65001 {65002 65003}",
			LocalPref: vrf.LocalPrefDefault, MED: 50, Targets: targetsOf("target:64512:10003")}),
	},
	{
		Key:   keyOf("64513:8", "198.51.100.0/24"),
		Label: 25002,
		Attributes: unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("10.0.0.3"), Origin: vrf.IGP, LocalPref: 50, LongLivedStale: true,
			Originator: netip.MustParseAddr("10.255.0.9"), Targets: targetsOf("target:64512:10003")}),
	},
}}

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

// taken returns what is taken of a neighbor's routes, how many do not fit, and how
// many are not accepted. What does not fit may end the session.
func (s *fakeSpeaker) taken(n neighbor.Settings) (routes []*vrf.Received, left, filtered int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.received[n.Name] // the same ones each time, as tables know them by
	if list == nil {
		source := &vrf.Source{Neighbor: n.Name, Address: n.Address, RouterID: n.Address}
		for _, r := range announced[n.Name] {
			r.Source, r.Since = source, time.Now().Add(-someAge)
			list = append(list, &r)
		}
		s.received[n.Name] = list
	}
	for _, r := range list {
		switch {
		case !n.Accepts(r.Prefix, r.Attributes.Value().Targets):
			filtered++
		case len(routes) == n.MaxRoutes():
			left++
		default:
			routes = append(routes, r)
		}
	}
	if left > 0 && n.MaxReceivedAction == neighbor.MaxReceivedStop {
		routes = nil
	}
	return routes, left, filtered
}

// countTaken fills in what a status says about received routes.
func (f *fakeSpeaker) countTaken(s *neighbor.Status) {
	routes, left, filtered := f.taken(s.Settings)
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

func (s *fakeSpeaker) AdjRIBIn(addr netip.Addr, from vrf.Key) iter.Seq[*vrf.Received] {
	return func(yield func(*vrf.Received) bool) {
		for n := range s.state().Neighbors() {
			if n.Address != addr {
				continue
			}
			routes, _, _ := s.taken(n.Settings)
			for _, r := range routes {
				if r.Key.Compare(from) >= 0 && !yield(r) {
					return
				}
			}
		}
	}
}

// imports is what the networks import of all that.
func (s *fakeSpeaker) imports() vrf.Tables {
	i, imports, state := vrf.NewImport(), map[uint16]routetarget.Set{}, s.state()
	for n := range state.Networks() {
		g, _ := state.Global()
		imports[n.ID] = n.VRF(g.AS).Import
	}
	i.Retarget(imports, slices.Values([]*vrf.Received{}))
	for n := range state.Neighbors() {
		routes, _, _ := s.taken(n.Settings)
		for _, r := range routes {
			i.Replace(nil, r)
		}
	}
	return i.Tables()
}
