package inventory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/vrf"
)

func TestApplyRefusals(t *testing.T) {
	for _, tt := range []struct{ key, value, want string }{
		{"pools/projects/p/pools/x", "{}", "unknown kind of key; was it written by a later version of Buoy?"},
		{"pool/" + poolA, "{}", `the resource calls itself ""`},
		{"pool/" + poolA, `{"name":"` + poolA + `","ranges":["203.0.113.9-203.0.113.1"]}`, `decode: expected the lower address first, got "203.0.113.9-203.0.113.1"`},
		{"binding/" + devBound, `{"name":"global/poolBinding"}`, `the resource calls itself "global/poolBinding"`},
		{"resting/cmp1/100", "[]", "decode: json: cannot unmarshal array into Go value of type inventory.restingLabel"},
		{"resting/cmp1/tap0", "{}", `expected the key to end with a label, got "tap0"`},
		{"resting/cmp1", "{}", `expected the key to end with a label, got ""`},
		{"cursor/" + poolA, `{"ipv4":"here"}`, `decode: ParseAddr("here"): unable to parse IP`},
		{"fip/" + web, `{"name":"` + web + `","scope":"x"}`, `decode: expected network, request, namespace, global, got "x"`},
		{"fip/" + web, `{"name":"` + web + `","direction":"x"}`, `decode: expected both, ingress, egress, got "x"`},
		{"fip/" + web, `{"name":"` + web + `","port_mappings":[{"protocol":"icmp"}]}`, `decode: expected tcp, udp, sctp, got "icmp"`},
		{"network/" + public, `{"name":"` + public + `","reserved_hosts":"x"}`, `decode: expected none, last-two, first-two, got "x"`},
		{"global/bgp", "{}", "unknown kind of key; was it written by a later version of Buoy?"},
		{"", "", "unknown kind of key; was it written by a later version of Buoy?"},
		{"fip", "{}", "unknown kind of key; was it written by a later version of Buoy?"},
		{"global", "", "decode: unexpected end of JSON input"},
		{"global", `{"as":"x"}`, "decode: json: cannot unmarshal string into Go struct field Global.as of type uint32"},
		{"network/" + public, "junk", "decode: invalid character 'j' looking for beginning of value"},
		{"network/" + public, "{}", `the resource calls itself ""`},
		{"network/" + public, `{"name":"` + private + `","id":1}`, `the resource calls itself "` + private + `"`},
		{"network/" + public, `{"name":"` + public + `","subnets":["10.0.0.0"]}`, `decode: netip.ParsePrefix("10.0.0.0"): no '/'`},
		{"network/" + public, `{"name":"` + public + `","targets":"nonsense"}`, `decode: route target "nonsense": expected <AS or IPv4 address>:<number>, for example target:64512:10003`},
		{"network/" + public, `{"name":"` + public + `","encapsulations":"vxlan"}`, `decode: expected encapsulation gre or udp, got "vxlan"`},
		{"node/" + cmp1, "[]", "decode: json: cannot unmarshal array into Go value of type inventory.computeNode"},
		{"node/" + cmp1, "null", `the resource calls itself ""`},
		{"neighbor/" + mx1, `{"name":"mx2"}`, `the resource calls itself "neighbors/mx2"`},
		{"neighbor/" + mx1, `{"name":"mx1","families":"ipv4"}`, `decode: expected inet-vpn, inet6-vpn, route-target, got "ipv4"`},
		{"neighbor/" + static, `{"name":"static","address":"10.0.0.1"}`, "neighbor static is in the store and in the configuration file; rename it in the file"},
		{"neighbor/" + mx1, `{"name":"mx1","address":"10.0.0.9"}`, "neighbor mx1 of the store has the address 10.0.0.9, as has neighbor static of the configuration file; remove it from the file"},
		{"fip/" + web, `{"name":"` + web + `"} {}`, "decode: invalid character '{' after top-level value"},
		{"fip/" + web, `{"name":"` + mail + `"}`, `the resource calls itself "` + mail + `"`},
		{"iface/cmp1/tap0", "100", "decode: json: cannot unmarshal number into Go value of type inventory.interfaceUse"},
	} {
		s := NewState(Static{Neighbors: []*Neighbor{{Settings: settings("static", "10.0.0.9")}}})
		_, err := s.Apply(7, []Change{{Key: tt.key, Value: []byte(tt.value), Version: 7}})
		want := fmt.Sprintf("apply %s at revision 7: %s", tt.key, tt.want)
		if err == nil || err.Error() != want {
			t.Errorf("%s = %s:\n got %v\nwant %s", tt.key, tt.value, err, want)
		}
		if s.Revision() != 0 {
			t.Errorf("%s: the revision is %d", tt.key, s.Revision())
		}
	}
}

