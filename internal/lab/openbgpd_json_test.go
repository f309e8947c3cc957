package lab

import (
	"strings"
	"testing"
)

// What bgpctl 7.7 writes, shortened by fields that are not read.
const openBGPDVPN = `{"rib": [
{"prefix": "rd 10.0.0.12:1 2001:db8:f::5/128", "aspath": "", "exit_nexthop": "::ffff:10.0.0.12", "true_nexthop": "::ffff:10.0.0.12", "valid": true, "best": true, "source": "internal", "ovs": "not-found", "origin": "incomplete", "metric": 0, "localpref": 0, "weight": 0, "last_update": "00:00:03", "communities": ["GRACEFUL_SHUTDOWN"], "extended_communities": ["[12] 0xd", "rt 64512:8000001"]},
{"prefix": "rd 10.0.0.11:1 203.0.113.5/32", "aspath": "64513 64514", "exit_nexthop": "10.0.0.11", "origin": "IGP", "metric": 5, "localpref": 100, "communities": ["64512:1"], "extended_communities": ["[12] 0x2", "[12] 0x8", "rt 10.0.0.1:7", "soo 64512:9"]}]}`

func TestParseOpenBGPDTable(t *testing.T) {
	for _, test := range []struct{ name, table, want string }{
		{"empty", "{\n\n}\n", ""},
		{"VPN", openBGPDVPN, "10.0.0.11:1:203.0.113.5/32 next-hop 10.0.0.11 local-pref 100 origin igp as-path [64513 64514] target:10.0.0.1:7" +
			" encapsulation:gre encapsulation:8 community:soo 64512:9 metric:5 community:64512:1\n" +
			"10.0.0.12:1:2001:db8:f::5/128 next-hop ::ffff:10.0.0.12 local-pref 0 origin incomplete as-path [] target:64512:8000001 encapsulation:udp graceful-shutdown\n"},
	} {
		routes, err := parseOpenBGPDTable([]byte(test.table))
		if got := Text(routes); got != test.want || err != nil {
			t.Errorf("%s: got %v\n%swant\n%s", test.name, err, got, test.want)
		}
	}
}

func TestParseOpenBGPDTableErrors(t *testing.T) {
	for _, table := range []string{
		`[]`,
		strings.Replace(openBGPDVPN, "rd 10.0.0.11:1 ", "", 1),
		strings.Replace(openBGPDVPN, "203.0.113.5/32", "203.0.113.5", 1),
		strings.Replace(openBGPDVPN, `"10.0.0.11"`, `"10.0.0"`, 1),
		strings.Replace(openBGPDVPN, "[12] 0x2", "[12] 0x10000", 1),
		strings.Replace(openBGPDVPN, "rt 10.0.0.1:7", "rt 7", 1),
	} {
		if routes, err := parseOpenBGPDTable([]byte(table)); err == nil {
			t.Errorf("%s\ngave %v", table, routes)
		}
	}
}
