package ipam

import (
	"net/netip"
	"strings"
	"testing"
)

// taken returns a set in which the addresses of some ranges are taken, in the
// space "n".
func taken(t testing.TB, s string) *Addresses[string] {
	t.Helper()
	set := NewAddresses[string]()
	for text := range strings.FieldsSeq(s) {
		r := parse(t, text)
		for a := r.First; ; a = a.Next() {
			set.Add("n", a)
			if a == r.Last {
				break
			}
		}
	}
	return set
}

func TestNextFree(t *testing.T) {
	const last6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	const two = "203.0.113.10-203.0.113.12, 203.0.113.20-203.0.113.22"
	for _, tt := range []struct{ in, taken, cursor, want string }{
		// No cursor.
		{"", "", "", ""},
		{two, "", "", "203.0.113.10"},
		{two, "203.0.113.10", "", "203.0.113.11"},
		{two, "203.0.113.11", "", "203.0.113.10"},
		{two, "203.0.113.0/28", "", "203.0.113.20"},
		{two, "203.0.113.0/27", "", ""},
		{"203.0.113.10", "203.0.113.9 203.0.113.11", "", "203.0.113.10"},
		{"203.0.113.10", "203.0.113.10", "", ""},
		// The cursor inside a range.
		{two, "", "203.0.113.11", "203.0.113.11"},
		{two, "203.0.113.11", "203.0.113.11", "203.0.113.12"},
		{two, "203.0.113.11-203.0.113.12", "203.0.113.11", "203.0.113.20"},
		{two, "203.0.113.11-203.0.113.22", "203.0.113.11", "203.0.113.10"}, // before it in the same range
		{two, "203.0.113.10-203.0.113.22", "203.0.113.11", ""},
		{two, "203.0.113.21-203.0.113.22", "203.0.113.21", "203.0.113.10"},
		{two, "203.0.113.21-203.0.113.22 203.0.113.10-203.0.113.12", "203.0.113.21", "203.0.113.20"}, // before it comes last
		{two, "203.0.113.20-203.0.113.22", "203.0.113.20", "203.0.113.10"},
		{two, "203.0.113.12-203.0.113.20", "203.0.113.12", "203.0.113.21"},
		{"203.0.113.10-203.0.113.12", "203.0.113.12", "203.0.113.12", "203.0.113.10"},
		{"203.0.113.10-203.0.113.12", "203.0.113.10 203.0.113.12", "203.0.113.12", "203.0.113.11"},
		{"203.0.113.10-203.0.113.12", "203.0.113.11-203.0.113.12", "203.0.113.10", "203.0.113.10"},
		// Outside the ranges.
		{two, "", "0.0.0.0", "203.0.113.10"},
		{two, "", "203.0.113.9", "203.0.113.10"},
		{two, "", "203.0.113.13", "203.0.113.20"},
		{two, "203.0.113.20-203.0.113.22", "203.0.113.13", "203.0.113.10"},
		{two, "", "203.0.113.23", "203.0.113.10"},
		{two, "", "255.255.255.255", "203.0.113.10"},
		// The other family.
		{two, "", "::", "203.0.113.10"},
		{two, "203.0.113.10", last6, "203.0.113.11"},
		{"2001:db8::/126", "", "255.255.255.255", "2001:db8::"},
		{"2001:db8::/126", "2001:db8::-2001:db8::2", "10.0.0.0", "2001:db8::3"},
		// Both families.
		{"2001:db8::/127, 203.0.113.10", "", "", "203.0.113.10"},
		{"2001:db8::/127, 203.0.113.10", "203.0.113.10", "", "2001:db8::"},
		{"2001:db8::/127, 203.0.113.10", "2001:db8::1", "2001:db8::1", "203.0.113.10"},
		{"2001:db8::/127, 203.0.113.10", "2001:db8::1 203.0.113.10", "2001:db8::1", "2001:db8::"},
		{"2001:db8::/127, 203.0.113.10", "", "203.0.113.11", "2001:db8::"},
		// The ends of the families.
		{"0.0.0.0/0", "", "", "0.0.0.0"},
		{"0.0.0.0/0", "0.0.0.0", "", "0.0.0.1"},
		{"0.0.0.0/0", "", "255.255.255.255", "255.255.255.255"},
		{"0.0.0.0/0", "255.255.255.255", "255.255.255.255", "0.0.0.0"},
		{"0.0.0.0/0", "255.255.255.255 0.0.0.0", "255.255.255.255", "0.0.0.1"},
		{"255.255.255.254/31, ::", "255.255.255.255", "255.255.255.255", "::"},
		{"255.255.255.254/31, ::", "255.255.255.255 ::", "255.255.255.255", "255.255.255.254"},
		{"255.255.255.254/31, ::", "255.255.255.254/31 ::", "255.255.255.255", ""},
		{"::/0", "", "", "::"},
		{"::/0", "::", "::", "::1"},
		{"::/0", last6, last6, "::"},
		{"::/0", last6 + " ::", last6, "::1"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", last6, ""},
		{"0.0.0.0, " + last6, "0.0.0.0 " + last6, last6, ""},
		// Across a carry.
		{"2001:db8::/63", "2001:db8::ffff:ffff:ffff:fffe-2001:db8:0:1::5", "2001:db8::ffff:ffff:ffff:fffe", "2001:db8:0:1::6"},
		{"10.0.0.0/8", "10.0.255.255-10.1.0.0", "10.0.255.255", "10.1.0.1"},
		// The IPv4 addresses stand at ::ffff:0:0/96, but are none of the IPv6 ones.
		{"::/0", "", "::fffe:ffff:ffff", "::fffe:ffff:ffff"},
		{"::/0", "::fffe:ffff:ffff", "::fffe:ffff:ffff", "::1:0:0:0"},
		{"::/0", "::1:0:0:0 255.255.255.255", "::1:0:0:0", "::1:0:0:1"},
		{"0.0.0.0/0", "255.255.255.255 ::1:0:0:0 ::fffe:ffff:ffff 0.0.0.0", "255.255.255.255", "0.0.0.1"},
		{"::fffe:ffff:ffff, ::1:0:0:0", "::fffe:ffff:ffff 0.0.0.0 255.255.255.255 ::1:0:0:0", "", ""},
		// A cursor in another notation.
		{two, "203.0.113.11", "::ffff:203.0.113.11", "203.0.113.12"},
		{"fe80::4-fe80::5, fe80::9", "", "fe80::5%eth0", "fe80::5"},
	} {
		s, in := taken(t, tt.taken), set(t, tt.in)
		var cursor, want netip.Addr
		if tt.cursor != "" {
			cursor = addr(tt.cursor)
		}
		if tt.want != "" {
			want = addr(tt.want)
		}
		got, ok := s.NextFree("n", in, cursor)
		if got != want || ok != want.IsValid() {
			t.Errorf("in %s without %q from %q: got %s, %t, want %s", in, tt.taken, tt.cursor, got, ok, want)
		}
		if ok && (!in.Contains(got) || s.Contains("n", got)) {
			t.Errorf("in %s without %q from %q: got %s, which is taken or outside", in, tt.taken, tt.cursor, got)
		}
		if got, ok := s.NextFree("another", in, netip.Addr{}); ok == in.IsEmpty() || !in.IsEmpty() && got != in.list[0].First {
			t.Errorf("in %s of another space: got %s, %t", in, got, ok)
		}
	}
}

func TestAddresses(t *testing.T) {
	s := NewAddresses[string]()
	a, b := addr("203.0.113.7"), addr("2001:db8::7")
	if !s.Add("n", a) || s.Add("n", a) || !s.Add("n", b) || !s.Add("m", a) {
		t.Error("Add is wrong")
	}
	if !s.Contains("n", a) || !s.Contains("n", b) || !s.Contains("m", a) || s.Contains("m", b) || s.Contains("", a) || s.Contains("n", a.Next()) {
		t.Error("Contains is wrong")
	}
	c := s.Copy()
	if !s.Remove("n", a) || s.Remove("n", a) || s.Remove("m", b) || s.Contains("n", a) || !s.Contains("m", a) {
		t.Error("Remove is wrong")
	}
	c.Add("n", b.Next())
	if !c.Contains("n", a) || s.Contains("n", b.Next()) {
		t.Error("a set and its copy are not independent")
	}
}

func TestOtherNotations(t *testing.T) {
	s := NewAddresses[string]()
	a, in6 := addr("203.0.113.7"), addr("::ffff:203.0.113.7")
	if !s.Add("n", in6) || s.Add("n", a) || !s.Contains("n", a) || !s.Contains("n", in6) || !s.Remove("n", a) || s.Contains("n", in6) {
		t.Error("an IPv4-mapped address is not the IPv4 address")
	}
	for _, a := range []netip.Addr{{}, addr("fe80::1%eth0")} {
		if s.Add("n", a) || s.Contains("n", a) || s.Remove("n", a) || s.runs.Len() != 0 {
			t.Errorf("%s is taken", a)
		}
		s.Add("n", addr("::"))
		s.Add("n", addr("fe80::1"))
		if s.Contains("n", a) || s.Remove("n", a) || s.runs.Len() != 2 {
			t.Errorf("%s is taken for another one", a)
		}
		s.Remove("n", addr("::"))
		s.Remove("n", addr("fe80::1"))
	}
}

func TestUsed(t *testing.T) {
	s := taken(t, "0.0.0.0 203.0.113.10-203.0.113.19 255.255.255.255 :: 2001:db8::-2001:db8::9 ::fffe:ffff:ffff ::1:0:0:0 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
	for in, want := range map[string]uint64{
		"":                          0,
		"203.0.113.10":              1,
		"203.0.113.9":               0,
		"203.0.113.0/24":            10,
		"203.0.113.12-203.0.113.15": 4,
		"203.0.113.5-203.0.113.12, 203.0.113.18-203.0.113.30": 5,
		"0.0.0.0/0":                 12,
		"2001:db8::/64":             10,
		"::/0":                      14, // and none of IPv4
		"0.0.0.0/0, ::/0":           26,
		"203.0.113.15, 2001:db8::5": 2,
	} {
		if got := s.Used("n", set(t, in)); got != want {
			t.Errorf("in %s: got %d, want %d", in, got, want)
		}
		if got := s.Used("another", set(t, in)); got != 0 {
			t.Errorf("in %s of another space: got %d", in, got)
		}
	}
	s.runs.tree.Set(run[string]{"big", Number{0x2001 << 48, 0}, Number{0x2001<<48 + 2, 0}})
	if got := s.Used("big", set(t, "2001::/64, 2001:0:0:2::/64")); got != most {
		t.Errorf("got %d, want the greatest number", got)
	}
}
