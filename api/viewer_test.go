package api

import (
	"context"
	"net/netip"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// What belongs to dev, the viewer, and to ops, its neighbor. Dev must learn
// nothing of what is called secret.
const (
	devNet     = "projects/dev/networks/own"
	devPool    = devNet + "/pools/own"
	devFIP     = "projects/dev/floatingIps/own"
	drawn      = "projects/dev/floatingIps/drawn"  // from ops' shared pool
	guest      = "projects/ops/floatingIps/guest"  // of ops, from dev's pool
	opsNet     = "projects/ops/networks/lender"    // has the shared pool
	sharedPool = opsNet + "/pools/shared"          // with dev and ci
	closedPool = opsNet + "/pools/secret"          // with ci
	secretNet  = "projects/ops/networks/secret"    // has the target of dev's network
	secretFIP  = "projects/ops/floatingIps/secret" // of the secret network, associated
)

// tenants makes what two projects have. Without the secrets it makes only what
// dev may see.
func tenants(t testing.TB, secrets bool) *lab {
	t.Helper()
	l := newLab(t)
	l.history.deaf.Store(true)
	call(t, l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11"}})
	call(t, l.neighbors.CreateNeighbor, &buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", As: 64513}})
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{
		Name: devNet, Subnets: []string{"203.0.113.0/24"}, RouteTargets: []string{"target:64512:1"}}})
	call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: opsNet, Subnets: []string{"198.51.100.0/24"}}})
	createPool(t, l, devPool, []string{"203.0.113.0/28"}, "ci", "ops")
	createPool(t, l, sharedPool, []string{"198.51.100.0/28"}, "ci", "dev")
	call(t, l.pools.BindPool, &buoyv1.BindPoolRequest{Name: ofGlobal, Pool: sharedPool})
	for n, req := range []*buoyv1.AllocateRequest{{Name: devFIP, Network: devNet}, {Name: drawn, Pool: sharedPool}, {Name: guest, Pool: devPool}} {
		call(t, l.floatingIPs.Allocate, req)
		l.associate(t, req.Name, 100+uint32(n))
	}
	if secrets {
		call(t, l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{
			Name: secretNet, Subnets: []string{"192.0.2.0/24"}, RouteTargets: []string{"target:64512:1"}}})
		call(t, l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{
			Pool: &buoyv1.Pool{Name: sharedPool, SharedWith: []string{"ci", "dev", "secret"}}, UpdateMask: maskOf("shared_with")})
		createPool(t, l, closedPool, []string{"198.51.100.100-198.51.100.109"}, "ci")
		call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: secretFIP, Network: secretNet})
		l.associate(t, secretFIP, 777)
	}
	mx1 := sourceOf("mx1", "10.0.0.1")
	routes := []*vrf.Received{from(t, mx1, "1:1", "10.1.0.0/16", 1001, 100, "target:64512:1"), from(t, mx1, "1:2", "10.1.0.0/16", 1002, 100, "target:64512:1")}
	if secrets { // of the secret network alone, and of nobody
		routes = append(routes, from(t, mx1, "1:1", "10.2.0.0/16", 1003, 100, "target:64512:8000003"), announced(t))
	}
	l.speaker.announce(routes...)
	for r := range l.speaker.From(vrf.Key{}) {
		at := netip.MustParseAddr("10.0.0.1")
		l.speaker.out = map[netip.Addr][]vrf.Route{at: append(l.speaker.out[at], r)}
	}
	return l
}

// associate puts a floating IP on an interface that is called like it.
func (l *lab) associate(t testing.TB, name string, label uint32) {
	t.Helper()
	call(t, l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: name, Association: &buoyv1.Association{
		ComputeNode: cmp1, Interface: name[len("projects/ops/floatingIps/"):], FixedIp: "10.47.255.249", Label: label}})
}

// notFound is the answer for what does not exist, or may not be seen.
func notFound(field, name string) refusal {
	return refusal{codes.NotFound, "RESOURCE_NOT_FOUND", field, name, name + " does not exist"}
}

func notYours(name string) refusal {
	return refusal{codes.PermissionDenied, "NOT_YOUR_PROJECT", "name", "", name + " is not of project dev"}
}

