package api

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// refusal is what a refused request is answered with. Without a reason it has
// no details.
type refusal struct {
	code     codes.Code
	reason   string
	field    string
	resource string
	text     string // without the field
}

// check compares the whole status.
func (r refusal) check(t testing.TB, err error) {
	t.Helper()
	want := &spb.Status{Code: int32(r.code), Message: r.text}
	add := func(m proto.Message) {
		detail, err := anypb.New(m)
		if err != nil {
			t.Fatal(err)
		}
		want.Details = append(want.Details, detail)
	}
	if r.field != "" {
		want.Message = r.field + ": " + r.text
		add(&errdetails.ErrorInfo{Reason: r.reason, Domain: "buoy.v1", Metadata: map[string]string{"field": r.field}})
		add(&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: r.field, Reason: r.reason, Description: r.text}}})
	} else if r.reason != "" {
		add(&errdetails.ErrorInfo{Reason: r.reason, Domain: "buoy.v1"})
	}
	if r.resource != "" {
		add(&errdetails.ResourceInfo{ResourceName: r.resource, Description: r.text})
	}
	switch r.code {
	case codes.FailedPrecondition:
		add(&errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{
			{Type: r.reason, Subject: r.resource, Description: r.text}}})
	case codes.ResourceExhausted:
		add(&errdetails.QuotaFailure{Violations: []*errdetails.QuotaFailure_Violation{{Subject: r.resource, Description: r.text}}})
	}
	equal(t, "status", status.Convert(err).Proto(), want)
}

// attempt is a request that may be refused.
func attempt[Req, Resp proto.Message](rpc func(context.Context, Req, ...grpc.CallOption) (Resp, error), req Req) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := rpc(ctx, req)
		return err
	}
}

func maskOf(fields ...string) *fieldmaskpb.FieldMask { return &fieldmaskpb.FieldMask{Paths: fields} }

