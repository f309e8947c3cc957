package wire

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/buoynet/buoy/bgp/ribin"
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
	s, err := Listen(Config{Received: ribin.NewTable(ribin.Local{}), Listen: []string{"127.0.0.1:0", "[::1]:0"}})
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

func TestEngineRefuses(t *testing.T) {
	w := newWorld(t, nil)
	w.engine.refuse = errors.New("it is full")
	w.add(settings())
	router := w.connect(routerAddr)
	router.send(openOf(ourAS, "10.0.0.1")...)
	w.waitReason("the engine refused the session: it is full")
	router.expectClosed()
}
