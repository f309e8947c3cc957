package inventory

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
)

// TestReservations checks what each subnet can give.
func TestReservations(t *testing.T) {
	for _, tt := range []struct {
		hosts    ReservedHosts
		subnet   string
		gateways []netip.Addr
		dns      []netip.Addr
		usable   string
		kept     string
	}{
		{ReserveNone, "203.0.113.0/24", nil, nil, "203.0.113.1-203.0.113.254", "[]"},
		{ReserveNone, "203.0.113.0/30", nil, nil, "203.0.113.1-203.0.113.2", "[]"},
		{ReserveNone, "203.0.113.4/31", nil, nil, "203.0.113.4/31", "[]"},
		{ReserveNone, "203.0.113.4/32", nil, nil, "203.0.113.4", "[]"},
		{ReserveNone, "255.255.255.0/24", nil, nil, "255.255.255.1-255.255.255.254", "[]"},
		{ReserveNone, "2001:db8::/64", nil, nil, "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff", "[]"}, // no broadcast in IPv6
		{ReserveNone, "2001:db8::/126", nil, nil, "2001:db8::1-2001:db8::3", "[]"},
		{ReserveNone, "2001:db8::4/127", nil, nil, "2001:db8::4/127", "[]"},
		{ReserveNone, "2001:db8::4/128", nil, nil, "2001:db8::4", "[]"},
		{ReserveLast, "203.0.113.0/24", nil, nil, "203.0.113.1-203.0.113.252", "[203.0.113.254 (gateway) 203.0.113.253 (DNS)]"},
		{ReserveFirst, "203.0.113.0/24", nil, nil, "203.0.113.3-203.0.113.254", "[203.0.113.1 (gateway) 203.0.113.2 (DNS)]"},
		{ReserveLast, "203.0.113.0/29", nil, nil, "203.0.113.1-203.0.113.4", "[203.0.113.6 (gateway) 203.0.113.5 (DNS)]"},
		{ReserveFirst, "203.0.113.0/29", nil, nil, "203.0.113.3-203.0.113.6", "[203.0.113.1 (gateway) 203.0.113.2 (DNS)]"},
		{ReserveLast, "203.0.113.0/30", nil, nil, "203.0.113.1-203.0.113.2", "[]"}, // fewer than eight
		{ReserveFirst, "203.0.113.4/31", nil, nil, "203.0.113.4/31", "[]"},
		{ReserveLast, "203.0.113.4/32", nil, nil, "203.0.113.4", "[]"},
		{ReserveLast, "2001:db8::/125", nil, nil, "2001:db8::1-2001:db8::5", "[2001:db8::7 (gateway) 2001:db8::6 (DNS)]"},
		{ReserveFirst, "2001:db8::/125", nil, nil, "2001:db8::3-2001:db8::7", "[2001:db8::1 (gateway) 2001:db8::2 (DNS)]"},
		{ReserveLast, "2001:db8::/126", nil, nil, "2001:db8::1-2001:db8::3", "[]"},
		{ReserveFirst, "2001:db8::/64", nil, nil, "2001:db8::3-2001:db8::ffff:ffff:ffff:ffff", "[2001:db8::1 (gateway) 2001:db8::2 (DNS)]"},
		// What is configured takes the place of the convention.
		{ReserveNone, "203.0.113.0/29", addrs("203.0.113.3"), nil, "203.0.113.1-203.0.113.2, 203.0.113.4-203.0.113.6", "[203.0.113.3 (gateway)]"},
		{ReserveNone, "203.0.113.0/29", nil, addrs("203.0.113.3", "203.0.113.4"), "203.0.113.1-203.0.113.2, 203.0.113.5-203.0.113.6", "[203.0.113.3 (DNS) 203.0.113.4 (DNS)]"},
		{ReserveLast, "203.0.113.0/29", addrs("203.0.113.1"), nil, "203.0.113.2-203.0.113.4, 203.0.113.6", "[203.0.113.1 (gateway) 203.0.113.5 (DNS)]"},
		{ReserveLast, "203.0.113.0/29", nil, addrs("203.0.113.1"), "203.0.113.2-203.0.113.5", "[203.0.113.6 (gateway) 203.0.113.1 (DNS)]"},
		{ReserveFirst, "203.0.113.0/29", addrs("203.0.113.6"), addrs("203.0.113.6"), "203.0.113.1-203.0.113.5", "[203.0.113.6 (gateway) 203.0.113.6 (DNS)]"},
		{ReserveNone, "203.0.113.4/31", addrs("203.0.113.4"), nil, "203.0.113.5", "[203.0.113.4 (gateway)]"},
		{ReserveLast, "203.0.113.0/29", addrs("203.0.113.7"), addrs("203.0.113.0"), "203.0.113.1-203.0.113.6", "[203.0.113.7 (gateway) 203.0.113.0 (DNS)]"},
	} {
		name := fmt.Sprintf("%s of %s, gateways %v, DNS %v", tt.hosts, tt.subnet, tt.gateways, tt.dns)
		w := newWorld(t)
		w.do(CreateNetwork{Network{Name: public, Subnets: prefixes(tt.subnet), Reservations: Reservations{tt.hosts, tt.gateways, tt.dns}}})
		n, _ := w.state.Network(public)
		if got := summary(n.Usable()); got != tt.usable {
			t.Errorf("%s: usable are %s, want %s", name, got, tt.usable)
		}
		if got := fmt.Sprint(n.ReservedAddresses()); got != tt.kept {
			t.Errorf("%s: kept are %s, want %s", name, got, tt.kept)
		}
		for i, a := 0, n.ranges(); i < 16; i++ { // both say the same
			for first := range a.All() {
				at := first.First
				for range i {
					at = at.Next()
				}
				refused := n.checkAddress("", at) != nil
				if n.Usable().Contains(at) == refused {
					t.Errorf("%s: %s is refused: %t", name, at, refused)
				}
			}
		}
	}
}

