package api

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// memory is an Inventory without a disk, for one goroutine.
type memory struct{ state *inventory.State }

func (m *memory) State() *inventory.State { return m.state }

func (m *memory) Execute(_ context.Context, c inventory.Command) (*inventory.State, error) {
	mutations, err := inventory.Plan(m.state, taken, c)
	if err != nil {
		return nil, err
	}
	next := m.state.Snapshot()
	revision := next.Revision() + 1
	var changes []inventory.Change
	for _, mu := range mutations {
		switch mu.Op {
		case inventory.Put:
			changes = append(changes, inventory.Change{Key: mu.Key, Value: mu.Value, Version: inventory.Version(revision)})
		case inventory.Delete:
			changes = append(changes, inventory.Change{Key: mu.Key, Version: inventory.Version(revision)})
		}
	}
	if _, err := next.Apply(revision, changes); err != nil {
		return nil, err // what was accepted cannot be read again
	}
	m.state = next
	return next, nil
}

func (m *memory) ShownSince(revision uint64) ([]inventory.Shown, *inventory.State, <-chan struct{}, bool) {
	return nil, m.state, nil, revision == m.state.Revision()
}

func (m *memory) FirstRevision() uint64 { return 0 }

// services are all of the API over one view.
type services struct {
	networks     *networkService
	pools        *poolService
	computeNodes *computeNodeService
	neighbors    *neighborService
	floatingIPs  *floatingIPService
	routes       *routeService
	globals      *globalService

	configurations *configurationService
}

func servicesOver(m *memory) services {
	speaker := &fakeSpeaker{state: m.State}
	v := view{Config{Inventory: m, Routes: func() RouteTable { return speaker }, Imports: speaker.imports, Sessions: speaker,
		Families: neighbor.AllFamilies, Logger: slog.New(slog.DiscardHandler)}}
	return services{&networkService{view: v}, &poolService{view: v}, &computeNodeService{view: v}, &neighborService{view: v},
		&floatingIPService{view: v}, &routeService{view: v}, &globalService{view: v}, &configurationService{view: v}}
}

// request is one of the API: a message, and what answers it.
type request struct {
	message proto.Message
	serve   func(context.Context, services, proto.Message) (proto.Message, error)
}

// rpc makes a request of a method.
func rpc[Req, Resp proto.Message](message Req, method func(services) func(context.Context, Req) (Resp, error)) request {
	return request{message, func(ctx context.Context, s services, m proto.Message) (proto.Message, error) {
		return method(s)(ctx, m.(Req))
	}}
}

