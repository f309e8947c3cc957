package api

import (
	"errors"
	"net/netip"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// The routes of furnish's floating IPs.
func routeOfWeb1() *buoyv1.Route {
	return &buoyv1.Route{
		Prefix: "203.0.113.5/32", RouteDistinguisher: "10.0.0.11:1", Label: 100, NextHop: "10.0.0.11", LocalPref: 100,
		RouteTargets:   []string{"target:64512:10003", "target:64512:8000001"},
		Encapsulations: []string{"gre", "udp"},
		Network:        public, FloatingIp: web1, Family: "inet-vpn", Tables: []string{public + ".inet.0"},
		State: buoyv1.Route_ADVERTISED, Since: timestamppb.New(taken), Origin: "INCOMPLETE",
	}
}

func routeOfWeb6() *buoyv1.Route {
	return &buoyv1.Route{
		Prefix: "2001:db8::5/128", RouteDistinguisher: "10.0.0.12:1", Label: 106, NextHop: "2001:db8:1::12", LocalPref: 200,
		RouteTargets:   []string{"target:64512:10003", "target:64512:8000001"},
		Encapsulations: []string{"gre"},
		Network:        public, FloatingIp: web6, Family: "inet6-vpn", Tables: []string{public + ".inet6.0"},
		State: buoyv1.Route_ADVERTISED, Since: timestamppb.New(taken), Origin: "INCOMPLETE",
	}
}

// best returns a route as what is preferred in a network's table.
func best(r *buoyv1.Route) *buoyv1.Route {
	r = proto.CloneOf(r)
	r.Best = true
	return r
}

func TestListRoutes(t *testing.T) {
	l := newLab(t).furnish(t)
	// mx1 takes IPv4; nobody takes IPv6.
	offer := &neighbor.Open{Families: neighbor.NewFamilies(neighbor.InetVPN)}
	l.speaker.set(func() {
		l.speaker.sessions = []neighbor.Status{
			{Settings: neighbor.Settings{Name: "mx1"}, State: neighbor.Established, OpenSent: offer, OpenReceived: offer},
			{Settings: neighbor.Settings{Name: "fixed"}, State: neighbor.Active, Reason: "connection refused"},
		}
	})
	four, six := routeOfWeb1(), routeOfWeb6()
	four.StateReason = "to 1 of 2 neighbors: fixed is Active (connection refused)"
	six.State = buoyv1.Route_WITHHELD
	six.StateReason = "no neighbor has the route: fixed is Active (connection refused); mx1 did not negotiate inet6-vpn"
	four.Tables, six.Tables = []string{public + ".inet.0"}, []string{public + ".inet6.0"}
	gone := vrf.Route{Key: vrf.Key{RD: vrf.VRF{ID: 9}.Distinguisher(netip.MustParseAddr("10.0.0.99")), Prefix: netip.MustParsePrefix("192.0.2.1/32")},
		Label: 77, NextHop: netip.MustParseAddr("10.0.0.99")}
	for r := range l.speaker.From(vrf.Key{}) {
		l.speaker.out = map[netip.Addr][]vrf.Route{netip.MustParseAddr("10.0.0.1"): {gone, r}}
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
		{"network", &buoyv1.ListRoutesRequest{Network: public}, []*buoyv1.Route{best(four), best(six)}},
		{"network's table", &buoyv1.ListRoutesRequest{Table: public + ".inet6.0"}, []*buoyv1.Route{best(six)}},
		{"table of the network", &buoyv1.ListRoutesRequest{Network: public, Table: "inet.0"}, []*buoyv1.Route{best(four)}},
		{"network in the IPv4 table", &buoyv1.ListRoutesRequest{Network: public, Table: "bgp.l3vpn.0"}, []*buoyv1.Route{four}},
		{"floating IP in the network", &buoyv1.ListRoutesRequest{FloatingIp: web6, Network: public}, []*buoyv1.Route{six}},
		{"floating IP in another network", &buoyv1.ListRoutesRequest{FloatingIp: web6, Network: private}, nil},
		{"address", &buoyv1.ListRoutesRequest{Prefix: "2001:db8::5"}, []*buoyv1.Route{six}},
		{"mapped address", &buoyv1.ListRoutesRequest{Prefix: "::ffff:203.0.113.5"}, []*buoyv1.Route{four}},
		{"prefix", &buoyv1.ListRoutesRequest{Prefix: "203.0.113.5/32"}, []*buoyv1.Route{four}},
		{"prefix around", &buoyv1.ListRoutesRequest{Prefix: "203.0.113.0/24"}, nil},
		{"prefix of another family", &buoyv1.ListRoutesRequest{Prefix: "203.0.113.5/32", Table: "bgp.l3vpn-inet6.0"}, nil},
		{"network without routes", &buoyv1.ListRoutesRequest{Network: private}, nil},
		{"floating IP", &buoyv1.ListRoutesRequest{FloatingIp: web6}, []*buoyv1.Route{six}},
		{"IPv4 table", &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn.0"}, []*buoyv1.Route{four}},
		{"IPv6 table", &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn-inet6.0"}, []*buoyv1.Route{six}},
		{"neighbor", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: advertised}, []*buoyv1.Route{unknown, given}},
		{"neighbor and network", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: advertised, Network: public}, []*buoyv1.Route{given}},
		{"neighbor and network's table", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: advertised, Table: public + ".inet.0"}, []*buoyv1.Route{given}},
		{"neighbor and prefix", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: advertised, Prefix: "192.0.2.1"}, []*buoyv1.Route{unknown}},
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
	l.speaker.set(func() { l.speaker.refused[keyOfWeb1] = errors.New("table is full") })
	l.speaker.set(func() { l.speaker.stale[keyOfWeb6] = errors.New("not now") })
	refused, changing := routeOfWeb1(), routeOfWeb6()
	refused.State, refused.StateReason, refused.Since = buoyv1.Route_WITHHELD, "it is tried again: table is full", nil
	changing.State, changing.StateReason = buoyv1.Route_WITHHELD, "a change is tried again: not now"
	equal(t, "all", call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{}),
		&buoyv1.ListRoutesResponse{Routes: []*buoyv1.Route{refused, changing}})
	equal(t, "IPv4", call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Table: "bgp.l3vpn.0"}),
		&buoyv1.ListRoutesResponse{Routes: []*buoyv1.Route{refused}})
}

