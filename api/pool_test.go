package api

import (
	"context"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// Names of pools and bindings of the tests.
const (
	poolA    = public + "/pools/a"
	poolB    = public + "/pools/b"
	blue     = "namespaces/blue/poolBinding"
	ofGlobal = "global/poolBinding"
)

func createPool(t testing.TB, l *lab, name string, ranges []string, sharedWith ...string) *buoyv1.Pool {
	t.Helper()
	return call(t, l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: name, Ranges: ranges, SharedWith: sharedWith}})
}

func TestPoolLife(t *testing.T) {
	l := newLab(t).furnish(t)
	want := &buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.0/28", "203.0.113.20-203.0.113.29", "203.0.113.40"}, SharedWith: []string{"dev"},
		// Of the /28 the network address cannot be given out; web-1 and idle are in it.
		Used: 2, Total: 26}
	equal(t, "created", call(t, l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{
		Name: poolA, Ranges: []string{"203.0.113.0-203.0.113.15", "203.0.113.20 - 203.0.113.29", "203.0.113.40/32"}, SharedWith: want.SharedWith,
		// Output only: ignored.
		Automatic: true, Used: 4711, Total: 4712,
	}}), want)
	equal(t, "got", call(t, l.pools.GetPool, &buoyv1.GetPoolRequest{Name: poolA}), want)
	six := createPool(t, l, poolB, []string{"2001:db8::/65"})
	if six.Total != 1<<63-1 || six.Used != 1 {
		t.Errorf("IPv6: got %d of %d, want 1 of 2^63-1", six.Used, six.Total)
	}
	for parent, list := range map[string][]*buoyv1.Pool{
		"":                               {want, six},
		"projects/default":               {want, six},
		public:                           {want, six},
		private:                          nil,
		"projects/dev":                   nil, // the operator asks for what belongs to it
		"projects/default/networks/nope": nil,
	} {
		equal(t, "list of "+parent, call(t, l.pools.ListPools, &buoyv1.ListPoolsRequest{Parent: parent}), &buoyv1.ListPoolsResponse{Pools: list})
	}
	call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/dev/floatingIps/a", Pool: poolA})
	want.Used++
	equal(t, "after an allocation", call(t, l.pools.GetPool, &buoyv1.GetPoolRequest{Name: poolA}), want)
	equal(t, "deleted", call(t, l.pools.DeletePool, &buoyv1.DeletePoolRequest{Name: poolB}), &emptypb.Empty{})
	equal(t, "list afterwards", call(t, l.pools.ListPools, &buoyv1.ListPoolsRequest{}), &buoyv1.ListPoolsResponse{Pools: []*buoyv1.Pool{want}})
}

func TestUpdatePool(t *testing.T) {
	l := newLab(t).furnish(t)
	want := createPool(t, l, poolA, []string{"203.0.113.100-203.0.113.109"}, "dev")
	update := func(from *buoyv1.Pool, field string) {
		t.Helper()
		equal(t, field, call(t, l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: from, UpdateMask: maskOf(field)}), want)
		equal(t, "got", call(t, l.pools.GetPool, &buoyv1.GetPoolRequest{Name: poolA}), want)
	}
	both := &buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.100-203.0.113.119"}, SharedWith: []string{"*"}}
	want.Ranges, want.Total = both.Ranges, 20
	update(both, "ranges")
	want.SharedWith = both.SharedWith
	update(both, "shared_with")
	want.SharedWith = nil
	update(&buoyv1.Pool{Name: poolA}, "shared_with")
	want.Ranges, want.Used, want.Total = nil, 3, 1<<64-1
	update(&buoyv1.Pool{Name: poolA}, "ranges")
}