// seeds has each request once, such that it succeeds or nearly so.
func seeds() []request {
	const other = "projects/default/networks/other"
	return []request{
		rpc(&buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: other, Subnets: []string{"192.0.2.0/24"}, RouteTargets: []string{"target:1:2", "10.0.0.1:3"}, Encapsulations: []string{"gre"},
			External: true, ReservedHosts: buoyv1.Network_FIRST_TWO, Gateways: []string{"192.0.2.9"}, DnsServers: []string{"192.0.2.10"}}},
			func(s services) func(context.Context, *buoyv1.CreateNetworkRequest) (*buoyv1.Network, error) {
				return s.networks.CreateNetwork
			}),
		rpc(&buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: public, ImportTargets: []string{"target:70000:1"}}, UpdateMask: maskOf("import_targets", "encapsulations")},
			func(s services) func(context.Context, *buoyv1.UpdateNetworkRequest) (*buoyv1.Network, error) {
				return s.networks.UpdateNetwork
			}),
		rpc(&buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: public, External: true, ReservedHosts: buoyv1.Network_NONE, Gateways: []string{"203.0.113.1"}}, UpdateMask: maskOf("external", "reserved_hosts", "gateways", "dns_servers")},
			func(s services) func(context.Context, *buoyv1.UpdateNetworkRequest) (*buoyv1.Network, error) {
				return s.networks.UpdateNetwork
			}),
		rpc(&buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: poolB, Ranges: []string{"203.0.113.20-203.0.113.29", "2001:db8::/80", "203.0.113.40"}, SharedWith: []string{"dev", "*"}}},
			func(s services) func(context.Context, *buoyv1.CreatePoolRequest) (*buoyv1.Pool, error) {
				return s.pools.CreatePool
			}),
		rpc(&buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.100/30"}}, UpdateMask: maskOf("ranges", "shared_with")},
			func(s services) func(context.Context, *buoyv1.UpdatePoolRequest) (*buoyv1.Pool, error) {
				return s.pools.UpdatePool
			}),
		rpc(&buoyv1.BindPoolRequest{Name: blue, Pool: poolA},
			func(s services) func(context.Context, *buoyv1.BindPoolRequest) (*buoyv1.PoolBinding, error) {
				return s.pools.BindPool
			}),
		rpc(&buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: cmp2, Address: "2001:db8::12", RouterId: "10.0.0.12", Encapsulations: []string{"udp"}, LabelRange: "16-1048575", LabelHoldDown: 1}},
			func(s services) func(context.Context, *buoyv1.CreateComputeNodeRequest) (*buoyv1.ComputeNode, error) {
				return s.computeNodes.CreateComputeNode
			}),
		rpc(&buoyv1.UpdateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.13", LabelRange: "500"}, UpdateMask: maskOf("address", "label_range", "label_hold_down")},
			func(s services) func(context.Context, *buoyv1.UpdateComputeNodeRequest) (*buoyv1.ComputeNode, error) {
				return s.computeNodes.UpdateComputeNode
			}),
		rpc(&buoyv1.UpdateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: cmp1, Liveness: buoyv1.ComputeNode_SESSION, HoldTime: 3, StaleTime: proto.Uint32(0), Drained: proto.Bool(true)},
			UpdateMask: maskOf("liveness", "hold_time", "stale_time", "drained")},
			func(s services) func(context.Context, *buoyv1.UpdateComputeNodeRequest) (*buoyv1.ComputeNode, error) {
				return s.computeNodes.UpdateComputeNode
			}),
		rpc(&buoyv1.DrainComputeNodeRequest{Name: cmp1, Wait: 60},
			func(s services) func(context.Context, *buoyv1.DrainComputeNodeRequest) (*buoyv1.ComputeNode, error) {
				return s.computeNodes.DrainComputeNode
			}),
		rpc(&buoyv1.UndrainComputeNodeRequest{Name: cmp1},
			func(s services) func(context.Context, *buoyv1.UndrainComputeNodeRequest) (*buoyv1.ComputeNode, error) {
				return s.computeNodes.UndrainComputeNode
			}),
		rpc(&buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: "neighbors/mx2", Address: "fe80::1%eth0", Port: 179, As: 4200000000, Families: []string{"inet-vpn"}}},
			func(s services) func(context.Context, *buoyv1.CreateNeighborRequest) (*buoyv1.Neighbor, error) {
				return s.neighbors.CreateNeighbor
			}),
		rpc(&buoyv1.UpdateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: mx1, As: 5, Encapsulations: []string{"gre"}, MaxAdvertised: 100, MaxReceived: 100, AcceptPrefixes: []string{"10.0.0.0/8 ge 16 le 24", "none"}, AcceptTargets: []string{"64512:1"}, MaxReceivedAction: buoyv1.Neighbor_STOP, GracefulRestart: []string{"inet-vpn"}, RestartTime: 60, LongLivedTime: 3600, LongLived: []string{"inet-vpn"}},
			UpdateMask: maskOf("graceful_restart", "restart_time", "long_lived_time", "long_lived", "as", "families", "port", "passive", "encapsulations", "max_advertised", "max_received", "accept_prefixes", "accept_targets", "max_received_action")},
			func(s services) func(context.Context, *buoyv1.UpdateNeighborRequest) (*buoyv1.Neighbor, error) {
				return s.neighbors.UpdateNeighbor
			}),
		rpc(&buoyv1.AllocateRequest{Name: idle, Network: public, Address: "203.0.113.9"},
			func(s services) func(context.Context, *buoyv1.AllocateRequest) (*buoyv1.FloatingIP, error) {
				return s.floatingIPs.Allocate
			}),
		rpc(&buoyv1.AllocateRequest{Name: idle, Pool: poolA, Namespace: "blue", Family: buoyv1.AllocateRequest_IPV4, Direction: buoyv1.FloatingIP_EGRESS,
			PortMappings: []*buoyv1.PortMapping{{Protocol: "sctp", Port: 1, FixedPort: 65535}}},
			func(s services) func(context.Context, *buoyv1.AllocateRequest) (*buoyv1.FloatingIP, error) {
				return s.floatingIPs.Allocate
			}),
		rpc(&buoyv1.MoveRequest{Name: web6, From: cmp1, Association: &buoyv1.Association{ComputeNode: cmp1, Interface: "tap7", FixedIp: "fd00::7"}},
			func(s services) func(context.Context, *buoyv1.MoveRequest) (*buoyv1.FloatingIP, error) {
				return s.floatingIPs.Move
			}),
		rpc(&buoyv1.UpdateFloatingIPRequest{FloatingIp: &buoyv1.FloatingIP{Name: web1, Direction: buoyv1.FloatingIP_INGRESS,
			PortMappings: []*buoyv1.PortMapping{{Protocol: "tcp", Port: 80, FixedPort: 8080}}}, UpdateMask: maskOf("direction", "port_mappings")},
			func(s services) func(context.Context, *buoyv1.UpdateFloatingIPRequest) (*buoyv1.FloatingIP, error) {
				return s.floatingIPs.UpdateFloatingIP
			}),
		rpc(&buoyv1.UpdateGlobalRequest{Global: &buoyv1.Global{As: 4200000000}, UpdateMask: maskOf("as"), ValidateOnly: true},
			func(s services) func(context.Context, *buoyv1.UpdateGlobalRequest) (*buoyv1.UpdateGlobalResponse, error) {
				return s.globals.UpdateGlobal
			}),
		rpc(&buoyv1.AssociateRequest{Name: web1, Association: &buoyv1.Association{ComputeNode: cmp1, Interface: "tap0", FixedIp: "10.0.0.1", Label: 100}},
			func(s services) func(context.Context, *buoyv1.AssociateRequest) (*buoyv1.FloatingIP, error) {
				return s.floatingIPs.Associate
			}),
		rpc(&buoyv1.DisassociateRequest{Name: web6, Interface: "tap6"},
			func(s services) func(context.Context, *buoyv1.DisassociateRequest) (*buoyv1.FloatingIP, error) {
				return s.floatingIPs.Disassociate
			}),
		rpc(&buoyv1.ListRoutesRequest{Network: public, Table: "bgp.l3vpn.0", Neighbor: mx1, Direction: buoyv1.ListRoutesRequest_ADVERTISED},
			func(s services) func(context.Context, *buoyv1.ListRoutesRequest) (*buoyv1.ListRoutesResponse, error) {
				return s.routes.ListRoutes
			}),
		rpc(&buoyv1.ListRoutesRequest{Table: public + ".inet6.0", Prefix: "2001:db8::6", PageSize: 1, PageToken: writeToken("2001:db8::6/128 0")},
			func(s services) func(context.Context, *buoyv1.ListRoutesRequest) (*buoyv1.ListRoutesResponse, error) {
				return s.routes.ListRoutes
			}),
		rpc(&buoyv1.ListRoutesRequest{Prefix: "2001:db8::6/128", PageSize: 1, PageToken: writeToken("10.0.0.0/8 10.0.0.11:1 neighbors/mx1")},
			func(s services) func(context.Context, *buoyv1.ListRoutesRequest) (*buoyv1.ListRoutesResponse, error) {
				return s.routes.ListRoutes
			}),
		rpc(&buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: buoyv1.ListRoutesRequest_RECEIVED},
			func(s services) func(context.Context, *buoyv1.ListRoutesRequest) (*buoyv1.ListRoutesResponse, error) {
				return s.routes.ListRoutes
			}),
		rpc(&buoyv1.ListNetworksRequest{Parent: "projects/default"},
			func(s services) func(context.Context, *buoyv1.ListNetworksRequest) (*buoyv1.ListNetworksResponse, error) {
				return s.networks.ListNetworks
			}),
		rpc(&buoyv1.ListPoolsRequest{Parent: public, PageSize: 1},
			func(s services) func(context.Context, *buoyv1.ListPoolsRequest) (*buoyv1.ListPoolsResponse, error) {
				return s.pools.ListPools
			}),
		rpc(&buoyv1.ListFloatingIPsRequest{Parent: "projects/default", PageSize: 1, Network: public, Pool: poolA,
			PageToken: base64.RawURLEncoding.EncodeToString([]byte(web1))},
			func(s services) func(context.Context, *buoyv1.ListFloatingIPsRequest) (*buoyv1.ListFloatingIPsResponse, error) {
				return s.floatingIPs.ListFloatingIPs
			}),
		rpc(&buoyv1.ApplyRequest{Documents: documents(
			&buoyv1.FloatingIP{Name: idle, Namespace: "blue", Associations: []*buoyv1.Association{{ComputeNode: cmp2, Interface: "tap0", FixedIp: "10.47.0.1"}}},
			&buoyv1.FloatingIP{Name: web6, Network: public, Address: "2001:db8::6", Scope: buoyv1.FloatingIP_NETWORK, Direction: buoyv1.FloatingIP_EGRESS,
				PortMappings: []*buoyv1.PortMapping{{Protocol: "udp", Port: 53, FixedPort: 53}},
				Associations: []*buoyv1.Association{{ComputeNode: cmp1, Interface: "tap6", FixedIp: "fd00::7", Label: 107, Preferred: true}, {ComputeNode: cmp2, Interface: "tap6", FixedIp: "fd00::7"}}},
			&buoyv1.PoolBinding{Name: blue, Pool: poolA},
			&buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.10-203.0.113.19"}, SharedWith: []string{"dev"}},
			&buoyv1.Network{Name: other, Id: 9, Subnets: []string{"192.0.2.0/24"}, External: true, ReservedHosts: buoyv1.Network_NONE},
			&buoyv1.Network{Name: public, Subnets: []string{"203.0.113.0/24", "2001:db8::/64"}, Encapsulations: []string{"udp"}},
			&buoyv1.ComputeNode{Name: cmp2, Address: "10.0.0.12"},
			&buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", As: 64513},
			&buoyv1.Global{As: 64513})},
			func(s services) func(context.Context, *buoyv1.ApplyRequest) (*buoyv1.ApplyResponse, error) {
				return s.configurations.Apply
			}),
	}
}

