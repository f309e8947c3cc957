package neighbor

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func filter(t testing.TB, lines ...string) PrefixFilter {
	t.Helper()
	f, err := ParsePrefixFilter(lines)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPrefixFilter(t *testing.T) {
	for _, tt := range []struct {
		lines []string
		text  string // canonical
		takes string
		not   string
	}{
		{nil, "", "0.0.0.0/0 10.0.0.0/8 10.0.0.1/32 ::/0 2001:db8::1/128", ""},
		{[]string{"none"}, "none", "", "0.0.0.0/0 10.0.0.0/8 ::/0"},
		{[]string{"0.0.0.0/0"}, "0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/8 0.0.0.0/1 ::/0"},
		{[]string{"0.0.0.0/0 le 32"}, "0.0.0.0/0 le 32", "0.0.0.0/0 10.0.0.0/8 10.0.0.1/32", "::/0 2001:db8::/32"},
		{[]string{"10.0.0.0/8 le 24"}, "10.0.0.0/8 le 24", "10.0.0.0/8 10.9.0.0/16 10.9.9.0/24", "10.9.9.0/25 11.0.0.0/16 0.0.0.0/0 8.0.0.0/7"},
		{[]string{"10.0.0.0/8 ge 16"}, "10.0.0.0/8 ge 16", "10.9.0.0/16 10.9.9.9/32", "10.0.0.0/8 10.8.0.0/15 11.0.0.0/16"},
		{[]string{" 10.0.0.0/8  le 24 ge 16 "}, "10.0.0.0/8 ge 16 le 24", "10.9.0.0/16 10.9.9.0/24", "10.0.0.0/8 10.9.9.0/25"},
		{[]string{"10.0.0.0/8 le 8", "10.0.0.0/8"}, "10.0.0.0/8", "10.0.0.0/8", "10.0.0.0/9"},
		{[]string{"10.0.0.0/8 ge 8"}, "10.0.0.0/8 le 32", "10.0.0.0/8 10.0.0.1/32", "::/0"},
		{[]string{"10.0.0.1/32 ge 32"}, "10.0.0.1/32", "10.0.0.1/32", "10.0.0.2/32"},
		{[]string{"10.0.0.0/8 ge 32"}, "10.0.0.0/8 ge 32", "10.0.0.1/32", "10.0.0.0/31"},
		{[]string{"2001:DB8:0::/32 ge 128 le 128", "10.0.0.0/8", "::/0"}, "10.0.0.0/8,::/0,2001:db8::/32 ge 128", "10.0.0.0/8 ::/0 2001:db8::1/128", "2001:db8::/64 ::/1 0.0.0.0/0"},
		{[]string{"10.0.0.0/16", "10.0.0.0/8", "10.0.0.0/8 le 9", "10.0.0.0/8"}, "10.0.0.0/8,10.0.0.0/8 le 9,10.0.0.0/16", "10.0.0.0/16 10.128.0.0/9", "10.0.0.0/10"},
	} {
		f := filter(t, tt.lines...)
		if f.String() != tt.text || f.TakesNothing() != (tt.text == "none") {
			t.Errorf("%q: got %q, nothing: %t; want %q", tt.lines, f, f.TakesNothing(), tt.text)
		}
		if f != filter(t, f.Strings()...) {
			t.Errorf("%q: read again it is another one", tt.lines)
		}
		for want, prefixes := range map[bool]string{true: tt.takes, false: tt.not} {
			for text := range strings.FieldsSeq(prefixes) {
				if got := f.Contains(netip.MustParsePrefix(text)); got != want {
					t.Errorf("%q: %s: got %t, want %t", tt.lines, text, got, want)
				}
			}
		}
		var back PrefixFilter
		text, _ := f.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != f {
			t.Errorf("UnmarshalText(%q) = %q, %v", text, back, err)
		}
		if f.Strings() == nil {
			t.Errorf("%q: Strings() is nil", tt.lines)
		}
	}
}

func TestPrefixFilterRefusals(t *testing.T) {
	var many []string
	for i := range 257 {
		many = append(many, fmt.Sprintf("10.0.%d.%d/32", i/256, i%256))
	}
	const words = "expected a prefix, then ge and a length, le and a length, or both, for example 10.0.0.0/8 le 24, got "
	for _, tt := range []struct {
		lines []string
		want  string
	}{
		{[]string{""}, `expected a prefix, for example 10.0.0.0/8 le 24, got ""`},
		{[]string{"any"}, `expected a prefix, for example 10.0.0.0/8 or 2001:db8::/32, got "any"`},
		{[]string{"10.0.0.0/33"}, `expected a prefix, for example 10.0.0.0/8 or 2001:db8::/32, got "10.0.0.0/33"`},
		{[]string{"::ffff:10.0.0.0/104"}, `expected a prefix, for example 10.0.0.0/8 or 2001:db8::/32, got "::ffff:10.0.0.0/104"`},
		{[]string{"fe80::%eth0/64"}, `expected a prefix, for example 10.0.0.0/8 or 2001:db8::/32, got "fe80::%eth0/64"`},
		{[]string{"10.0.0.1"}, "expected a prefix, got the address 10.0.0.1; alone it is 10.0.0.1/32"},
		{[]string{"2001:db8::1 le 128"}, "expected a prefix, got the address 2001:db8::1; alone it is 2001:db8::1/128"},
		{[]string{"10.0.0.1/8 le 24"}, "10.0.0.1/8 has host bits set; the prefix is 10.0.0.0/8"},
		{[]string{"10.0.0.0/8 le 7"}, `10.0.0.0/8: expected a length 8..32 after le, got "7"`},
		{[]string{"10.0.0.0/8 ge 33"}, `10.0.0.0/8: expected a length 8..32 after ge, got "33"`},
		{[]string{"::/0 le 129"}, `::/0: expected a length 0..128 after le, got "129"`},
		{[]string{"::/0 le -1"}, `::/0: expected a length 0..128 after le, got "-1"`},
		{[]string{"10.0.0.0/8 le all"}, `10.0.0.0/8: expected a length 8..32 after le, got "all"`},
		{[]string{"10.0.0.0/8 ge 24 le 16"}, "10.0.0.0/8 ge 24 le 16: expected ge to be at most le; turned round it is 10.0.0.0/8 ge 16 le 24"},
		{[]string{"10.0.0.0/8 24"}, words + `"10.0.0.0/8 24"`},
		{[]string{"10.0.0.0/8 le"}, words + `"10.0.0.0/8 le"`},
		{[]string{"10.0.0.0/8 le 24 le 25"}, words + `"10.0.0.0/8 le 24 le 25"`},
		{[]string{"10.0.0.0/8 orlonger"}, words + `"10.0.0.0/8 orlonger"`},
		{[]string{"10.0.0.0/8", "none"}, "expected prefixes, or none alone, got 10.0.0.0/8, none"},
		{many, "expected at most 256 prefixes, got 257"},
	} {
		if f, err := ParsePrefixFilter(tt.lines); err == nil || err.Error() != tt.want {
			t.Errorf("%.40q:\n got %v %v\nwant %s", tt.lines, f, err, tt.want)
		}
	}
	filter(t, many[:256]...)
}

func FuzzPrefixFilter(f *testing.F) {
	for _, s := range []string{"", "none", "0.0.0.0/0", "10.0.0.0/8 ge 16 le 24,10.0.0.0/8 le 9", "2001:db8::/32 ge 48,::/0", "10.0.0.0/8 le 8,"} {
		f.Add(s, "10.0.0.0/16")
	}
	f.Fuzz(func(t *testing.T, text, prefix string) {
		lines := strings.Split(text, ",")
		filter, err := ParsePrefixFilter(lines)
		if err != nil {
			return
		}
		again, err := ParsePrefixFilter(filter.Strings())
		if err != nil || again != filter {
			t.Fatalf("%q → %s → %s, %v", text, filter, again, err)
		}
		p, err := netip.ParsePrefix(prefix)
		if err != nil || filter.TakesNothing() {
			return
		}
		// A list takes what one of its lines takes.
		one := slices.ContainsFunc(lines, func(line string) bool {
			single, err := ParsePrefixFilter([]string{line})
			return err == nil && single.Contains(p)
		})
		if got := filter.Contains(p); got != one {
			t.Fatalf("%q: %s: got %t, its lines say %t", text, p, got, one)
		}
	})
}
