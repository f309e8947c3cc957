package ipam

import (
	"encoding/json"
	"math"
	"net/netip"
	"testing"
)

var (
	addr   = netip.MustParseAddr
	prefix = netip.MustParsePrefix
)

func parse(t testing.TB, s string) Range {
	t.Helper()
	r, err := ParseRange(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRange(t *testing.T) {
	for _, tt := range []struct {
		in, first, last, out string
		size                 uint64
	}{
		{"203.0.113.10-203.0.113.99", "203.0.113.10", "203.0.113.99", "203.0.113.10-203.0.113.99", 90},
		{"203.0.113.10 - 203.0.113.99", "203.0.113.10", "203.0.113.99", "203.0.113.10-203.0.113.99", 90},
		{"203.0.113.10 \t-203.0.113.99", "203.0.113.10", "203.0.113.99", "203.0.113.10-203.0.113.99", 90},
		{"203.0.113.0/25", "203.0.113.0", "203.0.113.127", "203.0.113.0/25", 128},
		{"203.0.113.0-203.0.113.127", "203.0.113.0", "203.0.113.127", "203.0.113.0/25", 128},
		{"203.0.113.0-203.0.113.126", "203.0.113.0", "203.0.113.126", "203.0.113.0-203.0.113.126", 127},
		{"203.0.113.1-203.0.113.127", "203.0.113.1", "203.0.113.127", "203.0.113.1-203.0.113.127", 127},
		{"203.0.113.1-203.0.113.2", "203.0.113.1", "203.0.113.2", "203.0.113.1-203.0.113.2", 2},
		{"203.0.113.7", "203.0.113.7", "203.0.113.7", "203.0.113.7", 1},
		{"203.0.113.7/32", "203.0.113.7", "203.0.113.7", "203.0.113.7", 1},
		{"203.0.113.7-203.0.113.7", "203.0.113.7", "203.0.113.7", "203.0.113.7", 1},
		{"0.0.0.0/0", "0.0.0.0", "255.255.255.255", "0.0.0.0/0", 1 << 32},
		{"0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0", 1},
		{"255.255.255.254-255.255.255.255", "255.255.255.254", "255.255.255.255", "255.255.255.254/31", 2},
		{"2001:db8::-2001:db8::ffff", "2001:db8::", "2001:db8::ffff", "2001:db8::/112", 1 << 16},
		{"2001:DB8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8::/64", math.MaxUint64},
		{"2001:db8::1-2001:db8::ffff:ffff:ffff:ffff", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8::1-2001:db8::ffff:ffff:ffff:ffff", math.MaxUint64},
		{"2001:db8::2-2001:db8::ffff:ffff:ffff:ffff", "2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8::2-2001:db8::ffff:ffff:ffff:ffff", math.MaxUint64 - 1},
		{"2001:db8:0:0:ffff:ffff:ffff:ffff-2001:db8:0:1::", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::", "2001:db8::ffff:ffff:ffff:ffff-2001:db8:0:1::", 2},
		{"2001:db8::/47", "2001:db8::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", "2001:db8::/47", math.MaxUint64},
		{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0", math.MaxUint64},
		{"::", "::", "::", "::", 1},
		{"::-::1", "::", "::1", "::/127", 2},
		{"::1.2.3.4", "::102:304", "::102:304", "::102:304", 1},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1},
	} {
		got, err := ParseRange(tt.in)
		if want := (Range{addr(tt.first), addr(tt.last)}); err != nil || got != want {
			t.Errorf("ParseRange(%q) = %v-%v, %v", tt.in, got.First, got.Last, err)
			continue
		}
		if got.String() != tt.out || !got.IsValid() {
			t.Errorf("ParseRange(%q) = %s (valid: %t), want %s", tt.in, got, got.IsValid(), tt.out)
		}
		if again, err := ParseRange(tt.out); err != nil || again != got {
			t.Errorf("ParseRange(%q) = %s, %v, want %s again", tt.out, again, err, got)
		}
		if size := got.Size(); size != tt.size {
			t.Errorf("size of %s: got %d, want %d", got, size, tt.size)
		}
	}
}

func TestParseRangeRefusals(t *testing.T) {
	const expected = "expected a range like 203.0.113.10-203.0.113.99 or a prefix like 203.0.113.0/25, got "
	const plain = "expected plain IPv4 or IPv6 addresses, not IPv4-mapped ones (::ffff:0:0/96), got "
	for in, want := range map[string]string{
		"":                             expected + `""`,
		"-":                            expected + `"-"`,
		"203.0.113":                    expected + `"203.0.113"`,
		"203.0.113.10-":                expected + `"203.0.113.10-"`,
		"-203.0.113.10":                expected + `"-203.0.113.10"`,
		"203.0.113.10-99":              expected + `"203.0.113.10-99"`,
		" 203.0.113.10":                expected + `" 203.0.113.10"`,
		" 203.0.113.10-203.0.113.11":   expected + `" 203.0.113.10-203.0.113.11"`,
		"203.0.113.10-203.0.113.11 ":   expected + `"203.0.113.10-203.0.113.11 "`,
		"203.0.113.10-203.0.113.1-9":   expected + `"203.0.113.10-203.0.113.1-9"`,
		"203.0.113.10–203.0.113.11":    expected + `"203.0.113.10–203.0.113.11"`, // not the dash of ASCII
		"203.0.113.0/33":               expected + `"203.0.113.0/33"`,
		"203.0.113.0/-1":               expected + `"203.0.113.0/-1"`,
		"203.0.113.0 /25":              expected + `"203.0.113.0 /25"`,
		"203.0.113.0/25-203.0.113.9":   expected + `"203.0.113.0/25-203.0.113.9"`,
		"203.0.113.128/24":             "203.0.113.128/24 has host bits set; the prefix is 203.0.113.0/24",
		"2001:db8::1/64":               "2001:db8::1/64 has host bits set; the prefix is 2001:db8::/64",
		"203.0.113.9-203.0.113.8":      `expected the lower address first, got "203.0.113.9-203.0.113.8"`,
		"2001:db8:0:1::-2001:db8::1":   `expected the lower address first, got "2001:db8:0:1::-2001:db8::1"`,
		"203.0.113.9-2001:db8::1":      `expected two addresses of one family, got "203.0.113.9-2001:db8::1"`,
		"2001:db8::1-203.0.113.9":      `expected two addresses of one family, got "2001:db8::1-203.0.113.9"`,
		"fe80::1%eth0":                 `expected addresses without a zone, got "fe80::1%eth0"`,
		"fe80::%eth0/64":               `expected addresses without a zone, got "fe80::%eth0/64"`,
		"fe80::1-fe80::2%eth0":         `expected addresses without a zone, got "fe80::1-fe80::2%eth0"`,
		"::ffff:203.0.113.7":           plain + `"::ffff:203.0.113.7"`,
		"::ffff:203.0.113.0/120":       plain + `"::ffff:203.0.113.0/120"`,
		"203.0.113.7-::ffff:cb00:71ff": plain + `"203.0.113.7-::ffff:cb00:71ff"`,
		"::1-::ffff:203.0.113.7":       plain + `"::1-::ffff:203.0.113.7"`,
		"::/80":                        plain + `"::/80"`, // ends in them
	} {
		if got, err := ParseRange(in); err == nil {
			t.Errorf("ParseRange(%q) = %s, want an error", in, got)
		} else if err.Error() != want {
			t.Errorf("ParseRange(%q):\n got %s\nwant %s", in, err, want)
		} else if got != (Range{}) {
			t.Errorf("ParseRange(%q) = %v beside its error", in, got)
		}
	}
}

func TestRangeOf(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.77/24":   "203.0.113.0/24",
		"203.0.113.77/32":   "203.0.113.77",
		"203.0.113.77/0":    "0.0.0.0/0",
		"2001:db8::77/64":   "2001:db8::/64",
		"2001:db8::77/63":   "2001:db8::/63",
		"2001:db8::77/65":   "2001:db8::/65",
		"2001:db8::77/128":  "2001:db8::77",
		"2001:db8::77/0":    "::/0",
		"::ffff:0:0/96":     "invalid range",
		"::ffff:1.2.3.4/99": "invalid range",
		"::/80":             "invalid range",
		"::/79":             "::/79",
	} {
		if got := RangeOf(prefix(in)); got.String() != want {
			t.Errorf("RangeOf(%s) = %s, want %s", in, got, want)
		}
	}
	if got := RangeOf(netip.Prefix{}); got != (Range{}) {
		t.Errorf("of an invalid prefix: got %v", got)
	}
	if got := RangeOf(netip.PrefixFrom(addr("10.0.0.1"), 33)); got != (Range{}) {
		t.Errorf("of a prefix that is too long: got %v", got)
	}
}

func TestInvalidRange(t *testing.T) {
	good := addr("203.0.113.7")
	for _, r := range []Range{
		{},
		{First: good},
		{Last: good},
		{addr("203.0.113.8"), good},
		{good, addr("2001:db8::")},
		{addr("fe80::1%eth0"), addr("fe80::1%eth0")},
		{addr("fe80::1"), addr("fe80::2%eth0")},
		{addr("::ffff:203.0.113.7"), addr("::ffff:203.0.113.7")},
		{addr("::1"), addr("::ffff:203.0.113.7")},
	} {
		if r.IsValid() || r.Size() != 0 || r.String() != "invalid range" {
			t.Errorf("%v-%v is taken for valid: %d addresses, %s", r.First, r.Last, r.Size(), r)
		}
		if r.Contains(r.First) || r.Contains(r.Last) || r.Contains(good) {
			t.Errorf("%v-%v contains an address", r.First, r.Last)
		}
		if r.Overlaps(r) || r.Overlaps(RangeOf(prefix("::/0"))) || RangeOf(prefix("0.0.0.0/0")).Overlaps(r) {
			t.Errorf("%v-%v overlaps", r.First, r.Last)
		}
		if text, err := r.MarshalText(); err == nil || text != nil {
			t.Errorf("%v-%v marshals to %q", r.First, r.Last, text)
		}
		if got := NewRanges(r, r); !got.IsEmpty() {
			t.Errorf("NewRanges keeps %v", got)
		}
	}
}

func TestRangeContains(t *testing.T) {
	for _, tt := range []struct {
		r, in string
		want  bool
	}{
		{"203.0.113.10-203.0.113.12", "203.0.113.9", false},
		{"203.0.113.10-203.0.113.12", "203.0.113.10", true},
		{"203.0.113.10-203.0.113.12", "203.0.113.12", true},
		{"203.0.113.10-203.0.113.12", "203.0.113.13", false},
		{"203.0.113.10-203.0.113.12", "::ffff:203.0.113.11", false},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"0.0.0.0/0", "::", false},
		{"::/0", "0.0.0.0", false},
		{"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
		{"::/0", "::ffff:0.0.0.0", false},
		{"fe80::/64", "fe80::1", true},
		{"fe80::/64", "fe80::1%eth0", false},
	} {
		if got := parse(t, tt.r).Contains(addr(tt.in)); got != tt.want {
			t.Errorf("%s contains %s: got %t", tt.r, tt.in, got)
		}
	}
	if parse(t, "0.0.0.0/0").Contains(netip.Addr{}) || parse(t, "::/0").Contains(netip.Addr{}) {
		t.Error("the invalid address is in a range")
	}
}

func TestRangeOverlaps(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"203.0.113.0-203.0.113.5", "203.0.113.5-203.0.113.9", true},
		{"203.0.113.0-203.0.113.5", "203.0.113.6-203.0.113.9", false},
		{"203.0.113.0/24", "203.0.113.7", true},
		{"0.0.0.0/0", "::/0", false},
		{"::-2001:db8::1", "2001:db8::1-ffff::", true},
	} {
		a, b := parse(t, tt.a), parse(t, tt.b)
		if a.Overlaps(b) != tt.want || b.Overlaps(a) != tt.want || !a.Overlaps(a) {
			t.Errorf("%s overlaps %s: got %t and %t", a, b, a.Overlaps(b), b.Overlaps(a))
		}
	}
}

func TestRangeJSON(t *testing.T) {
	in := []Range{parse(t, "203.0.113.10-203.0.113.99"), parse(t, "2001:db8::/64")}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `["203.0.113.10-203.0.113.99","2001:db8::/64"]` {
		t.Fatalf("got %s, %v", text, err)
	}
	var out []Range
	if err := json.Unmarshal(text, &out); err != nil || len(out) != 2 || out[0] != in[0] || out[1] != in[1] {
		t.Errorf("got %v, %v, want %v", out, err, in)
	}
	r := in[0]
	if err := r.UnmarshalText([]byte("nothing")); err == nil || r != (Range{}) {
		t.Errorf("nonsense is unmarshalled to %s, %v", r, err)
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{
		"203.0.113.10-203.0.113.99", "203.0.113.0/25", "203.0.113.7", "0.0.0.0 - 255.255.255.255", "::/0", "::/80", "::/79",
		"2001:db8::-2001:db8::ffff", "::fffe:ffff:ffff-::1:0:0:0", "::ffff:1.2.3.4", "fe80::1%eth0", "1.2.3.4/24", "9.9.9.9-1.1.1.1", "-", "/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRange(s)
		if err != nil {
			if r != (Range{}) {
				t.Fatalf("%q → %v beside %v", s, r, err)
			}
			return
		}
		if !r.IsValid() || r.Size() == 0 || !r.Contains(r.First) || !r.Contains(r.Last) {
			t.Fatalf("%q → %s is not valid", s, r)
		}
		again, err := ParseRange(r.String())
		if err != nil || again != r || again.String() != r.String() {
			t.Fatalf("%q → %s → %s, %v", s, r, again, err)
		}
	})
}