// A project changes what is its own. What it sees besides it may not change,
// and what it does not see does not exist.
func TestViewerChanges(t *testing.T) {
	l := tenants(t, true)
	type verbs map[string]func(name string) func(context.Context) error
	creates := verbs{
		"CreateNetwork": func(name string) func(context.Context) error {
			return attempt(l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: name}})
		},
		"CreatePool": func(name string) func(context.Context) error {
			return attempt(l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: name}})
		},
		"Allocate": func(name string) func(context.Context) error {
			return attempt(l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: name, Pool: sharedPool})
		},
	}
	ofNetworks := verbs{
		"UpdateNetwork": func(name string) func(context.Context) error {
			return attempt(l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: name}, UpdateMask: maskOf("gateways")})
		},
		"DeleteNetwork": func(name string) func(context.Context) error {
			return attempt(l.networks.DeleteNetwork, &buoyv1.DeleteNetworkRequest{Name: name})
		},
	}
	ofPools := verbs{
		"UpdatePool": func(name string) func(context.Context) error {
			return attempt(l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: name}, UpdateMask: maskOf("shared_with")})
		},
		"DeletePool": func(name string) func(context.Context) error {
			return attempt(l.pools.DeletePool, &buoyv1.DeletePoolRequest{Name: name})
		},
	}
	ofFloatingIPs := verbs{
		"Associate": func(name string) func(context.Context) error {
			return attempt(l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: name})
		},
		"Disassociate": func(name string) func(context.Context) error {
			return attempt(l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: name})
		},
		"Move": func(name string) func(context.Context) error {
			return attempt(l.floatingIPs.Move, &buoyv1.MoveRequest{Name: name})
		},
		"UpdateFloatingIP": func(name string) func(context.Context) error {
			return attempt(l.floatingIPs.UpdateFloatingIP, &buoyv1.UpdateFloatingIPRequest{
				FloatingIp: &buoyv1.FloatingIP{Name: name}, UpdateMask: maskOf("direction")})
		},
		"Release": func(name string) func(context.Context) error {
			return attempt(l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: name})
		},
	}
	none := func(name string) refusal { return notFound("name", name) }
	for _, tt := range []struct {
		verbs verbs
		names []string
		want  func(name string) refusal
	}{
		{creates, []string{secretNet, closedPool, secretFIP, sharedPool, "projects/ops/networks/new", opsNet + "/pools/new", "projects/ops/floatingIps/new"}, notYours},
		{ofNetworks, []string{secretNet, opsNet, "projects/ops/networks/nope", "projects/ops", "nope", cmp1}, none},
		{ofPools, []string{closedPool, opsNet + "/pools/nope", "nope", ofGlobal}, none},
		{ofPools, []string{sharedPool}, notYours},
		{ofFloatingIPs, []string{secretFIP, "projects/ops/floatingIps/nope", "nope", mx1}, none},
		{ofFloatingIPs, []string{guest}, notYours},
	} {
		for verb, do := range tt.verbs {
			for _, name := range tt.names {
				t.Run(verb+" "+name, func(t *testing.T) { tt.want(name).check(t, do(name)(as(t.Context(), "dev"))) })
			}
		}
	}
	operatorsOnly := refusal{codes.PermissionDenied, "OPERATORS_ONLY", "", "", "only the operator may do this, and the request is for project dev"}
	for verb, do := range map[string]func(context.Context) error{
		"BindPool":           attempt(l.pools.BindPool, &buoyv1.BindPoolRequest{Name: blue, Pool: devPool}),
		"UnbindPool":         attempt(l.pools.UnbindPool, &buoyv1.UnbindPoolRequest{Name: ofGlobal}),
		"CreateComputeNode":  attempt(l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{}),
		"UpdateComputeNode":  attempt(l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{}),
		"DrainComputeNode":   attempt(l.computeNodes.DrainComputeNode, &buoyv1.DrainComputeNodeRequest{Name: cmp1}),
		"UndrainComputeNode": attempt(l.computeNodes.UndrainComputeNode, &buoyv1.UndrainComputeNodeRequest{Name: cmp1}),
		"DeleteComputeNode":  attempt(l.computeNodes.DeleteComputeNode, &buoyv1.DeleteComputeNodeRequest{Name: "computeNodes/nope"}),
		"CreateNeighbor":     attempt(l.neighbors.CreateNeighbor, &buoyv1.CreateNeighborRequest{}),
		"UpdateNeighbor":     attempt(l.neighbors.UpdateNeighbor, &buoyv1.UpdateNeighborRequest{}),
		"DeleteNeighbor":     attempt(l.neighbors.DeleteNeighbor, &buoyv1.DeleteNeighborRequest{Name: mx1}),
		"UpdateGlobal":       attempt(l.globals.UpdateGlobal, &buoyv1.UpdateGlobalRequest{ValidateOnly: true}),
		"received routes":    attempt(l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Neighbor: mx1, Direction: buoyv1.ListRoutesRequest_RECEIVED}),
		"received, refused":  attempt(l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Network: secretNet, Direction: buoyv1.ListRoutesRequest_RECEIVED}),
	} {
		t.Run(verb, func(t *testing.T) { operatorsOnly.check(t, do(as(t.Context(), "dev"))) })
	}
}

