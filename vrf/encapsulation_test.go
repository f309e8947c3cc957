package vrf

import (
	"slices"
	"testing"
)

func TestParseEncapsulations(t *testing.T) {
	for _, tt := range []struct {
		names  []string
		values []Encapsulation
		text   string
	}{
		{nil, nil, ""},
		{[]string{"gre"}, []Encapsulation{2}, "gre"},
		{[]string{"udp"}, []Encapsulation{13}, "udp"},
		{[]string{"udp", "gre", "udp"}, []Encapsulation{2, 13}, "gre,udp"},
	} {
		got, err := ParseEncapsulations(tt.names)
		if err != nil || !slices.Equal(got.Slice(), tt.values) || got.String() != tt.text {
			t.Errorf("ParseEncapsulations(%q) = %q %v, %v, want %q %v", tt.names, got, got.Slice(), err, tt.text, tt.values)
		}
		if again := NewEncapsulations(got.Slice()...); again != got {
			t.Errorf("NewEncapsulations(%v) = %q, want %q", got.Slice(), again, got)
		}
		var back Encapsulations
		text, _ := got.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != got {
			t.Errorf("UnmarshalText(%q) = %q, %v, want %q", text, back, err, got)
		}
		if got.Strings() == nil {
			t.Errorf("Strings() of %q is nil", got)
		}
	}
	if got := NewEncapsulations(1, 7, 8, MPLSInUDP); got != udp {
		t.Errorf("unknown encapsulations: got %q, want udp alone", got)
	}
}

func TestParseEncapsulationsRefusals(t *testing.T) {
	for name, want := range map[string]string{
		"":      `expected encapsulation gre or udp, got ""`,
		"GRE":   `expected encapsulation gre or udp, got "GRE"`,
		"vxlan": `expected encapsulation gre or udp, got "vxlan"`,
		" gre":  `expected encapsulation gre or udp, got " gre"`,
	} {
		got, err := ParseEncapsulations([]string{"udp", name})
		if err == nil || err.Error() != want || got != 0 {
			t.Errorf("ParseEncapsulations(%q):\n got %q, %v\nwant %s", name, got, err, want)
		}
		e := both
		if err := e.UnmarshalText([]byte("udp," + name)); err == nil || err.Error() != want {
			t.Errorf("UnmarshalText(%q):\n got %v\nwant %s", "udp,"+name, err, want)
		}
	}
	e := both
	if err := e.UnmarshalText(nil); err != nil || e != 0 {
		t.Errorf("UnmarshalText of nothing = %q, %v, want the empty set", e, err)
	}
}

func TestIntersect(t *testing.T) {
	for _, tt := range []struct{ a, b, want Encapsulations }{
		{0, 0, 0}, {0, gre, gre}, {0, both, both}, {gre, gre, gre}, {gre, both, gre}, {gre, udp, 0},
	} {
		if got := tt.a.Intersect(tt.b); got != tt.want {
			t.Errorf("%q ∩ %q = %q, want %q", tt.a, tt.b, got, tt.want)
		}
		if got := tt.b.Intersect(tt.a); got != tt.want {
			t.Errorf("%q ∩ %q = %q, want %q", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestAgreed(t *testing.T) {
	for _, tt := range []struct{ a, b, c, want Encapsulations }{
		{0, 0, 0, gre}, {0, 0, udp, udp}, {0, both, 0, both}, {both, udp, 0, udp}, {both, both, gre, gre},
		{gre, udp, 0, gre}, {udp, gre, udp, gre}, {udp, gre, both, gre}, {both, both, both, both}, {udp, both, udp, udp},
	} {
		if got := Agreed(tt.a, tt.b, tt.c); got != tt.want {
			t.Errorf("%q, %q, %q: got %q, want %q", tt.a, tt.b, tt.c, got, tt.want)
		}
	}
}

func TestNewLabel(t *testing.T) {
	for _, n := range []uint32{16, 17, 100, 1048575} {
		if got, err := NewLabel(n); err != nil || got != Label(n) {
			t.Errorf("NewLabel(%d) = %d, %v", n, got, err)
		}
	}
	for n, want := range map[uint32]string{
		0:          "expected a label 16..1048575, got 0",
		3:          "expected a label 16..1048575, got 3",
		15:         "expected a label 16..1048575, got 15",
		1048576:    "expected a label 16..1048575, got 1048576",
		4294967295: "expected a label 16..1048575, got 4294967295",
	} {
		if got, err := NewLabel(n); err == nil || err.Error() != want || got != 0 {
			t.Errorf("NewLabel(%d):\n got %d, %v\nwant %s", n, got, err, want)
		}
	}
}
