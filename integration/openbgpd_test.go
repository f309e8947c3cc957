package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// openBGPDLabel: OpenBGPD does not show labels; the other routers check them.
var openBGPDLabel = regexp.MustCompile(` label \d+`)

// TestOpenBGPD: OpenBGPD has VPNv4 and VPNv6 routes as they are now, as far as
// it shows them: the next hop of a VPNv6 route as it was sent, and no labels.
//
// It is not the scenario of all routers. OpenBGPD 7.7 counts a withdrawn VPN
// route and then keeps it: it does not skip the label and takes it for a part
// of the distinguisher, whatever the label is. The routes go with the session.
func TestOpenBGPD(t *testing.T) {
	needs(t, "openbgpd")
	needsRoot(t)
	w := newWorld(t)
	w.start()
	w.public()
	r := router{
		kind:     "openbgpd",
		volatile: regexp.MustCompile(`\d\d:\d\d:\d\d`), // the age of a route
		seen: func(route string) string {
			return mappedNextHop(openBGPDLabel.ReplaceAllString(route, ""))
		},
	}
	g := w.router(r.kind, "mx1").(*lab.OpenBGPD)

	w.associate()
	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
	w.shows(r, g, "associated", web1, web6)
	w.ctl("drain computenode cmp1 --wait 1h")
	w.shows(r, g, "draining", asDraining(web1), asDraining(web6))
	w.ctl("undrain computenode cmp1")
	w.vpnHas(r, g, map[lab.Family]string{lab.VPNv4: web1, lab.VPNv6: web6})
	w.ctl("set network vn-public --route-target target:64512:10004")
	changed := strings.NewReplacer("target:64512:10003", "target:64512:10004")
	w.shows(r, g, "retargeted", changed.Replace(web1), changed.Replace(web6))

	w.ctl("disassociate floatingip web-1")
	w.countsWithdrawn(g, 1)
	w.ctl("disassociate floatingip web-6")
	w.countsWithdrawn(g, 2)
	w.ctl("delete neighbor mx1")
	w.shows(r, g, "session_closed", "", "")
}

// TestOpenBGPDConnects: it connects to Buoy from another AS, and again after a
// restart. The LOCAL_PREF is its own: none was sent.
func TestOpenBGPDConnects(t *testing.T) {
	needs(t, "openbgpd")
	needsRoot(t)
	newWorld(t).connects("openbgpd", "10.0.0.11:1:203.0.113.5/32 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [64512]"+
		" target:64512:10003 target:64512:8000001 encapsulation:gre encapsulation:udp")
}

// countsWithdrawn waits until a router has counted so many withdrawn routes,
// and checks that the session has survived them.
func (w *world) countsWithdrawn(g *lab.OpenBGPD, want int) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("it counts %d withdrawn routes", want), func(ctx context.Context) error {
		text, err := g.CLI(ctx, "-j", "show", "neighbor", g.Config().Peer.Addr().String())
		if err != nil {
			return err
		}
		var answer struct {
			Neighbors []struct {
				State string
				Stats struct {
					Update struct{ Received struct{ Withdraws int } }
				}
			}
		}
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			return err
		}
		for _, n := range answer.Neighbors {
			if got := n.Stats.Update.Received.Withdraws; got == want && n.State == "Established" {
				return nil
			}
		}
		return fmt.Errorf("it says\n%s", text)
	})
}
