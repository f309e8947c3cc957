package lab

import (
	"maps"
	"net/netip"
	"strings"
	"testing"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// What vtysh, birdc and gobgp write.
const (
	frrLabels = `BGP table version is 10000, local router ID is 10.0.1.2, vrf id 0
Status codes:  s suppressed, d damped, h history, * valid, > best, = multipath,
               i internal, r RIB-failure, S Stale, R Removed
RPKI validation codes: V valid, I invalid, N Not found

   Network          Next Hop            Metric LocPrf Weight Path
Route Distinguisher: 10.0.0.11:1
*>i198.18.1.0/32    10.0.0.11                     100      0 ?
     EC{64512:10003 64512:8000001 ET:2} label=100000 type=bgp, subtype=0
* i                 10.0.0.11                     100      0 ?
     EC{64512:10003 64512:8000001 ET:2} label=999 type=bgp, subtype=0
S>i198.18.1.1/32    10.0.0.11                     100      0 ?
     EC{64512:10003 64512:8000001 ET:2} label=100063 type=bgp, subtype=0
R>i198.18.1.2/32    10.0.0.11                     100      0 ?
     EC{64512:10003 64512:8000001 ET:2} label=100064 type=bgp, subtype=0
Route Distinguisher: 10.0.0.12:7
*>i2001:db8::5/128  ::ffff:10.0.0.12                     100      0 ?
     EC{64512:10003 ET:2} label=5000 type=bgp, subtype=0

Displayed  3 routes and 5 total paths
`
	birdLabels = `Table vpn4all:
10.0.0.11:1 198.18.1.0/32 unicast [buoy 13:03:05.323 from 127.248.147.1] * (100/?) [?]
	dev lo mpls 100000
                     unicast [buoy2 13:03:05.323 from 127.248.147.9] (100/?) [?]
	dev lo mpls 999
10.0.0.11:1 198.18.1.1/32 unicast [buoy 13:03:05.313 from 127.248.147.1] * (100/?) [?]
	via 192.0.2.1 on gre1 mpls 100063
10.0.0.12:7 2001:db8::5/128 unicast [buoy 2026-11-22 from 127.248.147.1] * (100/?) [?]
	dev lo mpls 5000
`
	gobgpLabels = `   Network                      Labels     Next Hop             AS_PATH              Age        Attrs
*> 10.0.0.11:1:198.18.1.0/32 [100000]   10.0.0.11                                 00:01:09   [{Origin: ?} {Extcomms: [64512:10003], [GRE]}]
*  10.0.0.11:1:198.18.1.0/32 [999]   10.0.0.11                                 00:01:09   [{Origin: ?} {Extcomms: [64512:10003], [GRE]}]
S*> 10.0.0.11:1:198.18.1.1/32 [100063]   10.0.0.11                                 00:01:09   [{Origin: ?}]
*> 10.0.0.12:7:2001:db8::5/128 [5000]   10.0.0.12                                 00:01:09   [{Origin: ?}]
`
)

func TestLabels(t *testing.T) {
	key := func(n byte, number uint16, prefix string) vrf.Key {
		return vrf.Key{RD: routetarget.IPv4Distinguisher(netip.AddrFrom4([4]byte{10, 0, 0, n}), number), Prefix: netip.MustParsePrefix(prefix)}
	}
	want := Labels{key(11, 1, "198.18.1.0/32"): 100000, key(11, 1, "198.18.1.1/32"): 100063, key(12, 7, "2001:db8::5/128"): 5000}
	for _, tt := range []struct {
		name, text string
		parse      func(string) (Labels, error)
	}{
		{"frr", frrLabels, parseFRRLabels},
		{"bird", birdLabels, parseBirdLabels},
		{"gobgp", gobgpLabels, parseGoBGPLabels},
	} {
		if got, err := tt.parse(tt.text); err != nil || !maps.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, want)
		}
		if got, err := tt.parse(""); err != nil || len(got) > 0 {
			t.Errorf("%s, of nothing: got %v, %v", tt.name, got, err)
		}
		for _, wrong := range []string{strings.ReplaceAll(tt.text, "/32", "/33"), strings.ReplaceAll(tt.text, "100063", "many")} {
			if got, err := tt.parse(wrong); err == nil {
				t.Errorf("%s: %s\ngave %v", tt.name, wrong, got)
			}
		}
	}
}
