package api

import (
	"context"
	"io"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// documents describes resources.
func documents(resources ...proto.Message) (list []*buoyv1.Document) {
	for _, r := range resources {
		d, ok := buoyv1.NewDocument(proto.Clone(r))
		if !ok {
			d = &buoyv1.Document{}
		}
		list = append(list, d)
	}
	return list
}

func (l *lab) apply(t testing.TB, list []*buoyv1.Document) *buoyv1.ApplyResponse {
	t.Helper()
	return call(t, l.configurations.Apply, &buoyv1.ApplyRequest{Documents: list})
}

// export returns what Export sends.
func (l *lab) export(t testing.TB, ctx context.Context, parent string) (list []*buoyv1.Document) {
	t.Helper()
	stream, err := l.configurations.Export(ctx, &buoyv1.ExportRequest{Parent: parent})
	if err != nil {
		t.Fatal(err)
	}
	for {
		d, err := stream.Recv()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
}

// describedIn returns what documents are about.
func describedIn(list []*buoyv1.Document) (names []string) {
	for _, d := range list {
		names = append(names, d.Described().(interface{ GetName() string }).GetName())
	}
	return names
}

// small are documents of each kind, in an order in which none could be created
// alone.
func small() []*buoyv1.Document {
	return documents(
		&buoyv1.FloatingIP{Name: web1, Namespace: "blue", Associations: []*buoyv1.Association{{ComputeNode: cmp1, Interface: "tap0", FixedIp: "10.47.0.1"}}},
		&buoyv1.PoolBinding{Name: blue, Pool: poolA},
		&buoyv1.Pool{Name: poolA, Ranges: []string{"203.0.113.10-203.0.113.19"}},
		&buoyv1.Network{Name: public, Subnets: []string{"203.0.113.0/24"}},
		&buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.11"},
		&buoyv1.ComputeNode{Name: cmp2, Address: "10.0.0.12"},
		&buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", As: 64512},
		&buoyv1.Global{As: 64512},
	)
}

func TestApply(t *testing.T) {
	l := newLab(t)
	list := small()
	before := l.follower.State().Revision()
	tried := call(t, l.configurations.Apply, &buoyv1.ApplyRequest{Documents: list, ValidateOnly: true})
	if now := l.follower.State().Revision(); now != before {
		t.Errorf("revision %d, want %d: it was only tried", now, before)
	}
	done := l.apply(t, list)
	if !proto.Equal(tried, done) {
		t.Errorf("tried:\n%v\ndone:\n%v", tried, done)
	}
	if done.Created != 7 || done.Updated != 0 || done.Unchanged != 1 || done.RoutesAnnounced != 1 || len(done.RouteChanges) != 1 {
		t.Errorf("got %v", done)
	}
	equal(t, "created", done.Documents[0], &buoyv1.AppliedDocument{Name: web1, Action: buoyv1.AppliedDocument_CREATED, After: documents(&buoyv1.FloatingIP{
		Name: web1, Network: public, Address: "203.0.113.10", Pool: poolA, Scope: buoyv1.FloatingIP_NAMESPACE, Namespace: "blue", Direction: buoyv1.FloatingIP_BOTH,
		Associations: []*buoyv1.Association{{ComputeNode: cmp1, Interface: "tap0", FixedIp: "10.47.0.1", Label: 100000}}})[0]})
	if now := l.follower.State().Revision(); now != before+1 {
		t.Errorf("revision %d, want %d: one commit", now, before+1)
	}

	// Once more: nothing.
	again := l.apply(t, list)
	if again.Unchanged != 8 || again.Created+again.Updated != 0 || len(again.RouteChanges) != 0 || again.Documents[0].After != nil {
		t.Errorf("again: got %v", again)
	}
	if now := l.follower.State().Revision(); now != before+1 {
		t.Errorf("revision %d, want %d: there was nothing to do", now, before+1)
	}

	// The route moves with the floating IP, and changes with its network.
	list[0].GetFloatingIp().Associations[0].ComputeNode = cmp2
	list[3].GetNetwork().RouteTargets = []string{"target:64512:1"}
	changed := l.apply(t, list)
	equal(t, "updated", changed.Documents[3], &buoyv1.AppliedDocument{Name: public, Action: buoyv1.AppliedDocument_UPDATED, ChangedFields: []string{"route_targets"},
		Before: documents(&buoyv1.Network{Name: public, Id: 1, Subnets: []string{"203.0.113.0/24"}, ReservedHosts: buoyv1.Network_LAST_TWO})[0],
		After: documents(&buoyv1.Network{Name: public, Id: 1, Subnets: []string{"203.0.113.0/24"}, ReservedHosts: buoyv1.Network_LAST_TWO,
			RouteTargets: []string{"target:64512:1"}})[0]})
	if changed.Updated != 2 || changed.RoutesAnnounced != 1 || changed.RoutesWithdrawn != 1 || changed.RoutesChanged != 0 {
		t.Errorf("moved: got %v", changed)
	}
	list[7].GetGlobal().As = 64513
	renumbered := l.apply(t, list)
	equal(t, "changed", renumbered.RouteChanges[0], &buoyv1.RouteChange{
		Before: &buoyv1.Route{Prefix: "203.0.113.10/32", RouteDistinguisher: "10.0.0.12:1", Label: 100000, NextHop: "10.0.0.12", LocalPref: 100, Encapsulations: []string{"gre"},
			Network: public, FloatingIp: web1, Family: "inet-vpn", Origin: "INCOMPLETE", Tables: []string{public + ".inet.0"}, RouteTargets: []string{"target:64512:1", "target:64512:8000001"}},
		After: &buoyv1.Route{Prefix: "203.0.113.10/32", RouteDistinguisher: "10.0.0.12:1", Label: 100000, NextHop: "10.0.0.12", LocalPref: 100, Encapsulations: []string{"gre"},
			Network: public, FloatingIp: web1, Family: "inet-vpn", Origin: "INCOMPLETE", Tables: []string{public + ".inet.0"}, RouteTargets: []string{"target:64512:1", "target:64513:8000001"}}})
	if renumbered.RoutesChanged != 1 || renumbered.Updated != 1 {
		t.Errorf("renumbered: got %v", renumbered)
	}
}

// TestApplyRefusals: an error names the document in the caller's order, and
// nothing is changed.
func TestApplyRefusals(t *testing.T) {
	l := newLab(t).furnish(t)
	before := l.follower.State().Revision()
	const other = "projects/default/networks/other"
	for name, tt := range map[string]struct {
		one  proto.Message
		want refusal
	}{
		"a text that is none": {&buoyv1.Network{Name: other, Subnets: []string{"here"}},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "documents[1].subnets", "", `expected a prefix like 203.0.113.0/24, got "here"`}},
		"a rule": {&buoyv1.ComputeNode{Name: cmp2, Address: "10.0.0.11", RouterId: "10.0.0.12"},
			refusal{codes.AlreadyExists, "ADDRESS_TAKEN", "documents[1].address", cmp1, "10.0.0.11 is the address of " + cmp1}},
		"an id": {&buoyv1.Network{Name: public, Id: 70000},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "documents[1].id", "", "expected 1..57535, got 70000"}},
		"another id": {&buoyv1.Network{Name: public, Id: 9},
			refusal{codes.FailedPrecondition, "FIELD_IMMUTABLE", "documents[1].id", public, public + " has 1, and keeps it; leave the id out, or describe a network of another name"}},
		"another address": {&buoyv1.FloatingIP{Name: web1, Address: "203.0.113.6"},
			refusal{codes.FailedPrecondition, "FIELD_IMMUTABLE", "documents[1].address", web1,
				web1 + " has 203.0.113.5, and keeps it; release it first, or describe a floating IP of another name"}},
		"an association": {&buoyv1.FloatingIP{Name: web1, Associations: []*buoyv1.Association{{ComputeNode: cmp1, Interface: "tap0", FixedIp: "10.47.0.1"}, {FixedIp: "x"}}},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "documents[1].associations[1].fixed_ip", "", `expected an IPv4 or IPv6 address, got "x"`}},
		"what an association names": {&buoyv1.FloatingIP{Name: web1, Associations: []*buoyv1.Association{{ComputeNode: "computeNodes/x", Interface: "tap0", FixedIp: "10.47.0.1"}}},
			refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "documents[1].associations[0].compute_node", "computeNodes/x", "computeNodes/x does not exist"}},
		"another thing": {&buoyv1.Global{Name: "global/x"},
			refusal{codes.InvalidArgument, "INVALID_FIELD", "documents[1].name", "", `expected global/bgp, got "global/x"`}},
		"a neighbor of the file": {&buoyv1.Neighbor{Name: fixed, Address: "10.0.0.9", As: 1},
			refusal{codes.FailedPrecondition, "DEFINED_IN_CONFIGURATION_FILE", "documents[1].name", fixed, fixed + " is defined in the configuration file; change it there and restart the daemon"}},
		"no name": {&buoyv1.Pool{}, refusal{codes.InvalidArgument, "INVALID_FIELD", "documents[1].name", "", "expected a name"}},
		"empty":   {&buoyv1.Route{}, refusal{codes.InvalidArgument, "INVALID_FIELD", "documents[1]", "", "expected a resource, got an empty document"}},
		"twice":   {&buoyv1.Network{Name: "projects/default/networks/new"}, refusal{codes.InvalidArgument, "INVALID_FIELD", "documents[1].name", "", "projects/default/networks/new is described twice"}},
	} {
		list := append(documents(&buoyv1.Network{Name: "projects/default/networks/new"}, tt.one), documents(&buoyv1.ComputeNode{Name: "computeNodes/new", Address: "10.0.0.99"})...)
		_, err := l.configurations.Apply(t.Context(), &buoyv1.ApplyRequest{Documents: list})
		t.Run(name, func(t *testing.T) { tt.want.check(t, err) })
	}
	_, err := l.configurations.Apply(t.Context(), &buoyv1.ApplyRequest{})
	refusal{codes.InvalidArgument, "INVALID_FIELD", "documents", "", "expected 1 to 20000, got 0"}.check(t, err)
	if now := l.follower.State().Revision(); now != before {
		t.Errorf("revision %d, want %d: nothing was to be changed", now, before)
	}
}