func TestRefusals(t *testing.T) {
	const (
		invalid   = codes.InvalidArgument
		missing   = codes.NotFound
		exists    = codes.AlreadyExists
		failed    = codes.FailedPrecondition
		nope      = "projects/default/networks/nope"
		nopeFIP   = "projects/default/floatingIps/nope"
		nopeNode  = "computeNodes/nope"
		nopePeer  = "neighbors/nope"
		wrongName = `expected lower-case letters, digits and inside the name '-', '_', '.'; got "Foo"`
	)
	l := newLab(t).furnish(t)
	network := func(n *buoyv1.Network) func() error {
		return func() error {
			_, err := l.networks.CreateNetwork(t.Context(), &buoyv1.CreateNetworkRequest{Network: n})
			return err
		}
	}
	setNetwork := func(n *buoyv1.Network, fields ...string) func() error {
		return func() error {
			_, err := l.networks.UpdateNetwork(t.Context(), &buoyv1.UpdateNetworkRequest{Network: n, UpdateMask: maskOf(fields...)})
			return err
		}
	}
	node := func(n *buoyv1.ComputeNode) func() error {
		return func() error {
			_, err := l.computeNodes.CreateComputeNode(t.Context(), &buoyv1.CreateComputeNodeRequest{ComputeNode: n})
			return err
		}
	}
	setNode := func(n *buoyv1.ComputeNode, fields ...string) func() error {
		return func() error {
			_, err := l.computeNodes.UpdateComputeNode(t.Context(), &buoyv1.UpdateComputeNodeRequest{ComputeNode: n, UpdateMask: maskOf(fields...)})
			return err
		}
	}
	peer := func(n *buoyv1.Neighbor) func() error {
		return func() error {
			_, err := l.neighbors.CreateNeighbor(t.Context(), &buoyv1.CreateNeighborRequest{Neighbor: n})
			return err
		}
	}
	setPeer := func(n *buoyv1.Neighbor, fields ...string) func() error {
		return func() error {
			_, err := l.neighbors.UpdateNeighbor(t.Context(), &buoyv1.UpdateNeighborRequest{Neighbor: n, UpdateMask: maskOf(fields...)})
			return err
		}
	}
	allocate := func(name, network, address string) func() error {
		return func() error {
			_, err := l.floatingIPs.Allocate(t.Context(), &buoyv1.AllocateRequest{Name: name, Network: network, Address: address})
			return err
		}
	}
	associate := func(name string, a *buoyv1.Association) func() error {
		return func() error {
			_, err := l.floatingIPs.Associate(t.Context(), &buoyv1.AssociateRequest{Name: name, Association: a})
			return err
		}
	}
	disassociate := func(name, iface, node string) func() error {
		return func() error {
			_, err := l.floatingIPs.Disassociate(t.Context(), &buoyv1.DisassociateRequest{Name: name, Interface: iface, ComputeNode: node})
			return err
		}
	}
	with := func(change func(*buoyv1.Association)) *buoyv1.Association {
		a := &buoyv1.Association{ComputeNode: cmp2, Interface: "tap9", FixedIp: "10.47.255.9", Label: 109}
		change(a)
		return a
	}
	for name, tt := range map[string]struct {
		do   func() error
		want refusal
	}{
		"network: none":          {network(nil), refusal{invalid, "INVALID_FIELD", "name", "", `expected projects/PROJECT/networks/NAME, got ""`}},
		"network: name":          {network(&buoyv1.Network{Name: "projects/default/networks/Foo"}), refusal{invalid, "INVALID_FIELD", "name", "", wrongName}},
		"network: project":       {network(&buoyv1.Network{Name: "projects/Foo/networks/a"}), refusal{invalid, "INVALID_FIELD", "name", "", "project: " + wrongName}},
		"network: exists":        {network(&buoyv1.Network{Name: public}), refusal{exists, "RESOURCE_EXISTS", "name", public, public + " exists"}},
		"network: subnet":        {network(&buoyv1.Network{Name: nope, Subnets: []string{"x"}}), refusal{invalid, "INVALID_FIELD", "subnets", "", `expected a prefix like 203.0.113.0/24, got "x"`}},
		"network: host bits":     {network(&buoyv1.Network{Name: nope, Subnets: []string{"10.0.0.1/8"}}), refusal{invalid, "INVALID_FIELD", "subnets", "", "10.0.0.1/8 has host bits set; the prefix is 10.0.0.0/8"}},
		"network: overlap":       {network(&buoyv1.Network{Name: nope, Subnets: []string{"10.0.0.0/8", "10.1.0.0/16"}}), refusal{invalid, "SUBNETS_OVERLAP", "subnets", "", "10.1.0.0/16 overlaps 10.0.0.0/8; the subnets of a network must not overlap"}},
		"network: encapsulation": {network(&buoyv1.Network{Name: nope, Encapsulations: []string{"vxlan"}}), refusal{invalid, "INVALID_FIELD", "encapsulations", "", `expected encapsulation gre or udp, got "vxlan"`}},
		"network: automatic": {network(&buoyv1.Network{Name: nope, ExportTargets: []string{"target:64512:8000007"}}), refusal{invalid, "TARGET_IN_AUTOMATIC_RANGE", "export_targets", "",
			"target:64512:8000007 lies in the range of the automatic targets, target:64512:8000001 to target:64512:8057535; choose a number outside"}},
		"network: first of two": {network(&buoyv1.Network{Name: nope, Subnets: []string{"x"}, Encapsulations: []string{"y"}}), refusal{invalid, "INVALID_FIELD", "subnets", "", `expected a prefix like 203.0.113.0/24, got "x"`}},
		"network: empty mask": {setNetwork(&buoyv1.Network{Name: public}), refusal{invalid, "INVALID_FIELD", "update_mask", "",
			"expected some of subnets, route_targets, import_targets, export_targets, encapsulations, external, reserved_hosts, gateways, dns_servers; nothing is to be changed"}},
		"network: unknown in mask": {setNetwork(&buoyv1.Network{Name: public}, "subnets", "id"), refusal{invalid, "INVALID_FIELD", "update_mask", "",
			`expected some of subnets, route_targets, import_targets, export_targets, encapsulations, external, reserved_hosts, gateways, dns_servers, got "id"`}},
		"network: not there": {setNetwork(&buoyv1.Network{Name: nope}, "subnets"), refusal{missing, "RESOURCE_NOT_FOUND", "name", nope, nope + " does not exist"}},

		"node: none":           {node(nil), refusal{invalid, "INVALID_FIELD", "name", "", `expected computeNodes/NAME, got ""`}},
		"node: no address":     {node(&buoyv1.ComputeNode{Name: nopeNode}), refusal{invalid, "INVALID_FIELD", "address", "", "expected an IPv4 or IPv6 address, for example 10.0.0.11"}},
		"node: address":        {node(&buoyv1.ComputeNode{Name: nopeNode, Address: "10.0.0.256"}), refusal{invalid, "INVALID_FIELD", "address", "", `expected an IPv4 or IPv6 address, got "10.0.0.256"`}},
		"node: router id":      {node(&buoyv1.ComputeNode{Name: nopeNode, Address: "10.0.0.13", RouterId: "::1"}), refusal{invalid, "INVALID_FIELD", "router_id", "", "expected an IPv4 address, for example 10.0.0.11, got ::1"}},
		"node: address taken":  {node(&buoyv1.ComputeNode{Name: nopeNode, Address: "10.0.0.11"}), refusal{exists, "ADDRESS_TAKEN", "address", cmp1, "10.0.0.11 is the address of " + cmp1}},
		"node: id taken":       {node(&buoyv1.ComputeNode{Name: nopeNode, Address: "10.0.0.12"}), refusal{exists, "ROUTER_ID_TAKEN", "router_id", cmp2, "10.0.0.12 is the router id of " + cmp2 + "; equal ones would make two routes one"}},
		"node: exists":         {node(&buoyv1.ComputeNode{Name: cmp1, Address: "10.0.0.13"}), refusal{exists, "RESOURCE_EXISTS", "name", cmp1, cmp1 + " exists"}},
		"node: empty mask":     {setNode(&buoyv1.ComputeNode{Name: cmp1}), refusal{invalid, "INVALID_FIELD", "update_mask", "", "expected some of address, router_id, encapsulations, label_range, label_hold_down, liveness, hold_time, stale_time, drained; nothing is to be changed"}},
		"node: name in mask":   {setNode(&buoyv1.ComputeNode{Name: cmp1}, "name"), refusal{invalid, "INVALID_FIELD", "update_mask", "", `expected some of address, router_id, encapsulations, label_range, label_hold_down, liveness, hold_time, stale_time, drained, got "name"`}},
		"node: mask, no value": {setNode(&buoyv1.ComputeNode{Name: cmp1}, "address"), refusal{invalid, "INVALID_FIELD", "address", "", "expected an IPv4 or IPv6 address, for example 10.0.0.11"}},

		"neighbor: none":              {peer(nil), refusal{invalid, "INVALID_FIELD", "name", "", `expected neighbors/NAME, got ""`}},
		"neighbor: no AS":             {peer(&buoyv1.Neighbor{Name: nopePeer, Address: "10.0.0.3"}), refusal{invalid, "INVALID_FIELD", "as", "", "expected an AS 1..4294967295"}},
		"neighbor: port":              {peer(&buoyv1.Neighbor{Name: nopePeer, Address: "10.0.0.3", As: 1, Port: 65536}), refusal{invalid, "INVALID_FIELD", "port", "", "expected a port 1..65535, got 65536"}},
		"neighbor: family":            {peer(&buoyv1.Neighbor{Name: nopePeer, Address: "10.0.0.3", As: 1, Families: []string{"inet"}}), refusal{invalid, "INVALID_FIELD", "families", "", `expected inet-vpn, inet6-vpn, route-target, got "inet"`}},
		"neighbor: taken":             {peer(&buoyv1.Neighbor{Name: nopePeer, Address: "10.0.0.9", As: 1}), refusal{exists, "ADDRESS_TAKEN", "address", fixed, "10.0.0.9 is the address of " + fixed}},
		"neighbor: in file":           {peer(&buoyv1.Neighbor{Name: fixed, Address: "10.0.0.3", As: 1}), refusal{exists, "RESOURCE_EXISTS", "name", fixed, fixed + " exists in the configuration file"}},
		"neighbor: read-only":         {setPeer(&buoyv1.Neighbor{Name: fixed, As: 1}, "as"), refusal{failed, "DEFINED_IN_CONFIGURATION_FILE", "name", fixed, fixed + " is defined in the configuration file; change it there and restart the daemon"}},
		"neighbor: name":              {setPeer(&buoyv1.Neighbor{Name: "mx1", As: 1}, "as"), refusal{invalid, "INVALID_FIELD", "name", "", `expected neighbors/NAME, got "mx1"`}},
		"neighbor: state":             {setPeer(&buoyv1.Neighbor{Name: mx1}, "state"), refusal{invalid, "INVALID_FIELD", "update_mask", "", `expected some of address, port, as, families, passive, local_address, hold_time, keepalive_time, ttl_security, multihop, md5_key_file, md5_key_env, encapsulations, max_advertised, graceful_restart, restart_time, long_lived_time, long_lived, max_received, accept_prefixes, accept_targets, max_received_action, got "state"`}},
		"neighbor: encapsulation":     {peer(&buoyv1.Neighbor{Name: nopePeer, Address: "10.0.0.3", As: 1, Encapsulations: []string{"gre", "vxlan"}}), refusal{invalid, "INVALID_FIELD", "encapsulations", "", `expected encapsulation gre or udp, got "vxlan"`}},
		"neighbor: set encapsulation": {setPeer(&buoyv1.Neighbor{Name: mx1, Encapsulations: []string{""}}, "encapsulations"), refusal{invalid, "INVALID_FIELD", "encapsulations", "", `expected encapsulation gre or udp, got ""`}},

		"allocate: network name": {allocate(nopeFIP, "vn-public", "203.0.113.7"), refusal{invalid, "INVALID_FIELD", "network", "", `expected projects/PROJECT/networks/NAME, got "vn-public"`}},
		"allocate: no network":   {allocate(nopeFIP, nope, "203.0.113.7"), refusal{missing, "RESOURCE_NOT_FOUND", "network", nope, nope + " does not exist"}},
		"allocate: outside":      {allocate(nopeFIP, public, "198.51.100.1"), refusal{invalid, "ADDRESS_OUTSIDE_SUBNETS", "address", "", "198.51.100.1 is outside the subnets of " + public + ": [203.0.113.0/24 2001:db8::/64]"}},
		"allocate: reserved":     {allocate(nopeFIP, public, "203.0.113.255"), refusal{invalid, "ADDRESS_RESERVED", "address", "", "203.0.113.255 is the network or broadcast address of 203.0.113.0/24"}},
		"allocate: taken":        {allocate(nopeFIP, public, "203.0.113.5"), refusal{exists, "ADDRESS_TAKEN", "address", web1, "203.0.113.5 is taken by " + web1}},
		"allocate: exists":       {allocate(web1, public, "203.0.113.7"), refusal{exists, "RESOURCE_EXISTS", "name", web1, web1 + " exists with address 203.0.113.5"}},

		"associate: none":      {associate(web1, nil), refusal{invalid, "INVALID_FIELD", "compute_node", "", `expected computeNodes/NAME, got ""`}},
		"associate: not there": {associate(nopeFIP, with(func(*buoyv1.Association) {})), refusal{missing, "RESOURCE_NOT_FOUND", "name", nopeFIP, nopeFIP + " does not exist"}},
		"associate: no node":   {associate(web1, with(func(a *buoyv1.Association) { a.ComputeNode = nopeNode })), refusal{missing, "RESOURCE_NOT_FOUND", "compute_node", nopeNode, nopeNode + " does not exist"}},
		"associate: interface": {associate(web1, with(func(a *buoyv1.Association) { a.Interface = "" })), refusal{invalid, "INVALID_FIELD", "interface", "", "expected the name of an interface, 1..64 characters, got 0"}},
		"associate: slash":     {associate(web1, with(func(a *buoyv1.Association) { a.Interface = "a/b" })), refusal{invalid, "INVALID_FIELD", "interface", "", `expected printable characters without blanks and slashes, got "a/b"`}},
		"associate: family":    {associate(web1, with(func(a *buoyv1.Association) { a.FixedIp = "fd00::1" })), refusal{invalid, "ADDRESS_FAMILY_MISMATCH", "fixed_ip", "", "fd00::1 and the floating IP 203.0.113.5 are of different families"}},
		"associate: label":     {associate(web1, with(func(a *buoyv1.Association) { a.Label = 1 << 20 })), refusal{invalid, "INVALID_FIELD", "label", "", "expected a label 16..1048575, got 1048576"}},
		"associate: twice": {associate(web1, with(func(a *buoyv1.Association) { a.ComputeNode = cmp1 })), refusal{exists, "ALREADY_ASSOCIATED", "compute_node", web1,
			web1 + " is associated with " + cmp1 + " already, interface tap0; disassociate it, or move it"}},
		"associate: label taken": {associate(web1, with(func(a *buoyv1.Association) { a.Label = 106 })), refusal{exists, "LABEL_TAKEN", "label", cmp2, "106 is the label of interface tap6 of " + cmp2}},
		"associate: label differs": {associate(web1, with(func(a *buoyv1.Association) { a.Interface = "tap6" })), refusal{failed, "INTERFACE_HAS_ANOTHER_LABEL", "label", cmp2,
			"interface tap6 of " + cmp2 + " has label 106; all its floating IPs share it"}},
		"disassociate: nothing":   {disassociate(idle, "", ""), refusal{failed, "NOT_ASSOCIATED", "name", idle, idle + " is not associated with a compute node"}},
		"disassociate: interface": {disassociate(web1, "tap9", ""), refusal{failed, "NOT_ASSOCIATED", "interface", web1, web1 + " is not associated with tap9, but with interface tap0 of " + cmp1}},
		"disassociate: node":      {disassociate(web1, "", cmp2), refusal{failed, "NOT_ASSOCIATED", "compute_node", web1, web1 + " is not associated with " + cmp2 + ", but with interface tap0 of " + cmp1}},
	} {
		t.Run(name, func(t *testing.T) { tt.want.check(t, tt.do()) })
	}
}

