package wire

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
)

func TestSession(t *testing.T) {
	// In every case the router's connection ends up with the engine, and
	// messages pass in both directions.
	for _, tt := range []struct {
		name          string
		dial, connect bool // we dial; the router connects
	}{
		{"passive", false, true},
		{"dialing", true, false},
		{"both", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			var router *end
			change := func(*neighbor.Settings) {}
			l := listenAs(t, routerAddr)
			if tt.dial {
				change = dialed(l)
			}
			w.add(settings(change))
			if tt.dial {
				router = accept(t, l)
			}
			if tt.connect {
				second := w.connect(routerAddr)
				if router != nil {
					eventually(t, "both connections", func() bool { return w.connections() == 2 }, func() any { return w.connections() })
					// Our identifier is lower: the router's connection wins.
					router.send(openOf(ourAS, "10.0.0.9")...)
					defer router.expectNotification(6, 7)
				}
				router = second
			}
			router.establish("10.0.0.9")
			session := w.engine.session(t)
			session.expect(typeOpen)
			session.expect(typeKeepalive)

			// The engine only learns that the router is alive.
			router.send(message(typeUpdate, 0, 0, 0, 0)...)
			session.expect(typeKeepalive)
			session.send(message(typeKeepalive)...)
			router.expect(typeKeepalive)
			s := w.waitState(neighbor.Established)
			if s.Reason != "" || s.Established != 1 || s.RemoteAddress.String() != router.conn.LocalAddr().String() ||
				s.LocalAddress.String() != router.conn.RemoteAddr().String() {
				t.Errorf("status %+v", s)
			}
			if s.Negotiated() != neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget) ||
				s.OpenReceived.RouterID.String() != "10.0.0.9" || s.OpenSent.RouterID != ourID {
				t.Errorf("sent %+v, received %+v", s.OpenSent, s.OpenReceived)
			}
			if s.Sent.Updates != 1 || s.Sent.Opens != 1 || s.Sent.Keepalives != 2 || s.Received.Updates != 1 || s.Received.Keepalives != 1 {
				t.Errorf("counters %+v %+v", s.Sent, s.Received)
			}
			if n := w.engine.accepted.Load(); n != 1 {
				t.Errorf("%d connections reached the engine", n)
			}
		})
	}
}

// established brings a passive neighbor up.
func established(t testing.TB, w *world) (*end, *engineSession) {
	t.Helper()
	w.add(settings())
	router := w.connect(routerAddr)
	router.establish("10.0.0.1")
	session := w.engine.session(t)
	session.expect(typeOpen)
	session.expect(typeKeepalive)
	w.waitState(neighbor.Established)
	return router, session
}

func TestUnknownType(t *testing.T) {
	fatal := header(19, 0xff)
	t.Run("before OPEN", func(t *testing.T) {
		w := newWorld(t, nil)
		w.add(settings())
		router := w.connect(routerAddr)
		router.send(fatal...)
		if n := router.expectNotification(1, 3); !bytes.Equal(n.Data, []byte{0xff}) {
			t.Errorf("data %x", n.Data)
		}
		w.waitReason("the neighbor sent a message of the unknown type 255")
		if n := w.engine.accepted.Load(); n != 0 {
			t.Errorf("%d connections reached the engine", n)
		}
	})
	t.Run("with the OPEN", func(t *testing.T) {
		w := newWorld(t, nil)
		w.engine.deaf.Store(1 << 30)
		w.add(settings())
		router := w.connect(routerAddr)
		router.send(append(openOf(ourAS, "10.0.0.1"), fatal...)...)
		router.expectNotification(1, 3)
	})
	t.Run("established", func(t *testing.T) {
		w := newWorld(t, nil)
		router, session := established(t, w)
		router.send(fatal...)
		router.expectNotification(1, 3)
		session.expectClosed()
		s := w.waitState(neighbor.Active)
		if s.Received.Refused != 1 || s.NotificationSent == nil || s.NotificationSent.Code != 1 {
			t.Errorf("status %+v", s)
		}
		kept := s.BadMessages
		if len(kept) != 1 || !bytes.Equal(kept[0].Bytes, fatal) || kept[0].Reason != s.Reason {
			t.Errorf("kept %+v", kept)
		}
	})
}

func TestRefusedMessagesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	w.add(settings())
	for i := range byte(keptMessages + 2) {
		router := w.connect(routerAddr)
		router.send(header(19, 100+i)...)
		router.expectNotification(1, 3)
	}
	kept := w.server.Status()[0].BadMessages
	if len(kept) != keptMessages || kept[0].Bytes[18] != 102 || kept[keptMessages-1].Bytes[18] != 109 {
		t.Errorf("kept %+v", kept)
	}
}

