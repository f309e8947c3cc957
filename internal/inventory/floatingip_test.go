package inventory

import "testing"

func TestAllocate(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24", "2001:db8::/64"))
	w.planned("IPv4", allocate(web, public, "203.0.113.5"),
		`put fip/projects/p/floatingIps/web@0 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.5"}`,
		`put addr/1/203.0.113.5@0 projects/p/floatingIps/web`,
		`check network/projects/p/networks/public@2`,
		`none above pool/projects/p/networks/public/pools/@2`)
	w.planned("IPv6", allocate(web, public, "2001:DB8::0:5"),
		`put fip/projects/p/floatingIps/web@0 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"2001:db8::5"}`,
		`put addr/1/2001:db8::5@0 projects/p/floatingIps/web`,
		`check network/projects/p/networks/public@2`,
		`none above pool/projects/p/networks/public/pools/@2`)
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
		{"network of another project", allocate("projects/q/floatingIps/web", public, "203.0.113.6"),
			Error{PermissionDenied, ReasonOtherProject, "network", "", public + " is not of project q; of other projects' networks only shared pools can be used"}},
		{"no network of another project", allocate("projects/q/floatingIps/web", "projects/p/networks/none", "203.0.113.6"),
			Error{PermissionDenied, ReasonOtherProject, "network", "", "projects/p/networks/none is not of project q; of other projects' networks only shared pools can be used"}},
		{"the other family", Allocate{Name: mail, Network: public, Address: addr("203.0.113.6"), Family: IPv6},
			Error{InvalidArgument, ReasonFamilyMismatch, "family", "", "the address 203.0.113.6 is of the other family"}},
		{"the other family, IPv6", Allocate{Name: mail, Network: public, Address: addr("2001:db8::6"), Family: IPv4},
			Error{InvalidArgument, ReasonFamilyMismatch, "family", "", "the address 2001:db8::6 is of the other family"}},
		{"zone", allocate(mail, public, "fe80::1%eth0"),
			Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 203.0.113.5, got fe80::1%eth0"}},
		{"direction", Allocate{Name: mail, Network: public, Direction: 3},
			Error{InvalidArgument, ReasonInvalid, "direction", "", "expected both, ingress, egress"}},
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

func TestRelease(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24"), node(cmp1, "10.0.0.11"), node(cmp2, "10.0.0.12"), allocate(web, public, "203.0.113.5"))
	w.planned("free", Release{web},
		`delete fip/projects/p/floatingIps/web@5`,
		`delete addr/1/203.0.113.5@any`)
	w.refused("unknown", Release{mail}, Error{NotFound, ReasonNotFound, "name", mail, mail + " does not exist"})
	w.do(associate(web, cmp1, "tap0", 100), associate(web, cmp2, "tap1", 100))
	w.refused("associated", Release{web}, Error{FailedPrecondition, ReasonInUse, "name", web,
		web + " is associated with interface tap0 of computeNodes/cmp1, interface tap1 of computeNodes/cmp2; disassociate it first"})
	w.do(Disassociate{Name: web}, Release{web}, allocate(mail, public, "203.0.113.5"))
}
