package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestImport: a VRF has the routes of a router that carry a target which it
// imports, as the router announces them, and no others. They follow what changes
// at the router, and what changes here.
func TestImport(t *testing.T) {
	for _, tt := range originators {
		t.Run(tt.kind, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			w.public()
			w.associate()
			w.ctl("create network vn-private --subnet 10.99.0.0/16 --route-target target:64512:20000")

			config := w.gatewayConfig("mx1", vpnFamilies)
			four := w.origin(config, 7, "0.0.0.0/0", "10.0.0.9", "target:64512:10003", "target:64512:777")
			six := w.origin(config, 7, "::/0", "fd00::9", "target:64512:10003")
			tuned := w.origin(config, 8, "198.51.100.0/24", "10.0.0.9", "target:64512:8000001") // the automatic one
			tuned.MED, tuned.LocalPref = 50, 150
			mapped := w.origin(config, 8, "2001:db8:9::/48", "::ffff:10.0.0.9", "target:64512:8000001")
			lonely := w.origin(config, 9, "192.0.2.0/24", "10.0.0.9", "target:64512:9999")
			config.Origins = []lab.Route{four, six, tuned, mapped, lonely}
			g := w.importer(tt.kind, "mx1", config)

			best := func(network string, routes ...lab.Route) (lines []string) {
				for _, r := range routes {
					lines = append(lines, inTable(tt.shown(config, r)+" best", network, r))
				}
				return lines
			}
			w.vrfImports("announced", "vn-public", best("vn-public", four, six, tuned, mapped)...)
			w.vrfImports("announced", "vn-private")
			w.showsImports(four, six, tuned, mapped, lonely)

			w.withdraw(g, six)
			w.vrfImports("one is withdrawn", "vn-public", best("vn-public", four, tuned, mapped)...)
			w.announce(g, six)
			w.vrfImports("it is back", "vn-public", best("vn-public", four, six, tuned, mapped)...)

			moved := four
			moved.Targets = w.targets("target:64512:20000")
			w.announce(g, moved)
			w.vrfImports("the router changes a target", "vn-private", best("vn-private", moved)...)
			w.vrfImports("the router changes a target", "vn-public", best("vn-public", six, tuned, mapped)...)
			w.announce(g, four)
			w.vrfImports("and changes it back", "vn-public", best("vn-public", four, six, tuned, mapped)...)
			w.vrfImports("and changes it back", "vn-private")

			// The routes are there already: nothing is asked for anew.
			session := w.neighborState("mx1").Session
			w.ctl("set network vn-public --route-target target:64512:9999")
			w.vrfImports("another target", "vn-public", best("vn-public", tuned, mapped, lonely)...)
			w.ctl("create network vn-late --subnet 10.98.0.0/16 --route-target target:64512:10003")
			w.vrfImports("a new network", "vn-late", best("vn-late", four, six)...)
			w.ctl("set network vn-public --route-target target:64512:10003")
			both := best("vn-late", four, six)
			both[0], both[1] = inTable(both[0], "vn-public", four), inTable(both[1], "vn-public", six)
			w.vrfImports("two networks with one target", "vn-public", append(best("vn-public", tuned, mapped), both...)...)
			w.vrfImports("two networks with one target", "vn-late", both...)
			w.ctl("delete network vn-late")
			w.vrfImports("one of them is deleted", "vn-public", best("vn-public", four, six, tuned, mapped)...)
			now := w.neighborState("mx1").Session
			if now.Since != session.Since || now.Received.Updates != session.Received.Updates {
				t.Errorf("the session was %+v and is %+v, want the same one without an UPDATE", session, now)
			}
		})
	}
}

// showsImports checks all the ways to look at the routes of vn-public, and at one
// that no network imports.
func (w *world) showsImports(four, six, tuned, mapped, lonely lab.Route) {
	w.t.Helper()
	const own, ownKey = "203.0.113.5/32", "10.0.0.11:1:203.0.113.5/32"
	w.tableShows("vn-public.inet.0", []string{own, four.Prefix.String(), tuned.Prefix.String()},
		[]string{six.Prefix.String(), mapped.Prefix.String(), lonely.Prefix.String()})
	w.tableShows("vn-public.inet6.0", []string{six.Prefix.String(), mapped.Prefix.String()},
		[]string{own, four.Prefix.String(), tuned.Prefix.String()})
	w.tableShows("bgp.l3vpn.0", []string{ownKey, four.Key(), tuned.Key(), lonely.Key()}, []string{six.Key(), mapped.Key()})
	w.tableShows("bgp.l3vpn-inet6.0", []string{six.Key(), mapped.Key()}, []string{ownKey, lonely.Key()})

	text := w.ctl("show route table vn-public.inet.0 " + tuned.Prefix.String() + " detail")
	for _, want := range []string{tuned.Prefix.String(), tuned.RD.String(), fmt.Sprint(tuned.Label), "neighbors/mx1", fmt.Sprint(tuned.LocalPref)} {
		if !strings.Contains(text, want) {
			w.t.Errorf("detail: %s is not in\n%s", want, text)
		}
	}
	if r := w.try("show route table vn-public.inet.0 " + lonely.Prefix.String()); r.Code != 3 {
		w.t.Errorf("a prefix that is not there: got %d, %s", r.Code, r.Stderr)
	}

	owns, announced := 0, map[string][]string{}
	for _, r := range w.routes("--network vn-public") {
		if r.Source == "" && r.Prefix == own {
			owns++
		}
	}
	for _, r := range w.routes("--neighbor mx1 --direction received") {
		announced[r.RD+":"+r.Prefix] = r.Tables
	}
	if owns != 1 {
		w.t.Errorf("the network has its own route %d times", owns)
	}
	if tables, ok := announced[lonely.Key()]; !ok || len(tables) > 0 || len(announced) != 5 {
		w.t.Errorf("received %v, want all five, and none of the tables with %s", announced, lonely.Key())
	}
}
