package integration

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/routetarget"
)

// router is a kind of gateway, with what is particular about its tables.
type router struct {
	kind string
	// seen returns a route as the router shows it; nil if it shows all.
	seen func(route string) string
	// inVRF returns a route as one of its VRFs shows it, likewise.
	inVRF func(route string) string
	// volatile finds what differs from run to run in the text for its operator:
	// ages and timestamps.
	volatile *regexp.Regexp
}

// gobgp forgets the label and the communities of what a VRF imports. Volatile
// are ages.
var gobgp = router{
	kind:     "gobgp",
	inVRF:    func(route string) string { return gobgpForgets.ReplaceAllString(route, "") },
	volatile: regexp.MustCompile(`\d\d:\d\d:\d\d`),
}

var gobgpForgets = regexp.MustCompile(` (label \d+|(target|encapsulation):\S+)`)

// TestGoBGP and TestGoBGPImports: the scenarios of all routers with gobgpd.
func TestGoBGP(t *testing.T)        { newWorld(t).learns(gobgp) }
func TestGoBGPImports(t *testing.T) { newWorld(t).imports(gobgp) }

// learns is the scenario that every router must pass: it has VPNv4 and VPNv6
// routes as they are now, after every change and until they are withdrawn.
// Its own words are in testdata/<kind>, one file for each step.
func (w *world) learns(r router) {
	w.t.Helper()
	w.start()
	w.public()
	g := w.router(r.kind, "mx1")

	w.associate()
	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
	w.shows(r, g, "associated", web1, web6)

	w.ctl("drain computenode cmp1 --wait 1h")
	w.shows(r, g, "draining", asDraining(web1), asDraining(web6))
	w.ctl("undrain computenode cmp1")
	w.vpnHas(r, g, map[lab.Family]string{lab.VPNv4: web1, lab.VPNv6: web6})

	w.ctl("disassociate floatingip web-1")
	w.ctl("disassociate floatingip web-6")
	w.ctl("associate floatingip web-1 --computenode cmp1 --interface tap1 --fixed-ip 10.47.255.250 --label 1048575")
	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap1 --fixed-ip fd00::6 --label 1048575")
	relabelled := strings.NewReplacer("label 100", "label 1048575")
	w.shows(r, g, "relabelled", relabelled.Replace(web1), relabelled.Replace(web6))

	w.ctl("set network vn-public --route-target target:64512:10004")
	retargeted := strings.NewReplacer("label 100", "label 1048575", "target:64512:10003", "target:64512:10004")
	w.shows(r, g, "retargeted", retargeted.Replace(web1), retargeted.Replace(web6))

	w.ctl("disassociate floatingip web-1")
	w.shows(r, g, "one_withdrawn", "", retargeted.Replace(web6))
	w.ctl("disassociate floatingip web-6")
	w.shows(r, g, "withdrawn", "", "")
}

