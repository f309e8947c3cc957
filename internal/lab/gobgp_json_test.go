package lab

import (
	"strings"
	"testing"
)

// What gobgp 3.37 writes, shortened by fields that are not read.
const (
	gobgpVPN = `{
"10.0.0.12:1:2001:db8:f::5/128":[{"nlri":{"prefix":"2001:db8:f::5/128","labels":[101],"rd":{"type":1,"admin":"10.0.0.12","assigned":1}},"best":true,"attrs":[{"type":1,"value":2},{"type":2,"as_paths":[]},{"type":5,"value":0},{"type":8,"communities":[4294901760,4227858434]},{"type":16,"value":[{"type":0,"subtype":2,"value":"64512:8000001"},{"type":3,"subtype":12,"tunnel_type":13}]},{"type":14,"nexthop":"2001:db8:1::11","afi":2,"safi":128,"value":[]}],"stale":false}],
"10.0.0.11:1:203.0.113.5/32":[{"nlri":{"prefix":"203.0.113.5/32","labels":[100],"rd":{"type":1,"admin":"10.0.0.11","assigned":1}},"best":true,"attrs":[{"type":1,"value":2},{"type":2,"as_paths":[{"segment_type":2,"num":2,"asns":[64513,64514]}]},{"type":4,"metric":5},{"type":16,"value":[{"type":0,"subtype":2,"value":"64512:10003"},{"type":3,"subtype":12,"tunnel_type":2},{"type":3,"subtype":12,"tunnel_type":8},{"type":3,"subtype":11,"color":7}]},{"type":14,"nexthop":"10.0.0.11","afi":1,"safi":128,"value":[]}],"stale":false}]}`
	gobgpVRF = `{"10.0.0.11:1:203.0.113.5/32":[{"nlri":{"prefix":"203.0.113.5/32"},"best":false,"attrs":[{"type":1,"value":2},{"type":2,"as_paths":[]},{"type":5,"value":100},{"type":3,"nexthop":"10.0.0.11"}],"stale":false}]}`
)

func TestParseGoBGPTable(t *testing.T) {
	for _, test := range []struct{ name, table, want string }{
		{"empty", `{}`, ""},
		{"VRF", gobgpVRF, "10.0.0.11:1:203.0.113.5/32 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path []\n"},
		{"VPN", gobgpVPN, "10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11 origin incomplete as-path [64513 64514] target:64512:10003" +
			` encapsulation:gre encapsulation:8 attribute:{"type":4,"metric":5} community:{"type":3,"subtype":11,"color":7}` + "\n" +
			"10.0.0.12:1:2001:db8:f::5/128 label 101 next-hop 2001:db8:1::11 local-pref 0 origin incomplete as-path [] target:64512:8000001 encapsulation:udp graceful-shutdown community:64512:2\n"},
	} {
		routes, err := parseGoBGPTable([]byte(test.table))
		if got := Text(routes); got != test.want || err != nil {
			t.Errorf("%s: got %v\n%swant\n%s", test.name, err, got, test.want)
		}
	}
}

func TestParseGoBGPTableErrors(t *testing.T) {
	for _, table := range []string{
		`[]`,
		strings.Replace(gobgpVPN, "[100]", "[100,200]", 1),
		strings.Replace(gobgpVPN, `"nexthop":"10.0.0.11"`, `"nexthop":"10.0.0"`, 1),
		strings.ReplaceAll(gobgpVPN, "203.0.113.5/32", "203.0.113.5"),
	} {
		if routes, err := parseGoBGPTable([]byte(table)); err == nil {
			t.Errorf("%s\ngave %v", table, routes)
		}
	}
}
