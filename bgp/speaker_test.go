package bgp

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

const (
	as       = 64512
	patience = 20 * time.Second // before a test gives up
)

// start runs a speaker on an address until the test ends, or until stop.
func start(t *testing.T, address string, id string) (s *Speaker, stop func()) {
	t.Helper()
	s, err := Start(t.Context(), Config{
		AS: as, RouterID: netip.MustParseAddr(id), Listen: []string{address}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	ended := false
	stop = func() {
		if cancel(); !ended {
			ended = true
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return s, stop
}

// record starts a router that waits for the speaker.
func record(t *testing.T, addr netip.AddrPort) *lab.Recorder {
	t.Helper()
	r, err := lab.Record(lab.GatewayConfig{
		Addr: addr, AS: as, RouterID: netip.MustParseAddr("10.0.0.1"), Families: []lab.Family{lab.VPNv4, lab.VPNv6},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func settingsOf(name string, addr netip.AddrPort) neighbor.Settings {
	return neighbor.Settings{
		Name: name, Address: addr.Addr(), Port: addr.Port(), AS: as,
		Families: neighbor.NewFamilies(neighbor.InetVPN, neighbor.Inet6VPN),
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// await polls a neighbor's status.
func await(t *testing.T, s *Speaker, name, what string, ok func(neighbor.Status) bool) {
	t.Helper()
	err := lab.Poll(within(t), what, func(context.Context) error {
		for _, status := range s.Neighbors() {
			if status.Settings.Name == name {
				if ok(status) {
					return nil
				}
				return fmt.Errorf("%s is %s: %s", name, status.State, status.Reason)
			}
		}
		return fmt.Errorf("there is no %s", name)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func isEstablished(s neighbor.Status) bool { return s.State == neighbor.Established }

func network(t *testing.T) lab.Loopback {
	t.Helper()
	n, err := lab.NewLoopback()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func route(prefix string, label vrf.Label, change ...func(*vrf.Route)) vrf.Route {
	target, err := routetarget.ParseTarget("target:64512:10003")
	if err != nil {
		panic(err)
	}
	node := netip.MustParseAddr("10.0.0.11")
	r := vrf.Route{
		Key:   vrf.Key{RD: routetarget.IPv4Distinguisher(node, 1), Prefix: netip.MustParsePrefix(prefix)},
		Label: label, LocalPref: vrf.LocalPrefDefault, NextHop: node,
		Targets: routetarget.NewSet(target), Encapsulations: vrf.NewEncapsulations(vrf.GRE),
	}
	for _, c := range change {
		c(&r)
	}
	return r
}

func expect(t *testing.T, r *lab.Recorder, events ...string) {
	t.Helper()
	last := -1
	for _, e := range events {
		at, err := r.WaitFor(within(t), e)
		if err != nil {
			t.Fatal(err)
		}
		if at < last {
			t.Errorf("%s came before the event that should precede it", e)
		}
		last = at
	}
}

// TestRoutes advertises before the session, changes and withdraws in it.
func TestRoutes(t *testing.T) {
	net := network(t)
	s, _ := start(t, net.Host(1).String(), "10.0.0.2")
	ctx := within(t)
	four, six := route("203.0.113.5/32", 100), route("2001:db8:f::5/128", 101)
	if err := s.Advertise(ctx, []vrf.Route{four, six}); err != nil {
		t.Fatal(err)
	}
	mx1 := record(t, net.Host(2))
	if err := s.SetNeighbors(ctx, []neighbor.Settings{settingsOf("mx1", net.Host(2))}); err != nil {
		t.Fatal(err)
	}
	const rest = " local-pref 100 origin incomplete as-path [] target:64512:10003 encapsulation:gre"
	expect(t, mx1, "+ 10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11"+rest)
	expect(t, mx1, "+ 10.0.0.11:1:2001:db8:f::5/128 label 101 next-hop ::ffff:10.0.0.11"+rest)

	changed := route("203.0.113.5/32", 200)
	if err := s.Advertise(ctx, []vrf.Route{changed}); err != nil {
		t.Fatal(err)
	}
	expect(t, mx1, "+ 10.0.0.11:1:203.0.113.5/32 label 200 next-hop 10.0.0.11"+rest)
	var given []vrf.Route
	for r, at := range s.AdjRIBOut(net.Host(2).Addr()) {
		given = append(given, r)
		if d := s.Delivery(net.Host(2).Addr(), r.Key); d.At != at || at.IsZero() || d.Reason != "" {
			t.Errorf("%s was sent at %s, or %+v", r.Key, at, d)
		}
	}
	if !slices.Equal(given, []vrf.Route{changed, six}) {
		t.Errorf("AdjRIBOut = %v", given)
	}
	if err := s.Withdraw(ctx, []vrf.Route{changed, changed}); err != nil {
		t.Fatal(err)
	}
	expect(t, mx1, "- 10.0.0.11:1:203.0.113.5/32")
	if n := len(mx1.Events()); n != 4 {
		t.Errorf("the router was told %d things: %v", n, mx1.Events())
	}
}

// TestFlaps loses the session again and again. It is back each time, and
// nothing is left over.
func TestFlaps(t *testing.T) {
	net := network(t)
	s, _ := start(t, net.Host(1).String(), "10.0.0.2")
	ctx := within(t)
	if err := s.Advertise(ctx, []vrf.Route{route("203.0.113.5/32", 100)}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetNeighbors(ctx, []neighbor.Settings{settingsOf("mx1", net.Host(2))}); err != nil {
		t.Fatal(err)
	}
	var goroutines int
	for flap := range 8 {
		mx1, err := lab.Record(lab.GatewayConfig{
			Addr: net.Host(2), AS: as, RouterID: netip.MustParseAddr("10.0.0.1"), Families: []lab.Family{lab.VPNv4},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mx1.WaitFor(within(t), "+ 10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:10003 encapsulation:gre"); err != nil {
			t.Fatal(err)
		}
		mx1.Close()
		await(t, s, "mx1", "the loss to be counted", func(st neighbor.Status) bool { return st.Flaps == uint64(flap+1) })
		if flap == 1 {
			goroutines = settledGoroutines()
		}
	}
	if n := settledGoroutines(); n > goroutines+3 {
		t.Errorf("%d goroutines after the flaps, %d before", n, goroutines)
	}
}

// settledGoroutines counts once the count stays the same for a while.
func settledGoroutines() (n int) {
	for same := 0; same < 20; time.Sleep(10 * time.Millisecond) {
		if now := runtime.NumGoroutine(); now == n {
			same++
		} else {
			n, same = now, 0
		}
	}
	return n
}

// TestNeighbors changes one neighbor and removes another, each with its
// NOTIFICATION, while a third one keeps its session.
func TestNeighbors(t *testing.T) {
	net := network(t)
	s, stop := start(t, net.Host(1).String(), "10.0.0.2")
	ctx := within(t)
	var routers []*lab.Recorder
	var list []neighbor.Settings
	for i := range byte(3) {
		routers = append(routers, record(t, net.Host(2+i)))
		list = append(list, settingsOf(fmt.Sprintf("mx%d", i), net.Host(2+i)))
	}
	if err := s.SetNeighbors(ctx, list); err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		await(t, s, n.Name, "a session", isEstablished)
	}
	list[1].HoldTime = 30
	if err := s.SetNeighbors(ctx, list[:2]); err != nil {
		t.Fatal(err)
	}
	await(t, s, "mx1", "a new session with the new hold time", func(st neighbor.Status) bool {
		return isEstablished(st) && st.OpenSent.HoldTime == 30*time.Second
	})
	await(t, s, "mx0", "the session to stay", func(st neighbor.Status) bool { return isEstablished(st) && st.Established == 1 && st.Flaps == 0 })
	notified := func(router int, want string) {
		t.Helper()
		err := lab.Poll(within(t), "NOTIFICATION "+want, func(context.Context) error {
			if got := routers[router].Notification(); got != want {
				return fmt.Errorf("got %q", got)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	notified(1, "6/3")
	notified(2, "6/3")
	stop()
	notified(0, "6/2 buoyd is stopping")
	notified(1, "6/2 buoyd is stopping")
}

// TestTwoSpeakers lets two speakers connect to each other at once: one of the
// two connections survives.
func TestTwoSpeakers(t *testing.T) {
	net := network(t)
	a, _ := start(t, net.Host(1).String(), "10.0.0.1")
	b, _ := start(t, net.Host(2).String(), "10.0.0.2")
	for range 5 {
		for s, peer := range map[*Speaker]netip.AddrPort{a: net.Host(2), b: net.Host(1)} {
			if err := s.SetNeighbors(t.Context(), []neighbor.Settings{settingsOf("peer", peer)}); err != nil {
				t.Fatal(err)
			}
		}
		await(t, a, "peer", "a session", isEstablished)
		await(t, b, "peer", "a session", isEstablished)
		for _, s := range []*Speaker{a, b} {
			if err := s.SetNeighbors(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}