func TestStateMachineErrors(t *testing.T) {
	open := openOf(ourAS, "10.0.0.1")
	update := message(typeUpdate, 0, 0, 0, 0)
	refresh := message(typeRouteRefresh, 0, 1, 0, 128)
	for _, tt := range []struct {
		name    string
		first   []byte // before we answer
		then    []byte // after our OPEN and KEEPALIVE
		subcode byte
		reason  string
	}{
		{"keepalive first", message(typeKeepalive), nil, 1, "the neighbor sent a KEEPALIVE before its OPEN"},
		{"update first", update, nil, 1, "the neighbor sent an UPDATE before its OPEN"},
		{"second open", open, open, 2, "the neighbor sent an OPEN after its OPEN"},
		{"early update", open, update, 2, "the neighbor sent an UPDATE before the session was established"},
		{"early route refresh", open, refresh, 2, "the neighbor sent a ROUTE-REFRESH before the session was established"},
		{"late open", open, open, 3, "the neighbor sent an OPEN in an established session"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.add(settings())
			router := w.connect(routerAddr)
			router.send(tt.first...)
			if tt.then != nil {
				router.expect(typeOpen)
				router.expect(typeKeepalive)
				if tt.subcode == 3 {
					router.send(message(typeKeepalive)...)
					router.expect(typeUpdate)
				}
				router.send(tt.then...)
			}
			router.expectNotification(5, tt.subcode)
			w.waitReason(tt.reason)
		})
	}
}

func TestImpatientNeighbor(t *testing.T) {
	// OPEN and KEEPALIVE at once: our own OPEN would have crossed them.
	w := newWorld(t, nil)
	w.engine.deaf.Store(3)
	w.add(settings())
	router := w.connect(routerAddr)
	router.send(append(openOf(ourAS, "10.0.0.1"), message(typeKeepalive)...)...)
	router.send(message(typeKeepalive)...)
	router.expect(typeOpen)
	router.expect(typeKeepalive)
	session := w.engine.session(t)
	session.expect(typeOpen)
	session.expect(typeKeepalive)
	w.waitState(neighbor.Established)
}

func TestBadOpen(t *testing.T) {
	for _, tt := range []struct {
		name    string
		open    []byte
		subcode byte
		reason  string
	}{
		{"wrong AS", openOf(64999, "10.0.0.1"), 2, "the neighbor says it is AS 64999; configured is 64512"},
		{"our router id", openOf(ourAS, ourID.String()), 3, "the neighbor has our own router id 10.0.0.2"},
		{"version", rawOpen(3, 90, ourAS, someID, 0), 1, "the neighbor sent an OPEN with version 3"},
		{"hold time", rawOpen(4, 2, ourAS, someID, 0), 6, "the neighbor sent an OPEN with a hold time of 2 s"},
		{"no hold time", rawOpen(4, 0, ourAS, someID, 0), 6, "the neighbor proposes a hold time of 0; it must be at least 3 s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.add(settings())
			router := w.connect(routerAddr)
			router.send(tt.open...)
			router.expectNotification(2, tt.subcode)
			s := w.waitReason(tt.reason)
			if s.State != neighbor.Active || s.NotificationSent == nil || s.Received.Refused != 1 {
				t.Errorf("status %+v", s)
			}
			if n := w.engine.accepted.Load(); n != 0 {
				t.Errorf("%d connections reached the engine", n)
			}
		})
	}
}

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

func TestConnectFailed(t *testing.T) {
	w := newWorld(t, nil)
	l := listenAs(t, routerAddr)
	address := l.Addr()
	l.Close()
	w.add(settings(dialed(l)))
	w.waitReason(fmt.Sprintf("connect to %s: connection refused", address))
}

func TestDelayOpen(t *testing.T) {
	// A router that waits for our OPEN gets it.
	w := newWorld(t, func(t *timers) { t.delayOpen = time.Millisecond })
	w.add(settings())
	router := w.connect(routerAddr)
	router.expect(typeOpen)
	w.waitState(neighbor.OpenSent)
	router.send(openOf(ourAS, "10.0.0.1")...)
	router.expect(typeKeepalive)
	w.waitState(neighbor.OpenConfirm)
	router.send(message(typeKeepalive)...)
	w.waitState(neighbor.Established)
}

