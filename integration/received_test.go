package integration

import (
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestReceived: a VPNv4 route of a router is taken, with what the router says of
// it, and goes when the router withdraws it. It stays as stale while the router
// restarts after a crash, and goes when the router says that it ends.
func TestReceived(t *testing.T) {
	for _, tt := range originators {
		t.Run(tt.kind, func(t *testing.T) {
			w := newWorld(t)
			needs(t, tt.kind)
			w.start()
			config := w.gatewayConfig("mx1", vpnFamilies)
			origin := w.origin(config, 7, "198.51.100.0/24", "10.0.0.9", "target:64512:10003", "target:64512:7")
			config.Origins = []lab.Route{origin}
			g := w.routerOf(tt.kind, config).(lab.Originator)
			w.neighbor("mx1", config)

			route := tt.shown(config, origin)
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
			if err := g.Restart(w.deadline()); err != nil {
				t.Fatal(err)
			}
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
