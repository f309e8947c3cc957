package vrf

import (
	"fmt"
	"strings"
)

// Encapsulation is a way to carry MPLS to a compute node, by its number in the
// BGP tunnel encapsulation registry (RFC 9012 §12.1).
type Encapsulation uint16

// The encapsulations that Buoy advertises.
const (
	GRE       Encapsulation = 2  // MPLS in GRE (RFC 4023)
	MPLSInUDP Encapsulation = 13 // MPLS in UDP (RFC 7510)
)

// Encapsulations is a set of encapsulations. It is comparable; the zero value
// is the empty set, which stands for "any".
type Encapsulations uint8

// encapsulationNames lists the known ones in the order of their numbers, which
// is the order on the wire. The index is the bit in Encapsulations.
var encapsulationNames = []struct {
	value Encapsulation
	name  string
}{
	{GRE, "gre"},
	{MPLSInUDP, "udp"},
}

// ParseEncapsulations reads names: "gre" and "udp".
func ParseEncapsulations(names []string) (Encapsulations, error) {
	var set Encapsulations
next:
	for _, name := range names {
		for bit, e := range encapsulationNames {
			if e.name == name {
				set |= 1 << bit
				continue next
			}
		}
		return 0, fmt.Errorf("expected encapsulation gre or udp, got %q", name)
	}
	return set, nil
}

// NewEncapsulations returns the set of the given encapsulations. Unknown ones
// are left out.
func NewEncapsulations(list ...Encapsulation) (set Encapsulations) {
	for _, want := range list {
		for bit, e := range encapsulationNames {
			if e.value == want {
				set |= 1 << bit
			}
		}
	}
	return set
}

// Intersect returns what both sets allow; an empty set allows any.
func (s Encapsulations) Intersect(other Encapsulations) Encapsulations {
	switch {
	case s == 0:
		return other
	case other == 0:
		return s
	default:
		return s & other
	}
}

// Agreed returns the encapsulations that all sides of a tunnel allow, of which an
// empty one allows any. When none of them says anything, or they have nothing in
// common, it is GRE: what every gateway can do.
func Agreed(sides ...Encapsulations) Encapsulations {
	var agreed Encapsulations
	for _, side := range sides {
		if side != 0 && agreed.Intersect(side) == 0 {
			return NewEncapsulations(GRE)
		}
		agreed = agreed.Intersect(side)
	}
	if agreed == 0 {
		return NewEncapsulations(GRE)
	}
	return agreed
}

// Slice returns the encapsulations in the order of their numbers.
func (s Encapsulations) Slice() (list []Encapsulation) {
	for bit, e := range encapsulationNames {
		if s&(1<<bit) != 0 {
			list = append(list, e.value)
		}
	}
	return list
}

// Strings returns the names that ParseEncapsulations reads.
func (s Encapsulations) Strings() []string {
	names := []string{}
	for bit, e := range encapsulationNames {
		if s&(1<<bit) != 0 {
			names = append(names, e.name)
		}
	}
	return names
}

// String returns the names separated by commas.
func (s Encapsulations) String() string { return strings.Join(s.Strings(), ",") }

// MarshalText implements encoding.TextMarshaler.
func (s Encapsulations) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Encapsulations) UnmarshalText(text []byte) (err error) {
	*s = 0
	if len(text) > 0 {
		*s, err = ParseEncapsulations(strings.Split(string(text), ","))
	}
	return err
}
