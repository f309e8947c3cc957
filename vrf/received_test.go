package vrf

import (
	"net/netip"
	"testing"
	"unique"
)

// heard returns a route of a neighbor, changed as a test likes.
func heard(t testing.TB, source *Source, rd, prefix string, change func(*Attributes)) *Received {
	t.Helper()
	a := Attributes{NextHop: netip.MustParseAddr("10.0.0.1"), LocalPref: LocalPrefDefault}
	if change != nil {
		change(&a)
	}
	return &Received{
		Key:    Key{distinguisher(t, rd), netip.MustParsePrefix(prefix)},
		Source: source, Attributes: unique.Make(a), Label: 100,
	}
}

// source returns a neighbor in our AS.
func source(address string) *Source {
	return &Source{Neighbor: "mx-" + address, Address: netip.MustParseAddr(address), RouterID: netip.MustParseAddr(address)}
}

func TestUnusable(t *testing.T) {
	mx1 := source("10.0.0.1")
	hop := func(text string) func(*Attributes) {
		return func(a *Attributes) { a.NextHop = netip.MustParseAddr(text) }
	}
	for _, tt := range []struct {
		name   string
		change func(*Attributes)
		label  Label
		want   string
	}{
		{"usable", nil, 16, ""},
		{"usable, IPv6 next hop", hop("2001:db8::1"), MaxLabel, ""},
		{"a router of a lab", hop("127.0.0.9"), 100, ""},
		{"explicit null", nil, 0, "label 0 is reserved: it does not tell the router which VRF is meant"},
		{"implicit null", nil, 3, "label 3 is reserved: it does not tell the router which VRF is meant"},
		{"the last reserved one", nil, 15, "label 15 is reserved: it does not tell the router which VRF is meant"},
		{"no next hop", func(a *Attributes) { a.NextHop = netip.Addr{} }, 100, "it has no next hop"},
		{"unspecified", hop("0.0.0.0"), 100, "next hop 0.0.0.0 is not the address of a router"},
		{"unspecified, IPv6", hop("::"), 100, "next hop :: is not the address of a router"},
		{"this network", hop("0.1.2.3"), 100, "next hop 0.1.2.3 is not the address of a router"},
		{"multicast", hop("224.0.0.5"), 100, "next hop 224.0.0.5 is not the address of a router"},
		{"multicast, IPv6", hop("ff02::1"), 100, "next hop ff02::1 is not the address of a router"},
		{"link-local", hop("fe80::1"), 100, "next hop fe80::1 is not the address of a router"},
		{"broadcast", hop("255.255.255.255"), 100, "next hop 255.255.255.255 is not the address of a router"},
		{"our AS in its path", func(a *Attributes) { a.Loop = ASLoop }, 100, "our own AS is in its AS path"},
		{"reflected", func(a *Attributes) { a.Loop = OriginatorLoop }, 100, "it is one of our own, reflected (ORIGINATOR_ID)"},
	} {
		r := heard(t, mx1, "10.0.0.1:1", "0.0.0.0/0", tt.change)
		r.Label = tt.label
		if got := r.Unusable(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if p := Rank([]*Received{r}); len(p.Best) == len(p.Unusable) || len(p.Unusable) == 1 != (tt.want != "") {
			t.Errorf("%s: ranked %+v", tt.name, p)
		}
	}
}
