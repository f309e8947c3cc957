package api

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// beingSetUp is what a neighbor without a session shows.
const beingSetUp = "the neighbor is being set up"

func TestNeighborLife(t *testing.T) {
	l := newLab(t)
	ofFile := &buoyv1.Neighbor{Name: fixed, Address: "10.0.0.9", Port: 179, As: 64512, ReadOnly: true, HoldTime: 90, MaxReceived: 100_000, MaxReceivedAction: buoyv1.Neighbor_WARN,
		GracefulRestart: []string{"inet-vpn", "inet6-vpn", "route-target"}, RestartTime: 300,
		Families: []string{"inet-vpn", "inet6-vpn", "route-target"}, State: buoyv1.Neighbor_IDLE, StateReason: beingSetUp}
	want := &buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", Port: 179, As: 64513, HoldTime: 90, MaxReceived: 100_000, MaxReceivedAction: buoyv1.Neighbor_WARN,
		GracefulRestart: []string{"inet-vpn", "route-target"}, RestartTime: 300,
		Families: []string{"inet-vpn", "route-target"}, State: buoyv1.Neighbor_IDLE, StateReason: beingSetUp}
	got := call(t, l.neighbors.CreateNeighbor, &buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{
		Name: mx1, Address: "10.0.0.1", As: 64513,
		// Output only: ignored.
		ReadOnly: true, State: buoyv1.Neighbor_ESTABLISHED, StateReason: "because", Session: &buoyv1.Session{EstablishedCount: 7},
	}})
	equal(t, "created with defaults", got, want)
	equal(t, "got", call(t, l.neighbors.GetNeighbor, &buoyv1.GetNeighborRequest{Name: mx1}), want)
	equal(t, "listed", call(t, l.neighbors.ListNeighbors, &buoyv1.ListNeighborsRequest{}),
		&buoyv1.ListNeighborsResponse{Neighbors: []*buoyv1.Neighbor{ofFile, want}})
	equal(t, "deleted", call(t, l.neighbors.DeleteNeighbor, &buoyv1.DeleteNeighborRequest{Name: mx1}), &emptypb.Empty{})
	l.speaker.strangers = neighbor.Refused{Count: 2, Address: netip.MustParseAddr("10.0.0.77"), Time: taken}
	equal(t, "list afterwards", call(t, l.neighbors.ListNeighbors, &buoyv1.ListNeighborsRequest{}),
		&buoyv1.ListNeighborsResponse{Neighbors: []*buoyv1.Neighbor{ofFile},
			Refused: &buoyv1.RefusedConnections{Count: 2, LastAddress: "10.0.0.77", LastTime: timestamppb.New(taken)}})
}

