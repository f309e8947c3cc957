package integration

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// frr shows everything. Volatile is how many changes it has counted: it may
// take two that come together for one.
var frr = router{
	kind:     "frr",
	seen:     frrNextHop,
	inVRF:    func(route string) string { return frrDistinguisher.ReplaceAllString(frrNextHop(route), "") },
	volatile: regexp.MustCompile(`version is \d+|version \d+`),
}

// frrNextHop: it shows the next hop of VPNv6 as it is on the wire.
func frrNextHop(route string) string {
	if strings.Contains(route, ":2001:db8:") {
		route = strings.Replace(route, "next-hop 10.0.0.11", "next-hop ::ffff:10.0.0.11", 1)
	}
	return route
}

// frrDistinguisher is what a route loses in a VRF.
var frrDistinguisher = regexp.MustCompile(`^10\.0\.0\.11:[12]:`)

// TestFRR and TestFRRImports: the scenarios of all routers with FRR. Its VRFs
// need root.
func TestFRR(t *testing.T)        { newWorld(t).learns(frr) }
func TestFRRImports(t *testing.T) { newWorld(t).imports(frr) }

// TestFRRConfig: FRR understands the configuration that users are given, and
// would not accept just anything.
func TestFRRConfig(t *testing.T) {
	w := newWorld(t)
	needs(t, "frr")
	if err := lab.CheckFRRConfig(w.deadline(), "../configs/gateways"); err != nil {
		t.Error(err)
	}
	broken := w.changed("../configs/gateways/frr.conf", "rt vpn import", "rt vpn imports")
	if err := lab.CheckFRRConfig(w.deadline(), filepath.Dir(broken)); err == nil || !strings.Contains(err.Error(), "rt vpn imports") {
		t.Errorf("got %v, want what it did not understand", err)
	}
}
