package ribout

import (
	"encoding/binary"

	"github.com/buoynet/buoy/internal/neighbor"
)

// splitUpdate cuts the body of an UPDATE into its withdrawn routes, its path
// attributes and its NLRIs (RFC 4271 §4.3). It reports false when the lengths do
// not fit.
func splitUpdate(body []byte) (withdrawn, attrs, nlri []byte, ok bool) {
	n, ok := cut(&body, 2)
	if !ok || len(body) < n {
		return nil, nil, nil, false
	}
	withdrawn, body = body[:n], body[n:]
	n, ok = cut(&body, 2)
	if !ok || len(body) < n {
		return nil, nil, nil, false
	}
	return withdrawn, body[:n], body[n:], true
}

// minAttribute is the size of a path attribute without a value: flags, type,
// length.
const minAttribute = 3

// nextAttribute cuts the first path attribute off. It reports false when that
// is cut off itself.
func nextAttribute(attrs []byte) (typ byte, value, rest []byte, ok bool) {
	if len(attrs) < minAttribute {
		return 0, nil, nil, false
	}
	size := 1
	if attrs[0]&flagExtended != 0 {
		size = 2
	}
	typ, rest = attrs[1], attrs[2:]
	n, ok := cut(&rest, size)
	if !ok || len(rest) < n {
		return 0, nil, nil, false
	}
	return typ, rest[:n], rest[n:], true
}

// familySize is that of AFI and SAFI, which begin both MP attributes (RFC 4760
// §3, §4).
const familySize = 3

// familyOf returns the family that a path attribute is about. It reports false
// when that is none that Buoy speaks.
func familyOf(typ byte, value []byte) (neighbor.Family, bool) {
	if typ != attrReach && typ != attrUnreach || len(value) < familySize {
		return 0, false
	}
	return neighbor.FamilyOf(binary.BigEndian.Uint16(value), value[2])
}

// cut takes a number of one or two octets off the front.
func cut(b *[]byte, size int) (n int, ok bool) {
	if len(*b) < size {
		return 0, false
	}
	n = int((*b)[0])
	if size == 2 {
		n = int(binary.BigEndian.Uint16(*b))
	}
	*b = (*b)[size:]
	return n, true
}
