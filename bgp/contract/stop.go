package contract

import (
	"fmt"
	"net"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
)

// stop: every session ends without a word, also beside a neighbor that neither
// reads nor closes. Run returns, and nothing is left: no session, no socket, no
// goroutine.
func stop(w *world) {
	goroutines, before := w.goroutines(), sockets()
	w.advertise(web4)
	c := w.config(vpn...)
	c.Active = true
	passive := w.record(c)
	passive.added()
	active := w.peer(vpn...)
	member := w.member(red)
	w.tell(append(w.neighbors, settingsOf(w.config(vpn...)))...) // nobody is there
	deaf := w.hang()
	routers := []*router{passive, active, member}
	for _, r := range routers {
		r.told(plus(web4))
		r.toldEnds()
	}

	w.stop()
	for _, r := range routers {
		r.isLost()
		if word := r.Notification(); word != "" {
			w.Errorf("%s got NOTIFICATION %s", r.settings.Name, word)
		}
		r.lacks(web4, notEstablished)
		r.has()
		r.Close()
	}
	for _, s := range w.Neighbors() {
		if isEstablished(s) || s.Advertised != 0 {
			w.Errorf("after the end %s is %s and has %d routes", s.Settings.Name, s.State, s.Advertised)
		}
	}
	l, err := net.Listen("tcp", w.net.Host(1).String())
	if err != nil {
		w.Fatalf("the address is still in use: %v", err)
	}
	l.Close()
	w.must(deaf.Close())
	w.eventually("no socket is left over", func() error {
		if n := sockets(); n > before-len(w.Addrs()) {
			return fmt.Errorf("there are %d; before the first session there were %d, and one of them listened", n, before)
		}
		return nil
	})
	w.noMoreGoroutines(goroutines)
}

// shutdown: every neighbor loses every route, and is told why. None gets a
// session again.
func shutdown(w *world) {
	w.advertise(web4, web6)
	c := w.config(vpn...)
	c.Active = true
	connects := w.record(c)
	connects.added()
	waits, member := w.peer(vpn...), w.member(red)
	for _, r := range []*router{connects, waits} {
		r.told(plus(web4), plus(web6))
		r.toldEnds()
	}
	member.told(plus(web4), plus(web6))
	member.toldEnds()
	w.must(w.Shutdown(w.Context(), "moved away"))
	for _, r := range []*router{connects, waits, member} {
		r.told(minus(web4), minus(web6))
		r.isNotified("6/2 moved away")
		r.lacks(web4, notEstablished)
	}
	connects.await("it to stay away", func(s neighbor.Status) bool { return s.Established == 1 && s.Cause == neighbor.CauseStopped })
	w.stop()
}

// shutdownBesideDeaf: a neighbor that does not read does not hold up the others.
func shutdownBesideDeaf(w *world) {
	w.advertise(web4)
	r := w.peer(vpn...)
	r.told(plus(web4))
	r.toldEnds()
	w.hang()
	w.must(w.Shutdown(w.Context(), ""))
	r.told(minus(web4))
	r.isNotified("6/2")
}

// hang makes one more neighbor that is established and then does nothing.
func (w *world) hang() net.Conn {
	w.Helper()
	c := w.config(vpn...)
	c.Active = true
	w.tell(append(w.neighbors, settingsOf(c))...)
	conn, err := lab.DialAs(w.Context(), c.Addr.Addr(), c.Peer)
	w.must(err)
	w.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	w.must(lab.SendMessage(conn, lab.OpenMessage(c)))
	_, err = lab.ReadMessage(conn) // the OPEN
	w.must(err)
	w.must(lab.SendMessage(conn, bgp.NewBGPKeepAliveMessage()))
	w.await(w, settingsOf(c).Name, "a session", isEstablished)
	return conn
}

// stopBeforeSessions: a speaker ends also when nobody was ever there.
func stopBeforeSessions(w *world) {
	c := w.config(vpn...)
	c.Active = true
	w.tell(settingsOf(c), settingsOf(w.config(vpn...)))
	w.stop()
	for _, s := range w.Neighbors() {
		if s.State != neighbor.Idle {
			w.Errorf("after the end %s is %s: %s", s.Settings.Name, s.State, s.Reason)
		}
	}
}
