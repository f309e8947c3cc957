package integration

import (
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestImportPaths: what two routers announce for one prefix is two paths in the
// VRF. Equal ones are used side by side; one that BGP prefers is used alone.
func TestImportPaths(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	configs := []lab.GatewayConfig{w.gatewayConfig("mx1", vpnFamilies), w.gatewayConfig("mx2", vpnFamilies)}
	kinds, routes, routers := originators[:2], make([]lab.Route, 2), make([]lab.Originator, 2)
	for i, o := range kinds {
		routes[i] = w.origin(configs[i], 7, "0.0.0.0/0", "10.0.0.9", "target:64512:10003")
		routes[i].Origin = "igp" // by default they differ
		configs[i].Origins = routes[i : i+1 : i+1]
		routers[i] = w.importer(o.kind, []string{"mx1", "mx2"}[i], configs[i])
	}
	// paths waits for both, each with how it is used.
	paths := func(when, first, second string) {
		t.Helper()
		var want []string
		for i, use := range []string{first, second} {
			if use != "none" {
				want = append(want, inTable(kinds[i].shown(configs[i], routes[i])+use, "vn-public", routes[i]))
			}
		}
		w.vrfImports(when, "vn-public", want...)
	}
	// change announces the route of a router with another LOCAL_PREF and MED.
	change := func(i int, localPref, med uint32) {
		t.Helper()
		routes[i].LocalPref, routes[i].MED = localPref, med
		w.announce(routers[i], routes[i])
	}
	paths("equal", " best multipath", " multipath") // the lower BGP Identifier
	change(1, 200, 0)
	paths("the second is preferred", "", " best")
	change(0, 200, 0)
	paths("equal again", " best multipath", " multipath")
	change(0, 200, 10)
	paths("the first has a MED", "", " best")
	w.withdraw(routers[1], routes[1])
	paths("the second is withdrawn", " best", "none")
	change(1, 150, 0)
	paths("the second is less preferred", " best", "")
	w.withdraw(routers[0], routes[0])
	paths("the first is withdrawn", "none", " best")
}
