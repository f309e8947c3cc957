package routetarget

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// The three encodings of an administrator and its number: RFC 4360 §3 and
// RFC 4364 §4.2 number them alike.
const (
	typeAS2  = 0
	typeIPv4 = 1
	typeAS4  = 2
)

// value is what a target and a distinguisher share: six bytes whose meaning
// the type gives.
type value [6]byte

func as2Value(as uint16, number uint32) (v value) {
	binary.BigEndian.PutUint16(v[:2], as)
	binary.BigEndian.PutUint32(v[2:], number)
	return v
}

func ipv4Value(addr netip.Addr, number uint16) (v value) {
	a := addr.As4()
	copy(v[:4], a[:])
	binary.BigEndian.PutUint16(v[4:], number)
	return v
}

func as4Value(as uint32, number uint16) (v value) {
	binary.BigEndian.PutUint32(v[:4], as)
	binary.BigEndian.PutUint16(v[4:], number)
	return v
}

// parseValue reads "administrator:number".
func parseValue(s string) (typ byte, v value, err error) {
	administrator, number, ok := strings.Cut(s, ":")
	if !ok {
		return 0, v, fmt.Errorf("expected <AS or IPv4 address>:<number>")
	}
	if strings.Contains(administrator, ".") {
		addr, err := netip.ParseAddr(administrator)
		if err != nil || !addr.Is4() {
			return 0, v, fmt.Errorf("expected an IPv4 address before the colon, got %q", administrator)
		}
		n, err := parseNumber("number", number, math.MaxUint16, " after an IPv4 address")
		return typeIPv4, ipv4Value(addr, uint16(n)), err
	}
	digits, long := strings.CutSuffix(administrator, "L")
	as, err := parseNumber("AS", digits, math.MaxUint32, "")
	if err != nil {
		return 0, v, err
	}
	if long || as > math.MaxUint16 {
		n, err := parseNumber("number", number, math.MaxUint16, " after a 4-octet AS")
		return typeAS4, as4Value(as, uint16(n)), err
	}
	n, err := parseNumber("number", number, math.MaxUint32, " after a 2-octet AS")
	return typeAS2, as2Value(uint16(as), n), err
}

// parseNumber reads a canonical decimal: no sign, no leading zero, no junk, so
// that what is accepted is printed the same again.
func parseNumber(what, s string, limit uint32, when string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > uint64(limit) || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("expected %s 0..%d%s, got %q", what, limit, when, s)
	}
	return uint32(n), nil
}

func (v value) string(typ byte) string {
	switch typ {
	case typeAS2:
		return fmt.Sprintf("%d:%d", binary.BigEndian.Uint16(v[:2]), binary.BigEndian.Uint32(v[2:]))
	case typeIPv4:
		return fmt.Sprintf("%s:%d", netip.AddrFrom4([4]byte(v[:4])), binary.BigEndian.Uint16(v[4:]))
	default:
		as := binary.BigEndian.Uint32(v[:4])
		suffix := ""
		if as <= math.MaxUint16 {
			suffix = "L" // without it the text would name the 2-octet form
		}
		return fmt.Sprintf("%d%s:%d", as, suffix, binary.BigEndian.Uint16(v[4:]))
	}
}