func badTable(name string) string {
	return `expected bgp.l3vpn.0, bgp.l3vpn-inet6.0, or the table of a network, projects/PROJECT/networks/NAME.inet.0 or .inet6.0; got "` + name + `"`
}

var badToken = refusal{codes.InvalidArgument, "INVALID_FIELD", "page_token", "", "expected the next_page_token of the page before"}

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
			refusal{codes.InvalidArgument, "INVALID_FIELD", "table", "", badTable("inet.0")}},
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
			refusal{codes.InvalidArgument, "INVALID_FIELD", "table", "", badTable("inet.0")}},
		{"no such network's table", &buoyv1.ListRoutesRequest{Table: "projects/default/networks/nope.inet.0"},
			refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "table", "projects/default/networks/nope", "projects/default/networks/nope does not exist"}},
		{"table of a pool", &buoyv1.ListRoutesRequest{Table: public + "/pools/a.inet.0"},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "table", "", badTable(public + "/pools/a.inet.0")}},
		{"table without a network", &buoyv1.ListRoutesRequest{Table: ".inet.0", Network: public},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "table", "", badTable(".inet.0")}},
		{"table of another family", &buoyv1.ListRoutesRequest{Table: public + ".inet.1"},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "table", "", badTable(public + ".inet.1")}},
		{"another network's table", &buoyv1.ListRoutesRequest{Table: private + ".inet.0", Network: public},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "table", "", `expected one of ` + public + `, or no network, got "` + private + `.inet.0"`}},
		{"no prefix", &buoyv1.ListRoutesRequest{Prefix: "web-1"},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "prefix", "", `expected an address, or a prefix like 203.0.113.0/24, got "web-1"`}},
		{"address with a zone", &buoyv1.ListRoutesRequest{Prefix: "fe80::1%eth0"},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "prefix", "", `expected an address, or a prefix like 203.0.113.0/24, got "fe80::1%eth0"`}},
		{"prefix with host bits", &buoyv1.ListRoutesRequest{Prefix: "203.0.113.5/24"},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "prefix", "", `expected 203.0.113.0/24, without host bits, or an address, got "203.0.113.5/24"`}},
		{"negative page", &buoyv1.ListRoutesRequest{PageSize: -1},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "page_size", "", "expected 0..1000, got -1"}},
		{"no token", &buoyv1.ListRoutesRequest{PageToken: "!"}, badToken},
		{"token of networks", &buoyv1.ListRoutesRequest{PageToken: writeToken(public)}, badToken},
		{"token of another order", &buoyv1.ListRoutesRequest{PageToken: writeToken("203.0.113.5/32 1")}, badToken},
		{"token of the VPN tables", &buoyv1.ListRoutesRequest{Network: public, PageToken: writeToken("203.0.113.5/32 10.0.0.11:1 ")}, badToken},
		{"token with a negative number", &buoyv1.ListRoutesRequest{Network: public, PageToken: writeToken("203.0.113.5/32 -1")}, badToken},
		{"received, of a floating IP", &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: received, FloatingIp: web1},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "floating_ip", "", "expected none with direction RECEIVED: what a neighbor announces is of no floating IP"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := l.routes.ListRoutes(t.Context(), tt.req)
			tt.want.check(t, err)
		})
	}
}
