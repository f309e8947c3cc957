package vrf

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/buoynet/buoy/routetarget"
)

func targets(t testing.TB, texts ...string) routetarget.Set {
	t.Helper()
	var list []routetarget.Target
	for _, text := range texts {
		target, err := routetarget.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, target)
	}
	return routetarget.NewSet(list...)
}

func distinguisher(t testing.TB, text string) routetarget.Distinguisher {
	t.Helper()
	rd, err := routetarget.ParseDistinguisher(text)
	if err != nil {
		t.Fatal(err)
	}
	return rd
}

var (
	gre  = NewEncapsulations(GRE)
	udp  = NewEncapsulations(MPLSInUDP)
	both = NewEncapsulations(GRE, MPLSInUDP)
)

func TestRoutesOf(t *testing.T) {
	export := targets(t, "64512:8000005", "64512:10003", "10.9.9.9:7")
	v4, v6 := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")
	nh4, nh6 := netip.MustParseAddr("10.0.0.11"), netip.MustParseAddr("2001:db8:f::11")
	router := netip.MustParseAddr("192.0.2.11")
	for _, tt := range []struct {
		name     string
		vrf      VRF
		endpoint Endpoint
		want     Route
	}{
		{
			"IPv4",
			VRF{ID: 5, Import: targets(t, "64512:1"), Export: export},
			Endpoint{Address: v4, NextHop: nh4, RouterID: router, Label: 100, Encapsulations: gre},
			Route{Key{distinguisher(t, "192.0.2.11:5"), netip.MustParsePrefix("203.0.113.7/32")}, 100, 100, nh4, export, gre, false},
		},
		{
			"IPv6 by IPv6",
			VRF{ID: routetarget.MaxNetworkID, Export: export},
			Endpoint{Address: v6, NextHop: nh6, RouterID: router, Label: MaxLabel, Encapsulations: gre},
			Route{Key{distinguisher(t, "192.0.2.11:57535"), netip.MustParsePrefix("2001:db8::7/128")}, 1048575, 100, nh6, export, gre, false},
		},
		{
			"IPv6 by IPv4",
			VRF{ID: 1},
			Endpoint{Address: v6, NextHop: nh4, RouterID: nh4, Label: MinLabel, Encapsulations: udp},
			Route{Key{distinguisher(t, "10.0.0.11:1"), netip.MustParsePrefix("2001:db8::7/128")}, 16, 100, nh4, routetarget.Set{}, udp, false},
		},
		{
			"preferred",
			VRF{ID: 1, Export: export},
			Endpoint{Address: v4, NextHop: nh4, RouterID: nh4, Label: 20, Preferred: true},
			Route{Key{distinguisher(t, "10.0.0.11:1"), netip.MustParsePrefix("203.0.113.7/32")}, 20, 200, nh4, export, gre, false},
		},
		{
			"draining, though preferred",
			VRF{ID: 1, Export: export},
			Endpoint{Address: v4, NextHop: nh4, RouterID: nh4, Label: 20, Preferred: true, Draining: true},
			Route{Key{distinguisher(t, "10.0.0.11:1"), netip.MustParsePrefix("203.0.113.7/32")}, 20, 0, nh4, export, gre, true},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.vrf.RoutesOf([]Endpoint{tt.endpoint})
			if len(got) != 1 || got[0] != tt.want {
				t.Errorf("\n got %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestRoutesOfEncapsulations(t *testing.T) {
	for _, tt := range []struct {
		node, network, want Encapsulations
	}{
		{0, 0, gre}, // nothing is said anywhere: what every gateway can do
		{gre, 0, gre},
		{udp, 0, udp},
		{0, udp, udp},
		{both, 0, both},
		{0, both, both},
		{both, udp, udp},
		{gre, both, gre},
		{both, both, both},
		{gre, udp, gre}, // nothing in common
		{udp, gre, gre},
	} {
		v := VRF{ID: 1, Encapsulations: tt.network}
		addr := netip.MustParseAddr("192.0.2.1")
		got := v.RoutesOf([]Endpoint{{Address: addr, NextHop: addr, RouterID: addr, Encapsulations: tt.node}})
		if got[0].Encapsulations != tt.want {
			t.Errorf("node %q, network %q: got %q, want %q", tt.node, tt.network, got[0].Encapsulations, tt.want)
		}
	}
}

// TestRoutesOfSeveral checks that one address on two compute nodes is two
// routes, in the endpoints' order.
func TestRoutesOfSeveral(t *testing.T) {
	addr := netip.MustParseAddr("203.0.113.7")
	var endpoints []Endpoint
	for _, node := range []string{"10.0.0.12", "10.0.0.11"} {
		id := netip.MustParseAddr(node)
		endpoints = append(endpoints, Endpoint{Address: addr, NextHop: id, RouterID: id, Label: 16})
	}
	var got []string
	for _, r := range (VRF{ID: 9}).RoutesOf(endpoints) {
		got = append(got, r.Key.String()+" via "+r.NextHop.String())
	}
	want := []string{"10.0.0.12:9:203.0.113.7/32 via 10.0.0.12", "10.0.0.11:9:203.0.113.7/32 via 10.0.0.11"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (VRF{ID: 9}).RoutesOf(nil); got == nil || len(got) != 0 {
		t.Errorf("without endpoints: got %#v, want an empty list", got)
	}
}

func TestDiffAdd(t *testing.T) {
	have := Route{
		Key:            Key{distinguisher(t, "10.0.0.11:5"), netip.MustParsePrefix("203.0.113.7/32")},
		Label:          100,
		LocalPref:      LocalPrefDefault,
		NextHop:        netip.MustParseAddr("10.0.0.11"),
		Targets:        targets(t, "64512:1", "64512:2"),
		Encapsulations: gre,
	}
	for name, change := range map[string]func(*Route){
		"label":              func(r *Route) { r.Label++ },
		"local preference":   func(r *Route) { r.LocalPref = LocalPrefPreferred },
		"graceful shutdown":  func(r *Route) { r.GracefulShutdown = true },
		"next hop":           func(r *Route) { r.NextHop = netip.MustParseAddr("10.0.0.12") },
		"one target less":    func(r *Route) { r.Targets = targets(t, "64512:1") },
		"one target more":    func(r *Route) { r.Targets = targets(t, "64512:1", "64512:2", "64512:3") },
		"another target":     func(r *Route) { r.Targets = targets(t, "64512:1", "64512:3") },
		"no target":          func(r *Route) { r.Targets = routetarget.Set{} },
		"encapsulation":      func(r *Route) { r.Encapsulations = udp },
		"more encapsulation": func(r *Route) { r.Encapsulations = both },
	} {
		want := have
		change(&want)
		var d Diff
		if !d.Add(&have, &want) || d.Empty() || !slices.Equal(d.Advertise, []Route{want}) || len(d.Withdraw) != 0 {
			t.Errorf("%s: got %+v, want %+v advertised", name, d, want)
		}
	}
	same := have
	same.Targets = targets(t, "64512:2", "64512:1", "64512:2") // another backing, equal
	var d Diff
	if d.Add(&have, &same) || d.Add(nil, nil) || !d.Empty() {
		t.Errorf("identical, or nothing at all: got %+v, want none", d)
	}
	if !d.Add(nil, &have) || !slices.Equal(d.Advertise, []Route{have}) || len(d.Withdraw) != 0 {
		t.Errorf("new: got %+v, want it advertised", d)
	}
	if !d.Add(&have, nil) || !slices.Equal(d.Withdraw, []Route{have}) || len(d.Advertise) != 1 {
		t.Errorf("gone: got %+v, want it withdrawn, too", d)
	}
}

func TestKeyCompare(t *testing.T) {
	key := func(rd, prefix string) Key { return Key{distinguisher(t, rd), netip.MustParsePrefix(prefix)} }
	sorted := []Key{
		key("10.0.0.11:5", "203.0.113.6/32"),
		key("10.0.0.11:5", "203.0.113.7/31"),
		key("10.0.0.11:4", "203.0.113.7/32"),
		key("10.0.0.11:5", "203.0.113.7/32"),
		key("10.0.0.12:1", "203.0.113.7/32"),
		key("10.0.0.11:1", "2001:db8::/64"),
		key("10.0.0.11:1", "2001:db8::/128"),
	}
	for i, a := range sorted {
		for j, b := range sorted {
			got, want := a.Compare(b), i-j
			if got < 0 != (want < 0) || got > 0 != (want > 0) {
				t.Errorf("%s compared with %s: got %d, want the sign of %d", a, b, got, want)
			}
		}
	}
}