// TestApplyOnce: a repetition is given the first answer, and does not undo what
// came in between.
func TestApplyOnce(t *testing.T) {
	l := newLab(t)
	req := &buoyv1.ApplyRequest{Documents: small(), RequestId: "a-1"}
	first := call(t, l.configurations.Apply, req)
	call(t, l.floatingIPs.Disassociate, &buoyv1.DisassociateRequest{Name: web1})
	if again := call(t, l.configurations.Apply, req); !proto.Equal(again, first) || first.Created != 7 || first.RoutesAnnounced != 1 {
		t.Errorf("got %v\nwant %v", again, first)
	}
	if f := call(t, l.floatingIPs.GetFloatingIP, &buoyv1.GetFloatingIPRequest{Name: web1}); len(f.Associations) > 0 {
		t.Errorf("got %v", f)
	}
}

// TestApplyAsProject: a project describes what is its own.
func TestApplyAsProject(t *testing.T) {
	l := tenants(t, true)
	for name, tt := range map[string]struct {
		one  proto.Message
		want refusal
	}{
		"of another project":      {&buoyv1.Network{Name: opsNet}, refusal{codes.PermissionDenied, "NOT_YOUR_PROJECT", "documents[0].name", "", opsNet + " is not of project dev"}},
		"that it does not see":    {&buoyv1.FloatingIP{Name: secretFIP}, refusal{codes.PermissionDenied, "NOT_YOUR_PROJECT", "documents[0].name", "", secretFIP + " is not of project dev"}},
		"a pool that is not":      {&buoyv1.Pool{Name: sharedPool}, refusal{codes.PermissionDenied, "NOT_YOUR_PROJECT", "documents[0].name", "", sharedPool + " is not of project dev"}},
		"a compute node":          {&buoyv1.ComputeNode{Name: cmp1}, operatorsOnlyIn("documents[0]")},
		"a neighbor":              {&buoyv1.Neighbor{Name: mx1}, operatorsOnlyIn("documents[0]")},
		"a binding":               {&buoyv1.PoolBinding{Name: blue}, operatorsOnlyIn("documents[0]")},
		"what holds for all":      {&buoyv1.Global{As: 64512}, operatorsOnlyIn("documents[0]")},
		"an id":                   {&buoyv1.Network{Name: "projects/dev/networks/new", Id: 40}, refusal{codes.PermissionDenied, "OPERATORS_ONLY", "documents[0].id", "", "only the operator may choose the id of a network; leave it out"}},
		"a pool no longer shared": {&buoyv1.FloatingIP{Name: "projects/dev/floatingIps/new", Pool: closedPool, Address: "198.51.100.100", Scope: buoyv1.FloatingIP_REQUEST}, refusal{codes.PermissionDenied, "POOL_NOT_SHARED", "documents[0].pool", "", closedPool + " is not shared with project dev, or does not exist"}},
	} {
		_, err := l.configurations.Apply(as(t.Context(), "dev"), &buoyv1.ApplyRequest{Documents: documents(tt.one)})
		t.Run(name, func(t *testing.T) { tt.want.check(t, err) })
	}
	list := l.export(t, as(t.Context(), "dev"), "")
	if got, want := describedIn(list), []string{devNet, devPool, drawn, devFIP}; !slices.Equal(got, want) {
		t.Errorf("exported: got %q, want %q", got, want)
	}
	list[0].GetNetwork().RouteTargets = []string{"target:64512:2"}
	resp := callAs(t, "dev", l.configurations.Apply, &buoyv1.ApplyRequest{Documents: list})
	if resp.Updated != 1 || resp.Unchanged != 3 || resp.RoutesChanged != 2 { // its own and its guest's
		t.Errorf("got %v", resp)
	}
}

