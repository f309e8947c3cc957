package programme

import (
	"net/netip"
	"testing"
	"unique"

	"github.com/buoynet/buoy/vrf"
)

var (
	gre  = vrf.NewEncapsulations(vrf.GRE)
	udp  = vrf.NewEncapsulations(vrf.MPLSInUDP)
	both = vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP)
)

func received(gateway string, label vrf.Label, change ...func(*vrf.Attributes)) *vrf.Received {
	a := vrf.Attributes{NextHop: addr(gateway), LocalPref: 100}
	for _, c := range change {
		c(&a)
	}
	return &vrf.Received{Source: &vrf.Source{Address: addr(gateway), RouterID: addr(gateway)}, Label: label, Attributes: unique.Make(a)}
}

// TestSharedEncapsulations: what route, network and node allow.
func TestSharedEncapsulations(t *testing.T) {
	for _, tt := range []struct{ route, network, node, want vrf.Encapsulations }{
		{0, 0, 0, gre}, {udp, 0, 0, udp}, {both, 0, udp, udp}, {0, both, 0, both}, {both, gre, both, gre}, {udp, 0, gre, gre},
	} {
		r, ok := newShared().route(&network{name: red, id: 1, encapsulations: tt.network}, tt.node, netip.MustParsePrefix("0.0.0.0/0"),
			[]*vrf.Received{received("10.0.0.1", 100, func(a *vrf.Attributes) { a.Encapsulations = tt.route })})
		if !ok || len(r.NextHops) != 1 || r.NextHops[0].Encapsulations != tt.want {
			t.Errorf("route %q, network %q, node %q: got %+v, want %q", tt.route, tt.network, tt.node, r, tt.want)
		}
	}
}

// TestSharedNextHops: all that are equally good, each once; none that packets cannot
// follow.
func TestSharedNextHops(t *testing.T) {
	prefix := netip.MustParsePrefix("198.51.100.0/24")
	list := []*vrf.Received{
		received("10.0.0.2", 200), received("10.0.0.1", 100), received("10.0.0.1", 100), received("10.0.0.1", 101),
		received("10.0.0.3", 300, func(a *vrf.Attributes) { a.LocalPref = 50 }), received("10.0.0.4", 3),
	}
	r, ok := newShared().route(&network{name: red, id: 1}, 0, prefix, list)
	if got, want := routeText(r), red+" 198.51.100.0/24 via 10.0.0.1 100 gre, 10.0.0.1 101 gre, 10.0.0.2 200 gre"; !ok || got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if r, ok := newShared().route(&network{name: red, id: 1}, 0, prefix, list[5:]); ok {
		t.Errorf("nothing to follow: got %q", routeText(r))
	}
	if r, ok := newShared().route(&network{name: red, id: 1}, 0, prefix, nil); ok {
		t.Errorf("nothing at all: got %q", routeText(r))
	}
}

// TestShared: equal routes are made once, for whoever asks, until there are others.
func TestShared(t *testing.T) {
	s, n, prefix := newShared(), &network{name: red, id: 1}, netip.MustParsePrefix("198.51.100.0/24")
	list := []*vrf.Received{received("10.0.0.1", 100)}
	first, _ := s.route(n, 0, prefix, list)
	same := func(what string, want bool, n *network, node vrf.Encapsulations, list ...*vrf.Received) {
		t.Helper()
		if r, ok := s.route(n, node, prefix, list); !ok || (&r.NextHops[0] == &first.NextHops[0]) != want || r.Network != n.name {
			t.Errorf("%s: got %q, the same one %t", what, routeText(r), !want)
		}
	}
	same("again", true, &network{name: red, id: 1}, 0, list...)
	same("for another tunnel", false, n, gre, list...)
	same("in a network with another tunnel", false, &network{name: red, id: 1, encapsulations: both}, 0, list...)
	same("in another network", false, &network{name: blue, id: 2}, 0, list...)
	for i := range keptRoutes - 10 {
		s.route(n, 0, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32), list)
	}
	same("after many others", true, n, 0, list...)
	for i := range 3 * keptRoutes {
		s.route(n, 0, netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), 32), list)
	}
	if len(s.young)+len(s.old) > 2*keptRoutes {
		t.Errorf("%d are kept", len(s.young)+len(s.old))
	}
	same("after too many others", false, n, 0, list...)
	first, _ = s.route(n, 0, prefix, list)
	same("the id is another network's", false, &network{name: blue, id: 1}, 0, list...)
	first, _ = s.route(n, 0, prefix, list)
	same("announced anew", false, n, 0, received("10.0.0.1", 101))
}
