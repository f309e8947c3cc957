package integration

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// preferred is web-1 at a second compute node that is preferred.
var preferred = strings.Replace(web1At2, "local-pref 100", "local-pref 200", 1)

// TestSeveralNodes: a floating IP at several compute nodes is several routes, and
// the gateways have all of them: FRR balances between equal ones in its VRF, and
// goes to the backup that it has already when the preferred one goes. BIRD's
// vpn4 table holds them all.
func TestSeveralNodes(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("create computenode cmp2 --address 10.0.0.12 --encapsulation gre")
	mx1, mx2 := w.router("frr", "mx1").(*lab.FRR), w.router("bird", "mx2")
	w.importInto(mx1, "red", "target:64512:10003")
	w.importInto(mx2, "red", "target:64512:10003")
	have := func(routes ...string) {
		t.Helper()
		for _, g := range []lab.Gateway{mx1, mx2} {
			w.wantVPN(g, lab.VPNv4, routes...)
		}
		w.has("VRF red of BIRD", routes, func(ctx context.Context) ([]lab.Route, error) { return mx2.VRF(ctx, "red", lab.VPNv4) })
	}
	w.associate()
	const second = "associate floatingip web-1 --computenode cmp2 --interface tap7 --fixed-ip 10.47.255.250 --label 200"
	w.ctl(second)
	have(web1, web1At2)
	w.forwards(mx1, "10.0.0.11", "10.0.0.12")

	w.ctl("disassociate floatingip web-1 --computenode cmp2")
	have(web1)
	w.forwards(mx1, "10.0.0.11")
	w.ctl(second + " --preferred")
	have(web1, preferred) // the backup, too
	w.forwards(mx1, "10.0.0.12")
	w.ctl("drain computenode cmp2 --wait 1h")
	have(web1, asDraining(web1At2))
	w.forwards(mx1, "10.0.0.11")
	w.ctl("disassociate floatingip web-1 --computenode cmp1")
	have(asDraining(web1At2))
	w.forwards(mx1, "10.0.0.12") // the last resort is better than nothing
}

// frrPath finds where a path leads in FRR's own words, and what it says of it.
var frrPath = regexp.MustCompile(`(?m)^ +(10\.0\.0\.\d+) from .*\n +(Origin .*)$`)

// forwards waits until packets in VRF red of FRR go to these compute nodes: those of
// the best path, and of what is as good.
func (w *world) forwards(g *lab.FRR, want ...string) {
	w.t.Helper()
	w.eventually(fmt.Sprint("FRR forwards to ", want), func(ctx context.Context) error {
		text, err := g.CLI(ctx, "show bgp vrf red ipv4 unicast 203.0.113.5/32")
		if err != nil {
			return err
		}
		var got []string
		for _, m := range frrPath.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[2], "valid") && (strings.Contains(m[2], "best") || strings.Contains(m[2], "multipath")) {
				got = append(got, m[1])
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			return fmt.Errorf("to %v:\n%s", got, text)
		}
		return nil
	})
}
