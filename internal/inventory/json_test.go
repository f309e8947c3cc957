package inventory

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// TestStoredForm pins what is in the stores that are out there: a changed
// golden text here means that they cannot be read any more.
func TestStoredForm(t *testing.T) {
	accept, err := neighbor.ParsePrefixFilter([]string{"10.0.0.0/8 le 24", "::/0 ge 32"})
	if err != nil {
		t.Fatal(err)
	}
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
			ComputeNode{Name: cmp1, Address: addr("2001:db8::11"), RouterID: addr("10.0.0.11"), Encapsulations: vrf.NewEncapsulations(vrf.MPLSInUDP), Liveness: DefaultLiveness, Version: 3},
			func(s *State) any { n, _ := s.ComputeNode(cmp1); return *n },
		},
		{
			"neighbor/neighbors/mx1",
			`{"name":"mx1","address":"10.0.0.1","port":1179,"as":64512,"families":"inet-vpn,inet6-vpn,route-target","passive":true}`,
			Neighbor{neighbor.Settings{Name: "mx1", Address: addr("10.0.0.1"), Port: 1179, AS: 64512, Families: neighbor.AllFamilies, Passive: true}, false, 3, 0},
			func(s *State) any { n, _ := s.Neighbor(mx1); return *n },
		},
		{
			"neighbor/neighbors/mx2",
			`{"name":"mx2","address":"2001:db8::2","port":179,"as":4294967295,"families":"inet-vpn","passive":false,"local_address":"2001:db8::1","hold_time":30,"keepalive_time":10,"ttl_security":1,"multihop":2,"md5_key":{"file":"/etc/buoy/mx2.key","env":"MX2_KEY"}}`,
			Neighbor{neighbor.Settings{
				Name: "mx2", Address: addr("2001:db8::2"), Port: 179, AS: 4294967295, Families: neighbor.NewFamilies(neighbor.InetVPN),
				LocalAddress: addr("2001:db8::1"), HoldTime: 30, KeepaliveTime: 10, TTLSecurity: 1, Multihop: 2,
				MD5Key: neighbor.KeySource{File: "/etc/buoy/mx2.key", Env: "MX2_KEY"}}, false, 3, 0},
			func(s *State) any { n, _ := s.Neighbor(mx2); return *n },
		},
		{
			"neighbor/neighbors/mx2",
			`{"name":"mx2","address":"10.0.0.2","port":179,"as":64512,"families":"inet-vpn,inet6-vpn","passive":false,"restart":{"without":"inet6-vpn,route-target","time":4095,"long_lived_time":16777215,"long_lived":"inet-vpn"}}`,
			Neighbor{neighbor.Settings{
				Name: "mx2", Address: addr("10.0.0.2"), Port: 179, AS: 64512, Families: neighbor.NewFamilies(neighbor.InetVPN, neighbor.Inet6VPN),
				Restart: neighbor.RestartSettings{
					Without: neighbor.NewFamilies(neighbor.Inet6VPN, neighbor.RouteTarget), Time: 4095,
					LongLivedTime: 16777215, LongLived: neighbor.NewFamilies(neighbor.InetVPN)}}, false, 3, 0},
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
			FloatingIP{Name: web, Network: public, Address: addr("203.0.113.5"), Associations: []Association{
				{cmp1, "tap0", addr("10.47.255.249"), 100, false}, {cmp2, "tap1", addr("10.47.255.250"), 1048575, true}}, Version: 3},
			func(s *State) any { f, _ := s.FloatingIP(web); return *f },
		},
		{
			"iface/cmp1/tap0",
			`{"label":100,"users":2}`,
			interfaceUse{100, 2, cmp1, "tap0", 3},
			func(s *State) any { use, _ := s.interfaces.Get("iface/cmp1/tap0"); return *use },
		},
		// From here on: what came with pools.
		{
			"network/projects/p/networks/public",
			`{"name":"projects/p/networks/public","id":7,"subnets":["203.0.113.0/24"],"targets":"","import_targets":"","export_targets":"","encapsulations":"","external":true,"reserved_hosts":"first-two","gateways":["203.0.113.1","2001:db8::1"],"dns_servers":["203.0.113.9"]}`,
			Network{
				Name: public, ID: 7, Subnets: prefixes("203.0.113.0/24"), External: true, Version: 3,
				Reservations: Reservations{ReserveFirst, addrs("203.0.113.1", "2001:db8::1"), addrs("203.0.113.9")}},
			func(s *State) any { n, _ := s.Network(public); return *n },
		},
		{
			"network/projects/p/networks/private",
			`{"name":"projects/p/networks/private","id":1,"subnets":null,"targets":"","import_targets":"","export_targets":"","encapsulations":"","reserved_hosts":"last-two"}`,
			Network{Name: private, ID: 1, Reservations: Reservations{Hosts: ReserveLast}, Version: 3},
			func(s *State) any { n, _ := s.Network(private); return *n },
		},
		{
			"node/computeNodes/cmp1",
			`{"name":"computeNodes/cmp1","address":"10.0.0.11","router_id":"10.0.0.11","encapsulations":"","labels":{"first":16,"last":1048575},"label_hold_down":300}`,
			ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.11"), Labels: LabelRange{16, 1048575}, LabelHoldDown: 300, Liveness: DefaultLiveness, Version: 3},
			func(s *State) any { n, _ := s.ComputeNode(cmp1); return *n },
		},
		{
			"pool/projects/p/networks/public/pools/a",
			`{"name":"projects/p/networks/public/pools/a","ranges":["203.0.113.10-203.0.113.99","203.0.113.128/25","203.0.113.5","2001:db8::/96"],"shared_with":["q","*"],"automatic":true}`,
			Pool{Name: poolA, Ranges: ranges("203.0.113.10-203.0.113.99", "203.0.113.128/25", "203.0.113.5", "2001:db8::/96"), SharedWith: []string{"q", "*"}, Automatic: true, Version: 3},
			func(s *State) any { p, _ := s.Pool(poolA); return *p },
		},
		{
			"pool/projects/p/networks/public/pools/b",
			`{"name":"projects/p/networks/public/pools/b"}`,
			Pool{Name: poolB, Version: 3},
			func(s *State) any { p, _ := s.Pool(poolB); return *p },
		},
		{
			"binding/namespaces/dev/poolBinding",
			`{"name":"namespaces/dev/poolBinding","pool":"projects/p/networks/public/pools/a"}`,
			Binding{Name: devBound, Pool: poolA, Version: 3},
			func(s *State) any { b, _ := s.Binding(devBound); return *b },
		},
		{
			"fip/projects/p/floatingIps/web",
			`{"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","pool":"projects/p/networks/public/pools/a","address":"203.0.113.5","scope":"namespace","namespace":"dev","direction":"egress","port_mappings":[{"protocol":"tcp","port":80,"fixed_port":8080},{"protocol":"udp","port":53,"fixed_port":53},{"protocol":"sctp","port":1,"fixed_port":65535}]}`,
			FloatingIP{Name: web, Network: public, Pool: poolA, Address: addr("203.0.113.5"), Scope: ScopeNamespace, Namespace: "dev",
				Direction: Egress, PortMappings: []PortMapping{{TCP, 80, 8080}, {UDP, 53, 53}, {SCTP, 1, 65535}}, Version: 3},
			func(s *State) any { f, _ := s.FloatingIP(web); return *f },
		},
		{
			"fip/projects/p/floatingIps/mail",
			`{"name":"projects/p/floatingIps/mail","network":"projects/p/networks/public","pool":"projects/p/networks/public/pools/a","address":"2001:db8::5","scope":"request","direction":"ingress"}`,
			FloatingIP{Name: mail, Network: public, Pool: poolA, Address: addr("2001:db8::5"), Scope: ScopeRequest, Direction: Ingress, Version: 3},
			func(s *State) any { f, _ := s.FloatingIP(mail); return *f },
		},
		{
			"fip/projects/q/floatingIps/web",
			`{"name":"projects/q/floatingIps/web","network":"projects/p/networks/public","pool":"projects/p/networks/public/pools/a","address":"203.0.113.6","scope":"global"}`,
			FloatingIP{Name: "projects/q/floatingIps/web", Network: public, Pool: poolA, Address: addr("203.0.113.6"), Scope: ScopeGlobal, Version: 3},
			func(s *State) any { f, _ := s.FloatingIP("projects/q/floatingIps/web"); return *f },
		},
		{
			"resting/cmp1/100000",
			`{"interface":"tap0","released":1000000000}`,
			restingLabel{"tap0", 1_000_000_000, cmp1, 100_000, 3},
			func(s *State) any { r, _ := s.resting.Get("resting/cmp1/100000"); return *r },
		},
		{
			"cursor/projects/p/networks/public/pools/a",
			`{"ipv4":"203.0.113.6","ipv6":"2001:db8::6"}`,
			cursor{addr("203.0.113.6"), addr("2001:db8::6")},
			func(s *State) any { c, _ := s.cursors.Get(poolA); return *c },
		},
		{
			"cursor/projects/p/networks/public",
			`{"ipv4":"203.0.113.6"}`,
			cursor{IPv4: addr("203.0.113.6")},
			func(s *State) any { c, _ := s.cursors.Get(public); return *c },
		},
		// From here on: what came with the policy of a neighbor.
		{
			"neighbor/neighbors/mx1",
			`{"name":"mx1","address":"10.0.0.1","port":179,"as":64512,"families":"inet-vpn","passive":false,"encapsulations":"gre,udp","max_advertised":4294967295}`,
			Neighbor{neighbor.Settings{
				Name: "mx1", Address: addr("10.0.0.1"), Port: 179, AS: 64512, Families: neighbor.NewFamilies(neighbor.InetVPN),
				Policy: neighbor.Policy{Encapsulations: vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP), MaxAdvertised: 4294967295}}, false, 3, 0},
			func(s *State) any { n, _ := s.Neighbor(mx1); return *n },
		},
		// From here on: what came with the routes of neighbors.
		{
			"neighbor/neighbors/mx1",
			`{"name":"mx1","address":"10.0.0.1","port":179,"as":64512,"families":"inet-vpn","passive":false,"max_received":4294967295}`,
			Neighbor{neighbor.Settings{
				Name: "mx1", Address: addr("10.0.0.1"), Port: 179, AS: 64512, Families: neighbor.NewFamilies(neighbor.InetVPN),
				Policy: neighbor.Policy{MaxReceived: 4294967295}}, false, 3, 0},
			func(s *State) any { n, _ := s.Neighbor(mx1); return *n },
		},
		// From here on: what came with the import of routes of neighbors.
		{
			"neighbor/neighbors/mx1",
			`{"name":"mx1","address":"10.0.0.1","port":179,"as":64512,"families":"inet-vpn","passive":false,"accept_prefixes":"10.0.0.0/8 le 24,::/0 ge 32","accept_targets":"target:64512:8000007","max_received_action":"stop"}`,
			Neighbor{neighbor.Settings{
				Name: "mx1", Address: addr("10.0.0.1"), Port: 179, AS: 64512, Families: neighbor.NewFamilies(neighbor.InetVPN),
				Policy: neighbor.Policy{AcceptPrefixes: accept, AcceptTargets: routetarget.NewSet(routetarget.Automatic(64512, 7)), MaxReceivedAction: neighbor.MaxReceivedStop}}, false, 3, 0},
			func(s *State) any { n, _ := s.Neighbor(mx1); return *n },
		},
		// From here on: what came with the life of compute nodes.
		{
			"node/computeNodes/cmp1",
			`{"name":"computeNodes/cmp1","address":"10.0.0.11","router_id":"10.0.0.11","encapsulations":"","liveness":{"mode":"session","hold_time":3600,"stale_time":0},"drain":{"state":"draining","until":"2001-09-09T01:46:40Z"}}`,
			ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.11"), Liveness: Liveness{Session, 3600, 0},
				Drain: Drain{Draining, now.UTC()}, Version: 3},
			func(s *State) any { n, _ := s.ComputeNode(cmp1); return *n },
		},
		{
			"node/computeNodes/cmp1",
			`{"name":"computeNodes/cmp1","address":"10.0.0.11","router_id":"10.0.0.11","encapsulations":"","liveness":{"mode":"session","stale_time":120},"drain":{"state":"drained"}}`,
			ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.11"), Liveness: Liveness{Session, 0, 120},
				Drain: Drain{State: Drained}, Version: 3},
			func(s *State) any { n, _ := s.ComputeNode(cmp1); return *n },
		},
	} {
		if got := string(put(tt.key, Absent, tt.resource).Value); got != tt.golden {
			t.Errorf("%s:\n got %s\nwant %s", tt.key, got, tt.golden)
		}
		s := NewState(Static{})
		if _, err := s.Apply(3, []Change{{Key: tt.key, Value: []byte(tt.golden), Version: 3}}); err != nil {
			t.Error(err)
			continue
		}
		switch v := tt.resource.(type) { // what is worked out is not stored
		case Network:
			v.usable, v.vrfAS = v.findUsable(), 0
			tt.resource = v
		case Pool: // without its network it has nothing to give
			v.usable = ipam.Ranges{}
		}
		want := reflect.New(reflect.TypeOf(tt.resource)).Elem()
		want.Set(reflect.ValueOf(tt.resource))
		if field := want.FieldByName("Changed"); field.IsValid() {
			field.SetUint(3)
		}
		if field := want.FieldByName("Etag"); tt.key == globalKey {
			field.SetUint(4200000000)
		} else if field.IsValid() {
			field.SetUint(uint64(etagOf([]byte(tt.golden))))
		}
		if got := tt.read(s); !reflect.DeepEqual(got, want.Interface()) {
			t.Errorf("%s:\nread %+v\nwant %+v", tt.key, got, want)
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
		restingKey(cmp1, 100):                             "resting/cmp1/100",
		poolsOf(public):                                   "pool/projects/p/networks/public/pools/",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
