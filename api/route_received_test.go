package api

import (
	"net/netip"
	"testing"
	"unique"

	"google.golang.org/protobuf/types/known/timestamppb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// announced is a route of another AS with all that there may be.
func announced(t testing.TB) *vrf.Received {
	t.Helper()
	rd, err := routetarget.ParseDistinguisher("10.255.0.1:7")
	if err != nil {
		t.Fatal(err)
	}
	target, err := routetarget.ParseTarget("target:64512:10003")
	if err != nil {
		t.Fatal(err)
	}
	return &vrf.Received{
		Key:   vrf.Key{RD: rd, Prefix: netip.MustParsePrefix("198.51.100.0/24")},
		Label: 24001,
		Attributes: unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("10.0.0.1"), Origin: vrf.EGP, ASPath: "65001 {65002 65003}", LocalPref: 150, MED: 50,
			Targets: routetarget.NewSet(target), Encapsulations: vrf.NewEncapsulations(vrf.GRE)}),
		Since:  taken,
		Source: sourceOf("mx1", "10.0.0.1"),
	}
}

// sourceOf is a session with a neighbor of another AS, whose router id is its
// address.
func sourceOf(neighbor, addr string) *vrf.Source {
	a := netip.MustParseAddr(addr)
	return &vrf.Source{Neighbor: neighbor, Address: a, RouterID: a, External: true}
}

// What a neighbor has announced is listed for itself.
func TestListReceived(t *testing.T) {
	l := newLab(t).furnish(t)
	four := announced(t)
	other := *four
	six := &other
	six.Prefix, six.Stale = netip.MustParsePrefix("2001:db8:ffff::/48"), true
	six.Attributes = unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("2001:db8::1"), LocalPref: vrf.LocalPrefDefault,
		Loop: vrf.OriginatorLoop, LongLivedStale: true, Originator: netip.MustParseAddr("10.0.0.2")})
	l.speaker.set(func() { l.speaker.in = map[netip.Addr][]*vrf.Received{netip.MustParseAddr("10.0.0.1"): {four, six}} })
	first := &buoyv1.Route{
		Prefix: "198.51.100.0/24", RouteDistinguisher: "10.255.0.1:7", Label: 24001, NextHop: "10.0.0.1", LocalPref: 150,
		RouteTargets: []string{"target:64512:10003"}, Encapsulations: []string{"gre"}, Family: "inet-vpn",
		State: buoyv1.Route_RECEIVED, Since: timestamppb.New(taken), Origin: "EGP", AsPath: "65001 {65002 65003}", Med: 50, Source: mx1,
		Tables: []string{public + ".inet.0"},
	}
	second := &buoyv1.Route{
		Prefix: "2001:db8:ffff::/48", RouteDistinguisher: "10.255.0.1:7", Label: 24001, NextHop: "2001:db8::1", LocalPref: 100, Family: "inet6-vpn",
		State:       buoyv1.Route_UNUSABLE,
		StateReason: "it is one of our own, reflected (ORIGINATOR_ID); stale: the neighbor has yet to announce it again; long-lived stale: a last resort",
		Stale:       true, LongLivedStale: true, Communities: []string{"llgr-stale"}, Originator: "10.0.0.2", Since: timestamppb.New(taken), Origin: "IGP", Source: mx1,
	}
	const received = buoyv1.ListRoutesRequest_RECEIVED
	for _, tt := range []struct {
		name string
		req  *buoyv1.ListRoutesRequest
		want []*buoyv1.Route
	}{
		{"all", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received}, []*buoyv1.Route{first, second}},
		{"IPv4 table", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, Table: "bgp.l3vpn.0"}, []*buoyv1.Route{first}},
		{"IPv6 table", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, Table: "bgp.l3vpn-inet6.0"}, []*buoyv1.Route{second}},
		{"in a network's table", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, Network: public}, []*buoyv1.Route{first}},
		{"in a network's IPv6 table", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, Table: public + ".inet6.0"}, nil},
		{"prefix", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, Prefix: "2001:db8:ffff::/48"}, []*buoyv1.Route{second}},
		{"address", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, Prefix: "198.51.100.0"}, nil},
		{"of another", &buoyv1.ListRoutesRequest{Neighbor: fixed, Direction: received}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			equal(t, "routes", call(t, l.routes.ListRoutes, tt.req), &buoyv1.ListRoutesResponse{Routes: tt.want})
		})
	}
}
