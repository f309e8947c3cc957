package wire

import (
	"net/netip"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
)

// Whoever waits is told of each new state and reason, and of no counter.
func TestChanged(t *testing.T) {
	w := newWorld(t, nil)
	count, next := w.server.Changed()
	told := func(what string, want bool) {
		t.Helper()
		now, later := w.server.Changed()
		select {
		case <-next:
			if !want || now == count {
				t.Errorf("%s: told, from %d to %d; want it told: %t", what, count, now, want)
			}
		default:
			if want || now != count {
				t.Errorf("%s: not told, from %d to %d; want it told: %t", what, count, now, want)
			}
		}
		count, next = now, later
	}
	told("nothing", false)
	router, session := established(t, w)
	told("established", true)
	before := w.waitState(neighbor.Established).Received.Updates
	router.send(message(typeUpdate, 0, 0, 0, 0)...)
	session.expect(typeKeepalive)
	eventually(t, "an UPDATE", func() bool { return w.server.Status()[0].Received.Updates > before }, func() any { return w.server.Status() })
	told("a counter", false)
	w.server.SetPolicy(netip.MustParseAddr(routerAddr), neighbor.Policy{MaxAdvertised: 1})
	told("a policy", true)
	router.conn.Close()
	w.waitState(neighbor.Active)
	told("lost", true)
	w.server.Remove(netip.MustParseAddr(routerAddr))
	told("removed", true)
}