func TestUpdateNeighbor(t *testing.T) {
	before := &buoyv1.Neighbor{Name: mx1, Address: "10.0.0.1", Port: 1179, As: 64513, Families: []string{"inet6-vpn", "route-target"}, HoldTime: 90,
		GracefulRestart: []string{"inet6-vpn"}, RestartTime: 60, LongLivedTime: 7200, LongLived: []string{"inet6-vpn"},
		Encapsulations: []string{"gre", "udp"}, MaxAdvertised: 100, MaxReceived: 200,
		AcceptPrefixes: []string{"10.0.0.0/8 le 24", "2001:db8::/32"}, AcceptTargets: []string{"target:64512:7"}, MaxReceivedAction: buoyv1.Neighbor_STOP,
		State: buoyv1.Neighbor_IDLE, StateReason: beingSetUp}
	all := &buoyv1.Neighbor{Name: mx1, Address: "2001:db8::1", Port: 2179, As: 64514, Families: []string{"inet-vpn", "inet6-vpn"}, Passive: true,
		ReadOnly: true, State: buoyv1.Neighbor_ESTABLISHED, LocalAddress: "10.0.0.2", HoldTime: 9, KeepaliveTime: 3,
		TtlSecurity: 254, Multihop: 255, Md5KeyFile: "/etc/buoy/mx1.key", Md5KeyEnv: "MX1_KEY",
		GracefulRestart: []string{"inet6-vpn", "route-target"}, RestartTime: 4095, LongLivedTime: 16777215, LongLived: []string{"inet6-vpn"},
		Encapsulations: []string{"udp"}, MaxAdvertised: 4294967295, MaxReceived: 4294967294,
		AcceptPrefixes: []string{"::/0 ge 32", "0.0.0.0/0 le 32", "0.0.0.0/0 ge 0 le 32"}, AcceptTargets: []string{"64512:9", "64512:8"}, MaxReceivedAction: buoyv1.Neighbor_WARN}
	empty := &buoyv1.Neighbor{Name: mx1}
	for _, tt := range []struct {
		field string
		from  *buoyv1.Neighbor
		want  func(n *buoyv1.Neighbor)
	}{
		{"address", all, func(n *buoyv1.Neighbor) { n.Address = all.Address }},
		{"port", all, func(n *buoyv1.Neighbor) { n.Port = all.Port }},
		{"as", all, func(n *buoyv1.Neighbor) { n.As = all.As }},
		{"families", all, func(n *buoyv1.Neighbor) { n.Families = all.Families }},
		{"passive", all, func(n *buoyv1.Neighbor) { n.Passive = true }},
		{"local_address", all, func(n *buoyv1.Neighbor) { n.LocalAddress = all.LocalAddress }},
		{"hold_time", all, func(n *buoyv1.Neighbor) { n.HoldTime = 9 }},
		{"keepalive_time", all, func(n *buoyv1.Neighbor) { n.KeepaliveTime = 3 }},
		{"ttl_security", all, func(n *buoyv1.Neighbor) { n.TtlSecurity = 254 }},
		{"multihop", all, func(n *buoyv1.Neighbor) { n.Multihop = 255 }},
		{"md5_key_file", &buoyv1.Neighbor{Name: mx1, Md5KeyFile: "/k"}, func(n *buoyv1.Neighbor) { n.Md5KeyFile = "/k" }},
		{"md5_key_env", &buoyv1.Neighbor{Name: mx1, Md5KeyEnv: "K"}, func(n *buoyv1.Neighbor) { n.Md5KeyEnv = "K" }},
		{"graceful_restart", all, func(n *buoyv1.Neighbor) { n.GracefulRestart = all.GracefulRestart }},
		{"restart_time", all, func(n *buoyv1.Neighbor) { n.RestartTime = 4095 }},
		{"long_lived_time", all, func(n *buoyv1.Neighbor) { n.LongLivedTime = 16777215 }},
		{"long_lived", all, func(n *buoyv1.Neighbor) {}},
		{"encapsulations", all, func(n *buoyv1.Neighbor) { n.Encapsulations = all.Encapsulations }},
		{"max_advertised", all, func(n *buoyv1.Neighbor) { n.MaxAdvertised = 4294967295 }},
		{"max_received", all, func(n *buoyv1.Neighbor) { n.MaxReceived = 4294967294 }},
		{"accept_prefixes", all, func(n *buoyv1.Neighbor) { n.AcceptPrefixes = []string{"0.0.0.0/0 le 32", "::/0 ge 32"} }},
		{"accept_prefixes", &buoyv1.Neighbor{Name: mx1, AcceptPrefixes: []string{"none"}}, func(n *buoyv1.Neighbor) { n.AcceptPrefixes = []string{"none"} }},
		{"accept_targets", all, func(n *buoyv1.Neighbor) { n.AcceptTargets = []string{"target:64512:8", "target:64512:9"} }},
		{"max_received_action", all, func(n *buoyv1.Neighbor) { n.MaxReceivedAction = buoyv1.Neighbor_WARN }},
		// Back to the defaults.
		{"port", empty, func(n *buoyv1.Neighbor) { n.Port = 179 }},
		{"graceful_restart", empty, func(n *buoyv1.Neighbor) { n.GracefulRestart = n.Families }},
		{"restart_time", empty, func(n *buoyv1.Neighbor) { n.RestartTime = 300 }},
		{"long_lived_time", empty, func(n *buoyv1.Neighbor) { n.LongLivedTime, n.LongLived = 0, nil }},
		{"long_lived", empty, func(n *buoyv1.Neighbor) {}},
		{"encapsulations", empty, func(n *buoyv1.Neighbor) { n.Encapsulations = nil }},
		{"max_advertised", empty, func(n *buoyv1.Neighbor) { n.MaxAdvertised = 0 }},
		{"max_received", empty, func(n *buoyv1.Neighbor) { n.MaxReceived = 100_000 }},
		{"accept_prefixes", empty, func(n *buoyv1.Neighbor) { n.AcceptPrefixes = nil }},
		{"accept_targets", empty, func(n *buoyv1.Neighbor) { n.AcceptTargets = nil }},
		{"max_received_action", empty, func(n *buoyv1.Neighbor) { n.MaxReceivedAction = buoyv1.Neighbor_WARN }},
	} {
		t.Run(tt.field, func(t *testing.T) {
			l := newLab(t)
			call(t, l.neighbors.CreateNeighbor, &buoyv1.CreateNeighborRequest{Neighbor: before})
			want := proto.CloneOf(before)
			tt.want(want)
			got := call(t, l.neighbors.UpdateNeighbor, &buoyv1.UpdateNeighborRequest{
				Neighbor: tt.from, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{tt.field}}})
			equal(t, "updated", got, want)
			equal(t, "got", call(t, l.neighbors.GetNeighbor, &buoyv1.GetNeighborRequest{Name: mx1}), want)
		})
	}
}

