package api

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func TestNetworkLife(t *testing.T) {
	l := newLab(t)
	want := &buoyv1.Network{
		Name:            public,
		Id:              1,
		Subnets:         []string{"203.0.113.0/24", "2001:db8::/64"},
		RouteTargets:    []string{"target:64512:10003"},
		ImportTargets:   []string{"target:64512:1", "target:64512:2"},
		ExportTargets:   []string{"target:10.0.0.1:7"},
		AutomaticTarget: "target:64512:8000001",
		Encapsulations:  []string{"gre", "udp"},
		External:        true,
		ReservedHosts:   buoyv1.Network_LAST_TWO,
		Gateways:        []string{"203.0.113.1"},
		DnsServers:      []string{"203.0.113.2", "203.0.113.3"},
		ReservedAddresses: []string{"203.0.113.1 (gateway)", "203.0.113.2 (DNS)", "203.0.113.3 (DNS)",
			"2001:db8::ffff:ffff:ffff:ffff (gateway)", "2001:db8::ffff:ffff:ffff:fffe (DNS)"},
	}
	got := call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{
		Name:    public,
		Subnets: want.Subnets,
		// Sets: the order and doubles do not matter, "target:" may be left out.
		RouteTargets:   []string{"64512:10003", "target:64512:10003"},
		ImportTargets:  []string{"target:64512:2", "target:64512:1"},
		ExportTargets:  want.ExportTargets,
		Encapsulations: []string{"udp", "gre"},
		External:       true,
		Gateways:       want.Gateways,
		DnsServers:     want.DnsServers,
		// Output only: ignored.
		Id:                4711,
		AutomaticTarget:   "target:1:1",
		ReservedAddresses: []string{"10.0.0.1 (me)"},
		SharedTargets:     []*buoyv1.SharedTarget{{Target: "target:1:1", Networks: []string{"all"}}},
	}})
	equal(t, "created", got, want)
	equal(t, "got", call(t, l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: public}), want)

	second := call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: "projects/other/networks/vn-public"}})
	equal(t, "bare network", second, &buoyv1.Network{Name: "projects/other/networks/vn-public", Id: 2, AutomaticTarget: "target:64512:8000002",
		ReservedHosts: buoyv1.Network_LAST_TWO})
	for parent, list := range map[string][]*buoyv1.Network{
		"":                 {want, second},
		"projects/default": {want},
		"projects/other":   {second},
		"projects/def":     nil,
	} {
		resp := call(t, l.networks.ListNetworks, &buoyv1.ListNetworksRequest{Parent: parent})
		equal(t, "list of "+parent, resp, &buoyv1.ListNetworksResponse{Networks: list})
	}

	equal(t, "deleted", call(t, l.networks.DeleteNetwork, &buoyv1.DeleteNetworkRequest{Name: public}), &emptypb.Empty{})
	equal(t, "list afterwards", call(t, l.networks.ListNetworks, &buoyv1.ListNetworksRequest{}),
		&buoyv1.ListNetworksResponse{Networks: []*buoyv1.Network{second}})
}

// Each field alone changes, and leaves the others, whatever the message says.
func TestUpdateNetwork(t *testing.T) {
	before := &buoyv1.Network{
		Name: public, Id: 1, AutomaticTarget: "target:64512:8000001",
		Subnets:           []string{"203.0.113.0/24", "198.51.100.0/24"},
		RouteTargets:      []string{"target:64512:1"},
		ImportTargets:     []string{"target:64512:2"},
		ExportTargets:     []string{"target:64512:3"},
		Encapsulations:    []string{"gre"},
		ReservedHosts:     buoyv1.Network_NONE,
		Gateways:          []string{"198.51.100.1"},
		DnsServers:        []string{"198.51.100.2"},
		ReservedAddresses: []string{"198.51.100.1 (gateway)", "198.51.100.2 (DNS)"},
	}
	all := &buoyv1.Network{
		Name: public, Id: 99, AutomaticTarget: "target:1:1",
		Subnets:        []string{"198.51.100.0/24"},
		RouteTargets:   []string{"target:64512:11"},
		ImportTargets:  []string{"target:64512:12"},
		ExportTargets:  []string{"target:64512:13"},
		Encapsulations: []string{"udp"},
		External:       true,
		ReservedHosts:  buoyv1.Network_FIRST_TWO,
		Gateways:       []string{"203.0.113.7"},
		DnsServers:     []string{"203.0.113.8", "203.0.113.9"},
	}
	empty := &buoyv1.Network{Name: public}
	for _, tt := range []struct {
		field string
		from  *buoyv1.Network
		want  func(n *buoyv1.Network)
	}{
		{"subnets", all, func(n *buoyv1.Network) { n.Subnets = all.Subnets }},
		{"route_targets", all, func(n *buoyv1.Network) { n.RouteTargets = all.RouteTargets }},
		{"import_targets", all, func(n *buoyv1.Network) { n.ImportTargets = all.ImportTargets }},
		{"export_targets", all, func(n *buoyv1.Network) { n.ExportTargets = all.ExportTargets }},
		{"encapsulations", all, func(n *buoyv1.Network) { n.Encapsulations = all.Encapsulations }},
		{"external", all, func(n *buoyv1.Network) { n.External = true }},
		{"reserved_hosts", all, func(n *buoyv1.Network) {
			n.ReservedHosts = buoyv1.Network_FIRST_TWO
			n.ReservedAddresses = append([]string{"203.0.113.1 (gateway)", "203.0.113.2 (DNS)"}, n.ReservedAddresses...)
		}},
		{"gateways", all, func(n *buoyv1.Network) {
			n.Gateways = all.Gateways
			n.ReservedAddresses = []string{"203.0.113.7 (gateway)", "198.51.100.2 (DNS)"}
		}},
		{"dns_servers", all, func(n *buoyv1.Network) {
			n.DnsServers = all.DnsServers
			n.ReservedAddresses = []string{"203.0.113.8 (DNS)", "203.0.113.9 (DNS)", "198.51.100.1 (gateway)"}
		}},
		{"route_targets", empty, func(n *buoyv1.Network) { n.RouteTargets = nil }},
		{"import_targets", empty, func(n *buoyv1.Network) { n.ImportTargets = nil }},
		{"export_targets", empty, func(n *buoyv1.Network) { n.ExportTargets = nil }},
		{"encapsulations", empty, func(n *buoyv1.Network) { n.Encapsulations = nil }},
		{"gateways", empty, func(n *buoyv1.Network) {
			n.Gateways, n.ReservedAddresses = nil, []string{"198.51.100.2 (DNS)"}
		}},
		{"dns_servers", empty, func(n *buoyv1.Network) {
			n.DnsServers, n.ReservedAddresses = nil, []string{"198.51.100.1 (gateway)"}
		}},
	} {
		t.Run(tt.field, func(t *testing.T) {
			l := newLab(t)
			call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: before})
			want := proto.CloneOf(before)
			tt.want(want)
			got := call(t, l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: tt.from, UpdateMask: maskOf(tt.field)})
			equal(t, "updated", got, want)
			equal(t, "got", call(t, l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: public}), want)
		})
	}
}

