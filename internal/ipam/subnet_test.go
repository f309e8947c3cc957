package ipam

import (
	"net/netip"
	"testing"
)

func TestSubnet(t *testing.T) {
	// The hosts are the gateway and the DNS server; "" stands for none.
	for _, tt := range []struct{ in, reserved, last, last2, first, first2 string }{
		{"203.0.113.0/24", "203.0.113.0, 203.0.113.255", "203.0.113.254", "203.0.113.253", "203.0.113.1", "203.0.113.2"},
		{"203.0.113.77/24", "203.0.113.0, 203.0.113.255", "203.0.113.254", "203.0.113.253", "203.0.113.1", "203.0.113.2"},
		{"203.0.113.8/29", "203.0.113.8, 203.0.113.15", "203.0.113.14", "203.0.113.13", "203.0.113.9", "203.0.113.10"},
		{"203.0.113.8/30", "203.0.113.8, 203.0.113.11", "", "", "", ""},
		{"203.0.113.8/31", "", "", "", "", ""},
		{"203.0.113.8/32", "", "", "", "", ""},
		{"0.0.0.0/0", "0.0.0.0, 255.255.255.255", "255.255.255.254", "255.255.255.253", "0.0.0.1", "0.0.0.2"},
		{"255.255.255.248/29", "255.255.255.248, 255.255.255.255", "255.255.255.254", "255.255.255.253", "255.255.255.249", "255.255.255.250"},
		{"2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8::ffff:ffff:ffff:fffe", "2001:db8::1", "2001:db8::2"},
		{"2001:db8::8/125", "2001:db8::8", "2001:db8::f", "2001:db8::e", "2001:db8::9", "2001:db8::a"},
		{"2001:db8::8/126", "2001:db8::8", "", "", "", ""},
		{"2001:db8::8/127", "", "", "", "", ""},
		{"2001:db8::8/128", "", "", "", "", ""},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff8/125", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff8",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff9", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffa"},
		{"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "::1", "::2"},
		{"::ffff:203.0.113.0/120", "", "", "", "", ""},
	} {
		p := prefix(tt.in)
		if got := Reserved(p); got.String() != tt.reserved {
			t.Errorf("Reserved(%s) = %q, want %q", p, got, tt.reserved)
		}
		check := func(name string, hosts func(netip.Prefix) (gateway, dns netip.Addr, ok bool), gateway, dns string) {
			var want1, want2 netip.Addr
			if gateway != "" {
				want1, want2 = addr(gateway), addr(dns)
			}
			got1, got2, ok := hosts(p)
			if got1 != want1 || got2 != want2 || ok != (gateway != "") {
				t.Errorf("%s(%s) = %s, %s, %t, want %s, %s", name, p, got1, got2, ok, gateway, dns)
			}
		}
		check("LastHosts", LastHosts, tt.last, tt.last2)
		check("FirstHosts", FirstHosts, tt.first, tt.first2)
	}
	_, _, ok1 := LastHosts(netip.Prefix{})
	_, _, ok2 := FirstHosts(netip.Prefix{})
	if ok1 || ok2 || !Reserved(netip.Prefix{}).IsEmpty() {
		t.Error("an invalid prefix has addresses")
	}
}
