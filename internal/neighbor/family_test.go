package neighbor

import (
	"slices"
	"testing"
)

func TestFamily(t *testing.T) {
	for _, tt := range []struct {
		family Family
		name   string
		afi    uint16
		safi   uint8
	}{
		{InetVPN, "inet-vpn", 1, 128},
		{Inet6VPN, "inet6-vpn", 2, 128},
		{RouteTarget, "route-target", 1, 132},
	} {
		if tt.family.String() != tt.name || tt.family.AFI() != tt.afi || tt.family.SAFI() != tt.safi {
			t.Errorf("got %s %d/%d, want %s %d/%d", tt.family, tt.family.AFI(), tt.family.SAFI(), tt.name, tt.afi, tt.safi)
		}
		if got, ok := FamilyOf(tt.afi, tt.safi); !ok || got != tt.family {
			t.Errorf("FamilyOf(%d, %d) = %s, %t, want %s", tt.afi, tt.safi, got, ok, tt.family)
		}
		got, err := ParseFamilies([]string{tt.name})
		if err != nil || got != NewFamilies(tt.family) || !got.Contains(tt.family) || got.String() != tt.name {
			t.Errorf("ParseFamilies(%q) = %q, %v", tt.name, got, err)
		}
	}
	for _, id := range []struct {
		afi  uint16
		safi uint8
	}{{1, 1}, {2, 1}, {2, 132}, {25, 70}, {0, 0}, {257, 128}} {
		if got, ok := FamilyOf(id.afi, id.safi); ok {
			t.Errorf("FamilyOf(%d, %d) = %s, want none", id.afi, id.safi, got)
		}
	}
}

func TestFamilies(t *testing.T) {
	all, err := ParseFamilies([]string{"route-target", "inet-vpn", "route-target", "inet6-vpn"})
	if err != nil || all != AllFamilies || !slices.Equal(all.Slice(), []Family{InetVPN, Inet6VPN, RouteTarget}) {
		t.Errorf("got %q, %v, want all", all, err)
	}
	for s := Families(0); s <= AllFamilies; s++ {
		if got := NewFamilies(s.Slice()...); got != s {
			t.Errorf("NewFamilies(%v) = %q, want %q", s.Slice(), got, s)
		}
		text, _ := s.MarshalText()
		back := AllFamilies
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("UnmarshalText(%q) = %q, %v", text, back, err)
		}
		if s.Strings() == nil {
			t.Errorf("Strings() of %q is nil", s)
		}
	}
	if Families(0).Contains(InetVPN) || NewFamilies(InetVPN).Contains(Inet6VPN) {
		t.Error("a set contains what is not in it")
	}
}

func TestParseFamiliesRefusals(t *testing.T) {
	for name, want := range map[string]string{
		"":         `expected inet-vpn, inet6-vpn, route-target, got ""`,
		"inet":     `expected inet-vpn, inet6-vpn, route-target, got "inet"`,
		"INET-VPN": `expected inet-vpn, inet6-vpn, route-target, got "INET-VPN"`,
		"l3vpn":    `expected inet-vpn, inet6-vpn, route-target, got "l3vpn"`,
	} {
		if got, err := ParseFamilies([]string{"inet-vpn", name}); err == nil || err.Error() != want || got != 0 {
			t.Errorf("ParseFamilies(%q):\n got %q, %v\nwant %s", name, got, err, want)
		}
		var s Families
		if err := s.UnmarshalText([]byte("inet-vpn," + name)); err == nil || err.Error() != want {
			t.Errorf("UnmarshalText(%q):\n got %v\nwant %s", "inet-vpn,"+name, err, want)
		}
	}
}
