package neighbor

import (
	"slices"
	"testing"
	"time"
)

func TestParseGraceful(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  Families
		err   string
	}{
		{nil, 0, ""},
		{[]string{"none"}, AllFamilies, ""},
		{[]string{"inet-vpn"}, NewFamilies(Inet6VPN, RouteTarget), ""},
		{[]string{"route-target", "inet6-vpn", "inet-vpn", "inet-vpn"}, 0, ""},
		{[]string{"inet-vpn", "none"}, 0, "expected families, or none alone, got inet-vpn,none"},
		{[]string{"none", "none"}, 0, "expected families, or none alone, got none,none"},
		{[]string{"inet"}, 0, `expected inet-vpn, inet6-vpn, route-target, got "inet"; none for no graceful restart`},
		{[]string{""}, 0, `expected inet-vpn, inet6-vpn, route-target, got ""; none for no graceful restart`},
	} {
		got, err := ParseGraceful(tt.names)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if got != tt.want || text != tt.err {
			t.Errorf("%q: got %q, %q, want %q, %q", tt.names, got, text, tt.want, tt.err)
		}
	}
}

// What is shown reads back as settings that mean the same.
func TestGracefulNames(t *testing.T) {
	for families := Families(1); families <= AllFamilies; families++ {
		for without := Families(0); without <= AllFamilies; without++ {
			s := Settings{Families: families, Restart: RestartSettings{Without: without}}
			names := s.GracefulNames()
			if (families&^without == 0) != slices.Equal(names, []string{"none"}) {
				t.Errorf("families %s without %s: got %q", families, without, names)
			}
			again := s
			var err error
			if again.Restart.Without, err = ParseGraceful(names); err != nil || !again.SameSession(s) || again.Canonical() != s.Canonical() {
				t.Errorf("families %s without %s, shown as %q: got %+v, %v, want %+v", families, without, names, again.Canonical(), err, s.Canonical())
			}
		}
	}
}

func TestCanonical(t *testing.T) {
	vpn := NewFamilies(InetVPN, Inet6VPN)
	for _, tt := range []struct{ given, want Settings }{
		{Settings{Families: vpn}, Settings{Families: vpn}},
		{Settings{Families: vpn, HoldTime: 90}, Settings{Families: vpn}},
		{Settings{Families: vpn, HoldTime: 30}, Settings{Families: vpn, HoldTime: 30}},
		{Settings{Families: vpn, Policy: Policy{MaxReceived: 100_000}}, Settings{Families: vpn}},
		{Settings{Families: vpn, Policy: Policy{MaxReceived: 1}}, Settings{Families: vpn, Policy: Policy{MaxReceived: 1}}},
		{Settings{Families: vpn, Restart: RestartSettings{Time: 300}}, Settings{Families: vpn}},
		{Settings{Families: vpn, Restart: RestartSettings{Without: NewFamilies(RouteTarget)}}, Settings{Families: vpn}},
		{Settings{Families: vpn, Restart: RestartSettings{Without: vpn}}, Settings{Families: vpn, Restart: RestartSettings{Without: AllFamilies}}},
		{Settings{Families: vpn, Restart: RestartSettings{LongLivedTime: 60, LongLived: vpn}}, Settings{Families: vpn, Restart: RestartSettings{LongLivedTime: 60}}},
		{Settings{Families: vpn, Restart: RestartSettings{NewFamilies(InetVPN, RouteTarget), 60, 60, NewFamilies(Inet6VPN)}},
			Settings{Families: vpn, Restart: RestartSettings{NewFamilies(InetVPN), 60, 60, 0}}},
	} {
		if got := tt.given.Canonical(); got != tt.want || got.Canonical() != got || got.Offer() != tt.given.Offer() {
			t.Errorf("%+v: got %+v, want %+v", tt.given, got, tt.want)
		}
	}
}