// Families are those of the session; what is said of them otherwise follows.
func TestUpdateFamilies(t *testing.T) {
	l := newLab(t)
	n := call(t, l.neighbors.CreateNeighbor, &buoyv1.CreateNeighborRequest{Neighbor: &buoyv1.Neighbor{
		Name: mx1, Address: "10.0.0.1", As: 64513, Families: []string{"inet6-vpn"}, LongLivedTime: 60}})
	update := func(field string, from *buoyv1.Neighbor) {
		t.Helper()
		from.Name = mx1
		n = call(t, l.neighbors.UpdateNeighbor, &buoyv1.UpdateNeighborRequest{Neighbor: from, UpdateMask: maskOf(field)})
	}
	check := func(what string, families, graceful, longLived []string) {
		t.Helper()
		if !slices.Equal(n.Families, families) || !slices.Equal(n.GracefulRestart, graceful) || !slices.Equal(n.LongLived, longLived) {
			t.Errorf("%s: got %q, graceful %q, long-lived %q, want %q, %q, %q", what, n.Families, n.GracefulRestart, n.LongLived, families, graceful, longLived)
		}
	}
	one, two := []string{"inet6-vpn"}, []string{"inet-vpn", "route-target"}
	check("created", one, one, one)
	update("families", &buoyv1.Neighbor{})
	check("default", two, two, two)
	update("graceful_restart", &buoyv1.Neighbor{GracefulRestart: []string{"inet-vpn"}})
	check("one of them", two, two[:1], two[:1])
	update("long_lived_time", &buoyv1.Neighbor{})
	update("graceful_restart", &buoyv1.Neighbor{GracefulRestart: []string{"none"}})
	check("none", two, []string{"none"}, nil)
	update("families", &buoyv1.Neighbor{Families: one})
	check("another family", one, []string{"none"}, nil)
}

