package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/routetarget"
)

// TestReceived: a VPNv4 route of a router is taken, with what the router says of
// it, and goes when the router withdraws it. It stays as stale
// while the router restarts after a crash, and goes when the router says that it
// ends.
func TestReceived(t *testing.T) {
	for _, tt := range []struct {
		kind string
		// self says that the next hop is the router's own address; it is the
		// origin's otherwise.
		self   bool
		origin string
		// forgets says that the router comes back without its routes.
		forgets bool
		// keeps says that the end of the router is a graceful restart to it.
		keeps bool
	}{
		{kind: "frr", self: true, origin: "INCOMPLETE", keeps: true},
		{kind: "bird", origin: "IGP"},
		{kind: "gobgp", origin: "INCOMPLETE", forgets: true},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			w := newWorld(t)
			needs(t, tt.kind)
			w.start()
			config := w.gatewayConfig("mx1", vpnFamilies)
			config.Origins = []lab.Route{{
				RD: routetarget.IPv4Distinguisher(config.RouterID, 7), Prefix: netip.MustParsePrefix("198.51.100.0/24"), Label: 24001,
				NextHop: netip.MustParseAddr("10.0.0.9"), Targets: w.targets("target:64512:10003", "target:64512:7"),
			}}
			g := w.routerOf(tt.kind, config).(lab.Originator)
			w.neighbor("mx1", config)

			nextHop := config.Origins[0].NextHop
			if tt.self {
				nextHop = config.Addr.Addr()
			}
			route := fmt.Sprintf("%s label 24001 next-hop %s local-pref 100 origin %s as-path [] med 0 target:64512:7 target:64512:10003 of neighbors/mx1",
				config.Origins[0].Key(), nextHop, tt.origin)
			w.receives("by default", route)
			since := w.neighborState("mx1").Session.Since
			w.withdraw(g)
			w.receives("withdrawn", "")
			w.announce(g)
			w.receives("announced", route)
			w.ctl("set neighbor mx1 --accept-prefix none")
			w.receives("nothing is accepted", "")
			w.ctl("set neighbor mx1 --accept-prefix 198.51.0.0/16,2001:db8::/32")
			w.ctl("set neighbor mx1 --accept-target target:64512:8")
			w.receives("another prefix and another target", "")
			w.ctl("set neighbor mx1 --accept-prefix 198.51.100.0/24 --accept-target target:64512:7 --max-received 100")
			w.receives("accepted", route)
			if now := w.neighborState("mx1").Session.Since; now != since {
				t.Errorf("the session is there since %s, want the same one since %s", now, since)
			}

			g.Kill()
			w.receives("while it is away", route+" stale")
			w.must(g.Restart)
			w.established("mx1")
			if tt.forgets {
				w.receives("back without it", "")
				w.announce(g)
			}
			w.receives("back", route)

			if err := g.Stop(); err != nil {
				t.Error(err)
			}
			if tt.keeps {
				w.receives("ended without a word", route+" stale")
			} else {
				w.receives("ended with a Cease", "")
			}
		})
	}
}

func (w *world) targets(texts ...string) (set routetarget.Set) {
	w.t.Helper()
	if err := set.UnmarshalText([]byte(strings.Join(texts, " "))); err != nil {
		w.t.Fatal(err)
	}
	return set
}

// must does something to a router, which must succeed.
func (w *world) must(do func(context.Context) error) {
	w.t.Helper()
	if err := do(w.deadline()); err != nil {
		w.t.Fatal(err)
	}
}

// announce has a router announce routes, or all that it has.
func (w *world) announce(g lab.Originator, routes ...lab.Route) {
	w.t.Helper()
	w.must(func(ctx context.Context) error { return g.Announce(ctx, routes...) })
}

// withdraw has it withdraw them.
func (w *world) withdraw(g lab.Originator, routes ...lab.Route) {
	w.t.Helper()
	w.must(func(ctx context.Context) error { return g.Withdraw(ctx, routes...) })
}

// receives waits until a route, or none, is there from mx1.
func (w *world) receives(when, want string) {
	w.t.Helper()
	w.eventually(when, func(context.Context) error {
		if got := w.receivedFrom("mx1"); got != want {
			return fmt.Errorf("got  %s\nwant %s", got, want)
		}
		return nil
	})
}

// receivedFrom returns what is shown of the routes of a neighbor.
func (w *world) receivedFrom(neighbor string) string {
	w.t.Helper()
	var list []struct {
		Prefix    string
		RD        string `json:"route_distinguisher"`
		Label     int
		NextHop   string   `json:"next_hop"`
		LocalPref int      `json:"local_pref"`
		Targets   []string `json:"route_targets"`
		Origin    string
		ASPath    string `json:"as_path"`
		MED       int
		Source    string
		Stale     bool
	}
	if err := json.Unmarshal([]byte(w.ctl("get routes --neighbor "+neighbor+" --direction received -o json")), &list); err != nil {
		w.t.Fatal(err)
	}
	var lines []string
	for _, r := range list {
		line := fmt.Sprintf("%s:%s label %d next-hop %s local-pref %d origin %s as-path [%s] med %d %s of %s", r.RD, r.Prefix, r.Label, r.NextHop,
			r.LocalPref, r.Origin, r.ASPath, r.MED, strings.Join(r.Targets, " "), r.Source)
		if r.Stale {
			line += " stale"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
