package inventory

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

const (
	mx1    = "neighbors/mx1"
	mx2    = "neighbors/mx2"
	static = "neighbors/static"
)

// peered returns a world with one neighbor of the configuration file and
// one of the store.
func peered(t *testing.T) *world {
	w := newWorld(t, &Neighbor{Settings: settings("static", "10.0.0.9")})
	w.do(CreateNeighbor{settings("mx1", "10.0.0.1")})
	return w
}

func TestCreateNeighbor(t *testing.T) {
	w := newWorld(t)
	s := settings("mx1", "2001:db8::1")
	s.AS, s.Port, s.Passive, s.Families = 4200000000, 1179, true, neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget)
	w.planned("IPv6", CreateNeighbor{s},
		`put neighbor/neighbors/mx1@0 {"name":"mx1","address":"2001:db8::1","port":1179,"as":4200000000,"families":"inet-vpn,route-target","passive":true}`,
		`put neighboraddr/2001:db8::1@0 neighbors/mx1`)
	w.do(CreateNeighbor{s})
	if n, ok := w.state.Neighbor(mx1); !ok || n.Settings != s || n.ReadOnly || n.Version != 2 {
		t.Errorf("got %+v, want %+v", n, s)
	}
}

func TestUpdateNeighbor(t *testing.T) {
	w := peered(t)
	w.planned("nothing", UpdateNeighbor{Name: mx1},
		`put neighbor/neighbors/mx1@2 {"name":"mx1","address":"10.0.0.1","port":179,"as":64512,"families":"inet-vpn,inet6-vpn,route-target","passive":false}`)
	w.planned("all", UpdateNeighbor{
		Name: mx1, Address: ptr(addr("10.0.0.2")), Port: ptr(uint16(1179)), AS: ptr(uint32(65000)),
		Families: ptr(neighbor.NewFamilies(neighbor.Inet6VPN)), Passive: ptr(true)},
		`put neighbor/neighbors/mx1@2 {"name":"mx1","address":"10.0.0.2","port":1179,"as":65000,"families":"inet6-vpn","passive":true}`,
		`delete neighboraddr/10.0.0.1@any`,
		`put neighboraddr/10.0.0.2@0 neighbors/mx1`)
	w.planned("policy", UpdateNeighbor{Name: mx1, Encapsulations: ptr(vrf.NewEncapsulations(vrf.GRE)), MaxAdvertised: ptr(uint32(100)), MaxReceived: ptr(uint32(200))},
		`put neighbor/neighbors/mx1@2 {"name":"mx1","address":"10.0.0.1","port":179,"as":64512,"families":"inet-vpn,inet6-vpn,route-target","passive":false,"encapsulations":"gre","max_advertised":100,"max_received":200}`)
	accept, err := neighbor.ParsePrefixFilter([]string{"2001:db8::/32", "10.0.0.0/8 le 24"})
	if err != nil {
		t.Fatal(err)
	}
	w.planned("what is accepted", UpdateNeighbor{Name: mx1, AcceptPrefixes: &accept, AcceptTargets: ptr(routetarget.NewSet(routetarget.Automatic(64512, 7))), MaxReceivedAction: ptr(neighbor.MaxReceivedStop)},
		`put neighbor/neighbors/mx1@2 {"name":"mx1","address":"10.0.0.1","port":179,"as":64512,"families":"inet-vpn,inet6-vpn,route-target","passive":false,"accept_prefixes":"10.0.0.0/8 le 24,2001:db8::/32","accept_targets":"target:64512:8000007","max_received_action":"stop"}`)
	w.planned("restart", UpdateNeighbor{Name: mx1, WithoutRestart: ptr(neighbor.NewFamilies(neighbor.RouteTarget)), RestartTime: ptr(uint16(120)),
		LongLivedTime: ptr(uint32(3600)), LongLived: ptr(neighbor.NewFamilies(neighbor.InetVPN))},
		`put neighbor/neighbors/mx1@2 {"name":"mx1","address":"10.0.0.1","port":179,"as":64512,"families":"inet-vpn,inet6-vpn,route-target","passive":false,"restart":{"without":"route-target","time":120,"long_lived_time":3600,"long_lived":"inet-vpn"}}`)
	w.planned("delete", DeleteNeighbor{mx1},
		`delete neighbor/neighbors/mx1@2`,
		`delete neighboraddr/10.0.0.1@any`)
	w.do(DeleteNeighbor{mx1}, CreateNeighbor{settings("mx2", "10.0.0.1")})

	w.do(UpdateNeighbor{Name: mx2, Encapsulations: ptr(vrf.NewEncapsulations(vrf.MPLSInUDP)), MaxAdvertised: ptr(uint32(1)), MaxReceived: ptr(uint32(2)),
		AcceptPrefixes: &accept, AcceptTargets: ptr(routetarget.NewSet(routetarget.Automatic(64512, 7))), MaxReceivedAction: ptr(neighbor.MaxReceivedStop)})
	w.do(UpdateNeighbor{Name: mx2, Encapsulations: ptr(vrf.Encapsulations(0)), AcceptTargets: &routetarget.Set{}})
	n, _ := w.state.Neighbor(mx2)
	if want := (neighbor.Policy{MaxAdvertised: 1, MaxReceived: 2, AcceptPrefixes: accept, MaxReceivedAction: neighbor.MaxReceivedStop}); n.Policy != want {
		t.Errorf("encapsulations and targets taken back: got %+v, want %+v", n.Policy, want)
	}
	w.do(UpdateNeighbor{Name: mx2, AcceptPrefixes: &neighbor.PrefixFilter{}, MaxReceivedAction: ptr(neighbor.MaxReceivedWarn)})
	n, _ = w.state.Neighbor(mx2)
	if want := (neighbor.Policy{MaxAdvertised: 1, MaxReceived: 2}); n.Policy != want {
		t.Errorf("all of it taken back: got %+v, want %+v", n.Policy, want)
	}
}

