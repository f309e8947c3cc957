package neighbor

import (
	"fmt"
	"net/netip"
	"strings"
)

// Family is an address family that Buoy speaks.
type Family uint8

// The families, by the names that network operators know them by.
const (
	InetVPN     Family = iota // VPNv4: AFI 1, SAFI 128 (RFC 4364)
	Inet6VPN                  // VPNv6: AFI 2, SAFI 128 (RFC 4659)
	RouteTarget               // route target membership: AFI 1, SAFI 132 (RFC 4684)
)

var families = [...]struct {
	name string
	afi  uint16
	safi uint8
}{
	InetVPN:     {"inet-vpn", 1, 128},
	Inet6VPN:    {"inet6-vpn", 2, 128},
	RouteTarget: {"route-target", 1, 132},
}

// String returns the operator's name.
func (f Family) String() string { return families[f].name }

// AFI returns the address family identifier.
func (f Family) AFI() uint16 { return families[f].afi }

// SAFI returns the subsequent address family identifier.
func (f Family) SAFI() uint8 { return families[f].safi }

// FamilyOf returns the family with the given identifiers. It reports false for
// one that Buoy does not speak.
func FamilyOf(afi uint16, safi uint8) (Family, bool) {
	for f, d := range families {
		if d.afi == afi && d.safi == safi {
			return Family(f), true
		}
	}
	return 0, false
}

// VPNFamily returns the family of the VPN routes for an address.
func VPNFamily(addr netip.Addr) Family {
	if addr.Is4() {
		return InetVPN
	}
	return Inet6VPN
}

// Families is a set of families. It is comparable; the zero value is empty.
type Families uint8

// AllFamilies holds every family that Buoy speaks.
const AllFamilies Families = 1<<len(families) - 1

// VPNFamilies holds those whose routes are VPN routes.
const VPNFamilies Families = 1<<InetVPN | 1<<Inet6VPN

// NewFamilies returns the set of the given families.
func NewFamilies(list ...Family) (s Families) {
	for _, f := range list {
		s |= 1 << f
	}
	return s
}

// ParseFamilies reads operators' names: inet-vpn, inet6-vpn, route-target.
func ParseFamilies(names []string) (s Families, err error) {
next:
	for _, name := range names {
		for f, d := range families {
			if d.name == name {
				s |= 1 << f
				continue next
			}
		}
		return 0, fmt.Errorf("expected %s, got %q", strings.Join(AllFamilies.Strings(), ", "), name)
	}
	return s, nil
}

// Contains reports whether f is in the set.
func (s Families) Contains(f Family) bool { return s&(1<<f) != 0 }

// Slice returns the families in order.
func (s Families) Slice() (list []Family) {
	for f := range Family(len(families)) {
		if s.Contains(f) {
			list = append(list, f)
		}
	}
	return list
}

// Strings returns the names that ParseFamilies reads.
func (s Families) Strings() []string {
	names := []string{}
	for _, f := range s.Slice() {
		names = append(names, f.String())
	}
	return names
}

// String returns the names separated by commas.
func (s Families) String() string { return strings.Join(s.Strings(), ",") }

// MarshalText implements encoding.TextMarshaler.
func (s Families) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Families) UnmarshalText(text []byte) (err error) {
	*s = 0
	if len(text) > 0 {
		*s, err = ParseFamilies(strings.Split(string(text), ","))
	}
	return err
}
