package lab

import (
	"fmt"
	"strings"
	"testing"
)

// What vtysh 8.4 writes, shortened by fields that are not read.
const (
	frrVPNTable = `{"vrfId":0,"routes":{"routeDistinguishers":{
"10.0.0.11:1":{"203.0.113.5/32":[{"valid":true}],"198.51.100.7/32":[{"valid":true}]},
"10.0.0.12:1":{"203.0.113.5/32":[{"valid":true}]}}}}`
	frrVRFTable = `{"vrfId":1,"routes":{"2001:db8:f::5/128":[{"valid":true}]}}`

	frrVPNRoutes = `{
"10.0.0.11:1":{"prefix":"203.0.113.5/32","paths":[{"aspath":{"string":"Local","segments":[],"length":0},"origin":"incomplete","locPrf":100,"valid":true,"extendedCommunity":{"string":"RT:64512:10003 RT:64512:8000001 ET:2 ET:13"},"remoteLabel":100,"nexthops":[{"ip":"10.0.0.11","used":true}]}]},
"10.0.0.12:1":{"prefix":"203.0.113.5/32","paths":[{"aspath":{"string":"64513 64514","segments":[{"type":"as-sequence","list":[64513,64514]}]},"origin":"IGP","locPrf":0,"valid":true,"community":{"string":"64512:7 graceful-shutdown","list":["64512:7","gracefulShutdown"]},"extendedCommunity":{"string":"RT:10.0.0.9:7 SoO:64512:1 ET:8"},"remoteLabel":200,"nexthops":[{"ip":"2001:db8:1::11","used":true},{"ip":"fe80::1"}]}]}
}
{}
`
	frrVRFRoutes = `{"prefix":"2001:db8:f::5/128","paths":[
{"aspath":{"segments":[]},"origin":"incomplete","locPrf":100,"valid":true,"extendedCommunity":{"string":"RT:64512:10003 ET:2"},"remoteLabel":101,"nexthops":[{"ip":"::ffff:10.0.0.11","used":true}]},
{"aspath":{"segments":[]},"origin":"incomplete","locPrf":100,"valid":false,"extendedCommunity":{"string":"RT:64512:10003"},"remoteLabel":102,"nexthops":[{"ip":"10.0.0.12"}]}]}`
)

func TestParseFRRPrefixes(t *testing.T) {
	for _, test := range []struct{ name, table, want string }{
		{"empty", `{}`, "[]"},
		{"no routes", `{"routes":{}}`, "[]"},
		{"VPN", frrVPNTable, "[198.51.100.7/32 203.0.113.5/32]"},
		{"VRF", frrVRFTable, "[2001:db8:f::5/128]"},
	} {
		prefixes, err := parseFRRPrefixes([]byte(test.table))
		if got := fmt.Sprint(prefixes); got != test.want || err != nil {
			t.Errorf("%s: got %s, %v; want %s", test.name, got, err, test.want)
		}
	}
	for _, table := range []string{`[]`, strings.ReplaceAll(frrVPNTable, "/32", "/33"), `{"routes":{"routeDistinguishers":[]}}`} {
		if prefixes, err := parseFRRPrefixes([]byte(table)); err == nil {
			t.Errorf("%s\ngave %v", table, prefixes)
		}
	}
}

func TestParseFRRRoutes(t *testing.T) {
	for _, test := range []struct{ name, answers, want string }{
		{"nothing", ``, ""},
		{"VPN", frrVPNRoutes, "10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:10003 target:64512:8000001 encapsulation:gre encapsulation:udp\n" +
			"10.0.0.12:1:203.0.113.5/32 label 200 next-hop 2001:db8:1::11 local-pref 0 origin igp as-path [64513 64514] target:10.0.0.9:7 encapsulation:8 graceful-shutdown community:64512:7 community:SoO:64512:1\n"},
		{"VRF, without the one that is not valid", frrVRFRoutes,
			"2001:db8:f::5/128 label 101 next-hop ::ffff:10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:10003 encapsulation:gre\n"},
	} {
		routes, err := parseFRRRoutes([]byte(test.answers))
		if got := Text(routes); got != test.want || err != nil {
			t.Errorf("%s: got %v\n%swant\n%s", test.name, err, got, test.want)
		}
	}
	for _, answers := range []string{
		`[]`, `{`,
		strings.Replace(frrVPNRoutes, "10.0.0.11:1", "10.0.0.11", 1),
		strings.Replace(frrVPNRoutes, "RT:64512", "RT:x", 1),
		strings.Replace(frrVPNRoutes, "ET:13", "ET:x", 1),
		strings.ReplaceAll(frrVRFRoutes, "/128", "/129"),
	} {
		if routes, err := parseFRRRoutes([]byte(answers)); err == nil {
			t.Errorf("%s\ngave %v", answers, routes)
		}
	}
}
