package integration

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestImportUnusable: what packets cannot follow is shown, with the reason, and
// is never the best, whatever it says of itself. Host bits mean nothing.
func TestImportUnusable(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	r := w.recorder("mx1")
	const reserved = " UNUSABLE: label %d is reserved: it does not tell the router which VRF is meant"
	var want []string
	for i, tt := range []struct {
		prefix, nextHop string
		label           uint32
		asPath          string
		use             string
	}{
		{"0.0.0.0/0", "10.0.0.9", 0, "", fmt.Sprintf(reserved, 0)},
		{"0.0.0.0/0", "10.0.0.9", 3, "", fmt.Sprintf(reserved, 3)},
		{"0.0.0.0/0", "10.0.0.9", 15, "", fmt.Sprintf(reserved, 15)},
		{"0.0.0.0/0", "10.0.0.9", 24001, "[64513 64512]", " UNUSABLE: our own AS is in its AS path"},
		{"0.0.0.0/0", "0.0.0.0", 24001, "", " UNUSABLE: next hop 0.0.0.0 is not the address of a router"},
		{"0.0.0.0/0", "10.0.0.9", 16, "[64513]", " best"},
		{"::/0", "::ffff:0.0.0.1", 24001, "", " UNUSABLE: next hop 0.0.0.1 is not the address of a router"},
		{"::/0", "fd00::9", 0, "", fmt.Sprintf(reserved, 0)},
		{"198.51.111.77/20", "10.0.0.9", 24001, "", " best"},
	} {
		route := w.origin(r.Config(), uint16(i+1), tt.prefix, tt.nextHop, "target:64512:10003")
		route.Label, route.ASPath, route.Origin = tt.label, tt.asPath, "incomplete"
		if route.LocalPref = 500; tt.use == " best" {
			route.LocalPref = 50
		}
		if err := r.Announce(route); err != nil {
			t.Fatal(err)
		}
		route.Prefix = route.Prefix.Masked()
		want = append(want, inTable(originator{}.shown(r.Config(), route)+tt.use, "vn-public", route))
	}
	w.vrfImports("announced", "vn-public", want...)
}

// TestImportLabelZero: what gobgp announces from a VRF of its own has the label
// 0, and cannot be used.
func TestImportLabelZero(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	g := w.peer("mx1", vpnFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	if err := g.AnnounceInVRF(w.deadline(), "red", netip.MustParsePrefix("198.51.100.0/24")); err != nil {
		t.Fatal(err)
	}
	w.eventually("it is there", func(context.Context) error {
		lines := w.imported("vn-public")
		if len(lines) != 1 || !strings.Contains(lines[0], ":198.51.100.0/24 label 0 ") || strings.Contains(lines[0], " best") ||
			!strings.Contains(lines[0], " UNUSABLE: label 0 is reserved: ") {
			return fmt.Errorf("got %q", lines)
		}
		return nil
	})
}

// TestImportLimit: what a router announces beyond the limit is left out, which is
// shown; with a higher limit it comes.
func TestImportLimit(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	config := w.gatewayConfig("mx1", vpnFamilies)
	var all []string
	o := originators[len(originators)-1]
	for i := range 5 {
		r := w.origin(config, 7, fmt.Sprintf("198.51.%d.0/24", i), "10.0.0.9", "target:64512:10003")
		config.Origins = append(config.Origins, r)
		all = append(all, inTable(o.shown(config, r)+" best", "vn-public", r))
	}
	w.routerOf(o.kind, config)
	w.ctl(strings.Join(config.CreateNeighbor("mx1"), " ") + " --max-received 2")
	w.eventually("three are left out", func(context.Context) error {
		lines, text := w.imported("vn-public"), w.ctl("describe neighbor mx1")
		if len(lines) != 2 || !strings.Contains(text, "2 of at most 2 (3 left out)") {
			return fmt.Errorf("got %q and\n%s", lines, text)
		}
		return nil
	})
	w.ctl("set neighbor mx1 --max-received 1000")
	w.vrfImports("a higher limit", "vn-public", all...)
}
