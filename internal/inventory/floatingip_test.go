package inventory

import (
	"net/netip"
	"testing"
)

func TestAllocate(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24", "2001:db8::/64"))
	w.planned("IPv4", allocate(web, public, "203.0.113.5"),
		`check network/projects/p/networks/public@2`,
		`put fip/projects/p/floatingIps/web@0 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5"}`,
		`put addr/1/203.0.113.5@0 projects/p/floatingIps/web`)
	w.planned("IPv6, another project", allocate("projects/q/floatingIps/web", public, "2001:DB8::0:5"),
		`check network/projects/p/networks/public@2`,
		`put fip/projects/q/floatingIps/web@0 {"name":"projects/q/floatingIps/web","network":"projects/p/networks/public","address":"2001:db8::5"}`,
		`put addr/1/2001:db8::5@0 projects/q/floatingIps/web`)
	// The same address in another network is another address.
	w.do(allocate(web, public, "203.0.113.5"), network(private, "203.0.113.0/24"), allocate(mail, private, "203.0.113.5"))
	for name, network := range map[string]string{web: public, mail: private} {
		f, ok := w.state.FloatingIP(name)
		if held, found := w.state.Holder(network, addr("203.0.113.5")); !ok || !found || held != f {
			t.Errorf("203.0.113.5 of %s is held by %+v, want %s", network, held, name)
		}
	}
}

func TestAllocateRefusals(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24", "2001:db8::/64"), network(private), allocate(web, public, "203.0.113.5"))
	for _, tt := range []struct {
		name    string
		command Allocate
		want    Error
	}{
		{"name", allocate("web", public, "203.0.113.6"),
			Error{InvalidArgument, ReasonInvalid, "name", "", `expected projects/PROJECT/floatingIps/NAME, got "web"`}},
		{"exists", allocate(web, public, "203.0.113.6"),
			Error{AlreadyExists, ReasonExists, "name", web, web + " exists with address 203.0.113.5"}},
		{"network's name", allocate(mail, "public", "203.0.113.6"),
			Error{InvalidArgument, ReasonInvalid, "network", "", `expected projects/PROJECT/networks/NAME, got "public"`}},
		{"no network", allocate(mail, "projects/p/networks/none", "203.0.113.6"),
			Error{NotFound, ReasonNotFound, "network", "projects/p/networks/none", "projects/p/networks/none does not exist"}},
		{"no address", Allocate{mail, public, netip.Addr{}},
			Error{InvalidArgument, ReasonInvalid, "address", "", "expected an IPv4 or IPv6 address, for example 203.0.113.5"}},
		{"multicast", allocate(mail, public, "224.1.1.1"),
			Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 203.0.113.5, got 224.1.1.1"}},
		{"mapped", allocate(mail, public, "::ffff:203.0.113.6"),
			Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 203.0.113.5, got ::ffff:203.0.113.6"}},
		{"outside", allocate(mail, public, "203.0.112.6"),
			Error{InvalidArgument, ReasonOutsideSubnets, "address", "", "203.0.112.6 is outside the subnets of projects/p/networks/public: [203.0.113.0/24 2001:db8::/64]"}},
		{"no subnets", allocate(mail, private, "203.0.113.6"),
			Error{InvalidArgument, ReasonOutsideSubnets, "address", "", "203.0.113.6 is outside the subnets of projects/p/networks/private: []"}},
		{"network address", allocate(mail, public, "203.0.113.0"),
			Error{InvalidArgument, ReasonReserved, "address", "", "203.0.113.0 is the network or broadcast address of 203.0.113.0/24"}},
		{"taken", allocate(mail, public, "203.0.113.5"),
			Error{AlreadyExists, ReasonAddressTaken, "address", web, "203.0.113.5 is taken by " + web}},
	} {
		w.refused(tt.name, tt.command, tt.want)
	}
}

func TestReserved(t *testing.T) {
	for _, tt := range []struct {
		subnet, addr string
		want         bool
	}{
		{"203.0.113.0/24", "203.0.113.0", true},
		{"203.0.113.0/24", "203.0.113.1", false},
		{"203.0.113.0/24", "203.0.113.254", false},
		{"203.0.113.0/24", "203.0.113.255", true},
		{"203.0.113.0/30", "203.0.113.0", true},
		{"203.0.113.0/30", "203.0.113.3", true},
		{"203.0.113.4/31", "203.0.113.4", false},
		{"203.0.113.4/31", "203.0.113.5", false},
		{"203.0.113.4/32", "203.0.113.4", false},
		{"255.255.255.0/24", "255.255.255.255", true}, // nothing comes after it
		{"2001:db8::/64", "2001:db8::", true},
		{"2001:db8::/64", "2001:db8::1", false},
		{"2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", false}, // no broadcast in IPv6
		{"2001:db8::/126", "2001:db8::", true},
		{"2001:db8::/126", "2001:db8::3", false},
		{"2001:db8::4/127", "2001:db8::4", false},
		{"2001:db8::4/127", "2001:db8::5", false},
		{"2001:db8::4/128", "2001:db8::4", false},
	} {
		if got := reserved(prefix(tt.subnet), addr(tt.addr)); got != tt.want {
			t.Errorf("%s in %s: reserved is %t, want %t", tt.addr, tt.subnet, got, tt.want)
		}
	}
	w := newWorld(t)
	w.do(network(public, "203.0.113.4/31", "203.0.113.9/32", "2001:db8::4/127", "2001:db8::9/128", "198.51.100.0/30"),
		allocate("projects/p/floatingIps/a", public, "203.0.113.4"),
		allocate("projects/p/floatingIps/b", public, "203.0.113.5"),
		allocate("projects/p/floatingIps/c", public, "203.0.113.9"),
		allocate("projects/p/floatingIps/d", public, "2001:db8::4"),
		allocate("projects/p/floatingIps/e", public, "2001:db8::9"))
	w.refused("broadcast", allocate(web, public, "198.51.100.3"),
		Error{InvalidArgument, ReasonReserved, "address", "", "198.51.100.3 is the network or broadcast address of 198.51.100.0/30"})
}

func TestRelease(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), node(cmp1, "10.0.0.11"), node(cmp2, "10.0.0.12"), allocate(web, public, "203.0.113.5"))
	w.planned("free", Release{web},
		`delete fip/projects/p/floatingIps/web@5`,
		`delete addr/1/203.0.113.5@any`)
	w.refused("unknown", Release{mail}, Error{NotFound, ReasonNotFound, "name", mail, mail + " does not exist"})
	w.do(associate(web, cmp1, "tap0", 100), associate(web, cmp2, "tap1", 100))
	w.refused("associated", Release{web}, Error{FailedPrecondition, ReasonInUse, "name", web,
		web + " is in use by interface tap0 of computeNodes/cmp1, interface tap1 of computeNodes/cmp2; disassociate it first"})
	w.do(Disassociate{Name: web}, Release{web}, allocate(mail, public, "203.0.113.5"))
}
