package neighbor

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

func valid() Settings {
	return Settings{Name: "mx1", Address: netip.MustParseAddr("10.0.0.1"), Port: 179, AS: 64512, Families: AllFamilies}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"as it is":     func(*Settings) {},
		"IPv6":         func(s *Settings) { s.Address = netip.MustParseAddr("2001:db8::1") },
		"loopback":     func(s *Settings) { s.Address = netip.MustParseAddr("127.0.0.2") },
		"bounds":       func(s *Settings) { s.Port, s.AS = 65535, 4294967295 },
		"smallest":     func(s *Settings) { s.Port, s.AS = 1, 1 },
		"passive":      func(s *Settings) { s.Passive = true },
		"one family":   func(s *Settings) { s.Families = NewFamilies(Inet6VPN) },
		"without name": func(s *Settings) { s.Name = "" },
		"session": func(s *Settings) {
			s.LocalAddress, s.HoldTime, s.KeepaliveTime, s.TTLSecurity = netip.MustParseAddr("10.0.0.2"), 3, 1, 254
			s.MD5Key.File = "/etc/buoy/key"
		},
		"longest times": func(s *Settings) { s.HoldTime, s.KeepaliveTime, s.Multihop = 65535, 21845, 255 },
		"default hold":  func(s *Settings) { s.KeepaliveTime, s.MD5Key.Env = 30, "KEY" },
		"restart": func(s *Settings) {
			s.Restart = RestartSettings{NewFamilies(RouteTarget), MaxRestartTime, MaxLongLivedTime, NewFamilies(InetVPN)}
		},
		"no restart": func(s *Settings) { s.Restart = RestartSettings{Without: AllFamilies, Time: 1} },
		"restart of one family": func(s *Settings) {
			s.Families, s.Restart.Without = NewFamilies(InetVPN), AllFamilies&^NewFamilies(InetVPN, Inet6VPN)
		},
		"policy": func(s *Settings) {
			s.Policy = Policy{vrf.NewEncapsulations(vrf.GRE), 4294967295, 4294967295, filter(t, "10.0.0.0/8 le 24"), targets(t, "target:64512:1"), MaxReceivedStop}
		},
	} {
		s := valid()
		change(&s)
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateRefusals(t *testing.T) {
	const unicast = "expected a unicast address without a zone, got "
	address := func(text string) func(*Settings) {
		return func(s *Settings) { s.Address = netip.MustParseAddr(text) }
	}
	local := func(text string) func(*Settings) {
		return func(s *Settings) { s.LocalAddress = netip.MustParseAddr(text) }
	}
	restart := func(r RestartSettings) func(*Settings) {
		return func(s *Settings) { s.Restart = r }
	}
	for name, tt := range map[string]struct {
		change func(*Settings)
		want   FieldError
	}{
		"no address":          {func(s *Settings) { s.Address = netip.Addr{} }, FieldError{"address", "expected an IPv4 or IPv6 address, for example 10.0.0.1"}},
		"zone":                {address("fe80::1%eth0"), FieldError{"address", unicast + "fe80::1%eth0"}},
		"mapped":              {address("::ffff:10.0.0.1"), FieldError{"address", unicast + "::ffff:10.0.0.1"}},
		"unspecified":         {address("0.0.0.0"), FieldError{"address", unicast + "0.0.0.0"}},
		"unspecified v6":      {address("::"), FieldError{"address", unicast + "::"}},
		"multicast":           {address("224.0.0.1"), FieldError{"address", unicast + "224.0.0.1"}},
		"multicast v6":        {address("ff02::1"), FieldError{"address", unicast + "ff02::1"}},
		"no port":             {func(s *Settings) { s.Port = 0 }, FieldError{"port", "expected a port 1..65535"}},
		"no AS":               {func(s *Settings) { s.AS = 0 }, FieldError{"as", "expected an AS 1..4294967295"}},
		"no families":         {func(s *Settings) { s.Families = 0 }, FieldError{"families", "expected at least one of inet-vpn,inet6-vpn,route-target"}},
		"AS_TRANS":            {func(s *Settings) { s.AS = 23456 }, FieldError{"as", "expected an AS other than AS_TRANS (RFC 6793), got 23456"}},
		"local zone":          {local("fe80::1%eth0"), FieldError{"local_address", unicast + "fe80::1%eth0"}},
		"local mapped":        {local("::ffff:10.0.0.2"), FieldError{"local_address", unicast + "::ffff:10.0.0.2"}},
		"local any":           {local("0.0.0.0"), FieldError{"local_address", unicast + "0.0.0.0"}},
		"local multicast":     {local("ff02::1"), FieldError{"local_address", unicast + "ff02::1"}},
		"local family":        {local("2001:db8::1"), FieldError{"local_address", "2001:db8::1 and the neighbor's address 10.0.0.1 are of different families"}},
		"hold time 1":         {func(s *Settings) { s.HoldTime = 1 }, FieldError{"hold_time", "expected 3..65535 seconds, got 1"}},
		"hold time 2":         {func(s *Settings) { s.HoldTime = 2 }, FieldError{"hold_time", "expected 3..65535 seconds, got 2"}},
		"slow keepalives":     {func(s *Settings) { s.HoldTime, s.KeepaliveTime = 10, 4 }, FieldError{"keepalive_time", "expected at most a third of the hold time, 3 seconds, got 4"}},
		"slower than default": {func(s *Settings) { s.KeepaliveTime = 31 }, FieldError{"keepalive_time", "expected at most a third of the hold time, 30 seconds, got 31"}},
		"GTSM from nowhere":   {func(s *Settings) { s.TTLSecurity = 255 }, FieldError{"ttl_security", "expected 1..254 hops, got 255"}},
		"GTSM and multihop":   {func(s *Settings) { s.TTLSecurity, s.Multihop = 1, 1 }, FieldError{"multihop", "expected not to go with ttl_security, which always sends with a TTL of 255"}},
		"two keys":            {func(s *Settings) { s.MD5Key = KeySource{"f", "E"} }, FieldError{"md5_key_env", "expected a file or an environment variable, not both"}},
		"restart of another family": {func(s *Settings) { s.Families, s.Restart.Without = NewFamilies(InetVPN), NewFamilies(InetVPN) },
			FieldError{"graceful_restart", "expected some of the session's families, inet-vpn, or none; got inet6-vpn,route-target"}},
		"long restart":        {restart(RestartSettings{Time: 4096}), FieldError{"restart_time", "expected 1..4095 seconds, got 4096"}},
		"too long":            {restart(RestartSettings{LongLivedTime: 1 << 24}), FieldError{"long_lived_time", "expected 0..16777215 seconds, got 16777216"}},
		"long-lived, no time": {restart(RestartSettings{LongLived: NewFamilies(InetVPN)}), FieldError{"long_lived_time", "expected 1..16777215 seconds for the families of long_lived, inet-vpn; got 0"}},
		"long-lived alone":    {restart(RestartSettings{Without: AllFamilies, LongLivedTime: 60}), FieldError{"long_lived_time", "expected 0 while graceful_restart is none (RFC 9494 §4.1), got 60"}},
		"long-lived, graceful": {restart(RestartSettings{Without: NewFamilies(Inet6VPN), LongLivedTime: 60, LongLived: NewFamilies(InetVPN, Inet6VPN)}),
			FieldError{"long_lived", "expected families with graceful restart, inet-vpn,route-target; leave inet6-vpn out, or add it to graceful_restart"}},
		"long-lived, session": {func(s *Settings) {
			s.Families, s.Restart = NewFamilies(InetVPN), RestartSettings{LongLivedTime: 60, LongLived: NewFamilies(Inet6VPN)}
		}, FieldError{"long_lived", "expected families with graceful restart, inet-vpn; leave inet6-vpn out, or add it to families"}},
		"many targets": {func(s *Settings) {
			var list []routetarget.Target
			for i := range uint16(257) {
				list = append(list, routetarget.Automatic(64512, i+1))
			}
			s.AcceptTargets = routetarget.NewSet(list...)
		}, FieldError{"accept_targets", "expected at most 256 route targets, got 257"}},
		"everything else": {func(s *Settings) { *s = Settings{} }, FieldError{"address", "expected an IPv4 or IPv6 address, for example 10.0.0.1"}},
	} {
		s := valid()
		tt.change(&s)
		err := s.Validate()
		var got *FieldError
		if !errors.As(err, &got) || *got != tt.want {
			t.Errorf("%s:\n got %v\nwant %v", name, err, &tt.want)
		}
		if err != nil && err.Error() != tt.want.Field+": "+tt.want.Problem {
			t.Errorf("%s: Error() = %q", name, err)
		}
	}
}

func TestWithDefaults(t *testing.T) {
	vpn := NewFamilies(InetVPN, Inet6VPN)
	got := Settings{Name: "mx1"}.WithDefaults(vpn)
	if want := (Settings{Name: "mx1", Port: 179, Families: vpn}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	given := Settings{Port: 1179, Families: NewFamilies(RouteTarget)}
	if got := given.WithDefaults(vpn); got != given {
		t.Errorf("got %+v, want %+v", got, given)
	}
}

// A policy is applied to the session that is there; anything else needs a new one.
func TestSameSession(t *testing.T) {
	s := valid()
	policy := s
	policy.Policy = Policy{vrf.NewEncapsulations(vrf.MPLSInUDP), 1, 2, filter(t, "none"), targets(t, "target:64512:1"), MaxReceivedStop}
	if !s.SameSession(s) || !s.SameSession(policy) || !policy.SameSession(s) {
		t.Error("another policy: got another session, want the same one")
	}
	policy.HoldTime = 30
	if s.SameSession(policy) || policy.SameSession(s) {
		t.Error("another hold time: got the same session, want another one")
	}
}

func TestHold(t *testing.T) {
	for given, want := range map[uint16]uint16{0: 90, 3: 3, 65535: 65535} {
		if got := (Settings{HoldTime: given}).Hold(); got != want {
			t.Errorf("hold time %d: got %d, want %d", given, got, want)
		}
	}
}

func TestKeySource(t *testing.T) {
	for want, k := range map[string]KeySource{
		"": {}, "file /etc/buoy/key": {File: "/etc/buoy/key"}, "environment variable KEY": {Env: "KEY"},
	} {
		if k.String() != want || k.IsZero() != (want == "") {
			t.Errorf("%#v: got %q, zero %t, want %q", k, k, k.IsZero(), want)
		}
	}
}

func TestNegotiated(t *testing.T) {
	open := func(list ...Family) *Open { return &Open{Families: NewFamilies(list...)} }
	for _, tt := range []struct {
		sent, received *Open
		want           string
	}{
		{nil, nil, ""},
		{open(InetVPN), nil, ""},
		{nil, open(InetVPN), ""},
		{open(InetVPN, Inet6VPN, RouteTarget), open(RouteTarget, InetVPN), "inet-vpn,route-target"},
		{open(InetVPN), open(Inet6VPN), ""},
		{open(), open(InetVPN), ""},
	} {
		if got := (Status{OpenSent: tt.sent, OpenReceived: tt.received}).Negotiated().String(); got != tt.want {
			t.Errorf("sent %+v, received %+v: got %q, want %q", tt.sent, tt.received, got, tt.want)
		}
	}
}

func TestMessages(t *testing.T) {
	c := Counters{Opens: 1, Updates: 20, Notifications: 300, Keepalives: 4000, RouteRefreshes: 50000, Bytes: 7, Refused: 9}
	if got := c.Messages(); got != 54321 {
		t.Errorf("Messages() = %d, want 54321", got)
	}
}

func TestStateNames(t *testing.T) {
	want := []string{"Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"}
	for s := Idle; s <= Established; s++ {
		if got := s.String(); got != want[s] {
			t.Errorf("state %d: got %q, want %q", s, got, want[s])
		}
	}
}
