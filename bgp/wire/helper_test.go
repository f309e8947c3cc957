package wire

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// withRestart is an OPEN for VPNv4 with graceful restart: flags, a restart time
// in seconds, and whether forwarding was preserved.
func withRestart(flags byte, seconds byte, preserved byte) []byte {
	return openWith([]byte{neighbor.CapGracefulRestart, 6, flags, seconds, 0, 1, 128, preserved})
}

const notifies = 0x40 // RFC 8538

// TestHelper: which ends of a session leave the routes of the router as stale,
// and what becomes of them.
func TestHelper(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flags  byte
		end    []byte // what the router says before it closes
		change func(*neighbor.Settings)
		keeps  bool
	}{
		{"closed", 0, nil, nil, true},
		{"NOTIFICATION", 0, message(typeNotification, 6, 4), nil, false},
		{"NOTIFICATION that is graceful", notifies, message(typeNotification, 6, 4), nil, true},
		{"Hard Reset", notifies, message(typeNotification, 6, 9, 6, 2), nil, false},
		{"our NOTIFICATION", 0, header(19, 77), nil, false},
		{"our NOTIFICATION that is graceful", notifies, header(19, 77), nil, true},
		{"closed, and we have no graceful restart", 0, nil, func(s *neighbor.Settings) { s.Restart.Without = neighbor.AllFamilies }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, nil)
			s := settings(func(s *neighbor.Settings) { s.MaxReceived = 10 })
			if tt.change != nil {
				tt.change(&s)
			}
			w.add(s)
			router := w.connect(routerAddr)
			router.establishWith(withRestart(tt.flags, 120, 0x80))
			router.send(update(reach, origin, asPath, localPref)...)
			w.wait("the route", func(s neighbor.Status) bool { return s.Taken == 1 && s.Stale == 0 })
			if tt.end != nil {
				router.send(tt.end...)
			}
			if tt.end == nil || tt.end[18] == typeNotification {
				router.conn.Close()
			}
			w.waitState(neighbor.Active)
			if s := w.server.Status()[0]; s.Stale != s.Taken || (s.Taken == 1) != tt.keeps {
				t.Errorf("%d routes, %d of them stale", s.Taken, s.Stale)
			}
		})
	}
}

// TestEnded: the status has the families whose End-of-RIB the router has sent, and who
// waits for a change is told.
func TestEnded(t *testing.T) {
	w := newWorld(t, nil)
	w.add(settings())
	router := w.connect(routerAddr)
	router.establishWith(withRestart(0, 120, 0x80))
	w.waitState(neighbor.Established)
	_, next := w.server.Changed()
	if got := w.server.Status()[0].Ended; got != 0 {
		t.Errorf("at first: got %q, want none", got)
	}
	router.send(update([]byte{0x80, 15, 0, 1, 128})...)
	w.wait("End-of-RIB", func(s neighbor.Status) bool { return s.Ended == neighbor.NewFamilies(neighbor.InetVPN) })
	<-next
}

// TestHelperReturns: what is stale stays while the router is back and has
// preserved it, and goes with its End-of-RIB, or when that does not come.
func TestHelperReturns(t *testing.T) {
	for _, tt := range []struct {
		name      string
		endOfRIB  time.Duration // before we give up
		seconds   byte          // the router's restart time
		back      bool
		preserved byte
		again     []byte // what it then says
		taken     uint64
	}{
		{"with the route and End-of-RIB", time.Minute, 120, true, 0x80, append(update(reach, origin, asPath, localPref), update([]byte{0x80, 15, 0, 1, 128})...), 1},
		{"with End-of-RIB alone", time.Minute, 120, true, 0x80, update([]byte{0x80, 15, 0, 1, 128}), 0},
		{"without having forwarded", time.Minute, 120, true, 0, nil, 0},
		{"without End-of-RIB", 50 * time.Millisecond, 120, true, 0x80, nil, 0},
		{"not at all", time.Minute, 0, false, 0, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(timers *timers) { timers.endOfRIB = tt.endOfRIB })
			w.add(settings(func(s *neighbor.Settings) { s.MaxReceived = 10 }))
			router := w.connect(routerAddr)
			router.establishWith(withRestart(0, tt.seconds, 0x80))
			router.send(update(reach, origin, asPath, localPref)...)
			w.wait("the route", func(s neighbor.Status) bool { return s.Taken == 1 && s.Stale == 0 })
			router.conn.Close()
			w.waitState(neighbor.Active)
			if tt.back {
				router = w.connect(routerAddr)
				router.establishWith(withRestart(0x80, 120, tt.preserved))
				router.send(tt.again...)
			}
			w.wait("the end", func(s neighbor.Status) bool { return s.Stale == 0 && s.Taken == tt.taken })
		})
	}
}

// TestAccept: what is not accepted is left out; what is accepted later is asked
// for in the session that is there. A change of settings keeps what was taken.
func TestAccept(t *testing.T) {
	w := newWorld(t, nil)
	nothing, err := neighbor.ParsePrefixFilter([]string{neighbor.NoPrefix})
	if err != nil {
		t.Fatal(err)
	}
	w.add(settings(func(s *neighbor.Settings) { s.AcceptPrefixes = nothing }))
	router := w.connect(routerAddr)
	router.establish("10.0.0.1")
	router.send(update(reach, origin, asPath, localPref)...)
	w.wait("the UPDATE", func(s neighbor.Status) bool { return s.Filtered == 1 && s.Taken == 0 })
	addr := settings().Address
	w.server.SetPolicy(addr, neighbor.Policy{})
	if got := router.expect(typeRouteRefresh); got[20] != 1 || got[21] != 0 || got[22] != 128 {
		t.Errorf("ROUTE-REFRESH %x", got[19:])
	}
	router.send(update(reach, origin, asPath, localPref)...)
	w.wait("the route", func(s neighbor.Status) bool { return s.Taken == 1 })
	w.server.Suspend(addr)
	w.add(settings(func(s *neighbor.Settings) { s.HoldTime = 30 }))
	if s := w.server.Status()[0]; s.Taken != 1 || s.Stale != 1 {
		t.Errorf("after a change of settings: %d routes, %d of them stale", s.Taken, s.Stale)
	}
	w.server.SetPolicy(addr, neighbor.Policy{AcceptPrefixes: nothing})
	if s := w.server.Status()[0]; s.Taken != 0 {
		t.Errorf("%d routes, and none is to be taken", s.Taken)
	}
}

// TestCannotBeAsked: a router without ROUTE-REFRESH is not asked, which the log
// says once in each session.
func TestCannotBeAsked(t *testing.T) {
	w := newWorld(t, nil)
	var log lines
	w.server.config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	w.add(settings(func(s *neighbor.Settings) { s.MaxReceived = 1 }))
	addr := settings().Address
	for n := 1; n <= 2; n++ {
		router := w.connect(routerAddr)
		router.establishWith(openWith(nil))
		w.waitState(neighbor.Established)
		for range 3 {
			w.server.SetPolicy(addr, neighbor.Policy{MaxReceived: 1})
			w.server.SetPolicy(addr, neighbor.Policy{})
		}
		if got := log.count("no ROUTE-REFRESH"); got != n {
			t.Errorf("in session %d it was said %d times", n, got)
		}
		router.conn.Close()
		w.waitState(neighbor.Active)
	}
}

// lines is what a logger has written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}