// A network that is no longer external has lost its pool.
func TestExternalNetwork(t *testing.T) {
	l := newLab(t)
	automatic := public + "/pools/public"
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: public, Subnets: []string{"203.0.113.0/28"}, External: true}})
	equal(t, "pool", call(t, l.pools.GetPool, &buoyv1.GetPoolRequest{Name: automatic}), &buoyv1.Pool{Name: automatic, Automatic: true, Total: 12})
	call(t, l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: public}, UpdateMask: maskOf("external")})
	equal(t, "pools", call(t, l.pools.ListPools, &buoyv1.ListPoolsRequest{}), &buoyv1.ListPoolsResponse{})
}

// Routes leak between networks that have a target in common, in whichever
// direction. The automatic targets are nobody else's.
func TestSharedTargets(t *testing.T) {
	l := newLab(t)
	for _, n := range []*buoyv1.Network{
		{Name: "projects/a/networks/one", RouteTargets: []string{"target:1:1"}, ImportTargets: []string{"target:1:2"}, ExportTargets: []string{"target:1:3"}},
		{Name: "projects/a/networks/two", ExportTargets: []string{"target:1:2"}, ImportTargets: []string{"target:1:1"}},
		{Name: "projects/b/networks/three", RouteTargets: []string{"target:1:2", "target:1:9"}},
		{Name: "projects/b/networks/lonely", RouteTargets: []string{"target:1:4"}},
	} {
		call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: n})
	}
	for name, want := range map[string][]*buoyv1.SharedTarget{
		"projects/a/networks/one": {
			{Target: "target:1:1", Networks: []string{"projects/a/networks/two"}},
			{Target: "target:1:2", Networks: []string{"projects/a/networks/two", "projects/b/networks/three"}},
		},
		"projects/a/networks/two": {
			{Target: "target:1:1", Networks: []string{"projects/a/networks/one"}},
			{Target: "target:1:2", Networks: []string{"projects/a/networks/one", "projects/b/networks/three"}},
		},
		"projects/b/networks/three": {
			{Target: "target:1:2", Networks: []string{"projects/a/networks/one", "projects/a/networks/two"}},
		},
		"projects/b/networks/lonely": nil,
	} {
		got := call(t, l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: name})
		equal(t, name, &buoyv1.Network{SharedTargets: got.SharedTargets}, &buoyv1.Network{SharedTargets: want})
	}
	got := callAs(t, "a", l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: "projects/a/networks/one"})
	equal(t, "as a project sees it", &buoyv1.Network{SharedTargets: got.SharedTargets}, &buoyv1.Network{SharedTargets: []*buoyv1.SharedTarget{
		{Target: "target:1:1", Networks: []string{"projects/a/networks/two"}},
		{Target: "target:1:2", Networks: []string{"projects/a/networks/two"}},
	}})
	alone := callAs(t, "b", l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: "projects/b/networks/three"})
	equal(t, "shared with others only", &buoyv1.Network{SharedTargets: alone.SharedTargets}, &buoyv1.Network{})
	for _, n := range call(t, l.networks.ListNetworks, &buoyv1.ListNetworksRequest{}).Networks {
		if n.SharedTargets != nil {
			t.Errorf("in a list: got %v, want none", n.SharedTargets)
		}
	}
}
