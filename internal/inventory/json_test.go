package inventory

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// TestStoredForm pins what is in the stores that are out there: a changed
// golden text here means that they cannot be read any more.
func TestStoredForm(t *testing.T) {
	for _, tt := range []struct {
		key      string
		golden   string
		resource any
		read     func(s *State) any
	}{
		{
			"global",
			`{"as":4200000000,"next_network_id":57535}`,
			Global{AS: 4200000000, NextNetworkID: 57535, Version: 3},
			func(s *State) any { g, _ := s.Global(); return *g },
		},
		{
			"network/projects/p/networks/public",
			`{"name":"projects/p/networks/public","id":7,"subnets":["203.0.113.0/24","2001:db8::/64"],"targets":"target:64512:1 target:70000:1","import_targets":"target:64512L:2","export_targets":"target:10.0.0.1:3","encapsulations":"gre,udp"}`,
			Network{
				Name: public, ID: 7, Subnets: prefixes("203.0.113.0/24", "2001:db8::/64"),
				Targets: targets("64512:1", "70000:1"), ImportTargets: targets("64512L:2"), ExportTargets: targets("10.0.0.1:3"),
				Encapsulations: vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP), Version: 3,
			},
			func(s *State) any { n, _ := s.Network(public); return *n },
		},
		{
			"network/projects/p/networks/private",
			`{"name":"projects/p/networks/private","id":1,"subnets":null,"targets":"","import_targets":"","export_targets":"","encapsulations":""}`,
			Network{Name: private, ID: 1, Version: 3},
			func(s *State) any { n, _ := s.Network(private); return *n },
		},
		{
			"node/computeNodes/cmp1",
			`{"name":"computeNodes/cmp1","address":"2001:db8::11","router_id":"10.0.0.11","encapsulations":"udp"}`,
			ComputeNode{cmp1, addr("2001:db8::11"), addr("10.0.0.11"), vrf.NewEncapsulations(vrf.MPLSInUDP), 3},
			func(s *State) any { n, _ := s.ComputeNode(cmp1); return *n },
		},
		{
			"neighbor/neighbors/mx1",
			`{"name":"mx1","address":"10.0.0.1","port":1179,"as":64512,"families":"inet-vpn,inet6-vpn,route-target","passive":true}`,
			Neighbor{neighbor.Settings{Name: "mx1", Address: addr("10.0.0.1"), Port: 1179, AS: 64512, Families: neighbor.AllFamilies, Passive: true}, false, 3},
			func(s *State) any { n, _ := s.Neighbor(mx1); return *n },
		},
		{
			"neighbor/neighbors/mx2",
			`{"name":"mx2","address":"2001:db8::2","port":179,"as":4294967295,"families":"inet-vpn","passive":false,"local_address":"2001:db8::1","hold_time":30,"keepalive_time":10,"ttl_security":1,"multihop":2,"md5_key":{"file":"/etc/buoy/mx2.key","env":"MX2_KEY"}}`,
			Neighbor{neighbor.Settings{
				Name: "mx2", Address: addr("2001:db8::2"), Port: 179, AS: 4294967295, Families: neighbor.NewFamilies(neighbor.InetVPN),
				LocalAddress: addr("2001:db8::1"), HoldTime: 30, KeepaliveTime: 10, TTLSecurity: 1, Multihop: 2,
				MD5Key: neighbor.KeySource{File: "/etc/buoy/mx2.key", Env: "MX2_KEY"}}, false, 3},
			func(s *State) any { n, _ := s.Neighbor(mx2); return *n },
		},
		{
			"fip/projects/p/floatingIps/mail",
			`{"name":"projects/p/floatingIps/mail","network":"projects/p/networks/public","address":"203.0.113.6"}`,
			FloatingIP{Name: mail, Network: public, Address: addr("203.0.113.6"), Version: 3},
			func(s *State) any { f, _ := s.FloatingIP(mail); return *f },
		},
		{
			"fip/projects/p/floatingIps/web",
			`{"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5","associations":[{"compute_node":"computeNodes/cmp1","interface":"tap0","fixed_ip":"10.47.255.249","label":100},{"compute_node":"computeNodes/cmp2","interface":"tap1","fixed_ip":"10.47.255.250","label":1048575,"preferred":true}]}`,
			FloatingIP{web, public, addr("203.0.113.5"), []Association{
				{cmp1, "tap0", addr("10.47.255.249"), 100, false}, {cmp2, "tap1", addr("10.47.255.250"), 1048575, true}}, 3},
			func(s *State) any { f, _ := s.FloatingIP(web); return *f },
		},
		{
			"iface/cmp1/tap0",
			`{"label":100,"users":2}`,
			interfaceUse{100, 2, cmp1, "tap0", 3},
			func(s *State) any { use, _ := s.interfaces.Get("iface/cmp1/tap0"); return *use },
		},
	} {
		if got := string(put(tt.key, Absent, tt.resource).Value); got != tt.golden {
			t.Errorf("%s:\n got %s\nwant %s", tt.key, got, tt.golden)
		}
		s := NewState(nil)
		if _, err := s.Apply(3, []Change{{tt.key, []byte(tt.golden), 3}}); err != nil {
			t.Error(err)
			continue
		}
		if got := tt.read(s); !reflect.DeepEqual(got, tt.resource) {
			t.Errorf("%s:\nread %+v\nwant %+v", tt.key, got, tt.resource)
		}
	}
}

// TestKeys pins the keys of the claims.
func TestKeys(t *testing.T) {
	for got, want := range map[string]string{
		networkIDKey(57535): "netid/57535",
		addressKey(7, netip.MustParseAddr("203.0.113.5")): "addr/7/203.0.113.5",
		addressKey(7, netip.MustParseAddr("2001:DB8::5")): "addr/7/2001:db8::5",
		interfaceKey(cmp1, "tap0"):                        "iface/cmp1/tap0",
		labelKey(cmp1, 100):                               "label/cmp1/100",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
