package contract

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// router is a router on a host of its own, and how the speaker knows it.
type router struct {
	*lab.Recorder
	w        *world
	settings neighbor.Settings
	seen     int // how many of its events were compared
}

// vpn is what a router without route target membership has.
var vpn = []lab.Family{lab.VPNv4, lab.VPNv6}

// config returns a router on the next free host that waits for the speaker.
func (w *world) config(families ...lab.Family) lab.GatewayConfig {
	w.routers++
	host := 10 + w.routers
	return lab.GatewayConfig{
		Addr: w.net.Host(host), AS: ourAS, RouterID: netip.AddrFrom4([4]byte{10, 0, 0, host}), Families: families,
		Peer: w.net.Host(1), PeerAS: ourAS,
	}
}

// settingsOf returns the neighbor that a router is. Its name is that of its
// host.
func settingsOf(c lab.GatewayConfig) neighbor.Settings {
	s := neighbor.Settings{
		Name: fmt.Sprintf("mx%d", c.RouterID.As4()[3]), Address: c.Addr.Addr(), Port: c.Addr.Port(), AS: c.AS, Passive: c.Active,
	}
	for _, f := range c.Families {
		family, err := neighbor.ParseFamilies([]string{string(f)})
		if err != nil {
			panic(err)
		}
		s.Families |= family
	}
	return s
}

// record starts a router. It is not yet a neighbor.
func (w *world) record(c lab.GatewayConfig) *router {
	w.Helper()
	recorder, err := lab.Record(c)
	w.must(err)
	w.Cleanup(recorder.Close)
	return &router{Recorder: recorder, w: w, settings: settingsOf(c)}
}

// peer starts a router, makes it one more neighbor and waits for the session.
func (w *world) peer(families ...lab.Family) *router {
	w.Helper()
	r := w.record(w.config(families...))
	r.added()
	return r
}

// added makes the router one more neighbor and waits for the session.
func (r *router) added() {
	r.w.Helper()
	r.w.tell(append(slices.Clone(r.w.neighbors), r.settings)...)
	r.await("a session", isEstablished)
}

func (r *router) addr() netip.Addr { return r.settings.Address }

func (r *router) await(what string, ok func(neighbor.Status) bool) neighbor.Status {
	r.w.Helper()
	return r.w.await(r.w, r.settings.Name, what, ok)
}

// isNotified waits for the speaker's last word.
func (r *router) isNotified(want string) {
	r.w.Helper()
	r.w.eventually("NOTIFICATION "+want, func() error {
		if got := r.Notification(); got != want {
			return fmt.Errorf("%s has got %q", r.settings.Name, got)
		}
		return nil
	})
}

// isLost waits for the end of the router's session.
func (r *router) isLost() {
	r.w.Helper()
	r.w.eventually("the session of "+r.settings.Name+" to end", func() error {
		if r.Connected() {
			return errors.New("it is there")
		}
		return nil
	})
}

// events returns what the router was told. The end of our own membership is
// left out: RFC 4684 §6 has it, but not every engine.
func (r *router) events() []lab.Event {
	return slices.DeleteFunc(r.Events(), func(e lab.Event) bool { return e.EndOfRIB && e.Family == lab.RouteTarget })
}

// told waits for the next events, which may come in any order. Whatever else
// the router was told before them is an error.
func (r *router) told(want ...string) {
	r.w.Helper()
	slices.Sort(want)
	r.w.eventually(r.settings.Name+" is told "+strings.Join(want, ", "), func() error {
		var got []string
		for _, e := range r.events()[r.seen:] {
			if got = append(got, e.String()); len(got) == len(want) {
				break
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			return fmt.Errorf("it was told\n%s", strings.Join(got, "\n"))
		}
		return nil
	})
	r.seen += len(want)
}

// toldEnds waits for the End-of-RIB of each VPN family, and for what may come
// before, between and after them.
func (r *router) toldEnds(others ...string) {
	r.w.Helper()
	for _, f := range r.Config().Families {
		if f != lab.RouteTarget {
			others = append(others, end(f))
		}
	}
	r.told(others...)
}

// has checks which routes the speaker says that the router has, and that it
// says the same of each of them.
func (r *router) has(want ...vrf.Route) {
	r.w.Helper()
	slices.SortFunc(want, func(a, b vrf.Route) int { return a.Key.Compare(b.Key) })
	r.w.eventually("the Adj-RIB-Out of "+r.settings.Name, func() error {
		var got []vrf.Route
		for route, at := range r.w.AdjRIBOut(r.addr(), vrf.Key{}) {
			got = append(got, route)
			if d := r.w.Delivery(r.addr(), route.Key); d != (neighbor.Delivery{At: at}) || at.IsZero() || time.Since(at) < 0 {
				return fmt.Errorf("%s was sent at %s; Delivery says %+v", route.Key, at, d)
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("there are %d, want %d: %s", len(got), len(want), firstDifference(got, want))
		}
		return nil
	})
}

func firstDifference(got, want []vrf.Route) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return "got " + plus(got[i]) + ", want " + plus(want[i])
		}
	}
	return "the others are missing"
}

// lacks checks why the router does not have a route.
func (r *router) lacks(route vrf.Route, want neighbor.Delivery) {
	r.w.Helper()
	r.w.eventually("Delivery to "+r.settings.Name, func() error {
		if got := r.w.Delivery(r.addr(), route.Key); got != want {
			return fmt.Errorf("got %+v, want %+v", got, want)
		}
		return nil
	})
}
