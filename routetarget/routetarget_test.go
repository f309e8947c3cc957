package routetarget

import (
	"net/netip"
	"slices"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for _, tt := range []struct {
		in, out string
		bytes   [8]byte
	}{
		{"target:64512:10003", "target:64512:10003", [8]byte{0, 2, 0xfc, 0, 0, 0, 0x27, 0x13}},
		{"64512:10003", "target:64512:10003", [8]byte{0, 2, 0xfc, 0, 0, 0, 0x27, 0x13}},
		{"target:65535:4294967295", "target:65535:4294967295", [8]byte{0, 2, 255, 255, 255, 255, 255, 255}},
		{"target:10.0.0.1:7", "target:10.0.0.1:7", [8]byte{1, 2, 10, 0, 0, 1, 0, 7}},
		{"target:70000:1", "target:70000:1", [8]byte{2, 2, 0, 1, 0x11, 0x70, 0, 1}},
		{"target:70000L:1", "target:70000:1", [8]byte{2, 2, 0, 1, 0x11, 0x70, 0, 1}},
		{"target:64512L:1", "target:64512L:1", [8]byte{2, 2, 0, 0, 0xfc, 0, 0, 1}},
	} {
		got, err := ParseTarget(tt.in)
		if err != nil {
			t.Errorf("ParseTarget(%q): %v", tt.in, err)
			continue
		}
		if got.String() != tt.out || got.Bytes() != tt.bytes {
			t.Errorf("ParseTarget(%q) = %s %x, want %s %x", tt.in, got, got.Bytes(), tt.out, tt.bytes)
		}
	}
}

func TestParseRefusals(t *testing.T) {
	for in, want := range map[string]string{
		"":                        `route target "": expected <AS or IPv4 address>:<number>, for example target:64512:10003`,
		"target:64512":            `route target "target:64512": expected <AS or IPv4 address>:<number>, for example target:64512:10003`,
		"target:64512:":           `route target "target:64512:": expected number 0..4294967295 after a 2-octet AS, got "", for example target:64512:10003`,
		"target:64512:-1":         `route target "target:64512:-1": expected number 0..4294967295 after a 2-octet AS, got "-1", for example target:64512:10003`,
		"target:64512:4294967296": `route target "target:64512:4294967296": expected number 0..4294967295 after a 2-octet AS, got "4294967296", for example target:64512:10003`,
		"target:70000:65536":      `route target "target:70000:65536": expected number 0..65535 after a 4-octet AS, got "65536", for example target:64512:10003`,
		"target:4294967296:1":     `route target "target:4294967296:1": expected AS 0..4294967295, got "4294967296", for example target:64512:10003`,
		"target:10.0.0.1:65536":   `route target "target:10.0.0.1:65536": expected number 0..65535 after an IPv4 address, got "65536", for example target:64512:10003`,
		"target:10.0.0:1":         `route target "target:10.0.0:1": expected an IPv4 address before the colon, got "10.0.0", for example target:64512:10003`,
		"target:064512:1":         `route target "target:064512:1": expected AS 0..4294967295, got "064512", for example target:64512:10003`,
		"target:64512:1 ":         `route target "target:64512:1 ": expected number 0..4294967295 after a 2-octet AS, got "1 ", for example target:64512:10003`,
		"target:2001:db8::1:5":    `route target "target:2001:db8::1:5": expected number 0..4294967295 after a 2-octet AS, got "db8::1:5", for example target:64512:10003`,
	} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("ParseTarget(%q) = %s, want an error", in, got)
		} else if err.Error() != want {
			t.Errorf("ParseTarget(%q):\n got %s\nwant %s", in, err, want)
		}
	}
	if _, err := ParseDistinguisher("10.0.0.11:65536"); err == nil ||
		err.Error() != `route distinguisher "10.0.0.11:65536": expected number 0..65535 after an IPv4 address, got "65536", for example 10.0.0.11:5` {
		t.Errorf("ParseDistinguisher: %v", err)
	}
}

func TestDistinguisher(t *testing.T) {
	d := IPv4Distinguisher(netip.MustParseAddr("10.0.0.11"), 5)
	if got := d.String(); got != "10.0.0.11:5" {
		t.Errorf("String() = %q", got)
	}
	if got, want := d.Bytes(), [8]byte{0, 1, 10, 0, 0, 11, 0, 5}; got != want {
		t.Errorf("Bytes() = %x, want %x", got, want)
	}
}

