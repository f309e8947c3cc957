package contract

import (
	"fmt"
	"slices"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// coldStart: there is nothing that a neighbor could have kept; but after a lost
// session there is.
func coldStart(w *world) { w.opens("-- 300", "-F 300") }

// restart: every neighbor that comes back, early or late, sees a restarted
// speaker that has preserved its forwarding state, once (RFC 4724 §4.1). It gets
// all routes before their End-of-RIB, and no withdrawal.
func restart(w *world) { w.opens("RF 300", "-F 300") }

func (w *world) opens(first, later string) {
	routes := many(1000)
	w.advertise(routes...)
	var routers []*router
	for i := range 8 {
		families := vpn
		if i%2 == 1 {
			families = append(slices.Clone(vpn), lab.RouteTarget)
		}
		c := w.config(families...)
		c.Active, c.Helper = i%4 < 2, true
		routers = append(routers, w.record(c))
	}
	for _, r := range routers { // one after the other
		r.added()
		if r.settings.Families.Contains(neighbor.RouteTarget) {
			w.must(r.Join(lab.Membership{}))
			w.must(r.EndOfRIB(lab.RouteTarget))
		}
		r.isComplete(routes)
		if got := flagsOf(r.Opens()[0]); got != first {
			w.Errorf("%s got %q, want %q", r.settings.Name, got, first)
		}
	}
	for _, r := range routers {
		w.must(r.Reset())
		r.await("another session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == 2 })
		w.eventually("another OPEN", func() error {
			if n := len(r.Opens()); n < 2 {
				return fmt.Errorf("%d so far", n)
			}
			return nil
		})
		if got := flagsOf(r.Opens()[1]); got != later {
			w.Errorf("%s got %q after a loss, want %q", r.settings.Name, got, later)
		}
	}
}

// isComplete waits for the End-of-RIB of each VPN family, and checks that all of
// its routes came before it.
func (r *router) isComplete(want []vrf.Route) {
	r.w.Helper()
	r.w.eventually(r.settings.Name+" to be complete", func() error {
		if got := len(endsIn(r.events())); got < len(vpn) {
			return fmt.Errorf("%d ends so far", got)
		}
		return nil
	})
	missing := map[lab.Family]int{}
	for _, route := range want {
		missing[lab.Family(neighbor.VPNFamily(route.Prefix.Addr()).String())]++
	}
	for _, e := range r.events() {
		switch {
		case e.Withdrawn:
			r.w.Errorf("%s was told %s", r.settings.Name, e)
		case !e.EndOfRIB:
			missing[e.Family]--
		case missing[e.Family] != 0:
			r.w.Errorf("%s was told %s, and %d routes are missing", r.settings.Name, e, missing[e.Family])
		}
	}
}

// flagsOf returns what an OPEN says of graceful restart: R, F for all families
// of the OPEN, and the restart time; then the families that are kept longer, and
// how long (RFC 9494).
func flagsOf(open *bgp.BGPOpen) string {
	families := 0
	text := "none"
	for _, p := range open.OptParams {
		for _, c := range p.(*bgp.OptionParameterCapability).Capability {
			if c.Code() == bgp.BGP_CAP_MULTIPROTOCOL {
				families++
			}
			if ll, ok := c.(*bgp.CapLongLivedGracefulRestart); ok {
				for _, t := range ll.Tuples {
					text += fmt.Sprintf(" %d/%d %d", t.AFI, t.SAFI, t.RestartTime)
				}
			}
			gr, ok := c.(*bgp.CapGracefulRestart)
			if !ok {
				continue
			}
			text = "-"
			if gr.Flags&0x8 != 0 {
				text = "R"
			}
			preserved := 0
			for _, t := range gr.Tuples {
				if t.Flags&0x80 != 0 {
					preserved++
				}
			}
			switch {
			case preserved == families && len(gr.Tuples) == families:
				text += "F"
			case preserved == 0 && len(gr.Tuples) == families:
				text += "-"
			default:
				text += fmt.Sprintf(" %d of %d of %d", preserved, len(gr.Tuples), families)
			}
			text += fmt.Sprintf(" %d", gr.Time)
		}
	}
	return text
}

// restartSettings: what is offered is what is configured.
func restartSettings(w *world) {
	for _, tt := range []struct {
		settings neighbor.RestartSettings
		want     string
	}{
		{neighbor.RestartSettings{Time: 4095}, "RF 4095"},
		{neighbor.RestartSettings{Without: neighbor.AllFamilies}, "none"},
		{neighbor.RestartSettings{LongLivedTime: 86400}, "RF 300 1/128 86400 2/128 86400"},
		{neighbor.RestartSettings{LongLivedTime: 1<<24 - 1, LongLived: neighbor.NewFamilies(neighbor.InetVPN)}, "RF 300 1/128 16777215"},
		{neighbor.RestartSettings{Without: neighbor.NewFamilies(neighbor.Inet6VPN)}, "R 1 of 1 of 2 300"},
	} {
		r := w.record(w.config(vpn...))
		r.settings.Restart = tt.settings
		r.added()
		if got := flagsOf(r.Opens()[0]); got != tt.want {
			w.Errorf("%+v: got %q, want %q", tt.settings, got, tt.want)
		}
	}
}

// ends: what a neighbor is told when its session ends decides whether it keeps
// the routes. Changed settings are no reason to drop them, its removal is (RFC
// 8538 §3).
func ends(w *world) {
	for _, tt := range []struct {
		helper           bool
		changed, removed string
	}{
		{false, "6/6", "6/3"},
		{true, "6/6", "6/9 with 6/3"},
	} {
		c := w.config(vpn...)
		c.Helper = tt.helper
		r := w.record(c)
		r.added()
		r.settings.HoldTime = 30
		w.tell(r.settings)
		r.isNotified(tt.changed)
		r.await("a session with the new hold time", func(s neighbor.Status) bool {
			return isEstablished(s) && s.OpenSent.HoldTime.Seconds() == 30
		})
		if opens := r.Opens(); flagsOf(opens[len(opens)-1]) != "-F 300" {
			w.Errorf("after the change: %s", flagsOf(opens[len(opens)-1]))
		}
		w.tell()
		r.isNotified(tt.removed)
	}
}
