package dataplane

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

var node = Settings{Address: netip.MustParseAddr("10.0.0.11"), MTU: 1500, UDPPort: 6635, Encapsulations: []Encapsulation{UDP, GRE}}

func web(name, address, fixed, device string, label uint32) FloatingIP {
	return FloatingIP{Name: name, Network: "red", Address: netip.MustParseAddr(address), FixedIP: netip.MustParseAddr(fixed), Interface: device, Label: label}
}

func route(prefix string, hops ...NextHop) Route {
	return Route{Network: "red", Prefix: netip.MustParsePrefix(prefix), NextHops: hops}
}

func hop(address string, label uint32, encapsulations ...Encapsulation) NextHop {
	return NextHop{Address: netip.MustParseAddr(address), Label: label, Encapsulations: encapsulations}
}

var up = map[string]bool{"tap0": true, "tap1": true}

// The whole of a plan, line by line.
func TestBuild(t *testing.T) {
	mapped := web("b", "203.0.113.6", "10.47.0.5", "tap1", 101)
	mapped.Ports = []PortMapping{{"tcp", 80, 8080}}
	p := Programme{FloatingIPs: []FloatingIP{mapped, web("a", "203.0.113.5", "10.47.0.5", "tap0", 100)}, Routes: []Route{
		route("0.0.0.0/0", hop("10.0.0.1", 16, GRE), hop("10.0.0.2", 17, GRE, UDP)),
		{Network: "blue", Prefix: netip.MustParsePrefix("0.0.0.0/0"), NextHops: []NextHop{hop("10.0.0.3", 18, GRE)}}}}
	plan, problems := Build(p, node, up, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	const want = `listen udp 6635
pair buoy-pop buoy-in
tunnel buoy-any-gre gre local 10.0.0.11 remote any mtu 1476
tunnel buoy-any-udp udp local 10.0.0.11 remote any mtu 1472
tunnel buoy-gdebebe8d gre local 10.0.0.11 remote 10.0.0.1 mtu 1476
tunnel buoy-udbbeb9d4 udp local 10.0.0.11 remote 10.0.0.2 mtu 1472
nftables table inet buoy, TCP segments for 1468 bytes
map floating4 0x6400b . 203.0.113.5 : 0x6493b
map floating4 0x6500b . 203.0.113.6 : 0x6593b
map from4 tap0 . 10.47.0.5 : 0x6493b
map from4 tap1 . 10.47.0.5 : 0x6593b
map in4 0x6493b . 203.0.113.5 : 10.47.0.5
map inport4 0x6593b . 203.0.113.6 . tcp . 80 : 10.47.0.5 . 8080
map out4 0x6493b . 10.47.0.5 : 203.0.113.5
map out4 0x6593b . 10.47.0.5 : 203.0.113.6
map zone4 0x6593b . 10.47.0.5 : 101
map zone4 0x6593b . 203.0.113.6 : 101
route table 0xb1000064 10.47.0.5 dev tap0
route table 0xb1000065 10.47.0.5 dev tap1
route table 0xb2f480dc 0.0.0.0/0 label 16 dev buoy-gdebebe8d label 17 dev buoy-udbbeb9d4
rule ip 21000 fwmark 0x6400b/0xfffff00f lookup 0xb1000064
rule ip 21000 fwmark 0x6500b/0xfffff00f lookup 0xb1000065
rule ip 21001 fwmark 0x6493b/0xffffffff lookup 0xb2f480dc
rule ip 21001 fwmark 0x6593b/0xffffffff lookup 0xb2f480dc
label 100 pop
label 101 pop
`
	if got := plan.String(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// What cannot be planned is a problem with a reason, and the rest is planned.
func TestProblems(t *testing.T) {
	good := web("a", "203.0.113.5", "10.47.0.5", "tap0", 100)
	for _, c := range []struct {
		f    FloatingIP
		r    Route
		want string
	}{
		{web("b", "203.0.113.6", "10.47.0.6", "tap1", 100), route("10.0.0.0/8", hop("10.0.0.1", 16)), "b: label 100 is that of tap0 already"},
		{web("b", "203.0.113.6", "10.47.0.6", "tap9", 101), route("10.0.0.0/8", hop("10.0.0.1", 16)), "b: interface tap9 is not there, or not up"},
		{web("b", "203.0.113.6", "10.47.0.6", "tap1", 7), route("10.0.0.0/8", hop("10.0.0.1", 16)), "b: label: expected"},
		{web("b", "203.0.113.6", "10.47.0.6", "tap1", 101), route("10.0.0.0/8", hop("2001:db8::1", 16)), "of different families"},
		{web("b", "203.0.113.6", "10.47.0.6", "tap1", 101), route("10.0.0.0/8", hop("10.0.0.1", 16, "vxlan")), "10.0.0.1 takes [vxlan], this node sends [udp gre]"},
	} {
		plan, problems := Build(Programme{FloatingIPs: []FloatingIP{good, c.f}, Routes: []Route{c.r}}, node, up, nil)
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), c.want) {
			t.Errorf("got %v, want %s", problems, c.want)
		}
		if plan[Label(100).Key()] == nil {
			t.Errorf("%s: the other floating IP is not planned", c.want)
		}
	}
}

// The direction, and which floating IP a workload has outside.
func TestDirections(t *testing.T) {
	in, out, all := web("a", "203.0.113.1", "10.47.0.5", "tap0", 100), web("b", "203.0.113.2", "10.47.0.5", "tap0", 100), web("c", "203.0.113.3", "10.47.0.5", "tap0", 100)
	in.Direction, out.Direction, all.Direction = Ingress, Egress, Both
	all.Network = "blue"
	for _, c := range []struct {
		name string
		list []FloatingIP
		in   []string
		out  string
	}{
		{"ingress", []FloatingIP{in}, []string{in.Address.String()}, ""},
		{"egress", []FloatingIP{out}, nil, "203.0.113.2"},
		{"first that allows it", []FloatingIP{all, out, in}, []string{"203.0.113.1", "203.0.113.3"}, "203.0.113.2"},
		{"another network", []FloatingIP{in, all}, []string{"203.0.113.1", "203.0.113.3"}, "203.0.113.3"},
	} {
		plan, _ := Build(Programme{FloatingIPs: c.list}, node, up, nil)
		var gotIn []string
		gotOut := ""
		var from, outMark Mark
		for _, i := range plan.sorted() {
			switch e, _ := i.(Element); e.Map {
			case In:
				gotIn = append(gotIn, e.Address.String())
			case Out:
				gotOut += e.ToAddress.String()
				outMark = e.Mark
			case From:
				from = e.ToMark
			}
		}
		if fmt.Sprint(len(gotIn)) != fmt.Sprint(len(c.in)) || gotOut != c.out {
			t.Errorf("%s: in %v, out %s", c.name, gotIn, gotOut)
		}
		for _, want := range c.in {
			if !strings.Contains(fmt.Sprint(gotIn), want) {
				t.Errorf("%s: %s is not let in: %v", c.name, want, gotIn)
			}
		}
		if c.out != "" && from != outMark {
			t.Errorf("%s: packets have the mark %v, translated are those with %v", c.name, from, outMark)
		}
	}
}

// RFC 4023: 28 bytes for one label over GRE over IPv4.
func TestOverhead(t *testing.T) {
	six := node
	six.Address = netip.MustParseAddr("2001:db8::11")
	for _, c := range []struct {
		s    Settings
		e    Encapsulation
		want int
	}{{node, GRE, 28}, {node, UDP, 32}, {six, GRE, 56}, {six, UDP, 60}} {
		if got := c.s.Overhead(c.e); got != c.want {
			t.Errorf("%v over %s: %d bytes, want %d", c.s.Address, c.e, got, c.want)
		}
	}
	if r := (Ruleset{MTU: 1472}); r.MSS(true) != 1432 || r.MSS(false) != 1412 {
		t.Errorf("segments of %d and %d bytes", r.MSS(true), r.MSS(false))
	}
}

// A connection lives in a zone: those that are there stay in it, whoever comes and goes.
func TestZonesStay(t *testing.T) {
	a, b := web("a", "203.0.113.1", "10.47.0.5", "tap0", 100), web("b", "203.0.113.2", "10.47.0.5", "tap1", 101)
	both, _ := Build(Programme{FloatingIPs: []FloatingIP{a, b}}, node, up, nil)
	alone, _ := Build(Programme{FloatingIPs: []FloatingIP{b}}, node, up, both.Zones())
	if got := alone.Zones()[ZoneKey{101, b.FixedIP}]; got != 101 {
		t.Errorf("b is in zone %d after a has gone, and was in 101", got)
	}
	again, _ := Build(Programme{FloatingIPs: []FloatingIP{a, b}}, node, up, alone.Zones())
	if got := again.Zones(); got[ZoneKey{101, b.FixedIP}] != 101 || got[ZoneKey{100, a.FixedIP}] == 101 {
		t.Errorf("zones after a has come back: %v", got)
	}
}
