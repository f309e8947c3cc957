package wire

import (
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

const (
	lowerID  = "10.0.0.1" // than ours: our connection wins
	higherID = "10.0.0.9" // the router's wins
)

// collide makes one connection in each direction.
func collide(t *testing.T, w *world) (ours, theirs *end) {
	t.Helper()
	l := listenAs(t, routerAddr)
	w.add(settings(dialed(l)))
	ours = accept(t, l)
	theirs = w.connect(routerAddr)
	eventually(t, "both connections", func() bool { return w.connections() == 2 }, func() any { return w.connections() })
	return ours, theirs
}

func TestCollision(t *testing.T) {
	for _, tt := range []struct {
		name string
		id   string
		// order picks who says OPEN first
		order func(ours, theirs *end) (first, second *end)
		oursW bool
	}{
		{"ours wins and is first", lowerID, func(o, t *end) (*end, *end) { return o, t }, true},
		{"ours wins and is second", lowerID, func(o, t *end) (*end, *end) { return t, o }, true},
		{"theirs wins and is first", higherID, func(o, t *end) (*end, *end) { return t, o }, false},
		{"theirs wins and is second", higherID, func(o, t *end) (*end, *end) { return o, t }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			ours, theirs := collide(t, w)
			first, second := tt.order(ours, theirs)
			first.send(openOf(ourAS, tt.id)...)
			w.wait("the first OPEN", func(s neighbor.Status) bool { return s.Received.Opens == 1 })
			second.send(openOf(ourAS, tt.id)...)
			winner, loser := theirs, ours
			if tt.oursW {
				winner, loser = ours, theirs
			}
			loser.expectNotification(6, 7)
			winner.expect(typeOpen)
			winner.expect(typeKeepalive)
			winner.send(message(typeKeepalive)...)
			s := w.waitState(neighbor.Established)
			if s.RemoteAddress.String() != winner.conn.LocalAddr().String() {
				t.Errorf("status %+v", s)
			}
			if n := w.engine.accepted.Load(); n != 1 {
				t.Errorf("%d connections reached the engine", n)
			}
		})
	}
}

func TestCollisionWinnerStaysSilent(t *testing.T) {
	w := newWorld(t, func(t *timers) { t.collision = 20 * time.Millisecond })
	ours, theirs := collide(t, w)
	ours.establish(higherID) // theirs would win
	w.waitState(neighbor.Established)
	theirs.send(openOf(ourAS, higherID)...)
	theirs.expectNotification(6, 7)
	w.waitState(neighbor.Established)
}

func TestCollisionWinnerCloses(t *testing.T) {
	w := newWorld(t, nil)
	ours, theirs := collide(t, w)
	ours.send(openOf(ourAS, higherID)...)
	w.wait("the OPEN", func(s neighbor.Status) bool { return s.Received.Opens == 1 })
	theirs.conn.Close()
	ours.expect(typeOpen)
}

func TestCollisionTakesOver(t *testing.T) {
	// Ours is already with the engine when the winner appears.
	w := newWorld(t, nil)
	l := listenAs(t, routerAddr)
	w.add(settings(dialed(l)))
	ours := accept(t, l)
	ours.send(openOf(ourAS, higherID)...)
	ours.expect(typeOpen)
	ours.expect(typeKeepalive)
	w.waitState(neighbor.OpenConfirm)
	first := w.engine.session(t)
	first.expect(typeOpen)

	theirs := w.connect(routerAddr)
	theirs.send(openOf(ourAS, higherID)...)
	ours.expectNotification(6, 7)
	first.expectClosed()
	theirs.expect(typeOpen)
	theirs.expect(typeKeepalive)
	theirs.send(message(typeKeepalive)...)
	w.waitState(neighbor.Established)
}

func TestCollisionTwoInbound(t *testing.T) {
	w := newWorld(t, nil)
	w.engine.deaf.Store(1 << 30)
	w.add(settings())
	older := w.connect(routerAddr)
	older.send(openOf(ourAS, lowerID)...)
	w.waitReason("connected, waiting for the engine: closed by the other side")
	newer := w.connect(routerAddr)
	newer.send(openOf(ourAS, lowerID)...)
	older.expectNotification(6, 7)
	w.engine.deaf.Store(0)
	newer.expect(typeOpen)
}

// TestCollisionWithEstablished: a session that is up stays, unless the router
// has graceful restart: then it may have restarted without our notice (RFC 4724
// §5).
func TestCollisionWithEstablished(t *testing.T) {
	t.Run("without graceful restart", func(t *testing.T) {
		w := newWorld(t, nil)
		w.add(settings())
		older := w.connect(routerAddr)
		older.establishWith(openWith(nil))
		w.waitState(neighbor.Established)
		newer := w.connect(routerAddr)
		newer.send(openWith(nil)...)
		newer.expectNotification(6, 7)
		if s := w.waitState(neighbor.Established); s.Established != 1 || s.Reason != "" {
			t.Errorf("status %+v", s)
		}
	})
	t.Run("with graceful restart", func(t *testing.T) {
		w := newWorld(t, nil)
		older, session := established(t, w)
		silent := w.connect(routerAddr) // it may be anybody
		newer := w.connect(routerAddr)
		newer.send(openOf(ourAS, lowerID)...)
		if got := older.lastWords(); got != "" {
			t.Errorf("the older one was told %s", got)
		}
		session.expectClosed()
		newer.expect(typeOpen)
		newer.expect(typeKeepalive)
		newer.send(message(typeKeepalive)...)
		s := w.wait("the second session", func(s neighbor.Status) bool { return s.Established == 2 && s.State == neighbor.Established })
		if s.Flaps != 1 {
			t.Errorf("status %+v", s)
		}
		silent.conn.Close()
	})
}

func TestWinsBetweenEqualIdentifiers(t *testing.T) {
	// RFC 6286 §2.3: then the higher AS.
	for _, tt := range []struct {
		as   uint32
		ours bool
	}{{ourAS - 1, true}, {ourAS + 1, false}} {
		p := &peer{config: Config{LocalAS: ourAS, RouterID: ourID}}
		open := &neighbor.Open{AS: tt.as, RouterID: ourID}
		ours, theirs := &connection{outbound: true}, &connection{open: open}
		if p.wins(ours, theirs) != tt.ours || p.wins(theirs, ours) == tt.ours {
			t.Errorf("AS %d: ours wins: %t", tt.as, p.wins(ours, theirs))
		}
	}
}