func TestKept(t *testing.T) {
	open := func(families Families, r Restart) *Open {
		return &Open{Families: families, Restart: r, Capabilities: []Capability{CapGracefulRestart}}
	}
	vpn, inet := NewFamilies(InetVPN, Inet6VPN), NewFamilies(InetVPN)
	for name, tt := range map[string]struct {
		sent, received    *Open
		want              Families
		afterNotification bool
	}{
		"nothing yet":          {nil, nil, 0, false},
		"no OPEN received":     {open(vpn, Restart{Families: vpn}), nil, 0, false},
		"not asked for":        {&Open{Families: vpn}, open(vpn, Restart{Families: vpn, Notification: true}), 0, false},
		"not offered":          {open(vpn, Restart{Families: vpn, Notification: true}), &Open{Families: vpn}, 0, false},
		"a helper":             {open(vpn, Restart{Families: vpn, Notification: true}), open(vpn, Restart{}), vpn, false},
		"RFC 8538":             {open(vpn, Restart{Families: inet, Notification: true}), open(vpn, Restart{Notification: true}), inet, true},
		"RFC 8538 on its side": {open(vpn, Restart{Families: vpn}), open(inet, Restart{Families: inet, Notification: true}), inet, false},
		"no common family":     {open(vpn, Restart{Families: vpn, Notification: true}), open(NewFamilies(RouteTarget), Restart{Notification: true}), 0, false},
	} {
		s := Status{OpenSent: tt.sent, OpenReceived: tt.received}
		if s.Kept() != tt.want || s.KeptAfterNotification() != tt.afterNotification {
			t.Errorf("%s: got %q, %t, want %q, %t", name, s.Kept(), s.KeptAfterNotification(), tt.want, tt.afterNotification)
		}
	}
}

func TestKeptLongLived(t *testing.T) {
	vpn, inet := NewFamilies(InetVPN, Inet6VPN), NewFamilies(InetVPN)
	both := []Capability{CapGracefulRestart, CapLongLivedGR}
	sent := &Open{Families: vpn, Capabilities: both, Restart: Restart{Families: vpn, LongLived: StaleTimes{InetVPN: time.Hour}}}
	for name, tt := range map[string]struct {
		received *Open
		want     Families
	}{
		"a helper":    {&Open{Families: vpn, Capabilities: both}, inet},
		"not offered": {&Open{Families: vpn, Capabilities: both[:1]}, 0},
		"alone":       {&Open{Families: vpn, Capabilities: both[1:]}, 0},
		"no OPEN":     {nil, 0},
	} {
		if got := (Status{OpenSent: sent, OpenReceived: tt.received}).KeptLongLived(); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestOffer(t *testing.T) {
	const minute = time.Minute
	vpn := NewFamilies(InetVPN, Inet6VPN)
	for name, tt := range map[string]struct {
		settings Settings
		want     Restart
	}{
		"default": {Settings{Families: vpn}, Restart{Notification: true, Time: 5 * minute, Families: vpn}},
		"none":    {Settings{Families: vpn, Restart: RestartSettings{Without: AllFamilies}}, Restart{}},
		"one": {Settings{Families: vpn, Restart: RestartSettings{Without: NewFamilies(InetVPN), Time: 60}},
			Restart{Notification: true, Time: minute, Families: NewFamilies(Inet6VPN)}},
		"long-lived": {Settings{Families: vpn, Restart: RestartSettings{LongLivedTime: 60}},
			Restart{Notification: true, Time: 5 * minute, Families: vpn, LongLived: StaleTimes{InetVPN: minute, Inet6VPN: minute}}},
		"long-lived of one": {Settings{Families: vpn, Restart: RestartSettings{LongLivedTime: 60, LongLived: NewFamilies(InetVPN)}},
			Restart{Notification: true, Time: 5 * minute, Families: vpn, LongLived: StaleTimes{InetVPN: minute}}},
	} {
		if got := tt.settings.Offer(); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}