// imports is the scenario that every router with VRFs must pass: a VRF has the
// routes with its target and no others, while targets change and nothing is
// restarted.
func (w *world) imports(r router) {
	w.t.Helper()
	w.start()
	w.public()
	w.ctl("create network vn-other --subnet 198.51.100.0/24 --subnet 2001:db8:e::/64 --route-target target:64512:20000")
	w.ctl("allocate floatingip other-4 --network vn-other --address 198.51.100.7")
	w.ctl("allocate floatingip other-6 --network vn-other --address 2001:db8:e::7")
	g := w.router(r.kind, "mx1")
	w.importInto(g, "red", "target:64512:10003")
	w.importInto(g, "blue", "target:64512:30000", "target:64512:40000")
	session, pid := w.neighborState("mx1").Session, g.PID()

	w.associate()
	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
	w.ctl("associate floatingip other-4 --computenode cmp1 --interface tap1 --fixed-ip 10.47.0.7 --label 101")
	w.ctl("associate floatingip other-6 --computenode cmp1 --interface tap1 --fixed-ip fd00::7 --label 101")
	web := map[lab.Family]string{lab.VPNv4: web1, lab.VPNv6: web6}
	other := func(target string) map[lab.Family]string {
		return map[lab.Family]string{
			lab.VPNv4: "10.0.0.11:2:198.51.100.7/32 label 101 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] " + target + " target:64512:8000002 encapsulation:gre encapsulation:udp",
			lab.VPNv6: "10.0.0.11:2:2001:db8:e::7/128 label 101 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] " + target + " target:64512:8000002 encapsulation:gre encapsulation:udp",
		}
	}
	// The VPN table has the wrong target, and the VRF does not.
	w.vpnHas(r, g, web, other("target:64512:20000"))
	w.vrfHas(r, g, "red", web)
	w.vrfHas(r, g, "blue")
	w.golden(filepath.Join(r.kind, "vrf_one_target.txt"), r.tables(g, "red", "blue"))

	w.ctl("set network vn-other --route-target target:64512:10003")
	w.vpnHas(r, g, web, other("target:64512:10003"))
	w.vrfHas(r, g, "red", web, other("target:64512:10003"))
	w.vrfHas(r, g, "blue")
	w.golden(filepath.Join(r.kind, "vrf_target_set.txt"), r.tables(g, "red", "blue"))

	w.ctl("set network vn-other --route-target target:64512:40000")
	w.vrfHas(r, g, "red", web)
	w.vrfHas(r, g, "blue", other("target:64512:40000"))
	w.golden(filepath.Join(r.kind, "vrf_target_moved.txt"), r.tables(g, "red", "blue"))

	w.ctl("disassociate floatingip other-4")
	w.ctl("disassociate floatingip other-6")
	w.vpnHas(r, g, web)
	w.vrfHas(r, g, "red", web)
	w.vrfHas(r, g, "blue")
	if now := w.neighborState("mx1").Session; now.Since != session.Since || now.EstablishedCount != session.EstablishedCount || g.PID() != pid {
		w.t.Errorf("the session was %v and is %v, the process %d and is %d", session, now, pid, g.PID())
	}
}

// needs skips the test if a router or tool is not installed.
func needs(t *testing.T, kinds ...string) {
	t.Helper()
	missing := lab.MissingPackages(kinds...)
	if len(missing) == 0 {
		return
	}
	cannot(t, fmt.Sprintf("not installed: apt-get install %s (for all tests: %s)",
		strings.Join(missing, " "), strings.Join(lab.MissingPackages(), " ")))
}

// cannot skips the test. In CI it fails: there, a test that never runs would go
// unnoticed.
func cannot(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// router starts a router of a kind, makes it a neighbor of that name and waits
// for the session.
func (w *world) router(kind, name string) lab.Gateway {
	w.t.Helper()
	needs(w.t, kind)
	g := w.routerOf(kind, w.gatewayConfig(name, vpnFamilies))
	w.neighbor(name, g.Config())
	return g
}

// routerOf starts a router of a kind. Buoy is not told of it.
func (w *world) routerOf(kind string, config lab.GatewayConfig) lab.Gateway {
	w.t.Helper()
	g, err := lab.NewGateway(kind, programs, config)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := g.Start(w.deadline()); errors.Is(err, lab.ErrNeedsRoot) {
		cannot(w.t, err.Error())
	} else if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("%s:\n%s", g.LogFile(), lab.Tail(g.LogFile(), 50))
		}
		if err := g.Stop(); err != nil {
			w.t.Error(err)
		}
	})
	return g
}

// importInto makes a VRF of a router.
func (w *world) importInto(g lab.Gateway, name string, targets ...string) {
	w.t.Helper()
	w.vrfs++
	v := lab.VRF{Name: name, RD: routetarget.IPv4Distinguisher(g.Config().RouterID, w.vrfs)}
	for _, text := range targets {
		target, err := routetarget.ParseTarget(text)
		if err != nil {
			w.t.Fatal(err)
		}
		v.Targets = append(v.Targets, target)
	}
	err := g.ImportVRF(w.deadline(), v)
	if errors.Is(err, lab.ErrNeedsRoot) {
		cannot(w.t, err.Error())
	} else if err != nil {
		w.t.Fatal(err)
	}
}

// typesAt returns a step that types lines into the section of BGP of an FRR. PEER is
// Buoy's address.
func (w *world) typesAt(g *lab.FRR, lines ...string) func() {
	return func() {
		w.t.Helper()
		commands := []string{"configure terminal", fmt.Sprint("router bgp ", g.Config().AS)}
		for _, line := range lines {
			commands = append(commands, strings.ReplaceAll(line, "PEER", g.Config().Peer.Addr().String()))
		}
		if out, err := g.CLI(w.deadline(), commands...); err != nil {
			w.t.Fatalf("%s: %v", out, err)
		}
	}
}
