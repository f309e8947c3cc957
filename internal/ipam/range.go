package ipam

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// Range is the addresses from First to Last, both included, of one family.
type Range struct{ First, Last netip.Addr }

// ParseRange reads "203.0.113.10-203.0.113.99", with or without blanks around
// the dash, a prefix like "203.0.113.0/25", or one address. The error says what
// was expected.
func ParseRange(s string) (Range, error) {
	if strings.Contains(s, "%") {
		return Range{}, fmt.Errorf("expected addresses without a zone, got %q", s)
	}
	r, err := parseEnds(s)
	switch {
	case err != nil:
		return Range{}, err
	case r.First.Is4In6() || r.Last.Is4In6():
		return Range{}, fmt.Errorf("expected plain IPv4 or IPv6 addresses, not IPv4-mapped ones (::ffff:0:0/96), got %q", s)
	case r.First.BitLen() != r.Last.BitLen():
		return Range{}, fmt.Errorf("expected two addresses of one family, got %q", s)
	case r.Last.Less(r.First):
		return Range{}, fmt.Errorf("expected the lower address first, got %q", s)
	}
	return r, nil
}

// parseEnds reads a range without asking whether its ends fit together.
func parseEnds(s string) (Range, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		switch {
		case err != nil:
			return Range{}, notRange(s)
		case p != p.Masked():
			return Range{}, fmt.Errorf("%s has host bits set; the prefix is %s", p, p.Masked())
		}
		return RangeOf(p), nil
	}
	from, to, ok := strings.Cut(s, "-")
	if ok {
		from, to = strings.TrimRight(from, " \t"), strings.TrimLeft(to, " \t")
	} else {
		to = from
	}
	first, err1 := netip.ParseAddr(from)
	last, err2 := netip.ParseAddr(to)
	if err1 != nil || err2 != nil {
		return Range{}, notRange(s)
	}
	return Range{first, last}, nil
}

func notRange(s string) error {
	return fmt.Errorf("expected a range like 203.0.113.10-203.0.113.99 or a prefix like 203.0.113.0/25, got %q", s)
}

// RangeOf returns all addresses of a prefix, whatever its host bits are. That
// of an invalid prefix is the zero Range.
func RangeOf(p netip.Prefix) Range {
	if !p.IsValid() {
		return Range{}
	}
	first := p.Masked().Addr()
	n, host := numberOf(first), lowBits(first.BitLen()-p.Bits())
	last := addrOf(Number{n.Hi | host.Hi, n.Lo | host.Lo})
	if first.Is6() {
		last = netip.AddrFrom16(last.As16()) // also where it is IPv4-mapped
	}
	return Range{first, last}
}

// IsValid reports whether r is a range that ParseRange could have returned.
func (r Range) IsValid() bool {
	return isPlain(r.First) && isPlain(r.Last) && r.First.BitLen() == r.Last.BitLen() && !r.Last.Less(r.First)
}

// isPlain reports whether an address may be an end of a range.
func isPlain(a netip.Addr) bool { return a.IsValid() && a.Zone() == "" && !a.Is4In6() }

// Contains reports whether a is one of the addresses. An invalid range has
// none.
func (r Range) Contains(a netip.Addr) bool {
	return r.IsValid() && isPlain(a) && !a.Less(r.First) && !r.Last.Less(a)
}

// Overlaps reports whether the ranges have an address in common.
func (r Range) Overlaps(o Range) bool {
	return r.IsValid() && o.IsValid() && !r.Last.Less(o.First) && !o.Last.Less(r.First)
}

// Size returns the number of addresses, at most math.MaxUint64.
func (r Range) Size() uint64 {
	if !r.IsValid() {
		return 0
	}
	return count(numberOf(r.First), numberOf(r.Last))
}

// String returns the shortest form that ParseRange reads: a prefix if the range
// is one, or an address if there is one only.
func (r Range) String() string {
	if !r.IsValid() {
		return "invalid range"
	}
	if r.First == r.Last {
		return r.First.String()
	}
	if p := r.prefix(); RangeOf(p) == r {
		return p.String()
	}
	return r.First.String() + "-" + r.Last.String()
}

// prefix returns the longest prefix that First and Last have in common.
func (r Range) prefix() netip.Prefix {
	first, last := numberOf(r.First), numberOf(r.Last)
	host := bits.Len64(first.Lo ^ last.Lo)
	if hi := first.Hi ^ last.Hi; hi != 0 {
		host = 64 + bits.Len64(hi)
	}
	return netip.PrefixFrom(r.First, r.First.BitLen()-host).Masked()
}

// MarshalText implements encoding.TextMarshaler. An invalid range is refused,
// because nobody could read it back.
func (r Range) MarshalText() ([]byte, error) {
	if !r.IsValid() {
		return nil, errors.New("cannot marshal an invalid range")
	}
	return []byte(r.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Range) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRange(string(text))
	return err
}
