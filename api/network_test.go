package api

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

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
	}
	got := call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{
		Name:    public,
		Subnets: want.Subnets,
		// Sets: the order and doubles do not matter, "target:" may be left out.
		RouteTargets:   []string{"64512:10003", "target:64512:10003"},
		ImportTargets:  []string{"target:64512:2", "target:64512:1"},
		ExportTargets:  want.ExportTargets,
		Encapsulations: []string{"udp", "gre"},
		// Output only: ignored.
		Id:              4711,
		AutomaticTarget: "target:1:1",
	}})
	equal(t, "created", got, want)
	equal(t, "got", call(t, l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: public}), want)

	second := call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: "projects/other/networks/vn-public"}})
	equal(t, "bare network", second, &buoyv1.Network{Name: "projects/other/networks/vn-public", Id: 2, AutomaticTarget: "target:64512:8000002"})
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
		Subnets:        []string{"203.0.113.0/24"},
		RouteTargets:   []string{"target:64512:1"},
		ImportTargets:  []string{"target:64512:2"},
		ExportTargets:  []string{"target:64512:3"},
		Encapsulations: []string{"gre"},
	}
	all := &buoyv1.Network{
		Name: public, Id: 99, AutomaticTarget: "target:1:1",
		Subnets:        []string{"198.51.100.0/24"},
		RouteTargets:   []string{"target:64512:11"},
		ImportTargets:  []string{"target:64512:12"},
		ExportTargets:  []string{"target:64512:13"},
		Encapsulations: []string{"udp"},
	}
	changes := map[string]func(n, from *buoyv1.Network){
		"subnets":        func(n, from *buoyv1.Network) { n.Subnets = from.Subnets },
		"route_targets":  func(n, from *buoyv1.Network) { n.RouteTargets = from.RouteTargets },
		"import_targets": func(n, from *buoyv1.Network) { n.ImportTargets = from.ImportTargets },
		"export_targets": func(n, from *buoyv1.Network) { n.ExportTargets = from.ExportTargets },
		"encapsulations": func(n, from *buoyv1.Network) { n.Encapsulations = from.Encapsulations },
	}
	for _, field := range sorted(changes) {
		for _, to := range []struct {
			name string
			msg  *buoyv1.Network
		}{{"replaced", all}, {"cleared", &buoyv1.Network{Name: public}}} {
			t.Run(field+" "+to.name, func(t *testing.T) {
				l := newLab(t)
				call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: before})
				want := proto.CloneOf(before)
				changes[field](want, to.msg)
				got := call(t, l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{
					Network: to.msg, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{field}}})
				equal(t, "updated", got, want)
				equal(t, "got", call(t, l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: public}), want)
			})
		}
	}
}
