package neighbor

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// PrefixFilter says which prefixes are taken, as a router's prefix list does. It
// is immutable; equal ones compare equal with ==. The zero value takes every
// prefix.
type PrefixFilter struct {
	// The lines as ruleSize bytes each, sorted, without repetition: they compare
	// with ==, and need not be parsed to be matched. noPrefix takes nothing.
	s string
}

// NoPrefix stands for no prefix at all in a list of prefixes.
const NoPrefix = "none"

// maxPrefixes is how many lines a filter may have: all may be looked at for each
// route.
const maxPrefixes = 256

// ParsePrefixFilter reads lines: "10.0.0.0/8" is exactly that prefix, "10.0.0.0/8
// ge 16 le 24" those within it of the lengths 16..24; ge and le may be left out.
// No line means every prefix, NoPrefix alone means none. A family that no line
// is of is not taken.
func ParsePrefixFilter(lines []string) (PrefixFilter, error) {
	var rules []rule
	for _, line := range lines {
		if strings.TrimSpace(line) == NoPrefix {
			if len(lines) > 1 {
				return PrefixFilter{}, fmt.Errorf("expected prefixes, or %s alone, got %s", NoPrefix, strings.Join(lines, ", "))
			}
			return PrefixFilter{noPrefix}, nil
		}
		r, err := parseRule(line)
		if err != nil {
			return PrefixFilter{}, err
		}
		rules = append(rules, r)
	}
	if len(rules) > maxPrefixes {
		return PrefixFilter{}, fmt.Errorf("expected at most %d prefixes, got %d", maxPrefixes, len(rules))
	}
	slices.SortFunc(rules, rule.compare)
	var b []byte
	for _, r := range slices.Compact(rules) {
		b = r.append(b)
	}
	return PrefixFilter{string(b)}, nil
}

// TakesNothing reports whether the filter is NoPrefix.
func (f PrefixFilter) TakesNothing() bool { return f.s == noPrefix }

// Contains reports whether a prefix is taken.
func (f PrefixFilter) Contains(p netip.Prefix) bool {
	if f.s == "" {
		return true
	}
	for i := range f.len() {
		if f.at(i).matches(p) {
			return true
		}
	}
	return false
}

// Strings returns the lines that ParsePrefixFilter reads, sorted, each in its
// shortest form.
func (f PrefixFilter) Strings() []string {
	if f.TakesNothing() {
		return []string{NoPrefix}
	}
	lines := []string{}
	for i := range f.len() {
		lines = append(lines, f.at(i).String())
	}
	return lines
}

// String returns the lines separated by commas.
func (f PrefixFilter) String() string { return strings.Join(f.Strings(), ",") }

// MarshalText implements encoding.TextMarshaler.
func (f PrefixFilter) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *PrefixFilter) UnmarshalText(text []byte) (err error) {
	*f = PrefixFilter{}
	if len(text) > 0 {
		*f, err = ParsePrefixFilter(strings.Split(string(text), ","))
	}
	return err
}

// rule is a line: the prefixes within one, from a length to another.
type rule struct {
	prefix netip.Prefix // without host bits
	ge, le uint8        // prefix.Bits() <= ge <= le
}

const (
	ruleSize = 1 + 16 + 3 // family, address, length, ge, le
	noPrefix = "-"        // shorter than a rule
)

func (f PrefixFilter) len() int { return len(f.s) / ruleSize }

func (f PrefixFilter) at(i int) rule {
	var b [ruleSize]byte
	copy(b[:], f.s[i*ruleSize:])
	addr := netip.AddrFrom16([16]byte(b[1:]))
	if b[0] == 4 {
		addr = addr.Unmap()
	}
	return rule{netip.PrefixFrom(addr, int(b[17])), b[18], b[19]}
}

func (r rule) append(b []byte) []byte {
	family := byte(6)
	if r.prefix.Addr().Is4() {
		family = 4
	}
	addr := r.prefix.Addr().As16()
	b = append(append(b, family), addr[:]...)
	return append(b, byte(r.prefix.Bits()), r.ge, r.le)
}

func (r rule) compare(s rule) int {
	return cmp.Or(r.prefix.Addr().Compare(s.prefix.Addr()), cmp.Compare(r.prefix.Bits(), s.prefix.Bits()),
		cmp.Compare(r.ge, s.ge), cmp.Compare(r.le, s.le))
}

func (r rule) matches(p netip.Prefix) bool {
	return int(r.ge) <= p.Bits() && p.Bits() <= int(r.le) && r.prefix.Contains(p.Addr())
}

// String returns the line. What is said anyway is left out.
func (r rule) String() string {
	text, bits, most := r.prefix.String(), r.prefix.Bits(), r.prefix.Addr().BitLen()
	exact := int(r.ge) == bits && int(r.le) == bits
	if int(r.ge) > bits {
		text += fmt.Sprintf(" ge %d", r.ge)
	}
	if !exact && (int(r.le) < most || int(r.ge) == bits) {
		text += fmt.Sprintf(" le %d", r.le)
	}
	return text
}

// parseRule reads a line.
func parseRule(line string) (r rule, err error) {
	const example = "for example 10.0.0.0/8 le 24"
	words := strings.Fields(line)
	if len(words) == 0 {
		return r, fmt.Errorf("expected a prefix, %s, got %q", example, line)
	}
	if r.prefix, err = parsePrefix(words[0]); err != nil {
		return r, err
	}
	bits, most := r.prefix.Bits(), r.prefix.Addr().BitLen()
	given := map[string]int{}
	for rest := words[1:]; len(rest) > 0; rest = rest[2:] {
		word := rest[0]
		_, twice := given[word]
		if word != "ge" && word != "le" || twice || len(rest) == 1 {
			return r, fmt.Errorf("expected a prefix, then ge and a length, le and a length, or both, %s, got %q", example, line)
		}
		n, err := strconv.ParseUint(rest[1], 10, 8)
		if err != nil || int(n) < bits || int(n) > most {
			return r, fmt.Errorf("%s: expected a length %d..%d after %s, got %q", r.prefix, bits, most, word, rest[1])
		}
		given[word] = int(n)
	}
	ge, from := given["ge"]
	le, to := given["le"]
	switch {
	case !from && !to:
		ge, le = bits, bits
	case !from:
		ge = bits
	case !to:
		le = most
	case ge > le:
		return r, fmt.Errorf("%s: expected ge to be at most le; turned round it is %s ge %d le %d", line, r.prefix, le, ge)
	}
	r.ge, r.le = uint8(ge), uint8(le)
	return r, nil
}

// parsePrefix reads the prefix of a line.
func parsePrefix(text string) (p netip.Prefix, err error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" && !addr.Is4In6() {
		return p, fmt.Errorf("expected a prefix, got the address %s; alone it is %s/%d", addr, addr, addr.BitLen())
	}
	p, err = netip.ParsePrefix(text)
	switch {
	case err != nil || p.Addr().Is4In6():
		return p, fmt.Errorf("expected a prefix, for example 10.0.0.0/8 or 2001:db8::/32, got %q", text)
	case p != p.Masked():
		return p, fmt.Errorf("%s has host bits set; the prefix is %s", p, p.Masked())
	}
	return p, nil
}