// A project sees what it owns, what it may draw from, and who draws from it.
func TestViewerReads(t *testing.T) {
	l := tenants(t, true)
	dev := as(t.Context(), "dev")
	for name, do := range map[string]func(context.Context) error{
		secretNet:  attempt(l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: secretNet}),
		opsNet:     attempt(l.networks.GetNetwork, &buoyv1.GetNetworkRequest{Name: opsNet}),
		closedPool: attempt(l.pools.GetPool, &buoyv1.GetPoolRequest{Name: closedPool}),
		secretFIP:  attempt(l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: secretFIP}),
	} {
		t.Run(name, func(t *testing.T) { notFound("name", name).check(t, do(dev)) })
	}
	for field, do := range map[string]func(context.Context) error{
		"network": attempt(l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Network: secretNet}),
		"pool":    attempt(l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Pool: secretNet}),
	} {
		t.Run("filter by "+field, func(t *testing.T) { notFound(field, secretNet).check(t, do(dev)) })
	}
	notFound("network", secretNet).check(t, attempt(l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Network: secretNet})(dev))

	names := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	for parent, want := range map[string][]string{"": {devNet}, "projects/dev": {devNet}, "projects/ops": nil} {
		names("networks of "+parent, namesOf(callAs(t, "dev", l.networks.ListNetworks, &buoyv1.ListNetworksRequest{Parent: parent}).Networks), want...)
	}
	for parent, want := range map[string][]string{"": {devPool, sharedPool}, "projects/dev": {devPool, sharedPool}, "projects/ops": {sharedPool}, devNet: {devPool}, secretNet: nil} {
		names("pools of "+parent, namesOf(callAs(t, "dev", l.pools.ListPools, &buoyv1.ListPoolsRequest{Parent: parent}).Pools), want...)
	}
	for parent, want := range map[string][]string{"": {drawn, devFIP, guest}, "projects/dev": {drawn, devFIP}, "projects/ops": {guest}} {
		names("floating IPs of "+parent, namesOf(callAs(t, "dev", l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Parent: parent}).FloatingIps), want...)
	}
	for what, req := range map[string]*buoyv1.ListRoutesRequest{"": {}, " of a neighbor": {Neighbor: mx1, Direction: buoyv1.ListRoutesRequest_ADVERTISED}} {
		var fips []string
		for _, r := range callAs(t, "dev", l.routes.ListRoutes, req).Routes {
			fips = append(fips, r.FloatingIp)
		}
		names("routes"+what, fips, drawn, guest, devFIP)
	}
	for _, network := range []string{opsNet, secretNet, "projects/dev/networks/nope"} {
		notFound("table", network).check(t, attempt(l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Table: network + ".inet.0"})(dev))
	}
	for size := int32(1); size < 5; size++ {
		imported := 0
		for _, r := range l.pages(t, "dev", &buoyv1.ListRoutesRequest{Network: devNet}, size) {
			if r.Source != "" || !slices.Equal(r.Tables, []string{devNet + ".inet.0"}) {
				t.Errorf("%s in %s: got source %q, tables %q", r.Prefix, devNet, r.Source, r.Tables)
			}
			if r.State == buoyv1.Route_RECEIVED {
				imported++
			}
		}
		if imported != 2 {
			t.Errorf("%s: got %d imported routes, want 2", devNet, imported)
		}
	}
	for _, req := range []*buoyv1.ListRoutesRequest{{}, {Table: "bgp.l3vpn.0"}, {Network: devNet, Table: "bgp.l3vpn.0"}} {
		for _, r := range callAs(t, "dev", l.routes.ListRoutes, req).Routes {
			if r.State == buoyv1.Route_RECEIVED {
				t.Errorf("%v: got %s, which a neighbor has announced", req, r.Prefix)
			}
		}
	}
	for project, want := range map[string][]string{"": {"ci", "dev", "secret"}, "ops": {"ci", "dev", "secret"}, "dev": {"dev"}} {
		names("shared with, as seen by "+project, callAs(t, project, l.pools.GetPool, &buoyv1.GetPoolRequest{Name: sharedPool}).SharedWith, want...)
	}
	call(t, l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: sharedPool, SharedWith: []string{"ci", "*"}}, UpdateMask: maskOf("shared_with")})
	names("shared with all", callAs(t, "dev", l.pools.GetPool, &buoyv1.GetPoolRequest{Name: sharedPool}).SharedWith, "*")

	call(t, l.pools.BindPool, &buoyv1.BindPoolRequest{Name: blue, Pool: closedPool})
	equal(t, "bindings", callAs(t, "dev", l.pools.ListPoolBindings, &buoyv1.ListPoolBindingsRequest{}),
		&buoyv1.ListPoolBindingsResponse{PoolBindings: []*buoyv1.PoolBinding{{Name: ofGlobal, Pool: sharedPool}, {Name: blue}}})
}

