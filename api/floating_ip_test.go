package api

import (
	"cmp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func TestFloatingIPLife(t *testing.T) {
	l := newLab(t).furnish(t)
	// Of another project, so that its parent has nothing else.
	const other, name = "projects/other/networks/vn", "projects/other/floatingIps/new"
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: other, Subnets: []string{"203.0.113.0/24"}}})
	want := &buoyv1.FloatingIP{Name: name, Network: other, Address: "203.0.113.77",
		Scope: buoyv1.FloatingIP_NETWORK, Direction: buoyv1.FloatingIP_BOTH,
		State: buoyv1.FloatingIP_ALLOCATED, StateReason: "not associated with a compute node"}
	equal(t, "allocated", call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: name, Network: other, Address: "203.0.113.77"}), want)

	at1 := &buoyv1.Association{ComputeNode: cmp1, Interface: "tap1", FixedIp: "10.47.255.1", Label: 16}
	at2 := &buoyv1.Association{ComputeNode: cmp2, Interface: "tap2", FixedIp: "10.47.255.2", Label: 1048575, Preferred: true}
	want.State = buoyv1.FloatingIP_PENDING
	want.StateReason = "no neighbor has the route: fixed is being set up; mx1 is being set up"
	for _, a := range []*buoyv1.Association{at1, at2} {
		want.Associations = append(want.Associations, a)
		equal(t, "associated", call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: name, Association: a}), want)
	}
	equal(t, "got", call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: name}), want)
	equal(t, "listed", call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Parent: "projects/other"}),
		&buoyv1.ListFloatingIPsResponse{FloatingIps: []*buoyv1.FloatingIP{want}})
	if got := len(call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{}).FloatingIps); got != 4 {
		t.Errorf("floating IPs of all projects: got %d, want 4", got)
	}

	want.Associations = []*buoyv1.Association{at2}
	equal(t, "disassociated from one", call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: name, Interface: "tap1"}), want)
	want.Associations, want.State, want.StateReason = nil, buoyv1.FloatingIP_ALLOCATED, "not associated with a compute node"
	equal(t, "disassociated", call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: name, ComputeNode: cmp2}), want)
	equal(t, "released", call(t, l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: name}), &emptypb.Empty{})
	equal(t, "list afterwards", call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Parent: "projects/other"}), &buoyv1.ListFloatingIPsResponse{})
}

func TestDisassociateAll(t *testing.T) {
	l := newLab(t).furnish(t)
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: web1, Association: &buoyv1.Association{
		ComputeNode: cmp2, Interface: "tap0", FixedIp: "10.47.255.249", Label: 100}})
	equal(t, "disassociated", call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: web1}), &buoyv1.FloatingIP{
		Name: web1, Network: public, Address: "203.0.113.5", Scope: buoyv1.FloatingIP_NETWORK, Direction: buoyv1.FloatingIP_BOTH,
		State: buoyv1.FloatingIP_ALLOCATED, StateReason: "not associated with a compute node"})
}

