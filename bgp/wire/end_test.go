package wire

import (
	"bytes"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
)

func TestNotifications(t *testing.T) {
	shutdown := message(typeNotification, 6, 2, 3, 'b', 'y', 'e')
	t.Run("before OPEN", func(t *testing.T) {
		w := newWorld(t, nil)
		w.add(settings())
		router := w.connect(routerAddr)
		router.send(message(typeNotification, 6, 5)...)
		router.expectClosed()
		w.waitReason("the neighbor sent NOTIFICATION 6/5 Cease, Connection Rejected")
	})
	t.Run("from the router", func(t *testing.T) {
		w := newWorld(t, nil)
		router, session := established(t, w)
		router.send(shutdown...)
		router.conn.Close()
		session.expectClosed()
		s := w.waitReason(`the neighbor sent NOTIFICATION 6/2 Cease, Administrative Shutdown: "bye"`)
		if n := s.NotificationReceived; n == nil || n.Code != 6 || n.Time.IsZero() || s.Received.Notifications != 1 {
			t.Errorf("status %+v", s)
		}
	})
	t.Run("from the engine", func(t *testing.T) {
		w := newWorld(t, nil)
		router, session := established(t, w)
		// An UPDATE that the router has sent and nobody reads must not turn the
		// end into a RST.
		router.send(message(typeUpdate, 0, 0, 0, 0)...)
		session.send(append(message(typeUpdate, 0, 0, 0, 0), shutdown...)...) // its UPDATEs are none
		session.conn.Close()
		if n := router.expectNotification(6, 2); n.Communication() != "bye" {
			t.Errorf("got %s", n)
		}
		s := w.waitReason(`we sent NOTIFICATION 6/2 Cease, Administrative Shutdown: "bye"`)
		if n := s.NotificationSent; n == nil || n.Code != 6 || n.Time.IsZero() || s.Sent.Notifications != 1 {
			t.Errorf("status %+v", s)
		}
	})
}

func TestLoss(t *testing.T) {
	t.Run("router", func(t *testing.T) {
		w := newWorld(t, nil)
		router, session := established(t, w)
		router.conn.Close()
		session.expectClosed()
		w.waitReason("connection lost: closed by the other side")
	})
	t.Run("reset", func(t *testing.T) {
		w := newWorld(t, nil)
		router, session := established(t, w)
		router.conn.SetLinger(0)
		router.conn.Close()
		session.expectClosed()
		w.waitReason("connection lost: connection reset by peer")
	})
	t.Run("engine", func(t *testing.T) {
		w := newWorld(t, nil)
		router, session := established(t, w)
		session.conn.Close()
		router.expectClosed()
		w.waitReason("the engine closed the session")
	})
	t.Run("dialed again", func(t *testing.T) {
		w := newWorld(t, nil)
		l := listenAs(t, routerAddr)
		w.add(settings(dialed(l)))
		for n := range uint64(3) {
			router := accept(t, l)
			router.establish("10.0.0.1")
			w.wait("another session", func(s neighbor.Status) bool { return s.Established == n+1 })
			router.conn.Close()
		}
	})
}

func TestSendHold(t *testing.T) {
	w := newWorld(t, func(t *timers) { t.sendHold = 50 * time.Millisecond })
	router, session := established(t, w)
	router.conn.SetReadBuffer(4096)
	alive := bytes.Repeat(message(typeKeepalive), 200)
	for range 10_000 { // until somebody's buffers are full
		if _, err := session.conn.Write(alive); err != nil {
			break
		}
	}
	w.waitReason("the neighbor has read nothing for 50ms")
}

func TestRemoveLeavesNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.connect(anotherAddr).expectClosed() // now all that Run started is there
	before := runtime.NumGoroutine()
	gone := func() {
		t.Helper()
		eventually(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before },
			func() any { return runtime.NumGoroutine() - before })
	}
	router, session := established(t, w)
	w.connect(routerAddr) // and one without an OPEN
	w.server.Remove(netip.MustParseAddr(routerAddr))
	session.expectClosed()
	router.expectNotification(6, 9)
	gone()

	w.engine.deaf.Store(1 << 30)
	l := listenAs(t, routerAddr)
	w.add(settings(dialed(l)))
	router = accept(t, l)
	router.send(openOf(ourAS, "10.0.0.1")...)
	w.waitReason("connected, waiting for the engine: closed by the other side")
	w.server.Remove(netip.MustParseAddr(routerAddr))
	router.expectNotification(6, 3)
	gone()
}

// TestEnds: what the router is told decides whether it keeps our routes (RFC
// 8538 §3, §4).
func TestEnds(t *testing.T) {
	addr := netip.MustParseAddr(routerAddr)
	for _, tt := range []struct {
		name string
		end  func(*world)
		// What a router gets that knows of notification graceful restart, of
		// graceful restart only, and of neither.
		notified, lost, dropped string
	}{
		{"removed", func(w *world) { w.server.Remove(addr) },
			"6/9 Cease, Hard Reset, with 6/3 Cease, Peer De-configured", "6/3 Cease, Peer De-configured", "6/3 Cease, Peer De-configured"},
		{"changed", func(w *world) { w.server.Suspend(addr) },
			"6/6 Cease, Other Configuration Change", "", "6/6 Cease, Other Configuration Change"},
		{"shut down", func(w *world) { w.server.Shutdown("bye") },
			`6/9 Cease, Hard Reset, with 6/2 Cease, Administrative Shutdown: "bye"`, `6/2 Cease, Administrative Shutdown: "bye"`, `6/2 Cease, Administrative Shutdown: "bye"`},
		{"stopped", func(w *world) { w.end() }, "", "", ""},
	} {
		for _, router := range []struct {
			name string
			open []byte
			want string
		}{
			{"notified", openOf(ourAS, "10.0.0.1"), tt.notified},
			{"lost", openWith(restartCapability(0)), tt.lost},
			{"dropped", openWith(nil), tt.dropped},
		} {
			t.Run(tt.name+"/"+router.name, func(t *testing.T) {
				w := newWorld(t, nil)
				w.add(settings())
				r := w.connect(routerAddr)
				r.establishWith(router.open)
				w.waitState(neighbor.Established)
				go tt.end(w)
				if got := r.lastWords(); got != router.want {
					t.Errorf("got %q, want %q", got, router.want)
				}
			})
		}
	}
}

