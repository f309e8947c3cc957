package routetarget

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

// subTypeTarget marks an extended community as a route target (RFC 4360 §4).
const subTypeTarget = 0x02

// Target is a route target: a transitive extended community that says which
// VRFs import a route. It is comparable; the zero value is none.
type Target struct {
	b [8]byte
}

// ParseTarget reads "target:64512:10003" and its two other forms (see the
// package documentation). The prefix "target:" may be left out. The error says
// what was expected.
func ParseTarget(s string) (Target, error) {
	typ, v, err := parseValue(strings.TrimPrefix(s, "target:"))
	if err != nil {
		return Target{}, fmt.Errorf("route target %q: %w, for example target:64512:10003", s, err)
	}
	return newTarget(typ, v), nil
}

// TargetFromBytes takes the eight bytes of an extended community. It reports
// false when they are not a transitive route target of a known type.
func TargetFromBytes(b [8]byte) (Target, bool) {
	if b[0] > typeAS4 || b[1] != subTypeTarget {
		return Target{}, false
	}
	return Target{b}, true
}

func newTarget(typ byte, v value) Target {
	t := Target{[8]byte{typ, subTypeTarget}}
	copy(t.b[2:], v[:])
	return t
}

// Bytes returns the extended community as it stands in an UPDATE.
func (t Target) Bytes() [8]byte { return t.b }

// IsZero reports whether t is the zero value, which is no route target.
func (t Target) IsZero() bool { return t == Target{} }

// String returns the form that ParseTarget reads, and "" for the zero value.
func (t Target) String() string {
	if t.IsZero() {
		return ""
	}
	return "target:" + value(t.b[2:]).string(t.b[0])
}

// Compare orders targets by their bytes.
func (t Target) Compare(u Target) int { return bytes.Compare(t.b[:], u.b[:]) }

// MarshalText implements encoding.TextMarshaler.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Target) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTarget(string(text))
	return err
}

// The first number of the automatic targets, by the size of the AS. They are
// the reference system's, so that gateways configured for it go on working.
const (
	automaticAS2 = 8000000
	automaticAS4 = 8000
)

// MaxNetworkID is the largest network id that has an automatic target: with a
// 4-octet AS the number has 16 bits, and 8000 + 57535 fills them.
const MaxNetworkID = math.MaxUint16 - automaticAS4

// Automatic returns the target that a network has without being given one:
// target:<as>:<8000000+id>, or target:<as>:<8000+id> when the AS needs four
// octets. The id is 1..MaxNetworkID; Automatic panics beyond it, because two
// networks would share a target.
func Automatic(as uint32, id uint16) Target {
	if id == 0 || id > MaxNetworkID {
		panic(fmt.Sprintf("routetarget: network id %d is not 1..%d", id, MaxNetworkID))
	}
	if as > math.MaxUint16 {
		return newTarget(typeAS4, as4Value(as, automaticAS4+id))
	}
	return newTarget(typeAS2, as2Value(uint16(as), automaticAS2+uint32(id)))
}

// IsAutomatic reports whether t lies in the range of the automatic targets of
// an AS. A configured target must not.
func IsAutomatic(t Target, as uint32) bool {
	first, last := Automatic(as, 1), Automatic(as, MaxNetworkID)
	return first.Compare(t) <= 0 && t.Compare(last) <= 0
}