// A long-lived time of 0 ends long-lived graceful restart, whatever families it
// was for.
func TestUpdateLongLived(t *testing.T) {
	w := peered(t)
	inet := neighbor.NewFamilies(neighbor.InetVPN)
	w.do(UpdateNeighbor{Name: mx1, LongLivedTime: ptr(uint32(3600)), LongLived: &inet, RestartTime: ptr(uint16(60))})
	w.do(UpdateNeighbor{Name: mx1, LongLivedTime: ptr(uint32(7200))})
	if n, _ := w.state.Neighbor(mx1); n.Restart != (neighbor.RestartSettings{Time: 60, LongLivedTime: 7200, LongLived: inet}) {
		t.Errorf("another time: got %+v", n.Restart)
	}
	w.refused("no family left", UpdateNeighbor{Name: mx1, WithoutRestart: &inet},
		Error{InvalidArgument, ReasonInvalid, "long_lived", "", "expected families with graceful restart, inet6-vpn,route-target; leave inet-vpn out, or add it to graceful_restart"})
	w.refused("families without a time", UpdateNeighbor{Name: mx1, LongLivedTime: ptr(uint32(0)), LongLived: &inet},
		Error{InvalidArgument, ReasonInvalid, "long_lived_time", "", "expected 1..16777215 seconds for the families of long_lived, inet-vpn; got 0"})
	w.do(UpdateNeighbor{Name: mx1, LongLivedTime: ptr(uint32(0))})
	if n, _ := w.state.Neighbor(mx1); n.Restart != (neighbor.RestartSettings{Time: 60}) {
		t.Errorf("no time: got %+v", n.Restart)
	}
}

func TestNeighborRefusals(t *testing.T) {
	w := peered(t)
	w.do(CreateNeighbor{settings("mx2", "10.0.0.2")})
	for _, tt := range []struct {
		name   string
		change func(*neighbor.Settings)
		want   Error
	}{
		{"no address", func(s *neighbor.Settings) { s.Address = netip.Addr{} },
			Error{InvalidArgument, ReasonInvalid, "address", "", "expected an IPv4 or IPv6 address, for example 10.0.0.1"}},
		{"zone", func(s *neighbor.Settings) { s.Address = addr("fe80::1%eth0") },
			Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, got fe80::1%eth0"}},
		{"port", func(s *neighbor.Settings) { s.Port = 0 },
			Error{InvalidArgument, ReasonInvalid, "port", "", "expected a port 1..65535"}},
		{"AS", func(s *neighbor.Settings) { s.AS = 0 },
			Error{InvalidArgument, ReasonInvalid, "as", "", "expected an AS 1..4294967295"}},
		{"families", func(s *neighbor.Settings) { s.Families = 0 },
			Error{InvalidArgument, ReasonInvalid, "families", "", "expected at least one of inet-vpn,inet6-vpn,route-target"}},
		{"address of another", func(s *neighbor.Settings) { s.Address = addr("10.0.0.1") },
			Error{AlreadyExists, ReasonAddressTaken, "address", mx1, "10.0.0.1 is the address of neighbors/mx1"}},
		{"address of the file's", func(s *neighbor.Settings) { s.Address = addr("10.0.0.9") },
			Error{AlreadyExists, ReasonAddressTaken, "address", static, "10.0.0.9 is the address of neighbors/static"}},
	} {
		s := settings("mx3", "10.0.0.3")
		tt.change(&s)
		w.refused("create: "+tt.name, CreateNeighbor{s}, tt.want)
		w.refused("update: "+tt.name, UpdateNeighbor{Name: mx2, Address: &s.Address, Port: &s.Port, AS: &s.AS, Families: &s.Families}, tt.want)
	}
	w.refused("exists", CreateNeighbor{settings("mx1", "10.0.0.3")},
		Error{AlreadyExists, ReasonExists, "name", mx1, "neighbors/mx1 exists"})
	w.refused("exists in the file", CreateNeighbor{settings("static", "10.0.0.3")},
		Error{AlreadyExists, ReasonExists, "name", static, "neighbors/static exists in the configuration file"})
	w.refused("name", CreateNeighbor{settings("MX", "10.0.0.3")},
		Error{InvalidArgument, ReasonInvalid, "name", "", `expected lower-case letters, digits and inside the name '-', '_', '.'; got "MX"`})
	w.refused("name with a slash", CreateNeighbor{settings("a/b", "10.0.0.3")},
		Error{InvalidArgument, ReasonInvalid, "name", "", `expected neighbors/NAME, got "neighbors/a/b"`})
	for name, want := range map[string]Error{
		static:           {FailedPrecondition, ReasonReadOnly, "name", static, "neighbors/static is defined in the configuration file; change it there and restart the daemon"},
		"neighbors/none": {NotFound, ReasonNotFound, "name", "neighbors/none", "neighbors/none does not exist"},
		"mx1":            {NotFound, ReasonNotFound, "name", "mx1", "mx1 does not exist"},
	} {
		w.refused("update "+name, UpdateNeighbor{Name: name, Passive: ptr(true)}, want)
		w.refused("delete "+name, DeleteNeighbor{name}, want)
	}
}

func TestNeighbors(t *testing.T) {
	w := peered(t)
	var got []string
	for n := range w.state.Neighbors() {
		got = append(got, n.ResourceName())
		if n.ReadOnly != (n.ResourceName() == static) {
			t.Errorf("%s: ReadOnly is %t", n.ResourceName(), n.ReadOnly)
		}
	}
	if want := []string{mx1, static}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