// TestRestartFlags: R and F in the first OPEN to each router after a restart, F
// alone after a loss, neither when there was nothing that could be kept.
func TestRestartFlags(t *testing.T) {
	second := netip.MustParseAddr(anotherAddr)
	for _, tt := range []struct {
		name    string
		lastRun time.Time
		change  func(*neighbor.Settings)
		want    string // flags of the first OPEN: R, and whether all families have F
	}{
		{"first start", time.Time{}, nil, "--"},
		{"restart", time.Now(), nil, "RF"},
		{"the clock was set back", time.Now().Add(time.Hour), nil, "RF"},
		{"too late", time.Now().Add(-301 * time.Second), nil, "--"},
		{"in a longer time", time.Now().Add(-301 * time.Second), func(s *neighbor.Settings) { s.Restart.Time = 4095 }, "RF"},
		{"kept as long-lived", time.Now().Add(-301 * time.Second), func(s *neighbor.Settings) { s.Restart.LongLivedTime = 3600 }, "RF"},
		{"without graceful restart", time.Now(), func(s *neighbor.Settings) { s.Restart.Without = neighbor.AllFamilies }, "none"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.server.config.LastRun = tt.lastRun
			flags := func(from string) string {
				r := w.connect(from)
				r.send(openOf(ourAS, "10.0.0.1")...)
				m, refused := readOpen(r.expect(typeOpen))
				if refused != nil {
					t.Fatal(refused)
				}
				r.expect(typeKeepalive)
				r.send(message(typeKeepalive)...)
				defer r.conn.Close()
				eventually(t, "a session", func() bool {
					return slices.ContainsFunc(w.server.Status(), func(s neighbor.Status) bool {
						return s.Settings.Address.String() == from && s.State == neighbor.Established
					})
				}, func() any { return w.server.Status() })
				text := map[bool]string{true: "R", false: "-"}[m.Restart.Restarting]
				switch {
				case !m.Has(neighbor.CapGracefulRestart):
					return "none"
				case m.Restart.Preserved == m.Restart.Families:
					return text + "F"
				case m.Restart.Preserved == 0:
					return text + "-"
				}
				return text + "?"
			}
			one := settings()
			if tt.change != nil {
				tt.change(&one)
			}
			two := one
			two.Name, two.Address = "mx2", second
			w.add(one)
			w.add(two)
			again := "-F"
			if tt.want == "none" {
				again = "none"
			}
			for _, step := range []struct{ from, want string }{{routerAddr, tt.want}, {routerAddr, again}, {anotherAddr, tt.want}, {routerAddr, again}} {
				if got := flags(step.from); got != step.want {
					t.Errorf("to %s: got %s, want %s", step.from, got, step.want)
				}
				eventually(t, "the loss", func() bool { return w.connections() == 0 }, func() any { return w.connections() })
			}
			one.HoldTime = 30
			w.server.Suspend(one.Address)
			w.add(one)
			if got := flags(routerAddr); got != again {
				t.Errorf("after a change: got %s, want %s", got, again)
			}
			eventually(t, "the loss", func() bool { return w.connections() == 0 }, func() any { return w.connections() })
			w.server.Remove(one.Address)
			w.add(one)
			gone := "--" // it was told to drop what it had
			if tt.want == "none" {
				gone = "none"
			}
			if got := flags(routerAddr); got != gone {
				t.Errorf("after it was removed and added: got %s, want %s", got, gone)
			}
		})
	}
}

// TestQuarantine: a neighbor in quarantine is neither dialed nor answered, until
// its settings change.
func TestQuarantine(t *testing.T) {
	w := newWorld(t, nil)
	addr := netip.MustParseAddr(routerAddr)
	w.server.quarantine[addr] = true
	w.add(settings())
	w.connect(routerAddr).expectClosed()
	s := w.server.Status()[0]
	if s.State != neighbor.Idle || s.Cause != neighbor.CauseQuarantined || s.Advice(neighbor.Local{}) == "" {
		t.Errorf("status %+v", s)
	}
	w.server.Suspend(addr)
	established(t, w)
}

func TestShutdown(t *testing.T) {
	w := newWorld(t, nil)
	router, session := established(t, w)
	w.server.Shutdown("back in five minutes")
	if n := router.expectNotification(6, 9); n.Communication() != "back in five minutes" {
		t.Errorf("NOTIFICATION %s", n)
	}
	session.expectClosed()
	w.connect(routerAddr).expectClosed()
	eventually(t, "the engine to forget the session", func() bool { return w.engine.expected.Load() == 0 },
		func() any { return w.engine.expected.Load() })
}

// TestSilentRouter: the wire notices a router that says nothing, even when the
// engine's word does not get through because the router does not read either.
func TestSilentRouter(t *testing.T) {
	w := newWorld(t, nil)
	w.add(settings())
	router := w.connect(routerAddr)
	router.conn.SetReadBuffer(4096)
	caps := []bgp.ParameterCapabilityInterface{bgp.NewCapMultiProtocol(bgp.RF_IPv4_VPN)}
	open, err := bgp.NewBGPOpenMessage(ourAS, 3, "10.0.0.1", []bgp.OptionParameterInterface{bgp.NewOptionParameterCapability(caps)}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	router.send(open...)
	router.expect(typeOpen)
	router.send(message(typeKeepalive)...)
	w.waitState(neighbor.Established)
	session := w.engine.session(t)
	go func() {
		update := message(typeUpdate, make([]byte, 4000)...)
		for range 10_000 { // until every buffer on the way is full
			if _, err := session.conn.Write(update); err != nil {
				return
			}
		}
	}()
	w.waitReason("the neighbor was silent for longer than the hold time")
}
