package api

import (
	"errors"
	"net/netip"
	"testing"
	"unique"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// The routes of furnish's floating IPs.
func routeOfWeb1() *buoyv1.Route {
	return &buoyv1.Route{
		Prefix: "203.0.113.5/32", RouteDistinguisher: "10.0.0.11:1", Label: 100, NextHop: "10.0.0.11", LocalPref: 100,
		RouteTargets:   []string{"target:64512:10003", "target:64512:8000001"},
		Encapsulations: []string{"gre", "udp"},
		Network:        public, FloatingIp: web1, Family: "inet-vpn",
		State: buoyv1.Route_ADVERTISED, Since: timestamppb.New(taken), Origin: "INCOMPLETE",
	}
}

func routeOfWeb6() *buoyv1.Route {
	return &buoyv1.Route{
		Prefix: "2001:db8::5/128", RouteDistinguisher: "10.0.0.12:1", Label: 106, NextHop: "2001:db8:1::12", LocalPref: 200,
		RouteTargets:   []string{"target:64512:10003", "target:64512:8000001"},
		Encapsulations: []string{"gre"},
		Network:        public, FloatingIp: web6, Family: "inet6-vpn",
		State: buoyv1.Route_ADVERTISED, Since: timestamppb.New(taken), Origin: "INCOMPLETE",
	}
}

func TestListRoutes(t *testing.T) {
	l := newLab(t).furnish(t)
	// mx1 takes IPv4; nobody takes IPv6.
	offer := &neighbor.Open{Families: neighbor.NewFamilies(neighbor.InetVPN)}
	l.speaker.sessions = []neighbor.Status{
		{Settings: neighbor.Settings{Name: "mx1"}, State: neighbor.Established, OpenSent: offer, OpenReceived: offer},
		{Settings: neighbor.Settings{Name: "fixed"}, State: neighbor.Active, Reason: "connection refused"},
	}
	four, six := routeOfWeb1(), routeOfWeb6()
	four.StateReason = "to 1 of 2 neighbors: fixed is Active (connection refused)"
	six.State = buoyv1.Route_WITHHELD
	six.StateReason = "no neighbor has the route: fixed is Active (connection refused); mx1 did not negotiate inet6-vpn"
	gone := vrf.Route{Key: vrf.Key{RD: vrf.VRF{ID: 9}.Distinguisher(netip.MustParseAddr("10.0.0.99")), Prefix: netip.MustParsePrefix("192.0.2.1/32")},
		Label: 77, NextHop: netip.MustParseAddr("10.0.0.99")}
	for r := range l.speaker.All() {
		l.speaker.out = map[netip.Addr][]vrf.Route{netip.MustParseAddr("10.0.0.1"): {r, gone}}
		break // that of web1
	}
	given := routeOfWeb1()
	unknown := &buoyv1.Route{Prefix: "192.0.2.1/32", RouteDistinguisher: "10.0.0.99:9", Label: 77, NextHop: "10.0.0.99",
		Family: "inet-vpn", State: buoyv1.Route_ADVERTISED, Since: timestamppb.New(taken), Origin: "INCOMPLETE"}
	const advertised = buoyv1.ListRoutesRequest_ADVERTISED
	for _, tt := range []struct {
		name string
		req  *buoyv1.ListRoutesRequest
		want []*buoyv1.Route
	}{
		{"all", &buoyv1.ListRoutesRequest{}, []*buoyv1.Route{four, six}},
		{"network", &buoyv1.ListRoutesRequest{Network: public}, []*buoyv1.Route{four, six}},
		{"network without routes", &buoyv1.ListRoutesRequest{Network: private}, nil},
		{"floating IP", &buoyv1.ListRoutesRequest{FloatingIp: web6}, []*buoyv1.Route{six}},
		{"IPv4 table", &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn.0"}, []*buoyv1.Route{four}},
		{"IPv6 table", &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn-inet6.0"}, []*buoyv1.Route{six}},
		{"neighbor", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: advertised}, []*buoyv1.Route{given, unknown}},
		{"neighbor and network", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: advertised, Network: public}, []*buoyv1.Route{given}},
		{"neighbor and table", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: advertised, Table: "bgp.l3vpn-inet6.0"}, nil},
		{"neighbor without routes", &buoyv1.ListRoutesRequest{Neighbor: fixed, Direction: advertised}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			equal(t, "routes", call(t, l.routes.ListRoutes, tt.req), &buoyv1.ListRoutesResponse{Routes: tt.want})
		})
	}
}

// What the speaker did not take is listed where it belongs, with the reason.
func TestListRefusedRoutes(t *testing.T) {
	l := newLab(t).furnish(t)
	l.speaker.refused[keyOfWeb1] = errors.New("table is full")
	l.speaker.stale[keyOfWeb6] = errors.New("not now")
	refused, changing := routeOfWeb1(), routeOfWeb6()
	refused.State, refused.StateReason, refused.Since = buoyv1.Route_WITHHELD, "it is tried again: table is full", nil
	changing.State, changing.StateReason = buoyv1.Route_WITHHELD, "a change is tried again: not now"
	equal(t, "all", call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{}),
		&buoyv1.ListRoutesResponse{Routes: []*buoyv1.Route{refused, changing}})
	equal(t, "IPv4", call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn.0"}),
		&buoyv1.ListRoutesResponse{Routes: []*buoyv1.Route{refused}})
}