// TestReservationsOfSubnets: a convention holds in each subnet that has nothing
// configured.
func TestReservationsOfSubnets(t *testing.T) {
	w := newWorld(t)
	w.do(CreateNetwork{Network{Name: public, Subnets: prefixes("203.0.113.0/29", "203.0.113.8/29", "198.51.100.0/30", "2001:db8::/125"),
		Reservations: Reservations{Hosts: ReserveLast, Gateways: addrs("203.0.113.9"), DNS: addrs("2001:db8::1", "198.51.100.1")}}})
	n, _ := w.state.Network(public)
	want := []string{"203.0.113.6 (gateway)", "203.0.113.5 (DNS)", "203.0.113.9 (gateway)", "203.0.113.13 (DNS)", "198.51.100.1 (DNS)", "2001:db8::7 (gateway)", "2001:db8::1 (DNS)"}
	if got := n.ReservedAddresses(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	w.refused("the gateway of its subnet", allocate(web, public, "203.0.113.9"),
		Error{InvalidArgument, ReasonReserved, "address", "", "203.0.113.9 is reserved for the gateway of 203.0.113.8/29"})
	w.refused("DNS", allocate(web, public, "198.51.100.1"),
		Error{InvalidArgument, ReasonReserved, "address", "", "198.51.100.1 is reserved for the DNS of 198.51.100.0/30"})
	w.refused("broadcast address", allocate(web, public, "198.51.100.3"),
		Error{InvalidArgument, ReasonReserved, "address", "", "198.51.100.3 is the network or broadcast address of 198.51.100.0/30"})
	w.refused("anycast address", allocate(web, public, "2001:db8::"),
		Error{InvalidArgument, ReasonReserved, "address", "", "2001:db8:: is the network or broadcast address of 2001:db8::/125"})
	w.do(allocate(web, public, "203.0.113.14"), allocate(mail, public, "2001:db8::6"))
}

func TestReservationRefusals(t *testing.T) {
	w := newWorld(t)
	w.do(network(private, "203.0.113.0/29"))
	many := slices.Repeat(addrs("203.0.113.1"), 257)
	for _, tt := range []struct {
		name string
		r    Reservations
		want Error
	}{
		{"hosts", Reservations{Hosts: 3}, Error{InvalidArgument, ReasonInvalid, "reserved_hosts", "", "expected none, last-two, first-two"}},
		{"gateway outside", Reservations{Gateways: addrs("203.0.113.1", "203.0.113.8")},
			Error{InvalidArgument, ReasonOutsideSubnets, "gateways", "", "203.0.113.8 is outside the subnets of the network"}},
		{"DNS outside", Reservations{DNS: addrs("2001:db8::1")},
			Error{InvalidArgument, ReasonOutsideSubnets, "dns_servers", "", "2001:db8::1 is outside the subnets of the network"}},
		{"no address", Reservations{Gateways: []netip.Addr{{}}},
			Error{InvalidArgument, ReasonInvalid, "gateways", "", "expected an IPv4 or IPv6 address, for example 203.0.113.1"}},
		{"mapped", Reservations{DNS: addrs("::ffff:203.0.113.1")},
			Error{InvalidArgument, ReasonInvalid, "dns_servers", "", "expected a unicast address without a zone, for example 203.0.113.1, got ::ffff:203.0.113.1"}},
		{"many gateways", Reservations{Gateways: many}, Error{InvalidArgument, ReasonInvalid, "gateways", "", "expected at most 256, got 257"}},
		{"many DNS servers", Reservations{DNS: many}, Error{InvalidArgument, ReasonInvalid, "dns_servers", "", "expected at most 256, got 257"}},
	} {
		w.refused("create: "+tt.name, CreateNetwork{Network{Name: public, Subnets: prefixes("203.0.113.0/29"), Reservations: tt.r}}, tt.want)
		w.refused("update: "+tt.name, UpdateNetwork{Name: private, Hosts: &tt.r.Hosts, Gateways: &tt.r.Gateways, DNS: &tt.r.DNS}, tt.want)
	}
	w.do(UpdateNetwork{Name: private, Gateways: ptr(addrs("203.0.113.1"))})
	w.refused("a gateway would be outside", UpdateNetwork{Name: private, Subnets: ptr(prefixes("203.0.113.8/29"))},
		Error{InvalidArgument, ReasonOutsideSubnets, "gateways", "", "203.0.113.1 is outside the subnets of the network"})
}

// TestChangeReservations changes them under floating IPs that are in use.
func TestChangeReservations(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/29"), pool(poolA, "203.0.113.4/30"),
		allocate(web, public, "203.0.113.1"), Allocate{Name: mail, Pool: poolA, Address: addr("203.0.113.6")})
	inUse := func(who, address string) Error {
		return Error{FailedPrecondition, ReasonInUse, "reserved_hosts", who, "an address that would be reserved in " + public + " is in use by " + who + " (" + address + ")"}
	}
	w.refused("last", UpdateNetwork{Name: public, Hosts: ptr(ReserveLast)}, inUse(mail, "203.0.113.6"))
	w.refused("first", UpdateNetwork{Name: public, Hosts: ptr(ReserveFirst)}, inUse(web, "203.0.113.1"))
	w.refused("gateway", UpdateNetwork{Name: public, Gateways: ptr(addrs("203.0.113.1"))}, inUse(web, "203.0.113.1"))
	w.refused("DNS", UpdateNetwork{Name: public, DNS: ptr(addrs("203.0.113.6"))}, inUse(mail, "203.0.113.6"))
	w.planned("another gateway", UpdateNetwork{Name: public, Hosts: ptr(ReserveLast), Gateways: ptr(addrs("203.0.113.4")), DNS: ptr(addrs("203.0.113.4"))},
		`put network/projects/p/networks/public@2 {"name":"projects/p/networks/public","id":1,"subnets":["203.0.113.0/29"],"targets":"","import_targets":"","export_targets":"","encapsulations":"","reserved_hosts":"last-two","gateways":["203.0.113.4"],"dns_servers":["203.0.113.4"]}`,
		`none above addr/1/@5`,
		`none above pool/projects/p/networks/public/pools/@5`)
	w.do(UpdateNetwork{Name: public, Hosts: ptr(ReserveLast), Gateways: ptr(addrs("203.0.113.4")), DNS: ptr(addrs("203.0.113.4"))})
	w.expectNext(fip(0), poolA, "203.0.113.5") // the pool has followed
	w.refused("no more", Allocate{Name: fip(1), Pool: poolA}, Error{ResourceExhausted, ReasonPoolExhausted, "pool", poolA,
		poolA + " has no free address: 2 of 2 used in 203.0.113.5-203.0.113.6"})
}
