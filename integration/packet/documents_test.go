package packet

import "fmt"

// The floating IPs. By their names, w1 and w2 open connections as overGRE and overUDP.
const (
	overGRE = "203.0.113.5"   // at w1
	overUDP = "203.0.113.6"   // at w2
	both    = "203.0.113.7"   // at both of them, for connections from outside only
	visitor = "203.0.113.8"   // at w1, until it is moved
	guarded = "203.0.113.9"   // at w2, with w1 as the backup; for connections from outside only
	sixth   = "2001:db8:f::5" // at w1
)

// label is that of w1's interface; that of w2 is the next one.
const label = 100

// documents is what both control nodes are told.
func documents() string {
	text := fmt.Sprintf(`
kind: Network
name: vn-public
subnets: [203.0.113.0/24, "2001:db8:f::/64"]
route_targets: [target:64512:10003]
---
kind: ComputeNode
name: cmp1
address: 10.0.0.11
encapsulations: [%s]
liveness: SESSION
---
kind: ComputeNode
name: cmp2
address: 10.0.0.12
encapsulations: [%s]
liveness: SESSION
hold_time: 5
stale_time: 10
---
kind: Neighbor
name: mx1
address: 10.0.0.1
as: 64512
families: [inet-vpn, inet6-vpn]
`, encapsulations[0], encapsulations[1])
	for _, f := range []struct {
		name, address, direction string
		at                       []int
	}{
		{"gre", overGRE, "BOTH", []int{0}},
		{"udp", overUDP, "BOTH", []int{1}},
		{"both", both, "INGRESS", []int{0, 1}},
		{"visitor", visitor, "BOTH", []int{0}},
		{"guarded", guarded, "INGRESS", []int{0, 1}},
		{"sixth", sixth, "BOTH", []int{0}},
	} {
		text += fmt.Sprintf("---\nkind: FloatingIP\nname: %s\nnetwork: vn-public\naddress: %q\ndirection: %s\nassociations:\n", f.name, f.address, f.direction)
		for _, i := range f.at {
			fixed := fixedAddrs[i]
			if f.address == sixth {
				fixed = fixedAddrs6[i]
			}
			text += fmt.Sprintf("  - {compute_node: %s, interface: tap0, fixed_ip: %q, label: %d, preferred: %v}\n", node(i), fixed, label+i, f.address == guarded && i == 1)
		}
	}
	return text
}