func TestPoolBindings(t *testing.T) {
	l := newLab(t).furnish(t)
	createPool(t, l, poolA, []string{"203.0.113.100-203.0.113.109"})
	createPool(t, l, poolB, []string{"203.0.113.110-203.0.113.119"})
	bind := func(name, pool string) *buoyv1.PoolBinding {
		t.Helper()
		want := &buoyv1.PoolBinding{Name: name, Pool: pool}
		equal(t, "bound", call(t, l.pools.BindPool, &buoyv1.BindPoolRequest{Name: name, Pool: pool}), want)
		equal(t, "got", call(t, l.pools.GetPoolBinding, &buoyv1.GetPoolBindingRequest{Name: name}), want)
		return want
	}
	bind(blue, poolA)
	first, second := bind(ofGlobal, poolA), bind(blue, poolB)
	equal(t, "listed", call(t, l.pools.ListPoolBindings, &buoyv1.ListPoolBindingsRequest{}),
		&buoyv1.ListPoolBindingsResponse{PoolBindings: []*buoyv1.PoolBinding{first, second}})
	equal(t, "unbound", call(t, l.pools.UnbindPool, &buoyv1.UnbindPoolRequest{Name: blue}), &emptypb.Empty{})
	equal(t, "list afterwards", call(t, l.pools.ListPoolBindings, &buoyv1.ListPoolBindingsRequest{}),
		&buoyv1.ListPoolBindingsResponse{PoolBindings: []*buoyv1.PoolBinding{first}})
}

// The configuration file may bind the cluster.
func TestPoolBindingOfFile(t *testing.T) {
	l := newLabWith(t, inventory.Static{GlobalPool: poolA})
	equal(t, "got", call(t, l.pools.GetPoolBinding, &buoyv1.GetPoolBindingRequest{Name: ofGlobal}),
		&buoyv1.PoolBinding{Name: ofGlobal, Pool: poolA, ReadOnly: true})
	_, err := l.pools.UnbindPool(t.Context(), &buoyv1.UnbindPoolRequest{Name: ofGlobal})
	refusal{codes.FailedPrecondition, "DEFINED_IN_CONFIGURATION_FILE", "name", ofGlobal,
		ofGlobal + " is set by the daemon's configuration, as pools.global; change it there"}.check(t, err)
}