// smallState has one resource of each kind, one of two floating IPs associated.
func smallState(f *testing.F) *inventory.State {
	m := &memory{inventory.NewState(inventory.Static{})}
	if _, err := m.Execute(f.Context(), inventory.SeedGlobal{AS: 64512}); err != nil {
		f.Fatal(err)
	}
	s := servicesOver(m)
	_, a := s.networks.CreateNetwork(f.Context(), &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: public, Subnets: []string{"203.0.113.0/24", "2001:db8::/64"}}})
	_, b := s.computeNodes.CreateComputeNode(f.Context(), &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11"}})
	_, c := s.neighbors.CreateNeighbor(f.Context(), &buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", As: 1}})
	_, d := s.floatingIPs.Allocate(f.Context(), &buoyv1.AllocateRequest{Name: web1, Network: public, Address: "203.0.113.5"})
	_, e := s.floatingIPs.Allocate(f.Context(), &buoyv1.AllocateRequest{Name: web6, Network: public, Address: "2001:db8::6"})
	_, g := s.floatingIPs.Associate(f.Context(), &buoyv1.AssociateRequest{Name: web6, Association: &buoyv1.Association{ComputeNode: cmp1, Interface: "tap6", FixedIp: "fd00::6", Label: 106}})
	_, h := s.pools.CreatePool(f.Context(), &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.100-203.0.113.109"}}})
	if err := errors.Join(a, b, c, d, e, g, h); err != nil {
		f.Fatal(err)
	}
	return m.state
}

// Whatever a request says, it is answered, or refused with a code and a
// reason. What was accepted can be listed, and the routes be derived.
func FuzzRequests(f *testing.F) {
	base := smallState(f)
	kinds := seeds()
	for i, k := range kinds {
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(k.message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), data)
		f.Add(uint8(i), []byte{})
	}
	f.Add(uint8(0), []byte("\x0a\x02\x0a\xff")) // not UTF-8
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		k := kinds[int(kind)%len(kinds)]
		message := k.message.ProtoReflect().New().Interface()
		if proto.Unmarshal(data, message) != nil {
			return
		}
		m := &memory{base}
		s := servicesOver(m)
		resp, err := k.serve(t.Context(), s, message)
		if err != nil {
			checkRefused(t, err)
			return
		}
		checkListed(t, s, resp)
		if req, ok := message.(*buoyv1.ApplyRequest); ok && !req.ValidateOnly {
			again, err := s.configurations.Apply(t.Context(), req)
			if err != nil || int(again.Unchanged) != len(req.Documents) {
				t.Errorf("applied again: got %v, %v", again, err)
			}
		}
	})
}

