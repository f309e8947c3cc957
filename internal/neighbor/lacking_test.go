package neighbor

import "testing"

func TestLacking(t *testing.T) {
	wanted := Settings{Families: NewFamilies(InetVPN, Inet6VPN)}
	offer := &Open{Families: NewFamilies(InetVPN, RouteTarget)}
	for _, tt := range []struct {
		status Status
		want   string
	}{
		{Status{State: Established, Settings: wanted, OpenReceived: offer}, "inet6-vpn"},
		{Status{State: Established, Settings: Settings{Families: NewFamilies(InetVPN)}, OpenReceived: offer}, ""},
		{Status{State: OpenConfirm, Settings: wanted, OpenReceived: offer}, ""},
		{Status{State: Established, Settings: wanted}, ""},
	} {
		if got := tt.status.Lacking().String(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.status.State, got, tt.want)
		}
	}
}

func TestOffered(t *testing.T) {
	for _, tt := range []struct {
		open Open
		want string
	}{
		{Open{}, "none (inet unicast)"},
		{Open{Families: AllFamilies}, "inet-vpn, inet6-vpn, route-target"},
		{Open{Families: NewFamilies(InetVPN), Others: []string{"1/1", "25/70", "9/9"}}, "inet-vpn, inet unicast, evpn, 9/9"},
	} {
		if got := tt.open.Offered(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestLacks(t *testing.T) {
	vpn := NewFamilies(InetVPN, Inet6VPN)
	const families, enable = "the neighbor does not offer inet6-vpn; it offers inet-vpn", "enable inet6-vpn for this session on the router, if its routes are wanted"
	const left, raise = "the neighbor announces more than the maximum of 2 routes: 3 left out", "raise --max-received of mx1, or narrow --accept-prefix or --accept-target; "
	const asked, anew = "the routes are asked for again then", "the routes come when its session is opened anew"
	settings := Settings{Name: "mx1", Families: vpn, Policy: Policy{MaxReceived: 2}}
	all, one := &Open{Families: vpn, Capabilities: []Capability{CapRouteRefresh}}, &Open{Families: NewFamilies(InetVPN)}
	for _, tt := range []struct {
		status       Status
		reason, next string
	}{
		{Status{State: Established, Settings: settings, OpenReceived: all}, "", ""},
		{Status{State: Established, Settings: settings, OpenReceived: one}, families, enable},
		{Status{State: Established, Settings: settings, OpenReceived: all, Left: 3}, left, raise + asked},
		{Status{State: Established, Settings: settings, OpenReceived: one, Left: 3}, families + "; and " + left, enable + "; and " + raise + anew},
		{Status{State: Active, Settings: settings, OpenReceived: one, Left: 3}, "", ""},
	} {
		if reason, next := tt.status.Lacks(); reason != tt.reason || next != tt.next {
			t.Errorf("%s: got\n%s\n%s\nwant\n%s\n%s", tt.status.State, reason, next, tt.reason, tt.next)
		}
	}
}