// What was seen of a session is shown whole.
func TestSession(t *testing.T) {
	l := newLab(t)
	l.speaker.set(func() {
		l.speaker.sessions = []neighbor.Status{{
			Settings:      neighbor.Settings{Name: "fixed", Families: neighbor.AllFamilies},
			State:         neighbor.Established,
			Since:         taken,
			LocalAddress:  netip.MustParseAddrPort("10.0.0.2:179"),
			RemoteAddress: netip.MustParseAddrPort("10.0.0.9:40000"),
			OpenSent: &neighbor.Open{AS: 64512, RouterID: netip.MustParseAddr("10.0.0.2"), HoldTime: 90 * time.Second, Families: neighbor.AllFamilies,
				Capabilities: []uint8{64, 71}, Restart: neighbor.Restart{
					Notification: true, Time: 300 * time.Second, Families: neighbor.AllFamilies, Preserved: neighbor.NewFamilies(neighbor.InetVPN),
					LongLived: neighbor.StaleTimes{neighbor.InetVPN: 3600 * time.Second, neighbor.RouteTarget: 16777215 * time.Second}}},
			OpenReceived: &neighbor.Open{AS: 64512, RouterID: netip.MustParseAddr("10.0.0.9"), HoldTime: 30 * time.Second,
				Families: neighbor.NewFamilies(neighbor.InetVPN), Others: []string{"1/1"}, Capabilities: []uint8{1, 64, 65, 71}, Restart: neighbor.Restart{Restarting: true, Notification: true, Time: 4095 * time.Second}},
			NotificationSent:     &neighbor.Notification{Code: 6, Subcode: 2, Data: []byte{3, 'b', 'y', 'e'}, Time: taken},
			NotificationReceived: &neighbor.Notification{Code: 4, Time: taken},
			Sent:                 neighbor.Counters{Opens: 1, Updates: 2, Notifications: 3, Keepalives: 4, RouteRefreshes: 5, Bytes: 6},
			Received:             neighbor.Counters{Opens: 7, Updates: 8, Notifications: 9, Keepalives: 10, RouteRefreshes: 11, Bytes: 12, Refused: 13, Malformed: 16},
			Established:          14, Flaps: 13, Changes: 80, LastUp: taken, LastDown: taken,
			Advertised: 15, MaxReached: true, Taken: 18, Stale: 17, Left: 19, Filtered: 20,
			BadMessages: []neighbor.BadMessage{{Time: taken, Reason: "a message of type 99", Bytes: []byte{0xff, 0, 99}}, {Time: taken, Reason: "\xff"}},
		}}
	})
	at := timestamppb.New(taken)
	equal(t, "established", call(t, l.neighbors.GetNeighbor, &buoyv1.GetNeighborRequest{Name: fixed}), &buoyv1.Neighbor{
		Name: fixed, Address: "10.0.0.9", Port: 179, As: 64512, ReadOnly: true,
		Families: []string{"inet-vpn", "inet6-vpn", "route-target"},
		State:    buoyv1.Neighbor_ESTABLISHED,
		Session: &buoyv1.Session{
			Since: at, LocalAddress: "10.0.0.2:179", RemoteAddress: "10.0.0.9:40000",
			OpenSent: &buoyv1.Open{As: 64512, RouterId: "10.0.0.2", HoldTime: 90, Families: []string{"inet-vpn", "inet6-vpn", "route-target"},
				Capabilities: []uint32{64, 71}, Restart: &buoyv1.Restart{
					Notification: true, RestartTime: 300, Families: []string{"inet-vpn", "inet6-vpn", "route-target"}, PreservedFamilies: []string{"inet-vpn"},
					LongLivedStaleTimes: map[string]uint32{"inet-vpn": 3600, "route-target": 16777215}}},
			OpenReceived: &buoyv1.Open{As: 64512, RouterId: "10.0.0.9", HoldTime: 30, Families: []string{"inet-vpn"},
				OtherFamilies: []string{"1/1"}, Capabilities: []uint32{1, 64, 65, 71}, Restart: &buoyv1.Restart{Restarting: true, Notification: true, RestartTime: 4095}},
			NegotiatedFamilies:   []string{"inet-vpn"},
			NotificationSent:     &buoyv1.Notification{Code: 6, Subcode: 2, Data: []byte{3, 'b', 'y', 'e'}, Time: at, Text: `6/2 Cease, Administrative Shutdown: "bye"`},
			NotificationReceived: &buoyv1.Notification{Code: 4, Time: at, Text: "4/0 Hold Timer Expired"},
			Sent:                 &buoyv1.Counters{Opens: 1, Updates: 2, Notifications: 3, Keepalives: 4, RouteRefreshes: 5, Bytes: 6},
			Received:             &buoyv1.Counters{Opens: 7, Updates: 8, Notifications: 9, Keepalives: 10, RouteRefreshes: 11, Bytes: 12, Refused: 13, Malformed: 16},
			EstablishedCount:     14, Flaps: 13, StateChanges: 80, LastUp: at, LastDown: at,
			AdvertisedRoutes: 15, MaxAdvertisedReached: true, TakenRoutes: 18, StaleRoutes: 17, LeftRoutes: 19, FilteredRoutes: 20,
			BadMessages:  []*buoyv1.BadMessage{{Time: at, Reason: "a message of type 99", Data: []byte{0xff, 0, 99}}, {Time: at, Reason: "?"}},
			KeptFamilies: []string{"inet-vpn"}, LongLivedFamilies: []string{"inet-vpn"}, KeptAfterNotification: true,
		},
		StateReason: "the neighbor does not offer inet6-vpn,route-target; it offers inet-vpn, inet unicast; and the neighbor announces more than the maximum of 100000 routes: 19 left out",
		NextStep:    "enable inet6-vpn,route-target for this session on the router, if its routes are wanted; and raise --max-received of fixed, or narrow --accept-prefix or --accept-target; the routes come when its session is opened anew",
		MaxReceived: 100_000, MaxReceivedAction: buoyv1.Neighbor_WARN,
		HoldTime: 90, RestartTime: 300, GracefulRestart: []string{"inet-vpn", "inet6-vpn", "route-target"},
	})
	for _, n := range call(t, l.neighbors.ListNeighbors, &buoyv1.ListNeighborsRequest{}).Neighbors {
		if n.Session.Received.Malformed != 16 || n.Session.BadMessages != nil {
			t.Errorf("list: got %v, want the count alone", n.Session)
		}
	}
	for state, want := range stateToProto {
		l.speaker.set(func() {
			l.speaker.sessions = []neighbor.Status{{Settings: neighbor.Settings{Name: "fixed"}, State: state, Reason: "why"}}
		})
		got := call(t, l.neighbors.GetNeighbor, &buoyv1.GetNeighborRequest{Name: fixed})
		if got.State != want || got.StateReason != "why" || got.State.String() == "" {
			t.Errorf("%s: got %s (%s), want %s (why)", state, got.State, got.StateReason, want)
		}
		equal(t, state.String(), got.Session, &buoyv1.Session{Sent: &buoyv1.Counters{}, Received: &buoyv1.Counters{}})
	}
}
