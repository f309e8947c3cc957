package inventory

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/internal/ipam"
)

// ReservedHosts says which hosts of a subnet are kept for a gateway and a DNS
// server that are not configured.
type ReservedHosts uint8

// The conventions. The zero value is that of networks that know none.
const (
	ReserveNone  ReservedHosts = iota
	ReserveLast                // the last host for the gateway, the one before for DNS
	ReserveFirst               // the first host for the gateway, the second for DNS
)

var reservedHosts = names[ReservedHosts]{"none", "last-two", "first-two"}

func (r ReservedHosts) String() string { return reservedHosts.text(r) }

// MarshalText implements encoding.TextMarshaler.
func (r ReservedHosts) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *ReservedHosts) UnmarshalText(text []byte) (err error) {
	*r, err = reservedHosts.parse(string(text))
	return err
}

// Reservations are the addresses of a network's subnets that no floating IP
// gets, beside network and broadcast addresses.
type Reservations struct {
	Hosts    ReservedHosts `json:"reserved_hosts,omitempty"` // in subnets with eight addresses or more
	Gateways []netip.Addr  `json:"gateways,omitempty"`       // in its subnet, in place of the convention
	DNS      []netip.Addr  `json:"dns_servers,omitempty"`    // likewise
}

// reservation is a reserved address and what it is reserved for.
type reservation struct {
	addr netip.Addr
	use  string
}

// reservedIn returns the addresses that are reserved in a subnet for a gateway and for
// DNS.
func (r *Reservations) reservedIn(subnet netip.Prefix) (list []reservation) {
	gateway, dns, ok := netip.Addr{}, netip.Addr{}, false
	switch r.Hosts {
	case ReserveLast:
		gateway, dns, ok = ipam.LastHosts(subnet)
	case ReserveFirst:
		gateway, dns, ok = ipam.FirstHosts(subnet)
	}
	for _, kind := range []struct {
		use        string
		configured []netip.Addr
		convention netip.Addr
	}{{"gateway", r.Gateways, gateway}, {"DNS", r.DNS, dns}} {
		found := false
		for _, a := range kind.configured {
			if subnet.Contains(a) {
				list, found = append(list, reservation{a, kind.use}), true
			}
		}
		if ok && !found {
			list = append(list, reservation{kind.convention, kind.use})
		}
	}
	return list
}

// check checks what a user configures.
func (r *Reservations) check(subnets ipam.Ranges) error {
	if int(r.Hosts) >= len(reservedHosts) {
		return invalid(ReasonInvalid, "reserved_hosts", "expected %s", strings.Join(reservedHosts, ", "))
	}
	for _, kind := range []struct {
		field string
		list  []netip.Addr
	}{{"gateways", r.Gateways}, {"dns_servers", r.DNS}} {
		if len(kind.list) > maxSubnets {
			return invalid(ReasonInvalid, kind.field, "expected at most %d, got %d", maxSubnets, len(kind.list))
		}
		for _, a := range kind.list {
			if err := checkUnicast(kind.field, a, "203.0.113.1"); err != nil {
				return err
			}
			if !subnets.Contains(a) {
				return invalid(ReasonOutsideSubnets, kind.field, "%s is outside the subnets of the network", a)
			}
		}
	}
	return nil
}

// Usable returns the addresses of a network that floating IPs can get.
func (n *Network) Usable() ipam.Ranges { return n.usable }

// findUsable works out what Usable returns.
func (n *Network) findUsable() ipam.Ranges {
	var reserved []ipam.Range
	for _, subnet := range n.Subnets {
		for r := range ipam.Reserved(subnet).All() {
			reserved = append(reserved, r)
		}
		for _, r := range n.reservedIn(subnet) {
			reserved = append(reserved, ipam.Range{First: r.addr, Last: r.addr})
		}
	}
	return n.ranges().Minus(ipam.NewRanges(reserved...))
}

// ranges returns all addresses of the subnets.
func (n *Network) ranges() ipam.Ranges {
	list := make([]ipam.Range, 0, len(n.Subnets))
	for _, subnet := range n.Subnets {
		list = append(list, ipam.RangeOf(subnet))
	}
	return ipam.NewRanges(list...)
}

// ReservedAddresses says which addresses the subnets keep back, and for what,
// in the order of the subnets.
func (n *Network) ReservedAddresses() (list []string) {
	for _, subnet := range n.Subnets {
		for _, r := range n.reservedIn(subnet) {
			list = append(list, fmt.Sprintf("%s (%s)", r.addr, r.use))
		}
	}
	return list
}

// CheckAddress says why an address cannot be given to a floating IP: it is in no
// subnet, or reserved.
func (n *Network) CheckAddress(addr netip.Addr) error {
	if err := n.checkAddress("", addr); err != nil {
		return err
	}
	return nil
}

// checkAddress checks that an address can be given to a floating IP: inside a
// subnet, and not one of its reserved addresses.
func (n *Network) checkAddress(field string, addr netip.Addr) *Error {
	for _, subnet := range n.Subnets {
		if !subnet.Contains(addr) {
			continue
		}
		if ipam.Reserved(subnet).Contains(addr) {
			return invalid(ReasonReserved, field, "%s is the network or broadcast address of %s", addr, subnet)
		}
		for _, r := range n.reservedIn(subnet) {
			if r.addr == addr {
				return invalid(ReasonReserved, field, "%s is reserved for the %s of %s", addr, r.use, subnet)
			}
		}
		return nil
	}
	return invalid(ReasonOutsideSubnets, field, "%s is outside the subnets of %s: %v", addr, n.Name, n.Subnets)
}
