package integration

import (
	"slices"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestImportMembership: a router that negotiates route-target sends what the
// networks import, from the first network that does so until the last one is
// gone (RFC 4684), and again to a buoyd that has restarted.
func TestImportMembership(t *testing.T) {
	w := newWorld(t)
	w.start()
	o := originators[slices.IndexFunc(originators, func(o originator) bool { return o.kind == "gobgp" })]
	config := w.gatewayConfig("mx1", allFamilies)
	four := w.origin(config, 7, "0.0.0.0/0", "10.0.0.9", "target:64512:10003")
	six := w.origin(config, 7, "::/0", "fd00::9", "target:64512:10003", "target:64512:777")
	other := w.origin(config, 8, "192.0.2.0/24", "10.0.0.9", "target:64512:20000")
	config.Origins = []lab.Route{four, six, other}
	w.importer(o.kind, "mx1", config)
	best := func(network string, routes ...lab.Route) (lines []string) {
		for _, r := range routes {
			lines = append(lines, inTable(o.shown(config, r)+" best", network, r))
		}
		return lines
	}
	// sent waits until the router has sent exactly these.
	sent := func(when string, routes ...lab.Route) {
		t.Helper()
		text := ""
		for i, r := range routes {
			if i > 0 {
				text += "\n"
			}
			text += o.shown(config, r)
		}
		w.receives(when, text)
	}

	sent("without networks")
	// When one has come, the router has thought of the others.
	w.ctl("create network vn-other --subnet 10.99.0.0/16 --route-target target:64512:20000")
	sent("a network with another target", other)
	w.ctl("create network vn-public --subnet 203.0.113.0/24 --route-target target:64512:10003")
	w.vrfImports("the first network", "vn-public", best("vn-public", four, six)...)
	w.vrfImports("the first network", "vn-other", best("vn-other", other)...)
	sent("all are wanted", four, other, six)

	w.ctl("create network vn-second --subnet 10.98.0.0/16 --route-target target:64512:10003")
	w.ctl("set network vn-public --route-target target:64512:10004")
	w.vrfImports("the first no longer imports them", "vn-public")
	w.vrfImports("the second still does", "vn-second", best("vn-second", four, six)...)
	w.ctl("delete network vn-second")
	sent("the last one is deleted", other)
	w.ctl("set network vn-public --route-target target:64512:10003")
	w.vrfImports("again", "vn-public", best("vn-public", four, six)...)

	for _, tt := range []struct {
		when string
		end  func() error
	}{
		{"restarted", w.buoyd.Stop},
		{"killed", func() error { w.buoyd.Kill(); return nil }},
	} {
		if err := tt.end(); err != nil {
			t.Error(err)
		}
		w.restart()
		w.established("mx1")
		w.vrfImports(tt.when, "vn-public", best("vn-public", four, six)...)
		w.vrfImports(tt.when, "vn-other", best("vn-other", other)...)
	}
}
