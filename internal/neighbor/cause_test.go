package neighbor

import "testing"

func TestAdvice(t *testing.T) {
	const timedOut = "nothing answers: check the address, the route, and filters on the way"
	received := func(code, subcode uint8) Status {
		return Status{Cause: CauseNotificationReceived, Settings: Settings{Families: NewFamilies(InetVPN)}, NotificationReceived: &Notification{Code: code, Subcode: subcode}}
	}
	sent := func(code uint8) Status {
		return Status{Cause: CauseNotificationSent, NotificationSent: &Notification{Code: code}}
	}
	// FRR says so when graceful restart must not keep the routes (RFC 8538 §3).
	hardReset := received(6, 9)
	hardReset.NotificationReceived.Data = []byte{6, 2}
	for _, tt := range []struct {
		status Status
		want   string
	}{
		{Status{}, ""},
		{Status{Cause: CauseWaiting}, "check that the router has us as a neighbor and connects; without --passive Buoy connects itself"},
		{Status{Cause: CauseConnectionRefused}, "nothing listens there: check that BGP runs on the router, and on port 179"},
		{Status{Cause: CauseUnreachable}, "check the address, and this machine's route to it"},
		{Status{Cause: CauseTimedOut}, timedOut + "; a router that wants an MD5 key looks the same"},
		{Status{Cause: CauseTimedOut, Settings: Settings{MD5Key: KeySource{Env: "KEY"}}}, timedOut + "; a router that has no MD5 key for us, or another one, looks the same"},
		{Status{Cause: CauseConnectionLost}, "look at the router's log: it may not have our address as a neighbor"},
		{Status{Cause: CauseNoOpen}, "what listens there may not be a BGP speaker, or waits for something; look at the router's log"},
		{Status{Cause: CauseWrongAS, OpenReceived: &Open{AS: 65001}}, "if the router is right: buoyctl set neighbor mx1 --as 65001; otherwise correct its own AS"},
		{Status{Cause: CauseWrongAS}, ""},
		{Status{Cause: CauseRouterIDClash}, "give one of the two another router id; ours is bgp.router_id in the configuration"},
		{Status{Cause: CauseHoldTime}, "configure a hold time of at least 3 s on the router"},
		{Status{Cause: CauseNoCommonFamily, Settings: Settings{Families: NewFamilies(InetVPN, Inet6VPN)}}, "enable inet-vpn or inet6-vpn for this session on the router, or change --families of mx1"},
		{Status{Cause: CauseMalformed}, "the router broke the protocol: look at its log and its version; the message is kept"},
		{Status{Cause: CauseKey}, "make the key readable for the daemon; it is read again every second"},
		{Status{Cause: CauseKeyMismatch}, "configure the same MD5 key for this session on both ends, or on neither"},
		{Status{Cause: CauseQuarantined}, "look at the router's log and version, and report the crash in the daemon's log; a change of the neighbor's settings or a restart of the daemon lets it in again"},
		{Status{Cause: CauseMaxReceived}, "raise --max-received of mx1, or narrow --accept-prefix or --accept-target; any change of its settings, or a restart of the daemon, lets it in again"},
		{Status{Cause: CauseEngine}, ""},
		{Status{Cause: CauseStopped}, ""},
		{sent(4), "nothing came from the router for the hold time: check that it is up and that the path carries packets both ways"},
		{sent(6), ""},
		{Status{Cause: CauseNotificationSent}, ""},
		{Status{Cause: CauseNotificationReceived}, ""},
		{received(2, 2), "the router expects another AS of us: our AS is 64512, correct its remote AS"},
		{received(2, 3), "the router does not accept our router id 10.0.0.2: another speaker may have it"},
		{received(2, 6), "the router does not accept our hold time of 90 s; --hold-time changes it"},
		{received(2, 7), "the router lacks a capability: check that it has one of the families inet-vpn for this session"},
		{received(4, 0), "the router heard nothing from us for its hold time: check that the path carries packets both ways"},
		{received(6, 1), "the router's prefix limit is reached: raise it there and clear the session"},
		{received(6, 2), "the session was shut down on the router: enable it there"},
		{hardReset, "the session was shut down on the router: enable it there"},
		{received(6, 3), "the router has no such neighbor any more: configure it there"},
		{received(6, 5), "the router rejects the connection: check that it has our address as a neighbor"},
		{received(6, 7), ""},
	} {
		tt.status.Settings.Name, tt.status.Settings.Port = "mx1", DefaultPort
		if got := tt.status.Advice(Local{AS: 64512, RouterID: "10.0.0.2"}); got != tt.want {
			t.Errorf("cause %d:\n got %s\nwant %s", tt.status.Cause, got, tt.want)
		}
	}
}

// Only what was seen of a router that answers tells more than that it does not.
func TestAnswered(t *testing.T) {
	for c := CauseNone; c <= CauseStopped; c++ {
		if c.Tells() && !c.Answered() {
			t.Errorf("cause %d tells something of a router that has not answered", c)
		}
	}
	for _, c := range []Cause{CauseNone, CauseWaiting, CauseConnectionRefused, CauseUnreachable, CauseTimedOut, CauseKey, CauseKeyMismatch, CauseLocalAddress} {
		if c.Answered() {
			t.Errorf("cause %d: got an answer", c)
		}
	}
}