func TestNoOpenAtAll(t *testing.T) {
	w := newWorld(t, func(t *timers) { t.openHold = time.Millisecond })
	w.add(settings())
	w.connect(routerAddr).expectNotification(4, 0)
	w.waitReason("the neighbor sent no OPEN")
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

func TestDeafEngine(t *testing.T) {
	w := newWorld(t, nil)
	w.engine.deaf.Store(5)
	w.add(settings())
	router := w.connect(routerAddr)
	router.establish("10.0.0.1")
	w.waitState(neighbor.Established)
	if n := w.engine.accepted.Load(); n != 6 {
		t.Errorf("the engine was dialed %d times", n)
	}
}

func TestRouterLeavesDeafEngine(t *testing.T) {
	w := newWorld(t, nil)
	w.engine.deaf.Store(1 << 30)
	w.add(settings())
	router := w.connect(routerAddr)
	router.send(openOf(ourAS, "10.0.0.1")...)
	w.waitReason("connected, waiting for the engine: closed by the other side")
	router.conn.Close()
	w.waitReason("connection lost: closed by the other side")
}

func TestLinkKey(t *testing.T) {
	for _, tt := range []struct {
		key string
		ok  bool
	}{{"right", true}, {"wrong", false}, {"", false}} {
		t.Run("key "+tt.key, func(t *testing.T) {
			w := newWorld(t, func(t *timers) { t.connect = 300 * time.Millisecond })
			engine := newFakeEngine(t, "right")
			engine.linkKey = tt.key
			w.server.config.Engine = engine
			w.add(settings())
			router := w.connect(routerAddr)
			router.send(openOf(ourAS, "10.0.0.1")...)
			if tt.ok {
				router.expect(typeOpen)
				return
			}
			w.waitReason("connected, waiting for the engine: timed out")
			if n := engine.accepted.Load(); n != 0 {
				t.Errorf("%d connections reached the engine", n)
			}
		})
	}
}

func TestUnconfiguredAddress(t *testing.T) {
	w := newWorld(t, nil)
	w.add(settings())
	w.connect(anotherAddr).expectClosed()
	w.connect(anotherAddr).expectClosed()
	var r neighbor.Refused
	eventually(t, "two refusals", func() bool { r = w.server.Refused(); return r.Count == 2 }, func() any { return r })
	if r.Address.String() != anotherAddr || r.Time.IsZero() {
		t.Errorf("refused %+v", r)
	}
}

func TestTooManyConnections(t *testing.T) {
	w := newWorld(t, nil)
	w.add(settings())
	for range maxConnections {
		w.connect(routerAddr)
	}
	eventually(t, "all to be there", func() bool { return w.connections() == maxConnections }, func() any { return w.connections() })
	w.connect(routerAddr).expectClosed()
}

// connections counts those of the only neighbor.
func (w *world) connections() int {
	p := w.server.peers[netip.MustParseAddr(routerAddr)]
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.connections)
}

func TestAddAndStatus(t *testing.T) {
	w := newWorld(t, nil)
	w.add(settings())
	if err := w.server.Add(settings()); err == nil || err.Error() != "add neighbor mx1: there is one with the address 127.0.0.2" {
		t.Errorf("Add: %v", err)
	}
	w.add(settings(func(s *neighbor.Settings) { s.Name, s.Address = "mx0", netip.MustParseAddr(anotherAddr) }))
	list := w.server.Status()
	if len(list) != 2 || list[0].Settings.Name != "mx0" || list[1].Reason != "waiting for the neighbor to connect" || list[1].State != neighbor.Active {
		t.Errorf("status %+v", list)
	}
	w.end()
	if err := w.server.Add(settings()); err == nil {
		t.Error("Add after the end was accepted")
	}
}

func TestAddBeforeRun(t *testing.T) {
	s, err := Listen(Config{Listen: []string{"127.0.0.1:0", "[::1]:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if err := s.Add(settings()); err != nil {
		t.Fatal(err)
	}
	if got := s.Status()[0].State; got != neighbor.Idle {
		t.Errorf("state %s", got)
	}
	s.Remove(netip.MustParseAddr(routerAddr))
	if got := len(s.Status()); got != 0 {
		t.Errorf("%d neighbors are left", got)
	}
}

func TestListenErrors(t *testing.T) {
	taken := listenAs(t, "127.0.0.1").Addr().String()
	for text, want := range map[string]string{
		":179": "listen on :179: expected an address and a port, for example 0.0.0.0:179",
		taken:  "listen on " + taken + ": address already in use",
	} {
		if _, err := Listen(Config{Listen: []string{"127.0.0.1:0", text}}); err == nil || err.Error() != want {
			t.Errorf("Listen(%s): %v", text, err)
		}
	}
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

func TestEngineRefuses(t *testing.T) {
	w := newWorld(t, nil)
	w.engine.refuse = errors.New("it is full")
	w.add(settings())
	router := w.connect(routerAddr)
	router.send(openOf(ourAS, "10.0.0.1")...)
	w.waitReason("the engine refused the session: it is full")
	router.expectClosed()
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
