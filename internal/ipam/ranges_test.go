package ipam

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// set reads ranges separated by ", ".
func set(t testing.TB, s string) Ranges {
	t.Helper()
	var list []Range
	for text := range strings.SplitSeq(s, ", ") {
		if text != "" {
			list = append(list, parse(t, text))
		}
	}
	return NewRanges(list...)
}

func TestNewRanges(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "",
		"203.0.113.9, 203.0.113.1, 203.0.113.5": "203.0.113.1, 203.0.113.5, 203.0.113.9",
		"203.0.113.9, 203.0.113.8":              "203.0.113.8/31",
		"203.0.113.1-203.0.113.9, 203.0.113.3-203.0.113.4":       "203.0.113.1-203.0.113.9",
		"203.0.113.1-203.0.113.9, 203.0.113.1-203.0.113.4":       "203.0.113.1-203.0.113.9",
		"203.0.113.1-203.0.113.4, 203.0.113.1-203.0.113.9":       "203.0.113.1-203.0.113.9",
		"203.0.113.1-203.0.113.5, 203.0.113.5-203.0.113.9":       "203.0.113.1-203.0.113.9",
		"203.0.113.1-203.0.113.5, 203.0.113.7-203.0.113.9":       "203.0.113.1-203.0.113.5, 203.0.113.7-203.0.113.9",
		"203.0.113.128/25, 203.0.113.0/25":                       "203.0.113.0/24",
		"2001:db8::/64, 2001:db8:0:1::/64":                       "2001:db8::/63",
		"2001:db8::/64, 203.0.113.0/24":                          "203.0.113.0/24, 2001:db8::/64",
		"::, 255.255.255.255":                                    "255.255.255.255, ::",
		"0.0.0.0/0, 255.255.255.255, ::/128":                     "0.0.0.0/0, ::",
		"::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, ::1": "::1, ::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"::/0":                       "::-::fffe:ffff:ffff, ::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"::fffe:ffff:ffff-::1:0:0:0": "::fffe:ffff:ffff, ::1:0:0:0",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, ::/0, 0.0.0.0/0":       "0.0.0.0/0, ::-::fffe:ffff:ffff, ::1:0:0:0-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"::fffe:ffff:ffff, ::1:0:0:0":                                    "::fffe:ffff:ffff, ::1:0:0:0",
		"10.255.255.255-11.0.0.0, 10.255.255.0-10.255.255.254, 11.0.0.2": "10.255.255.0-11.0.0.0, 11.0.0.2",
	} {
		got := set(t, in)
		if got.String() != want {
			t.Errorf("of %q:\n got %s\nwant %s", in, got, want)
		}
		if again := NewRanges(slices.Collect(got.All())...); !again.Equal(got) {
			t.Errorf("%s is made into %s", got, again)
		}
		if got.IsEmpty() != (want == "") || got.Len() != len(slices.Collect(got.All())) {
			t.Errorf("%s: empty %t, %d ranges", got, got.IsEmpty(), got.Len())
		}
	}
}

// TestRangesShareNothing checks that a set does not change with what it was
// made from, or with what is made from it.
func TestRangesShareNothing(t *testing.T) {
	list := []Range{parse(t, "203.0.113.9"), parse(t, "203.0.113.1"), parse(t, "2001:db8::1")}
	kept := slices.Clone(list)
	r := NewRanges(list...)
	if !slices.Equal(list, kept) {
		t.Errorf("the caller's list is now %v", list)
	}
	list[0], list[1] = list[2], list[2]
	v4 := r.Family(false)
	v4.Union(set(t, "203.0.113.2, 203.0.113.200"))
	v4.Minus(set(t, "203.0.113.9"))
	if r.String() != "203.0.113.1, 203.0.113.9, 2001:db8::1" {
		t.Errorf("the set is now %s", r)
	}
}