// Get, Delete and Release know no other name than that of the resource.
func TestRefusedNames(t *testing.T) {
	l := newLab(t).furnish(t)
	get := func(name string) map[string]error {
		_, network := l.networks.GetNetwork(t.Context(), &buoyv1.GetNetworkRequest{Name: name})
		_, pool := l.pools.GetPool(t.Context(), &buoyv1.GetPoolRequest{Name: name})
		_, binding := l.pools.GetPoolBinding(t.Context(), &buoyv1.GetPoolBindingRequest{Name: name})
		_, node := l.computeNodes.GetComputeNode(t.Context(), &buoyv1.GetComputeNodeRequest{Name: name})
		_, peer := l.neighbors.GetNeighbor(t.Context(), &buoyv1.GetNeighborRequest{Name: name})
		_, fip := l.floatingIPs.GetFloatingIP(t.Context(), &buoyv1.GetFloatingIPRequest{Name: name})
		return map[string]error{"network": network, "pool": pool, "binding": binding, "node": node, "neighbor": peer, "floating IP": fip}
	}
	remove := func(name string) map[string]error {
		_, network := l.networks.DeleteNetwork(t.Context(), &buoyv1.DeleteNetworkRequest{Name: name})
		_, pool := l.pools.DeletePool(t.Context(), &buoyv1.DeletePoolRequest{Name: name})
		_, node := l.computeNodes.DeleteComputeNode(t.Context(), &buoyv1.DeleteComputeNodeRequest{Name: name})
		_, peer := l.neighbors.DeleteNeighbor(t.Context(), &buoyv1.DeleteNeighborRequest{Name: name})
		_, fip := l.floatingIPs.Release(t.Context(), &buoyv1.ReleaseRequest{Name: name})
		return map[string]error{"network": network, "pool": pool, "node": node, "neighbor": peer, "floating IP": fip}
	}
	for _, name := range []string{"nope", "projects/default/networks/nope", "computeNodes/nope", "a\nb", strings.Repeat("long", 1000)} {
		want := refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "name", name, name + " does not exist"}
		for what, err := range get(name) {
			t.Run("get "+what, func(t *testing.T) { want.check(t, err) })
		}
		for what, err := range remove(name) {
			t.Run("delete "+what, func(t *testing.T) { want.check(t, err) })
		}
	}
	for what, err := range get("") {
		t.Run("get "+what+" without a name", func(t *testing.T) {
			refusal{codes.InvalidArgument, "INVALID_FIELD", "name", "", "expected a name"}.check(t, err)
		})
	}
	inUse := func(name, resource, text string) refusal {
		return refusal{codes.FailedPrecondition, "RESOURCE_IN_USE", "name", resource, name + " is in use by " + text}
	}
	inUse(public, web1, web1+", "+idle+", "+web6).check(t, remove(public)["network"])
	inUse(cmp1, web1, web1).check(t, remove(cmp1)["node"])
	refusal{codes.FailedPrecondition, "RESOURCE_IN_USE", "name", web1,
		web1 + " is associated with interface tap0 of " + cmp1 + "; disassociate it first"}.check(t, remove(web1)["floating IP"])
	refusal{codes.FailedPrecondition, "DEFINED_IN_CONFIGURATION_FILE", "name", fixed,
		fixed + " is defined in the configuration file; change it there and restart the daemon"}.check(t, remove(fixed)["neighbor"])
}

