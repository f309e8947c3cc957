package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What exabgp 4.2 tells, without what stands before and in the neighbor.
const (
	exaBGPUp   = `{ "exabgp": "4.0.1", "time": 1.5, "counter": 3, "type": "state", "neighbor": { "asn": { "local": 64512, "peer": 64512 } , "state": "up" } }` + "\n"
	exaBGPDown = `{ "type": "state", "neighbor": { "state": "down", "reason": "peer reset" } }` + "\n"
	exaBGPEOR  = `{ "type": "update", "neighbor": { "message": { "eor": { "afi" : "ipv4", "safi" : "mpls-vpn" } } } }` + "\n"

	exaBGPPlus4    = `{ "type": "update", "neighbor": { "direction": "receive", "message": { "update": { "attribute": { "origin": "incomplete", "med": 5, "local-preference": 100, "extended-community": [ { "value": 840026883630867, "string": "target:64512:10003" }, { "value": 144953389229277193, "string": "target:4200000000L:9" }, { "value": 219550481834311682, "string": "encap:GRE" }, { "value": 216172782113783809, "string": "0x0300000000000001" } ] }, "announce": { "ipv4 mpls-vpn": { "10.0.0.11": [ { "nlri": "203.0.113.5/32", "label": [ [100] ], "rd": "10.0.0.11:1" } ] } } } } } }` + "\n"
	exaBGPMinus4   = `{ "type": "update", "neighbor": { "message": { "update": { "withdraw": { "ipv4 mpls-vpn": [ { "nlri": "203.0.113.5/32", "label": [ [100] ], "rd": "10.0.0.11:1" } ] } } } } }` + "\n"
	exaBGPPlus6    = `{ "type": "update", "neighbor": { "message": { "update": { "attribute": { "origin": "igp", "as-path": [ 64513, 64514 ], "confederation-path": [] }, "announce": { "ipv6 mpls-vpn": { "::ffff:10.0.0.11": [ { "nlri": "2001:db8:f::5/128", "label": [ [ 16, 257 ] ], "rd": "10.0.0.11:1" } ] } } } } } }` + "\n"
	exaBGPRelabel6 = `{ "type": "update", "neighbor": { "message": { "update": { "attribute": { "origin": "igp", "local-preference": 0, "community": [ [ 65535, 0 ], [ 64512, 1 ] ] }, "announce": { "ipv6 mpls-vpn": { "2001:db8:1::11": [ { "nlri": "2001:db8:f::5/128", "label": [ [17] ], "rd": "10.0.0.11:1" } ] } } } } } }` + "\n"

	exaBGPRoute4 = "10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11 local-pref 100 origin incomplete target:64512:10003 target:4200000000:9 encapsulation:gre attribute:med:5 community:0x0300000000000001\n"
	exaBGPRoute6 = "10.0.0.11:1:2001:db8:f::5/128 label 16 next-hop ::ffff:10.0.0.11 origin igp as-path [64513 64514]\n"
)

func TestReplayExaBGP(t *testing.T) {
	for _, test := range []struct{ name, events, session, want string }{
		{"nothing", "", "Idle", ""},
		{"up", exaBGPUp + exaBGPEOR, "Established", ""},
		{"routes", exaBGPUp + exaBGPPlus4 + exaBGPPlus6, "Established", exaBGPRoute6 + exaBGPRoute4},
		{"a line that is not complete", exaBGPUp + exaBGPPlus4 + exaBGPPlus6[:40], "Established", exaBGPRoute4},
		{"withdrawn", exaBGPUp + exaBGPPlus4 + exaBGPPlus6 + exaBGPMinus4, "Established", exaBGPRoute6},
		{"changed", exaBGPUp + exaBGPPlus6 + exaBGPRelabel6, "Established", "10.0.0.11:1:2001:db8:f::5/128 label 17 next-hop 2001:db8:1::11 local-pref 0 origin igp graceful-shutdown community:64512:1\n"},
		{"down", exaBGPUp + exaBGPPlus4 + exaBGPDown, "Idle", ""},
		{"up again", exaBGPUp + exaBGPPlus4 + exaBGPDown + exaBGPUp + exaBGPPlus6, "Established", exaBGPRoute6},
	} {
		s, err := replayExaBGP([]byte(test.events))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := slices.Collect(maps.Values(s.table[VPNv4]))
		got = slices.AppendSeq(got, maps.Values(s.table[VPNv6]))
		sortRoutes(got)
		if Text(got) != test.want || s.session != test.session {
			t.Errorf("%s: got %s\n%swant %s\n%s", test.name, s.session, Text(got), test.session, test.want)
		}
	}
}

// TestReplayExaBGPTold: of each route the last message is kept, as it came.
func TestReplayExaBGPTold(t *testing.T) {
	s, err := replayExaBGP([]byte(exaBGPUp + exaBGPPlus4 + exaBGPPlus6 + exaBGPMinus4))
	if err != nil {
		t.Fatal(err)
	}
	want := `{ "update": { "withdraw": { "ipv4 mpls-vpn": [ { "nlri": "203.0.113.5/32", "label": [ [100] ], "rd": "10.0.0.11:1" } ] } } }`
	if got := fmt.Sprint(s.told[VPNv4]); got != "map[10.0.0.11:1:203.0.113.5/32:"+want+"]" {
		t.Errorf("got %s", got)
	}
}

func TestReplayExaBGPErrors(t *testing.T) {
	for _, events := range []string{
		"\n",
		"[]\n",
		strings.Replace(exaBGPPlus4, "[ [100] ]", "[ [100], [200] ]", 1),
		strings.Replace(exaBGPPlus4, `"10.0.0.11": [`, `"null": [`, 1),
		strings.Replace(exaBGPPlus4, "203.0.113.5/32", "203.0.113.5", 1),
		strings.Replace(exaBGPPlus4, `"incomplete"`, "2", 1),
	} {
		if s, err := replayExaBGP([]byte(events)); err == nil {
			t.Errorf("%s\ngave %v", events, s.table)
		}
	}
}