func TestUnionMinusOverlap(t *testing.T) {
	const last6 = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
	for _, tt := range []struct{ a, b, union, minus, overlap string }{
		{"", "", "", "", ""},
		{"203.0.113.0/24", "", "203.0.113.0/24", "203.0.113.0/24", ""},
		{"", "203.0.113.0/24", "203.0.113.0/24", "", ""},
		{"203.0.113.0/24", "203.0.113.0/24", "203.0.113.0/24", "", "203.0.113.0/24"},
		{"203.0.113.0/24", "203.0.113.0, 203.0.113.255", "203.0.113.0/24", "203.0.113.1-203.0.113.254", "203.0.113.0"},
		{"203.0.113.0/24", "203.0.113.7", "203.0.113.0/24", "203.0.113.0-203.0.113.6, 203.0.113.8-203.0.113.255", "203.0.113.7"},
		{"203.0.113.1, 203.0.113.3, 203.0.113.5", "203.0.113.2-203.0.113.4", "203.0.113.1-203.0.113.5", "203.0.113.1, 203.0.113.5", "203.0.113.3"},
		{"203.0.113.0/24, 203.0.115.0/24", "203.0.113.9-203.0.115.9", "203.0.113.0-203.0.115.255", "203.0.113.0-203.0.113.8, 203.0.115.10-203.0.115.255", "203.0.113.9-203.0.113.255"},
		{"0.0.0.0/0", "255.255.255.255", "0.0.0.0/0", "0.0.0.0-255.255.255.254", "255.255.255.255"},
		{"0.0.0.0/0", "0.0.0.0", "0.0.0.0/0", "0.0.0.1-255.255.255.255", "0.0.0.0"},
		{"0.0.0.0/0, ::1", "::1", "0.0.0.0/0, ::1", "0.0.0.0/0", "::1"},
		{"255.255.255.255, ::", "::", "255.255.255.255, ::", "255.255.255.255", "::"},
		{"255.255.255.255, ::", "255.255.255.255", "255.255.255.255, ::", "::", "255.255.255.255"},
		{"1::-" + last6, last6, "1::-" + last6, "1::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", last6},
		{"2001:db8::/64", "203.0.113.0/24", "203.0.113.0/24, 2001:db8::/64", "2001:db8::/64", ""},
		{"2001:db8::/63", "2001:db8:0:1::", "2001:db8::/63", "2001:db8::/64, 2001:db8:0:1::1-2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::"},
		{"203.0.113.1, 203.0.113.9", "203.0.113.5", "203.0.113.1, 203.0.113.5, 203.0.113.9", "203.0.113.1, 203.0.113.9", ""},
	} {
		a, b := set(t, tt.a), set(t, tt.b)
		if got := a.Union(b); got.String() != tt.union || !got.Equal(b.Union(a)) {
			t.Errorf("%q ∪ %q:\n got %s\nwant %s", a, b, got, tt.union)
		}
		if got := a.Minus(b); got.String() != tt.minus {
			t.Errorf("%q − %q:\n got %s\nwant %s", a, b, got, tt.minus)
		}
		got, ok := a.Overlap(b)
		if want := tt.overlap; ok != (want != "") || ok && got.String() != want || !ok && got != (Range{}) {
			t.Errorf("%q ∩ %q: got %s, %t, want %s", a, b, got, ok, want)
		}
		if back, ok2 := b.Overlap(a); back != got || ok2 != ok {
			t.Errorf("%q ∩ %q: got %s, the other way round %s", a, b, got, back)
		}
	}
}

