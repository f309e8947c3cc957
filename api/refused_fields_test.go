package api

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// Fields that take part in the choice of addresses, labels and ports.
func TestRefusedFields(t *testing.T) {
	const (
		invalid    = codes.InvalidArgument
		failed     = codes.FailedPrecondition
		nope       = "projects/default/networks/nope"
		nopeNode   = "computeNodes/nope"
		noLabels   = "expected labels FIRST-LAST within 16-1048575, like 100000-999999, got "
		noEnum     = "the enumeration has no value 9"
		noPort     = "expected a port 1..65535, got 65536"
		noProtocol = `expected tcp, udp, sctp, got "icmp"`
	)
	l := newLab(t).furnish(t)
	network := func(n *buoyv1.Network) func(context.Context) error {
		n.Name, n.Subnets = nope, []string{"192.0.2.0/24"}
		return attempt(l.networks.CreateNetwork, &buoyv1.CreateNetworkRequest{Network: n})
	}
	setNetwork := func(n *buoyv1.Network, field string) func(context.Context) error {
		n.Name = public
		return attempt(l.networks.UpdateNetwork, &buoyv1.UpdateNetworkRequest{Network: n, UpdateMask: maskOf(field)})
	}
	node := func(n *buoyv1.ComputeNode) func(context.Context) error {
		n.Name, n.Address = nopeNode, "10.0.0.13"
		return attempt(l.computeNodes.CreateComputeNode, &buoyv1.CreateComputeNodeRequest{ComputeNode: n})
	}
	labels := func(text string) func(context.Context) error { return node(&buoyv1.ComputeNode{LabelRange: text}) }
	update := func(f *buoyv1.FloatingIP, fields ...string) func(context.Context) error {
		f.Name = web1
		return attempt(l.floatingIPs.UpdateFloatingIP, &buoyv1.UpdateFloatingIPRequest{FloatingIp: f, UpdateMask: maskOf(fields...)})
	}
	mapped := func(mappings ...*buoyv1.PortMapping) func(context.Context) error {
		return update(&buoyv1.FloatingIP{PortMappings: mappings}, "port_mappings")
	}
	move := func(name, from string, a *buoyv1.Association) func(context.Context) error {
		return attempt(l.floatingIPs.Move, &buoyv1.MoveRequest{Name: name, From: from, Association: a})
	}
	peer := func(change func(*buoyv1.Neighbor)) func(context.Context) error {
		n := &buoyv1.Neighbor{Name: "neighbors/nope", Address: "10.0.0.3", As: 1, Families: []string{"inet-vpn", "inet6-vpn"}}
		change(n)
		return attempt(l.neighbors.CreateNeighbor, &buoyv1.CreateNeighborRequest{Neighbor: n})
	}
	setPeer := func(n *buoyv1.Neighbor, fields ...string) func(context.Context) error {
		n.Name = mx1
		return attempt(l.neighbors.UpdateNeighbor, &buoyv1.UpdateNeighborRequest{Neighbor: n, UpdateMask: maskOf(fields...)})
	}
	at2 := &buoyv1.Association{ComputeNode: cmp2, Interface: "tap2", FixedIp: "10.47.255.2"}
	for name, tt := range map[string]struct {
		do   func(context.Context) error
		want refusal
	}{
		"network: reserved hosts":    {network(&buoyv1.Network{ReservedHosts: 9}), refusal{invalid, "INVALID_FIELD", "reserved_hosts", "", noEnum}},
		"network: gateway":           {network(&buoyv1.Network{Gateways: []string{"x"}}), refusal{invalid, "INVALID_FIELD", "gateways", "", `expected an IPv4 or IPv6 address, got "x"`}},
		"network: gateway, empty":    {network(&buoyv1.Network{Gateways: []string{""}}), refusal{invalid, "INVALID_FIELD", "gateways", "", "expected an IPv4 or IPv6 address, for example 203.0.113.1"}},
		"network: gateway outside":   {network(&buoyv1.Network{Gateways: []string{"10.0.0.1"}}), refusal{invalid, "ADDRESS_OUTSIDE_SUBNETS", "gateways", "", "10.0.0.1 is outside the subnets of the network"}},
		"network: DNS outside":       {network(&buoyv1.Network{DnsServers: []string{"10.0.0.1"}}), refusal{invalid, "ADDRESS_OUTSIDE_SUBNETS", "dns_servers", "", "10.0.0.1 is outside the subnets of the network"}},
		"network: set no hosts":      {setNetwork(&buoyv1.Network{}, "reserved_hosts"), refusal{invalid, "INVALID_FIELD", "reserved_hosts", "", "expected NONE, LAST_TWO or FIRST_TWO"}},
		"network: set unknown hosts": {setNetwork(&buoyv1.Network{ReservedHosts: 9}, "reserved_hosts"), refusal{invalid, "INVALID_FIELD", "reserved_hosts", "", noEnum}},
		"network: reserves an address in use": {setNetwork(&buoyv1.Network{Gateways: []string{"203.0.113.5"}}, "gateways"), refusal{failed, "RESOURCE_IN_USE", "reserved_hosts", web1,
			"an address that would be reserved in " + public + " is in use by " + web1 + " (203.0.113.5)"}},

		"node: labels":          {labels("all"), refusal{invalid, "INVALID_FIELD", "label_range", "", noLabels + `"all"`}},
		"node: low labels":      {labels("15-100"), refusal{invalid, "INVALID_FIELD", "label_range", "", noLabels + `"15-100"`}},
		"node: no labels":       {labels("0-0"), refusal{invalid, "INVALID_FIELD", "label_range", "", noLabels + `"0-0"`}},
		"node: high labels":     {labels("16-1048576"), refusal{invalid, "INVALID_FIELD", "label_range", "", noLabels + `"16-1048576"`}},
		"node: huge labels":     {labels("16-4294967396"), refusal{invalid, "INVALID_FIELD", "label_range", "", noLabels + `"16-4294967396"`}},
		"node: backward labels": {labels("200-100"), refusal{invalid, "INVALID_FIELD", "label_range", "", noLabels + `"200-100"`}},
		"node: open labels":     {labels("100-"), refusal{invalid, "INVALID_FIELD", "label_range", "", noLabels + `"100-"`}},
		"node: three labels":    {labels("1-2-3"), refusal{invalid, "INVALID_FIELD", "label_range", "", noLabels + `"1-2-3"`}},
		"node: hold-down":       {node(&buoyv1.ComputeNode{LabelHoldDown: 86401}), refusal{invalid, "INVALID_FIELD", "label_hold_down", "", "expected at most 86400 seconds, got 86401"}},

		"neighbor: restart family": {peer(func(n *buoyv1.Neighbor) { n.GracefulRestart = []string{"inet"} }), refusal{invalid, "INVALID_FIELD", "graceful_restart", "",
			`expected inet-vpn, inet6-vpn, route-target, got "inet"; none for no graceful restart`}},
		"neighbor: restart none of": {peer(func(n *buoyv1.Neighbor) { n.GracefulRestart = []string{"none", "inet-vpn"} }), refusal{invalid, "INVALID_FIELD", "graceful_restart", "",
			"expected families, or none alone, got none,inet-vpn"}},
		"neighbor: restart of another": {peer(func(n *buoyv1.Neighbor) { n.GracefulRestart = []string{"route-target"} }), refusal{invalid, "INVALID_FIELD", "graceful_restart", "",
			"expected some of the session's families, inet-vpn,inet6-vpn, or none; got route-target"}},
		"neighbor: restart time":      {peer(func(n *buoyv1.Neighbor) { n.RestartTime = 4096 }), refusal{invalid, "INVALID_FIELD", "restart_time", "", "expected at most 4095 seconds, got 4096"}},
		"neighbor: huge restart time": {peer(func(n *buoyv1.Neighbor) { n.RestartTime = 1<<32 - 1 }), refusal{invalid, "INVALID_FIELD", "restart_time", "", "expected at most 4095 seconds, got 4294967295"}},
		"neighbor: long-lived time":   {peer(func(n *buoyv1.Neighbor) { n.LongLivedTime = 1 << 24 }), refusal{invalid, "INVALID_FIELD", "long_lived_time", "", "expected 0..16777215 seconds, got 16777216"}},
		"neighbor: long-lived family": {peer(func(n *buoyv1.Neighbor) { n.LongLived = []string{"none"} }), refusal{invalid, "INVALID_FIELD", "long_lived", "", `expected inet-vpn, inet6-vpn, route-target, got "none"`}},
		"neighbor: long-lived, no time": {peer(func(n *buoyv1.Neighbor) { n.LongLived = []string{"inet-vpn"} }), refusal{invalid, "INVALID_FIELD", "long_lived_time", "",
			"expected 1..16777215 seconds for the families of long_lived, inet-vpn; got 0"}},
		"neighbor: long-lived, no restart": {peer(func(n *buoyv1.Neighbor) { n.GracefulRestart, n.LongLivedTime = []string{"none"}, 60 }), refusal{invalid, "INVALID_FIELD", "long_lived_time", "",
			"expected 0 while graceful_restart is none (RFC 9494 §4.1), got 60"}},
		"neighbor: long-lived, not graceful": {peer(func(n *buoyv1.Neighbor) {
			n.GracefulRestart, n.LongLivedTime, n.LongLived = []string{"inet-vpn"}, 60, []string{"inet-vpn", "inet6-vpn"}
		}), refusal{invalid, "INVALID_FIELD", "long_lived", "", "expected families with graceful restart, inet-vpn; leave inet6-vpn out, or add it to graceful_restart"}},
		"neighbor: accept prefix": {peer(func(n *buoyv1.Neighbor) { n.AcceptPrefixes = []string{"::/0", "10.0.0.1/8 le 24"} }), refusal{invalid, "INVALID_FIELD", "accept_prefixes", "",
			"10.0.0.1/8 has host bits set; the prefix is 10.0.0.0/8"}},
		"neighbor: accept none of": {peer(func(n *buoyv1.Neighbor) { n.AcceptPrefixes = []string{"none", "::/0"} }), refusal{invalid, "INVALID_FIELD", "accept_prefixes", "",
			"expected prefixes, or none alone, got none, ::/0"}},
		"neighbor: accept target": {peer(func(n *buoyv1.Neighbor) { n.AcceptTargets = []string{"red"} }), refusal{invalid, "INVALID_FIELD", "accept_targets", "",
			`route target "red": expected <AS or IPv4 address>:<number>, for example target:64512:10003`}},
		"neighbor: many accept targets": {peer(func(n *buoyv1.Neighbor) {
			for i := range 257 {
				n.AcceptTargets = append(n.AcceptTargets, fmt.Sprintf("64512:%d", i))
			}
		}), refusal{invalid, "INVALID_FIELD", "accept_targets", "", "expected at most 256 route targets, got 257"}},
		"neighbor: action": {peer(func(n *buoyv1.Neighbor) { n.MaxReceivedAction = 9 }), refusal{invalid, "INVALID_FIELD", "max_received_action", "", noEnum}},
		"neighbor: set accept prefix": {setPeer(&buoyv1.Neighbor{AcceptPrefixes: []string{"10.0.0.0/8 le 7"}}, "accept_prefixes"), refusal{invalid, "INVALID_FIELD", "accept_prefixes", "",
			`10.0.0.0/8: expected a length 8..32 after le, got "7"`}},
		"neighbor: set restart time":     {setPeer(&buoyv1.Neighbor{RestartTime: 5000}, "restart_time"), refusal{invalid, "INVALID_FIELD", "restart_time", "", "expected at most 4095 seconds, got 5000"}},
		"neighbor: set long-lived alone": {setPeer(&buoyv1.Neighbor{LongLived: []string{"inet-vpn"}}, "long_lived"), refusal{invalid, "INVALID_FIELD", "long_lived_time", "", "expected 1..16777215 seconds for the families of long_lived, inet-vpn; got 0"}},

		"update: empty mask": {update(&buoyv1.FloatingIP{}), refusal{invalid, "INVALID_FIELD", "update_mask", "", "expected some of direction, port_mappings; nothing is to be changed"}},
		"update: address":    {update(&buoyv1.FloatingIP{}, "address"), refusal{invalid, "INVALID_FIELD", "update_mask", "", `expected some of direction, port_mappings, got "address"`}},
		"update: direction":  {update(&buoyv1.FloatingIP{Direction: 9}, "direction"), refusal{invalid, "INVALID_FIELD", "direction", "", noEnum}},
		"update: not there": {attempt(l.floatingIPs.UpdateFloatingIP, &buoyv1.UpdateFloatingIPRequest{UpdateMask: maskOf("direction"), FloatingIp: &buoyv1.FloatingIP{Name: nope}}),
			refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "name", nope, nope + " does not exist"}},
		"mapping: protocol":   {mapped(&buoyv1.PortMapping{Protocol: "icmp", Port: 1, FixedPort: 1}), refusal{invalid, "INVALID_FIELD", "port_mappings", "", noProtocol}},
		"mapping: port":       {mapped(&buoyv1.PortMapping{Protocol: "tcp", Port: 65536, FixedPort: 1}), refusal{invalid, "INVALID_FIELD", "port_mappings", "", noPort}},
		"mapping: fixed port": {mapped(&buoyv1.PortMapping{Protocol: "tcp", Port: 1, FixedPort: 65536}), refusal{invalid, "INVALID_FIELD", "port_mappings", "", noPort}},
		"mapping: no port":    {mapped(&buoyv1.PortMapping{Protocol: "tcp"}), refusal{invalid, "INVALID_FIELD", "port_mappings", "", "expected ports 1..65535, got 0:0"}},
		"mapping: twice": {mapped(&buoyv1.PortMapping{Protocol: "tcp", Port: 1, FixedPort: 1}, &buoyv1.PortMapping{Protocol: "tcp", Port: 1, FixedPort: 2}),
			refusal{invalid, "INVALID_FIELD", "port_mappings", "", "port 1 of tcp is mapped twice"}},

		"move: not there":      {move("projects/default/floatingIps/nope", "", at2), refusal{codes.NotFound, "RESOURCE_NOT_FOUND", "name", "projects/default/floatingIps/nope", "projects/default/floatingIps/nope does not exist"}},
		"move: not associated": {move(idle, "", at2), refusal{failed, "NOT_ASSOCIATED", "name", idle, idle + " is not associated with a compute node; associate it"}},
		"move: from elsewhere": {move(web1, cmp2, at2), refusal{failed, "NOT_ASSOCIATED", "from", web1, web1 + " is not associated with " + cmp2 + ", but with interface tap0 of " + cmp1}},
		"move: to nowhere":     {move(web1, "", nil), refusal{invalid, "INVALID_FIELD", "compute_node", "", `expected computeNodes/NAME, got ""`}},
		"move: fixed IP":       {move(web1, "", &buoyv1.Association{ComputeNode: cmp2, FixedIp: "x"}), refusal{invalid, "INVALID_FIELD", "fixed_ip", "", `expected an IPv4 or IPv6 address, got "x"`}},
	} {
		t.Run(name, func(t *testing.T) { tt.want.check(t, tt.do(t.Context())) })
	}
}

// What is left says how to get more, and names what is exhausted.
func TestLabelsExhausted(t *testing.T) {
	l := newLab(t).furnish(t)
	call(t, l.computeNodes.UpdateComputeNode, &buoyv1.UpdateComputeNodeRequest{
		ComputeNode: &buoyv1.ComputeNode{Name: cmp1, LabelRange: "100"}, UpdateMask: maskOf("label_range")})
	_, err := l.floatingIPs.Associate(t.Context(), &buoyv1.AssociateRequest{Name: idle, Association: &buoyv1.Association{
		ComputeNode: cmp1, Interface: "tap9", FixedIp: "10.47.255.9"}})
	refusal{codes.ResourceExhausted, "LABELS_EXHAUSTED", "label", cmp1,
		"all labels 100-100 of " + cmp1 + " are taken; give the node a larger range"}.check(t, err)
}