// A project does with its own what the operator can.
func TestViewerLife(t *testing.T) {
	l := tenants(t, true)
	const network, pool, fip = "projects/dev/networks/new", "projects/dev/networks/new/pools/a", "projects/dev/floatingIps/new"
	at := func(iface string) *buoyv1.Association {
		return &buoyv1.Association{ComputeNode: cmp1, Interface: iface, FixedIp: "10.47.255.1"}
	}
	callAs(t, "dev", l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: network, Subnets: []string{"192.0.2.0/24"}}})
	callAs(t, "dev", l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: &buoyv1.Network{Name: network}, UpdateMask: maskOf("dns_servers")})
	callAs(t, "dev", l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: pool}})
	callAs(t, "dev", l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: &buoyv1.Pool{Name: pool, SharedWith: []string{"ops"}}, UpdateMask: maskOf("shared_with")})
	callAs(t, "dev", l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: fip, Pool: pool})
	callAs(t, "dev", l.floatingIPs.UpdateFloatingIP, &buoyv1.UpdateFloatingIPRequest{FloatingIp: &buoyv1.FloatingIP{Name: fip}, UpdateMask: maskOf("direction")})
	callAs(t, "dev", l.floatingIPs.Associate, &buoyv1.AssociateRequest{Name: fip, Association: at("a")})
	callAs(t, "dev", l.floatingIPs.Move, &buoyv1.MoveRequest{Name: fip, Association: at("b")})
	callAs(t, "dev", l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: fip})
	callAs(t, "dev", l.floatingIPs.Release, &buoyv1.ReleaseRequest{Name: fip})
	callAs(t, "dev", l.pools.DeletePool, &buoyv1.DeletePoolRequest{Name: pool})
	equal(t, "deleted", callAs(t, "dev", l.networks.DeleteNetwork, &buoyv1.DeleteNetworkRequest{Name: network}), &emptypb.Empty{})
}

// A label is taken, but not by whom.
func TestViewerLabels(t *testing.T) {
	l := tenants(t, true)
	try := func(want string, reason string, code codes.Code) {
		t.Helper()
		_, err := l.floatingIPs.Move(as(t.Context(), "dev"), &buoyv1.MoveRequest{Name: devFIP, Association: &buoyv1.Association{
			ComputeNode: cmp1, Interface: "tap0", FixedIp: "10.47.255.1", Label: 777}})
		refusal{code, reason, "label", cmp1, want}.check(t, err)
	}
	try("another interface of "+cmp1+" has it", "LABEL_TAKEN", codes.AlreadyExists)
	call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{
		ComputeNode: &buoyv1.ComputeNode{Name: cmp1, LabelRange: "700-800"}, UpdateMask: maskOf("label_range")})
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: secretFIP})
	try("another interface of "+cmp1+" had it until a moment ago; it rests, since gateways may still send to it", "LABEL_RESTING", codes.FailedPrecondition)
}

// What is not the name of one project is refused: nobody becomes the operator
// by mistake.
func TestViewerMalformed(t *testing.T) {
	l := tenants(t, false)
	for value, text := range map[string]string{
		"":             "expected a name",
		"Dev":          `expected lower-case letters, digits and inside the name '-', '_', '.'; got "Dev"`,
		"projects/dev": `expected lower-case letters, digits and inside the name '-', '_', '.'; got "projects/dev"`,
	} {
		_, err := l.networks.ListNetworks(metadata.AppendToOutgoingContext(t.Context(), projectKey, value), &buoyv1.ListNetworksRequest{})
		refusal{codes.InvalidArgument, "INVALID_FIELD", "buoy-project", "", text}.check(t, err)
	}
	_, err := l.networks.ListNetworks(as(as(t.Context(), "dev"), "dev"), &buoyv1.ListNetworksRequest{})
	refusal{codes.InvalidArgument, "INVALID_FIELD", "buoy-project", "", "expected one project, got 2"}.check(t, err)
}
