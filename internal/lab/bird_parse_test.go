package lab

import (
	"strings"
	"testing"
)

// What birdc 2.0 writes.
const birdTable = `Table vpn4all:
10.0.0.11:1 203.0.113.5/32 unicast [buoy 07:18:11.686 from 10.0.0.2] * (100/?) [?]
	via 192.0.2.1 on gre1 mpls 100
	Type: BGP univ
	BGP.origin: Incomplete
	BGP.as_path: 
	BGP.next_hop: 10.0.0.11
	BGP.local_pref: 100
	BGP.ext_community: (rt, 64512, 10003) (rt, 64512, 8000001) (generic, 0x30c0000, 0x2) (generic, 0x30c0000, 0xd)
	BGP.mpls_label_stack: 100
                     unreachable [other 2026-11-22 from 10.0.0.3] (100/-) [AS64514i]
	Type: BGP univ
	BGP.origin: IGP
	BGP.as_path: 64513 64514
	BGP.next_hop: 2001:db8:1::11
	BGP.med: 5
	BGP.local_pref: 0
	BGP.community: (65535,0) (64512,7)
	BGP.ext_community: (rt, 10.0.0.9, 7) (ro, 64512, 1)
	BGP.mpls_label_stack: 1048575

`

func TestParseBirdTable(t *testing.T) {
	const first = "10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:10003 target:64512:8000001 encapsulation:gre encapsulation:udp\n"
	const second = "10.0.0.11:1:203.0.113.5/32 label 1048575 next-hop 2001:db8:1::11 local-pref 0 origin igp as-path [64513 64514] target:10.0.0.9:7 graceful-shutdown attribute:BGP.med=5 community:64512:7 community:(ro, 64512, 1)\n"
	for _, test := range []struct{ name, table, want string }{
		{"empty", "Table vpn4all:\n", ""},
		{"two routes", birdTable, first + second},
	} {
		routes, err := parseBirdTable(test.table)
		if got := Text(birdRoutes(routes)); got != test.want || err != nil {
			t.Errorf("%s: got %v\n%swant\n%s", test.name, err, got, test.want)
		}
		for i, r := range routes {
			if r.unreachable != (i == 1) {
				t.Errorf("%s: %s: unreachable is %v", test.name, r.Route, r.unreachable)
			}
		}
	}
	for _, table := range []string{
		"	BGP.origin: IGP\n",
		birdTable[strings.Index(birdTable, "   "):],
		strings.Replace(birdTable, "10.0.0.11:1 ", "10.0.0.11 ", 1),
		strings.Replace(birdTable, "/32", "/33", 1),
		strings.Replace(birdTable, "stack: 100", "stack: 100 200", 1),
		strings.Replace(birdTable, "0xd", "0xx", 1),
		strings.Replace(birdTable, "65535", "65536", 1),
		strings.Replace(birdTable, "64512,7", "64512,65536", 1),
		strings.Replace(birdTable, "next_hop: 10.0.0.11", "next_hop: 10.0.0", 1),
	} {
		if routes, err := parseBirdTable(table); err == nil {
			t.Errorf("%s\ngave %v", table, routes)
		}
	}
}