func TestRangesContains(t *testing.T) {
	r := set(t, "0.0.0.0, 203.0.113.10-203.0.113.12, 255.255.255.255, ::, fe80::/64, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
	for in, want := range map[string]bool{
		"0.0.0.0": true, "0.0.0.1": false, "203.0.113.9": false, "203.0.113.10": true, "203.0.113.12": true, "203.0.113.13": false,
		"255.255.255.254": false, "255.255.255.255": true, "::": true, "::1": false, "fe80::": true, "fe80::1%eth0": false, "fe80::1": true,
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe": false, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": true, "::ffff:203.0.113.11": false,
	} {
		if got := r.Contains(addr(in)); got != want {
			t.Errorf("%s: got %t", in, got)
		}
	}
	if r.Contains(netip.Addr{}) || (Ranges{}).Contains(addr("::")) {
		t.Error("the invalid address is in a set, or the empty set contains one")
	}
	if set(t, "::/0").Contains(addr("::ffff:203.0.113.7")) {
		t.Error("an IPv4-mapped address is in a set")
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"", "", true},
		{"203.0.113.0/24", "", true},
		{"", "203.0.113.0/24", false},
		{"203.0.113.0/24", "203.0.113.0/24", true},
		{"203.0.113.0/25, 203.0.113.128/25", "203.0.113.100-203.0.113.200", true},
		{"203.0.113.0/25, 203.0.113.129-203.0.113.255", "203.0.113.100-203.0.113.200", false},
		{"203.0.113.1-203.0.113.9", "203.0.113.0-203.0.113.9", false},
		{"203.0.113.1-203.0.113.9", "203.0.113.1-203.0.113.10", false},
		{"203.0.113.0/24, 2001:db8::/64", "203.0.113.7, 2001:db8::7", true},
		{"203.0.113.0/24, 2001:db8::/64", "203.0.113.7, 2001:db9::7", false},
		{"203.0.113.1, 203.0.113.9", "203.0.113.1-203.0.113.9", false},
		{"0.0.0.0/0", "::/0", false},
		{"::/0", "0.0.0.0/0", false},
	} {
		if got := set(t, tt.a).Covers(set(t, tt.b)); got != tt.want {
			t.Errorf("%q covers %q: got %t", tt.a, tt.b, got)
		}
	}
}

func TestFamilyAndSize(t *testing.T) {
	for _, tt := range []struct {
		in, v4, v6 string
		size       uint64
	}{
		{"", "", "", 0},
		{"203.0.113.0/24", "203.0.113.0/24", "", 256},
		{"2001:db8::/120", "", "2001:db8::/120", 256},
		{"203.0.113.1, 203.0.113.8/29, 2001:db8::1", "203.0.113.1, 203.0.113.8/29", "2001:db8::1", 10},
		{"2001:db8::/65, 2001:db9::/65", "", "2001:db8::/65, 2001:db9::/65", math.MaxUint64},
		{"2001:db8::/65, 2001:db9::-2001:db9::7fff:ffff:ffff:fffd", "", "2001:db8::/65, 2001:db9::-2001:db9::7fff:ffff:ffff:fffd", math.MaxUint64 - 1},
		{"2001:db8::/64, 2001:db9::/64", "", "2001:db8::/64, 2001:db9::/64", math.MaxUint64},
	} {
		r := set(t, tt.in)
		if v4, v6 := r.Family(false), r.Family(true); v4.String() != tt.v4 || v6.String() != tt.v6 {
			t.Errorf("families of %s: got %s and %s", r, v4, v6)
		}
		if got := r.Size(); got != tt.size {
			t.Errorf("size of %s: got %d, want %d", r, got, tt.size)
		}
	}
}

func TestRangesEqual(t *testing.T) {
	a := set(t, "203.0.113.0/25, 203.0.113.128/25")
	if !a.Equal(set(t, "203.0.113.0/24")) || a.Equal(set(t, "203.0.113.0/25")) || a.Equal(Ranges{}) || !(Ranges{}).Equal(set(t, "")) {
		t.Error("Equal is wrong")
	}
	n := 0
	for range set(t, "203.0.113.1, 203.0.113.3, 203.0.113.5").All() {
		if n++; n == 2 {
			break // All must stop
		}
	}
	if n != 2 {
		t.Errorf("All yielded %d ranges before the break", n)
	}
}