// Subnets cannot be taken away from below a floating IP.
func TestRefusedSubnets(t *testing.T) {
	l := newLab(t).furnish(t)
	_, err := l.networks.UpdateNetwork(t.Context(), &buoyv1.UpdateNetworkRequest{
		Network: &buoyv1.Network{Name: public, Subnets: []string{"203.0.113.0/24"}}, UpdateMask: maskOf("subnets")})
	want := "subnets: an address that would no longer be in the subnets of " + public + " is in use by " + web6 + " (2001:db8::5)"
	if s := status.Convert(err); s.Code() != codes.FailedPrecondition || s.Message() != want {
		t.Errorf("got  %s: %s\nwant %s: %s", s.Code(), s.Message(), codes.FailedPrecondition, want)
	}
}

func TestRefusedParents(t *testing.T) {
	l := newLab(t)
	for parent, text := range map[string]string{
		"default":      `expected projects/PROJECT, got "default"`,
		"projects/":    "expected a name",
		"projects/a/b": `expected lower-case letters, digits and inside the name '-', '_', '.'; got "a/b"`,
	} {
		want := refusal{codes.InvalidArgument, "INVALID_FIELD", "parent", "", text}
		_, err := l.networks.ListNetworks(t.Context(), &buoyv1.ListNetworksRequest{Parent: parent})
		want.check(t, err)
		_, err = l.floatingIPs.ListFloatingIPs(t.Context(), &buoyv1.ListFloatingIPsRequest{Parent: parent})
		want.check(t, err)
		_, err = l.pools.ListPools(t.Context(), &buoyv1.ListPoolsRequest{Parent: parent})
		want.check(t, err)
	}
	for parent, text := range map[string]string{
		"/networks/a":                        "expected projects/PROJECT/networks/NETWORK",
		"default/networks/a":                 `expected projects/PROJECT, got "default"`,
		"projects//networks/a":               "expected a name",
		"projects/a/networks/":               "expected a name",
		"projects/a/networks/b/pools/c":      `expected lower-case letters, digits and inside the name '-', '_', '.'; got "b/pools/c"`,
		"projects/a/networks/networks/b":     `expected lower-case letters, digits and inside the name '-', '_', '.'; got "networks/b"`,
		"projects/a/networks/b/networks/c/d": `expected lower-case letters, digits and inside the name '-', '_', '.'; got "b/networks/c/d"`,
	} {
		_, err := l.pools.ListPools(t.Context(), &buoyv1.ListPoolsRequest{Parent: parent})
		refusal{codes.InvalidArgument, "INVALID_FIELD", "parent", "", text}.check(t, err)
	}
}