func checkRefused(t *testing.T, err error) {
	s := status.Convert(statusOf(err))
	if s.Code() == codes.Internal || s.Code() == codes.Unknown || s.Message() == "" {
		t.Errorf("got %v, want a refusal", s)
	}
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.Reason != "" {
			return
		}
	}
	t.Errorf("%v: got details %v, want an ErrorInfo among them", s, s.Details())
}

// checkListed looks for what a request answered in the list of its kind.
func checkListed(t *testing.T, s services, resp proto.Message) {
	ctx := t.Context()
	pools, err6 := s.pools.ListPools(ctx, &buoyv1.ListPoolsRequest{})
	bindings, err7 := s.pools.ListPoolBindings(ctx, &buoyv1.ListPoolBindingsRequest{})
	networks, err1 := s.networks.ListNetworks(ctx, &buoyv1.ListNetworksRequest{})
	nodes, err2 := s.computeNodes.ListComputeNodes(ctx, &buoyv1.ListComputeNodesRequest{})
	neighbors, err3 := s.neighbors.ListNeighbors(ctx, &buoyv1.ListNeighborsRequest{})
	fips, err4 := s.floatingIPs.ListFloatingIPs(ctx, &buoyv1.ListFloatingIPsRequest{})
	_, err5 := s.routes.ListRoutes(ctx, &buoyv1.ListRoutesRequest{})
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatalf("list: got %v, want nil", err)
	}
	found := false
	switch r := resp.(type) {
	case *buoyv1.Network:
		r.SharedTargets = nil // not in a list
		found = listed(networks.Networks, r)
	case *buoyv1.Pool:
		found = listed(pools.Pools, r)
	case *buoyv1.PoolBinding:
		found = listed(bindings.PoolBindings, r)
	case *buoyv1.ComputeNode:
		found = listed(nodes.ComputeNodes, r)
	case *buoyv1.Neighbor:
		found = listed(neighbors.Neighbors, r)
	case *buoyv1.FloatingIP:
		found = listed(fips.FloatingIps, r)
		for _, a := range r.Associations {
			if _, err := vrf.NewLabel(a.Label); err != nil {
				t.Errorf("accepted: %v", err)
			}
		}
	default:
		return // a list, or what holds for all
	}
	if !found {
		t.Errorf("accepted, but not listed: %v", resp)
	}
}

func listed[M proto.Message](list []M, want M) bool {
	return slices.ContainsFunc(list, func(m M) bool { return proto.Equal(m, want) })
}
