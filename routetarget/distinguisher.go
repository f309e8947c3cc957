package routetarget

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Distinguisher is a route distinguisher: it makes equal prefixes of two
// networks, or of two compute nodes, two routes. It is comparable.
type Distinguisher struct {
	b [8]byte
}

// ParseDistinguisher reads "10.0.0.11:5" and its two other forms (see the
// package documentation). The error says what was expected.
func ParseDistinguisher(s string) (Distinguisher, error) {
	typ, v, err := parseValue(s)
	if err != nil {
		return Distinguisher{}, fmt.Errorf("route distinguisher %q: %w, for example 10.0.0.11:5", s, err)
	}
	return newDistinguisher(typ, v), nil
}

// DistinguisherFromBytes takes the eight bytes of a VPN NLRI. It reports false
// when the type is not one of RFC 4364 §4.2.
func DistinguisherFromBytes(b [8]byte) (Distinguisher, bool) {
	if binary.BigEndian.Uint16(b[:2]) > typeAS4 {
		return Distinguisher{}, false
	}
	return Distinguisher{b}, true
}

// IPv4Distinguisher returns the type 1 distinguisher <address>:<number>.
// It panics when the address is not IPv4.
func IPv4Distinguisher(addr netip.Addr, number uint16) Distinguisher {
	return newDistinguisher(typeIPv4, ipv4Value(addr, number))
}

func newDistinguisher(typ byte, v value) Distinguisher {
	d := Distinguisher{[8]byte{0, typ}}
	copy(d.b[2:], v[:])
	return d
}

// Bytes returns the distinguisher as it stands in a VPN NLRI.
func (d Distinguisher) Bytes() [8]byte { return d.b }

// IsZero reports whether d is the zero value, 0:0.
func (d Distinguisher) IsZero() bool { return d == Distinguisher{} }

// String returns the form that ParseDistinguisher reads.
func (d Distinguisher) String() string { return value(d.b[2:]).string(d.b[1]) }

// Compare orders distinguishers by their bytes.
func (d Distinguisher) Compare(e Distinguisher) int { return bytes.Compare(d.b[:], e.b[:]) }

// MarshalText implements encoding.TextMarshaler.
func (d Distinguisher) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Distinguisher) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDistinguisher(string(text))
	return err
}
