package contract

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
)

// active: the speaker connects to a neighbor, from the address that it listens
// on, and both OPENs are seen.
func active(w *world) {
	r := w.record(w.config(vpn...))
	r.settings.Families = neighbor.AllFamilies
	r.added()
	s := r.await("a session", isEstablished)
	if s.RemoteAddress != r.Config().Addr || s.LocalAddress.Addr() != w.net.Host(1).Addr() {
		w.Errorf("the session is %s to %s", s.LocalAddress, s.RemoteAddress)
	}
	if s.Reason != "" || s.Established != 1 || s.Flaps != 0 || time.Since(s.LastUp) < 0 || s.Since != s.LastUp {
		w.Errorf("the session is seen as %+v", s)
	}
	sent, got := s.OpenSent, s.OpenReceived
	if sent == nil || sent.AS != ourAS || sent.RouterID != ourID(1) || sent.HoldTime != neighbor.DefaultHoldTime*time.Second || sent.Families != neighbor.AllFamilies {
		w.Errorf("OPEN sent: %+v", sent)
	}
	if got == nil || got.AS != ourAS || got.RouterID != r.Config().RouterID {
		w.Errorf("OPEN received: %+v", got)
	}
	if f := s.Negotiated(); f != neighbor.NewFamilies(neighbor.InetVPN, neighbor.Inet6VPN) {
		w.Errorf("negotiated: %s", f)
	}
	r.toldEnds()
	w.nothingElse(r)
}

// passive: the speaker waits until the neighbor connects.
func passive(w *world) {
	c := w.config(vpn...)
	c.Active = true
	w.tell(settingsOf(c))
	w.await(w, settingsOf(c).Name, "it to be waited for", func(s neighbor.Status) bool { return s.Cause == neighbor.CauseWaiting })
	r := w.record(c)
	s := r.await("a session", isEstablished)
	if s.LocalAddress != w.net.Host(1) || s.RemoteAddress.Addr() != r.addr() || s.LocalAddress != w.Addrs()[0] {
		w.Errorf("the session is %s to %s; Addrs returns %s", s.LocalAddress, s.RemoteAddress, w.Addrs())
	}
	r.toldEnds()
	w.nothingElse(r)
}

// stranger: whoever is no neighbor gets no word, also when it was one before.
func stranger(w *world) {
	r := w.peer(vpn...)
	w.tell()
	r.isNotified("6/3")
	for _, host := range []byte{200, 10 + w.routers} {
		conn, err := lab.DialAs(w.Context(), w.net.Host(host).Addr(), w.Addrs()[0])
		w.must(err)
		conn.SetDeadline(time.Now().Add(patience))
		if said, err := io.ReadAll(conn); len(said) > 0 || err != nil {
			w.Errorf("host %d got %x, %v", host, said, err)
		}
		conn.Close()
	}
	if list := w.Neighbors(); len(list) != 0 {
		w.Errorf("there are neighbors: %v", list)
	}
}

// flapsOfActive: the speaker connects again.
func flapsOfActive(w *world) { flaps(w, w.config(vpn...), 3) }

// flapsOfPassive: the neighbor connects again.
func flapsOfPassive(w *world) {
	c := w.config(vpn...)
	c.Active = true
	flaps(w, c, 10)
}

// flaps loses a session so many times. Each time all is said again, and nothing
// is left over.
func flaps(w *world, c lab.GatewayConfig, n uint64) {
	w.advertise(web4, web6)
	settings := settingsOf(c)
	w.tell(settings)
	w.await(w, settings.Name, "nobody to be there", func(s neighbor.Status) bool {
		return s.Cause == neighbor.CauseWaiting || s.Cause == neighbor.CauseConnectionRefused
	})
	before := w.goroutines()
	for flap := range n {
		r := w.record(c)
		r.await("a session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == flap+1 })
		r.told(plus(web4), plus(web6))
		r.toldEnds()
		r.has(web4, web6)
		r.Close()
		s := r.await("the loss to be counted", func(s neighbor.Status) bool { return s.Flaps == flap+1 })
		if n := len(s.Losses); n != min(int(flap)+1, neighbor.KeptLosses) || s.Losses[n-1] != s.LastDown || s.Losses[0].After(s.LastDown) {
			w.Errorf("after %d losses the last of %v was at %s", flap+1, s.Losses, s.LastDown)
		}
		if isEstablished(s) || s.Reason == "" || s.Since != s.LastDown {
			w.Errorf("a lost session is %s: %q", s.State, s.Reason)
		}
		r.lacks(web4, notEstablished)
		r.has()
	}
	w.noMoreGoroutines(before)
}

// twoSpeakers: of two that connect to each other at once, one connection
// survives. Each time.
func twoSpeakers(w *world) {
	a, b := w.running, w.second
	peer := neighbor.Settings{Name: "peer", Port: w.net.Host(1).Port(), AS: ourAS, Families: neighbor.NewFamilies(neighbor.InetVPN)}
	toA, toB := peer, peer
	toA.Address, toB.Address = w.net.Host(1).Addr(), w.net.Host(2).Addr()
	for range 5 {
		both := make(chan error, 2)
		go func() { both <- a.SetNeighbors(w.Context(), []neighbor.Settings{toB}) }()
		go func() { both <- b.SetNeighbors(w.Context(), []neighbor.Settings{toA}) }()
		w.must(errors.Join(<-both, <-both))
		w.eventually("both are established, over one connection", func() error {
			x, y := a.Neighbors()[0], b.Neighbors()[0]
			if !isEstablished(x) || !isEstablished(y) || x.LocalAddress != y.RemoteAddress || x.RemoteAddress != y.LocalAddress {
				return fmt.Errorf("%s %s → %s: %s; %s %s → %s: %s", x.State, x.LocalAddress, x.RemoteAddress, x.Reason, y.State, y.LocalAddress, y.RemoteAddress, y.Reason)
			}
			return nil
		})
		w.must(a.SetNeighbors(w.Context(), nil))
		w.must(b.SetNeighbors(w.Context(), nil))
	}
}