func TestListRoutesRefused(t *testing.T) {
	l := newLab(t).furnish(t)
	const advertised, received = buoyv1.ListRoutesRequest_ADVERTISED, buoyv1.ListRoutesRequest_RECEIVED
	for _, tt := range []struct {
		name string
		req  *buoyv1.ListRoutesRequest
		want refusal
	}{
		{"no such network", &buoyv1.ListRoutesRequest{Network: "projects/default/networks/nope"},
			refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "network", "projects/default/networks/nope", "projects/default/networks/nope does not exist"}},
		{"no such floating IP", &buoyv1.ListRoutesRequest{FloatingIp: "projects/default/floatingIps/nope"},
			refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "floating_ip", "projects/default/floatingIps/nope", "projects/default/floatingIps/nope does not exist"}},
		{"wrong table", &buoyv1.ListRoutesRequest{Table: "inet.0"},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "table", "", `expected bgp.l3vpn.0 or bgp.l3vpn-inet6.0, got "inet.0"`}},
		{"direction alone", &buoyv1.ListRoutesRequest{Direction: advertised},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "neighbor", "", "expected a neighbor to go with the direction"}},
		{"neighbor alone", &buoyv1.ListRoutesRequest{Neighbor: mx1},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "direction", "", "expected ADVERTISED or RECEIVED to go with the neighbor"}},
		{"unknown direction", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: 99},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "direction", "", "expected ADVERTISED or RECEIVED to go with the neighbor"}},
		{"no such neighbor", &buoyv1.ListRoutesRequest{Neighbor: "neighbors/nope", Direction: advertised},
			refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "neighbor", "neighbors/nope", "neighbors/nope does not exist"}},
		{"received from nobody", &buoyv1.ListRoutesRequest{Direction: received},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "neighbor", "", "expected a neighbor to go with the direction"}},
		{"received from no such neighbor", &buoyv1.ListRoutesRequest{Neighbor: "neighbors/nope", Direction: received},
			refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "neighbor", "neighbors/nope", "neighbors/nope does not exist"}},
		{"received, wrong table", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, Table: "inet.0"},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "table", "", `expected bgp.l3vpn.0 or bgp.l3vpn-inet6.0, got "inet.0"`}},
		{"received, of a network", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, Network: public},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "network", "", "expected none with direction RECEIVED: what a neighbor announces is of no network"}},
		{"received, of a floating IP", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, FloatingIp: web1},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "floating_ip", "", "expected none with direction RECEIVED: what a neighbor announces is of no floating IP"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := l.routes.ListRoutes(t.Context(), tt.req)
			tt.want.check(t, err)
		})
	}
}

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
		Since: taken,
	}
}

// What a neighbor has announced is listed for itself, and beside nothing of ours.
func TestListReceived(t *testing.T) {
	l := newLab(t).furnish(t)
	four := announced(t)
	other := *four
	six := &other
	six.Prefix, six.Stale = netip.MustParsePrefix("2001:db8:ffff::/48"), true
	six.Attributes = unique.Make(vrf.Attributes{NextHop: netip.MustParseAddr("2001:db8::1"), LocalPref: vrf.LocalPrefDefault})
	l.speaker.in = map[netip.Addr][]*vrf.Received{netip.MustParseAddr("10.0.0.1"): {four, six}}
	first := &buoyv1.Route{
		Prefix: "198.51.100.0/24", RouteDistinguisher: "10.255.0.1:7", Label: 24001, NextHop: "10.0.0.1", LocalPref: 150,
		RouteTargets: []string{"target:64512:10003"}, Encapsulations: []string{"gre"}, Family: "inet-vpn",
		State: buoyv1.Route_RECEIVED, Since: timestamppb.New(taken), Origin: "EGP", AsPath: "65001 {65002 65003}", Med: 50, Source: mx1,
	}
	second := &buoyv1.Route{
		Prefix: "2001:db8:ffff::/48", RouteDistinguisher: "10.255.0.1:7", Label: 24001, NextHop: "2001:db8::1", LocalPref: 100, Family: "inet6-vpn",
		State: buoyv1.Route_RECEIVED, StateReason: "stale: the neighbor has yet to announce it again", Stale: true,
		Since: timestamppb.New(taken), Origin: "IGP", Source: mx1,
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
		{"of another", &buoyv1.ListRoutesRequest{Neighbor: fixed, Direction: received}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			equal(t, "routes", call(t, l.routes.ListRoutes, tt.req), &buoyv1.ListRoutesResponse{Routes: tt.want})
		})
	}
	for _, r := range call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{}).Routes {
		if r.Source != "" || r.State == buoyv1.Route_RECEIVED {
			t.Errorf("among our own: got %v", r)
		}
	}
}