// An address comes from what the request names, else from what its namespace,
// else from what the cluster is bound to.
func TestAllocate(t *testing.T) {
	const (
		nets  = "projects/ops/networks/"
		dual  = nets + "dual"
		six   = nets + "six"
		poolA = dual + "/pools/a"
		poolB = dual + "/pools/b"
		pool6 = six + "/pools/six"
	)
	l := newLab(t)
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{
		Name: dual, Subnets: []string{"203.0.113.0/24", "2001:db8::/64"}}})
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: six, Subnets: []string{"2001:db8:6::/64"}}})
	call(t, l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{
		Name: poolA, Ranges: []string{"203.0.113.10-203.0.113.19", "2001:db8::a:0/112"}, SharedWith: []string{"dev"}}})
	call(t, l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{
		Name: poolB, Ranges: []string{"203.0.113.20-203.0.113.29"}, SharedWith: []string{"*"}}})
	call(t, l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: pool6, SharedWith: []string{"*"}}})
	call(t, l.pools.BindPool, &buoyv1.BindPoolRequest{Name: "namespaces/blue/poolBinding", Pool: poolA})
	call(t, l.pools.BindPool, &buoyv1.BindPoolRequest{Name: "global/poolBinding", Pool: poolB})
	mappings := []*buoyv1.PortMapping{{Protocol: "tcp", Port: 443, FixedPort: 8443}, {Protocol: "udp", Port: 53, FixedPort: 53}, {Protocol: "sctp", Port: 1, FixedPort: 65535}}
	for _, tt := range []struct {
		name string
		req  *buoyv1.AllocateRequest
		want *buoyv1.FloatingIP
	}{
		{"pool", &buoyv1.AllocateRequest{Pool: poolA},
			&buoyv1.FloatingIP{Network: dual, Pool: poolA, Address: "203.0.113.10", Scope: buoyv1.FloatingIP_REQUEST}},
		{"pool and address", &buoyv1.AllocateRequest{Pool: poolA, Address: "203.0.113.15"},
			&buoyv1.FloatingIP{Network: dual, Pool: poolA, Address: "203.0.113.15", Scope: buoyv1.FloatingIP_REQUEST}},
		{"IPv4", &buoyv1.AllocateRequest{Pool: poolA, Family: buoyv1.AllocateRequest_IPV4},
			&buoyv1.FloatingIP{Network: dual, Pool: poolA, Address: "203.0.113.11", Scope: buoyv1.FloatingIP_REQUEST}},
		{"IPv6", &buoyv1.AllocateRequest{Pool: poolA, Family: buoyv1.AllocateRequest_IPV6},
			&buoyv1.FloatingIP{Network: dual, Pool: poolA, Address: "2001:db8::a:0", Scope: buoyv1.FloatingIP_REQUEST}},
		{"IPv6, since there is no IPv4", &buoyv1.AllocateRequest{Pool: pool6},
			&buoyv1.FloatingIP{Network: six, Pool: pool6, Address: "2001:db8:6::1", Scope: buoyv1.FloatingIP_REQUEST}},
		{"namespace", &buoyv1.AllocateRequest{Namespace: "blue"},
			&buoyv1.FloatingIP{Network: dual, Pool: poolA, Address: "203.0.113.12", Scope: buoyv1.FloatingIP_NAMESPACE, Namespace: "blue"}},
		{"namespace without a binding", &buoyv1.AllocateRequest{Namespace: "red"},
			&buoyv1.FloatingIP{Network: dual, Pool: poolB, Address: "203.0.113.20", Scope: buoyv1.FloatingIP_GLOBAL, Namespace: "red"}},
		{"cluster", &buoyv1.AllocateRequest{},
			&buoyv1.FloatingIP{Network: dual, Pool: poolB, Address: "203.0.113.21", Scope: buoyv1.FloatingIP_GLOBAL}},
		{"traffic", &buoyv1.AllocateRequest{Direction: buoyv1.FloatingIP_INGRESS, PortMappings: mappings},
			&buoyv1.FloatingIP{Network: dual, Pool: poolB, Address: "203.0.113.22", Scope: buoyv1.FloatingIP_GLOBAL,
				Direction: buoyv1.FloatingIP_INGRESS, PortMappings: mappings}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.req.Name = "projects/dev/floatingIps/" + strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(tt.name, ",", "")), " ", "-")
			tt.want.Name = tt.req.Name
			tt.want.Direction = cmp.Or(tt.want.Direction, buoyv1.FloatingIP_BOTH)
			tt.want.State, tt.want.StateReason = buoyv1.FloatingIP_ALLOCATED, "not associated with a compute node"
			equal(t, "allocated", call(t, l.floatingIPs.Allocate, tt.req), tt.want)
			equal(t, "got", call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: tt.req.Name}), tt.want)
		})
	}
	// Outside its pools, a network is its own project's.
	own := call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/ops/floatingIps/own", Network: dual})
	if own.Address != "203.0.113.1" || own.Pool != "" || own.Scope != buoyv1.FloatingIP_NETWORK {
		t.Errorf("of the network: got %v, want 203.0.113.1 of no pool", own)
	}
}

func TestUpdateFloatingIP(t *testing.T) {
	l := newLab(t).furnish(t)
	want := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1})
	update := func(fields ...string) {
		t.Helper()
		from := proto.CloneOf(want)
		from.Network, from.Address, from.State = "ignored", "ignored", buoyv1.FloatingIP_ADVERTISED
		equal(t, "updated", call(t, l.floatingIPs.UpdateFloatingIP, &buoyv1.UpdateFloatingIPRequest{
			FloatingIp: from, UpdateMask: maskOf(fields...)}), want)
	}
	want.Direction = buoyv1.FloatingIP_EGRESS
	update("direction")
	want.PortMappings = []*buoyv1.PortMapping{{Protocol: "tcp", Port: 80, FixedPort: 8080}}
	update("port_mappings")
	want.Direction, want.PortMappings = buoyv1.FloatingIP_BOTH, nil
	update("direction", "port_mappings")
}

// An association moves in one step. Buoy gives a label where none is named.
func TestMove(t *testing.T) {
	l := newLab(t).furnish(t)
	move := func(from string, to *buoyv1.Association, want ...*buoyv1.Association) {
		t.Helper()
		got := call(t, l.floatingIPs.Move, &buoyv1.MoveRequest{Name: web1, From: from, Association: to})
		equal(t, "associations", &buoyv1.FloatingIP{Associations: got.Associations}, &buoyv1.FloatingIP{Associations: want})
	}
	at2 := &buoyv1.Association{ComputeNode: cmp2, Interface: "tap2", FixedIp: "10.47.255.2", Label: 102, Preferred: true}
	move("", at2, at2)
	back := &buoyv1.Association{ComputeNode: cmp1, Interface: "tap1", FixedIp: "10.47.255.1"}
	given := proto.CloneOf(back)
	given.Label = 100000
	move(cmp2, back, given)
	again := call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: idle, Association: &buoyv1.Association{
		ComputeNode: cmp1, Interface: "tap1", FixedIp: "10.47.255.3"}})
	if got := again.Associations[0].Label; got != 100000 {
		t.Errorf("label of the same interface: got %d, want 100000", got)
	}
}