func TestAutomatic(t *testing.T) {
	for _, tt := range []struct {
		as   uint32
		id   uint16
		want string
	}{
		{64512, 1, "target:64512:8000001"},
		{64512, MaxNetworkID, "target:64512:8057535"},
		{4200000000, 1, "target:4200000000:8001"},
		{4200000000, MaxNetworkID, "target:4200000000:65535"},
	} {
		got := Automatic(tt.as, tt.id)
		if got.String() != tt.want {
			t.Errorf("Automatic(%d, %d) = %s, want %s", tt.as, tt.id, got, tt.want)
		}
		if !IsAutomatic(got, tt.as) {
			t.Errorf("IsAutomatic(%s, %d) = false", got, tt.as)
		}
	}
	for _, s := range []string{"target:64512:8000000", "target:64512:8057536", "target:64513:8000001", "target:64512L:8001"} {
		target, err := ParseTarget(s)
		if err != nil {
			t.Fatal(err)
		}
		if IsAutomatic(target, 64512) {
			t.Errorf("IsAutomatic(%s, 64512) = true", s)
		}
	}
}

func TestSet(t *testing.T) {
	parse := func(texts ...string) Set {
		var targets []Target
		for _, s := range texts {
			target, err := ParseTarget(s)
			if err != nil {
				t.Fatal(err)
			}
			targets = append(targets, target)
		}
		return NewSet(targets...)
	}
	a := parse("64512:2", "64512:1", "64512:2", "10.0.0.1:1")
	if a != parse("10.0.0.1:1", "64512:1", "64512:2") {
		t.Error("equal sets do not compare equal")
	}
	if got, want := a.String(), "target:64512:1 target:64512:2 target:10.0.0.1:1"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	for target := range a.All() {
		if !a.Contains(target) {
			t.Errorf("%s is not in its own set", target)
		}
	}
	b := parse("64512:2", "64512:3")
	if !a.Intersects(b) || b.Intersects(parse("64512:1")) || a.Intersects(Set{}) {
		t.Error("Intersects is wrong")
	}
	if got := a.Union(b); got.Len() != 4 || !slices.Equal(got.Slice(), parse("64512:1", "64512:2", "64512:3", "10.0.0.1:1").Slice()) {
		t.Errorf("Union = %s", got)
	}
	if NewSet(Target{}) != (Set{}) {
		t.Error("the zero target is in a set")
	}
}

func TestFromBytes(t *testing.T) {
	if _, ok := TargetFromBytes([8]byte{0x03, 0x0c}); ok {
		t.Error("an encapsulation community is taken for a target")
	}
	if _, ok := TargetFromBytes([8]byte{0x40, 0x02}); ok {
		t.Error("a non-transitive community is taken for a target")
	}
	if _, ok := DistinguisherFromBytes([8]byte{0, 3}); ok {
		t.Error("a distinguisher of type 3 is taken")
	}
}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{"target:64512:10003", "70000:1", "64512L:1", "10.0.0.1:1", "target:", "::", "1:1:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		target, err := ParseTarget(s)
		if err != nil {
			return
		}
		again, err := ParseTarget(target.String())
		if err != nil || again != target {
			t.Fatalf("%q → %s → %s, %v", s, target, again, err)
		}
		back, ok := TargetFromBytes(target.Bytes())
		if !ok || back != target {
			t.Fatalf("%q → %x → %s, %v", s, target.Bytes(), back, ok)
		}
	})
}

func FuzzTargetFromBytes(f *testing.F) {
	f.Add([]byte{2, 2, 0, 0, 0xfc, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 8 {
			return
		}
		target, ok := TargetFromBytes([8]byte(b))
		if !ok {
			return
		}
		if again, err := ParseTarget(target.String()); err != nil || again != target {
			t.Fatalf("%x → %s → %s, %v", b, target, again, err)
		}
	})
}

func FuzzDistinguisher(f *testing.F) {
	f.Add("10.0.0.11:5", []byte{0, 1, 10, 0, 0, 11, 0, 5})
	f.Add("64512L:5", []byte{0, 2, 0, 0, 0xfc, 0, 0, 5})
	f.Fuzz(func(t *testing.T, s string, b []byte) {
		if d, err := ParseDistinguisher(s); err == nil {
			if again, err := ParseDistinguisher(d.String()); err != nil || again != d {
				t.Fatalf("%q → %s → %s, %v", s, d, again, err)
			}
		}
		if len(b) != 8 {
			return
		}
		if d, ok := DistinguisherFromBytes([8]byte(b)); ok {
			if again, err := ParseDistinguisher(d.String()); err != nil || again != d {
				t.Fatalf("%x → %s → %s, %v", b, d, again, err)
			}
		}
	})
}