// TestApplyTouched checks which names are reported: resources, not claims.
func TestApplyTouched(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		command Command
		want    string
	}{
		{network(public, "203.0.113.0/24"), public + " " + GlobalName},
		{pool(poolA), poolA},
		{BindPool{devBound, poolA}, devBound},
		{UpdatePool{Name: poolA, SharedWith: ptr([]string{"*"})}, poolA},
		{Allocate{Name: mail, Namespace: "dev"}, mail},
		{UpdateFloatingIP{Name: mail, Direction: ptr(Egress)}, mail},
		{Release{mail}, mail},
		{UnbindPool{devBound}, devBound},
		{DeletePool{poolA}, poolA},
		{node(cmp1, "10.0.0.11"), cmp1},
		{CreateNeighbor{settings("mx1", "10.0.0.1")}, mx1},
		{allocate(web, public, "203.0.113.5"), web},
		{associate(web, cmp1, "tap0", 100), web},
		{UpdateComputeNode{Name: cmp1, Address: ptr(addr("10.0.0.12"))}, cmp1},
		{Move{Name: web, Association: associate(web, cmp1, "tap1", 0).Association}, web},
		{Disassociate{Name: web}, web},
		{Release{web}, web},
		{DeleteNeighbor{mx1}, mx1},
		{DeleteComputeNode{cmp1}, cmp1},
		{DeleteNetwork{public}, public},
		{SetGlobal{AS: 64513}, GlobalName},
	} {
		if got := strings.Join(w.do(tt.command), " "); got != tt.want {
			t.Errorf("%T: got %q, want %q", tt.command, got, tt.want)
		}
	}
	if got := slices.Collect(w.state.Names()); !slices.Equal(got, []string{GlobalName}) {
		t.Errorf("left over: %q", got)
	}
}

// TestApplySwap gives what is unique to another resource within one commit,
// whatever the order of the changes.
func TestApplySwap(t *testing.T) {
	for name, swap := range map[string][]Mutation{
		"network ids": {
			put(networkPrefix+public, AnyVersion, Network{Name: public, ID: 2}),
			put(networkPrefix+private, AnyVersion, Network{Name: private, ID: 1})},
		"compute nodes' addresses": {
			put(nodePrefix+cmp1, AnyVersion, ComputeNode{Name: cmp1, Address: addr("10.0.0.12"), RouterID: addr("10.0.0.11")}),
			put(nodePrefix+cmp2, AnyVersion, ComputeNode{Name: cmp2, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.12")})},
		"router ids": {
			put(nodePrefix+cmp1, AnyVersion, ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.12")}),
			put(nodePrefix+cmp2, AnyVersion, ComputeNode{Name: cmp2, Address: addr("10.0.0.12"), RouterID: addr("10.0.0.11")})},
		"neighbors' addresses": {
			put(neighborPrefix+mx1, AnyVersion, Neighbor{Settings: settings("mx1", "10.0.0.2")}),
			put(neighborPrefix+mx2, AnyVersion, Neighbor{Settings: settings("mx2", "10.0.0.1")})},
		"floating IPs' addresses": {
			put(floatingIPPrefix+web, AnyVersion, FloatingIP{Name: web, Network: public, Address: addr("203.0.113.6")}),
			put(floatingIPPrefix+mail, AnyVersion, FloatingIP{Name: mail, Network: public, Address: addr("203.0.113.5")})},
		"labels": {
			put(interfaceKey(cmp1, "tap0"), AnyVersion, interfaceUse{Label: 101, Users: 1}),
			put(interfaceKey(cmp1, "tap1"), AnyVersion, interfaceUse{Label: 100, Users: 1})},
		"a holder that goes": {
			put(floatingIPPrefix+web, AnyVersion, FloatingIP{Name: web, Network: public, Address: addr("203.0.113.6")}),
			free(floatingIPPrefix + mail)},
	} {
		for range 2 {
			w := floating(t)
			w.do(CreateNeighbor{settings("mx1", "10.0.0.1")}, CreateNeighbor{settings("mx2", "10.0.0.2")})
			w.commit([]Mutation{
				put(interfaceKey(cmp1, "tap0"), Absent, interfaceUse{Label: 100, Users: 1}),
				put(interfaceKey(cmp1, "tap1"), Absent, interfaceUse{Label: 101, Users: 1})})
			w.commit(swap)
			if got, want := dump(w.state), dump(w.restarted()); got != want {
				t.Errorf("%s:\n got %s\nwant %s", name, got, want)
			}
			slices.Reverse(swap)
		}
	}
}

func TestLabelIndex(t *testing.T) {
	w := floating(t)
	w.do(associate(web, cmp1, "tap0", 100))
	for _, tt := range []struct {
		node  string
		label vrf.Label
		want  string
	}{{cmp1, 100, "tap0"}, {cmp1, 101, ""}, {cmp2, 100, ""}} {
		var got string
		if use, ok := w.state.labelOwner(tt.node, tt.label); ok {
			got = use.name
		}
		if got != tt.want {
			t.Errorf("label %d of %s: got %q, want %q", tt.label, tt.node, got, tt.want)
		}
	}
}