func operatorsOnlyIn(field string) refusal {
	return refusal{codes.PermissionDenied, "OPERATORS_ONLY", field, "", "only the operator may do this, and the request is for project dev"}
}

// TestExport: everything, in an order in which it could be created.
func TestExport(t *testing.T) {
	l := newLab(t).furnish(t)
	createPool(t, l, poolA, []string{"203.0.113.100-203.0.113.109"}, "dev")
	call(t, l.pools.BindPool, &buoyv1.BindPoolRequest{Name: blue, Pool: poolA})
	list := l.export(t, t.Context(), "")
	if got, want := describedIn(list), []string{"global/bgp", private, public, poolA, blue, cmp1, cmp2, mx1, idle, web1, web6}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	equal(t, "a neighbor", list[7].Described(), &buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", Port: 179, As: 64513, HoldTime: 90,
		Families: []string{"inet-vpn", "route-target"}, GracefulRestart: []string{"inet-vpn", "route-target"}, RestartTime: 300, MaxReceived: 100000, MaxReceivedAction: buoyv1.Neighbor_WARN})
	if resp := l.apply(t, list); int(resp.Unchanged) != len(list) {
		t.Errorf("applied: got %s", prototext.Format(resp))
	}
	if got, want := describedIn(l.export(t, t.Context(), "projects/default")), []string{private, public, poolA, idle, web1, web6}; !slices.Equal(got, want) {
		t.Errorf("of a project: got %q, want %q", got, want)
	}
	stream, err := l.configurations.Export(t.Context(), &buoyv1.ExportRequest{Parent: "default"})
	if err == nil {
		_, err = stream.Recv()
	}
	refusal{codes.InvalidArgument, "INVALID_FIELD", "parent", "", `expected projects/PROJECT, got "default"`}.check(t, err)
}