func TestPoolRefusals(t *testing.T) {
	const (
		invalid = codes.InvalidArgument
		missing = codes.NotFound
		exists  = codes.AlreadyExists
		failed  = codes.FailedPrecondition
		nope    = public + "/pools/nope"
		noRange = "expected a range like 203.0.113.10-203.0.113.99 or a prefix like 203.0.113.0/25, got "
		newFIP  = "projects/default/floatingIps/new"
	)
	l := newLab(t).furnish(t)
	createPool(t, l, poolA, []string{"203.0.113.0/28"}, "dev")
	createPool(t, l, poolB, []string{"203.0.113.100"})
	call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/default/floatingIps/last", Pool: poolB})
	call(t, l.floatingIPs.Allocate, &buoyv1.AllocateRequest{Name: "projects/dev/floatingIps/a", Pool: poolA, Address: "203.0.113.7"})
	create := func(p *buoyv1.Pool) func(context.Context) error {
		return attempt(l.pools.CreatePool, &buoyv1.CreatePoolRequest{Pool: p})
	}
	update := func(p *buoyv1.Pool, fields ...string) func(context.Context) error {
		return attempt(l.pools.UpdatePool, &buoyv1.UpdatePoolRequest{Pool: p, UpdateMask: maskOf(fields...)})
	}
	bind := func(name, pool string) func(context.Context) error {
		return attempt(l.pools.BindPool, &buoyv1.BindPoolRequest{Name: name, Pool: pool})
	}
	allocate := func(req *buoyv1.AllocateRequest) func(context.Context) error {
		if req.Name == "" {
			req.Name = newFIP
		}
		return attempt(l.floatingIPs.Allocate, req)
	}
	for name, tt := range map[string]struct {
		do   func(context.Context) error
		want refusal
	}{
		"create: none":       {create(nil), refusal{invalid, "INVALID_FIELD", "name", "", `expected projects/PROJECT/networks/NETWORK/pools/NAME, got ""`}},
		"create: exists":     {create(&buoyv1.Pool{Name: poolA}), refusal{exists, "RESOURCE_EXISTS", "name", poolA, poolA + " exists"}},
		"create: no network": {create(&buoyv1.Pool{Name: "projects/default/networks/nope/pools/a"}), refusal{missing, "RESOURCE_NOT_FOUND", "name", "projects/default/networks/nope", "projects/default/networks/nope does not exist"}},
		"create: range":      {create(&buoyv1.Pool{Name: nope, Ranges: []string{"x"}}), refusal{invalid, "INVALID_FIELD", "ranges", "", noRange + `"x"`}},
		"create: backwards":  {create(&buoyv1.Pool{Name: nope, Ranges: []string{"203.0.113.9-203.0.113.1"}}), refusal{invalid, "INVALID_FIELD", "ranges", "", `expected the lower address first, got "203.0.113.9-203.0.113.1"`}},
		"create: outside":    {create(&buoyv1.Pool{Name: nope, Ranges: []string{"10.0.0.1"}}), refusal{invalid, "RANGE_OUTSIDE_NETWORK", "ranges", "", "10.0.0.1 is not inside the subnets of " + public + ": [203.0.113.0/24 2001:db8::/64]"}},
		"create: overlap":    {create(&buoyv1.Pool{Name: nope, Ranges: []string{"203.0.113.8-203.0.113.20"}}), refusal{exists, "POOLS_OVERLAP", "ranges", poolA, nope + " and " + poolA + " would overlap: both hold 203.0.113.8/29"}},
		"create: project":    {create(&buoyv1.Pool{Name: nope, Ranges: []string{"203.0.113.50"}, SharedWith: []string{"A"}}), refusal{invalid, "INVALID_FIELD", "shared_with", "", `project: expected lower-case letters, digits and inside the name '-', '_', '.'; got "A"; "*" stands for all`}},
		"update: empty mask": {update(&buoyv1.Pool{Name: poolA}), refusal{invalid, "INVALID_FIELD", "update_mask", "", "expected some of ranges, shared_with; nothing is to be changed"}},
		"update: used":       {update(&buoyv1.Pool{Name: poolA}, "used"), refusal{invalid, "INVALID_FIELD", "update_mask", "", `expected some of ranges, shared_with, got "used"`}},
		"update: not there":  {update(&buoyv1.Pool{Name: nope}, "ranges"), refusal{missing, "RESOURCE_NOT_FOUND", "name", nope, nope + " does not exist"}},
		"update: shrinks": {update(&buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.8/29"}}, "ranges"), refusal{failed, "RESOURCE_IN_USE", "ranges", "projects/dev/floatingIps/a",
			"an address that would no longer be in the pool " + poolA + " is in use by projects/dev/floatingIps/a (203.0.113.7)"}},
		"delete: in use": {attempt(l.pools.DeletePool, &buoyv1.DeletePoolRequest{Name: poolA}), refusal{failed, "RESOURCE_IN_USE", "name", "projects/dev/floatingIps/a", poolA + " is in use by projects/dev/floatingIps/a"}},

		"bind: name":      {bind("blue", poolA), refusal{invalid, "INVALID_FIELD", "name", "", `expected namespaces/NAMESPACE/poolBinding or global/poolBinding, got "blue"`}},
		"bind: pool":      {bind(blue, "a"), refusal{invalid, "INVALID_FIELD", "pool", "", `expected projects/PROJECT/networks/NETWORK/pools/NAME, got "a"`}},
		"bind: no pool":   {bind(blue, nope), refusal{missing, "RESOURCE_NOT_FOUND", "pool", nope, nope + " does not exist"}},
		"unbind: unbound": {attempt(l.pools.UnbindPool, &buoyv1.UnbindPoolRequest{Name: blue}), refusal{missing, "RESOURCE_NOT_FOUND", "name", blue, blue + " does not exist"}},

		"allocate: nothing bound": {allocate(&buoyv1.AllocateRequest{Namespace: "blue"}), refusal{failed, "NO_POOL_BOUND", "pool", "", "expected a pool or a network: neither namespace blue nor the cluster is bound to one"}},
		"allocate: both":          {allocate(&buoyv1.AllocateRequest{Pool: poolA, Network: public}), refusal{invalid, "INVALID_FIELD", "network", "", "expected a pool or a network, got both"}},
		"allocate: namespace":     {allocate(&buoyv1.AllocateRequest{Pool: poolA, Namespace: "a/b"}), refusal{invalid, "INVALID_FIELD", "namespace", "", `expected lower-case letters, digits and inside the name '-', '_', '.'; got "a/b"`}},
		"allocate: not shared":    {allocate(&buoyv1.AllocateRequest{Name: "projects/dev/floatingIps/new", Pool: poolB}), refusal{codes.PermissionDenied, "POOL_NOT_SHARED", "pool", "", poolB + " is not shared with project dev, or does not exist"}},
		"allocate: no such pool":  {allocate(&buoyv1.AllocateRequest{Name: "projects/dev/floatingIps/new", Pool: nope}), refusal{codes.PermissionDenied, "POOL_NOT_SHARED", "pool", "", nope + " is not shared with project dev, or does not exist"}},
		"allocate: no own pool":   {allocate(&buoyv1.AllocateRequest{Pool: nope}), refusal{missing, "RESOURCE_NOT_FOUND", "pool", nope, nope + " does not exist"}},
		"allocate: other network": {allocate(&buoyv1.AllocateRequest{Name: "projects/dev/floatingIps/new", Network: public}), refusal{codes.PermissionDenied, "NETWORK_OF_ANOTHER_PROJECT", "network", "",
			public + " is not of project dev; of other projects' networks only shared pools can be used"}},
		"allocate: exhausted":    {allocate(&buoyv1.AllocateRequest{Pool: poolB}), refusal{codes.ResourceExhausted, "POOL_EXHAUSTED", "pool", poolB, poolB + " has no free address: 1 of 1 used in 203.0.113.100"}},
		"allocate: no IPv6":      {allocate(&buoyv1.AllocateRequest{Pool: poolA, Family: buoyv1.AllocateRequest_IPV6}), refusal{invalid, "ADDRESS_FAMILY_MISMATCH", "family", "", "all addresses of " + poolA + " are of the other family"}},
		"allocate: outside":      {allocate(&buoyv1.AllocateRequest{Pool: poolA, Address: "203.0.113.99"}), refusal{invalid, "ADDRESS_OUTSIDE_POOL", "address", "", "203.0.113.99 is outside " + poolA + ": 203.0.113.0/28"}},
		"allocate: in a pool":    {allocate(&buoyv1.AllocateRequest{Network: public, Address: "203.0.113.14"}), refusal{invalid, "ADDRESS_BELONGS_TO_POOL", "address", "", "203.0.113.14 belongs to " + poolA + "; name that pool"}},
		"allocate: taken":        {allocate(&buoyv1.AllocateRequest{Name: "projects/dev/floatingIps/new", Pool: poolA, Address: "203.0.113.5"}), refusal{exists, "ADDRESS_TAKEN", "address", "", "203.0.113.5 is taken"}},
		"allocate: other family": {allocate(&buoyv1.AllocateRequest{Pool: poolA, Address: "203.0.113.14", Family: buoyv1.AllocateRequest_IPV6}), refusal{invalid, "ADDRESS_FAMILY_MISMATCH", "family", "", "the address 203.0.113.14 is of the other family"}},
		"allocate: family":       {allocate(&buoyv1.AllocateRequest{Pool: poolA, Family: 9}), refusal{invalid, "INVALID_FIELD", "family", "", "the enumeration has no value 9"}},
	} {
		t.Run(name, func(t *testing.T) { tt.want.check(t, tt.do(t.Context())) })
	}
}
