package wire

import (
	"slices"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// announcing returns an UPDATE with the host route of 203.0.113.n.
func announcing(n byte) []byte {
	one := slices.Clone(reach)
	one[len(one)-1] = n
	return update(one, origin, asPath, localPref)
}

// stopping are settings with which a second route ends the session.
func stopping(s *neighbor.Settings) {
	s.MaxReceived, s.MaxReceivedAction = 1, neighbor.MaxReceivedStop
}

// TestWarn: what is beyond the maximum is left out, which the session's reason
// says, and asked for when there may be more.
func TestWarn(t *testing.T) {
	w := newWorld(t, nil)
	w.add(settings(func(s *neighbor.Settings) {
		s.MaxReceived, s.Families = 1, neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget)
	}))
	router := w.connect(routerAddr)
	router.establish("10.0.0.1")
	router.send(announcing(1)...)
	router.send(announcing(2)...)
	s := w.wait("the one that is left out", func(s neighbor.Status) bool { return s.Taken == 1 && s.Left == 1 })
	if reason, next := s.Lacks(); s.State != neighbor.Established || reason == "" || next == "" {
		t.Errorf("%s, lacks %q, %q", s.State, reason, next)
	}
	w.server.SetPolicy(settings().Address, neighbor.Policy{MaxReceived: 2})
	router.expect(typeRouteRefresh)
	router.send(announcing(2)...)
	s = w.wait("both", func(s neighbor.Status) bool { return s.Taken == 2 })
	if reason, _ := s.Lacks(); reason != "" || s.Established != 1 {
		t.Errorf("%d sessions, the last one lacks %q", s.Established, reason)
	}
}

// TestStop: one route too many ends the session such that neither side keeps
// routes over it, and there is none until another policy comes.
func TestStop(t *testing.T) {
	for _, tt := range []struct {
		name string
		open []byte
		want string
	}{
		{"notified", withRestart(notifies, 120, 0x80), "6/9 Cease, Hard Reset, with 6/1 Cease, Maximum Number of Prefixes Reached"},
		{"graceful restart", withRestart(0, 120, 0x80), "6/1 Cease, Maximum Number of Prefixes Reached"},
		{"neither", openWith(nil), "6/1 Cease, Maximum Number of Prefixes Reached"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.add(settings(stopping))
			router := w.connect(routerAddr)
			router.establishWith(tt.open)
			router.send(announcing(1)...)
			w.wait("the first", func(s neighbor.Status) bool { return s.Taken == 1 })
			router.send(announcing(2)...)
			if got := router.lastWords(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			router.conn.Close()
			s := w.waitReason("stopped: the neighbor announced more than the maximum of 1 routes")
			if s.State != neighbor.Idle || s.Cause != neighbor.CauseMaxReceived || s.Taken != 0 || s.Flaps != 1 || s.Received.Refused != 0 || s.Advice(neighbor.Local{}) == "" {
				t.Errorf("status %+v", s)
			}
			w.connect(routerAddr).expectClosed()

			w.server.SetPolicy(s.Settings.Address, neighbor.Policy{MaxReceived: 2, MaxReceivedAction: neighbor.MaxReceivedStop})
			w.waitReason("waiting for the neighbor to connect")
			router = w.connect(routerAddr)
			router.establishWith(tt.open)
			router.send(announcing(1)...)
			router.send(announcing(2)...)
			w.wait("both", func(s neighbor.Status) bool { return s.State == neighbor.Established && s.Taken == 2 })
		})
	}
}

// TestStopDialed: a router that was stopped is not dialed either, until its
// settings change.
func TestStopDialed(t *testing.T) {
	w := newWorld(t, nil)
	l := listenAs(t, routerAddr)
	s := settings(dialed(l), stopping)
	w.add(s)
	stop := func() {
		t.Helper()
		router := accept(t, l)
		router.establish("10.0.0.1")
		router.send(announcing(1)...)
		router.send(announcing(2)...)
		router.lastWords()
		router.conn.Close()
		w.waitState(neighbor.Idle)
		l.SetDeadline(time.Now().Add(5 * testTimers.connectRetry))
		if _, err := l.Accept(); err == nil {
			t.Error("the router is dialed")
		}
	}
	stop()
	w.server.SetPolicy(s.Address, s.Policy) // told again is changed enough
	stop()
	w.server.Suspend(s.Address)
	w.add(s)
	stop()
	w.server.Shutdown("")
	w.server.SetPolicy(s.Address, neighbor.Policy{})
	l.SetDeadline(time.Now().Add(5 * testTimers.connectRetry))
	if _, err := l.Accept(); err == nil {
		t.Error("after a shutdown the router is dialed")
	}
}

// TestStopLater: a policy that stops applies to what was left out before it.
func TestStopLater(t *testing.T) {
	w := newWorld(t, nil)
	w.add(settings(func(s *neighbor.Settings) { s.MaxReceived = 1 }))
	router := w.connect(routerAddr)
	router.establishWith(openWith(nil))
	router.send(announcing(1)...)
	router.send(announcing(2)...)
	w.wait("the one that is left out", func(s neighbor.Status) bool { return s.Left == 1 })
	stop := settings(stopping)
	w.server.SetPolicy(stop.Address, stop.Policy)
	if got, want := router.lastWords(), "6/1 Cease, Maximum Number of Prefixes Reached"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	w.waitState(neighbor.Idle)
}
