package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestMove: a floating IP that moves to another compute node is never without
// a route: the gateway sees the new one, and only then the old one goes.
func TestMove(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	w.ctl("create computenode cmp2 --address 10.0.0.12 --encapsulation gre,udp")
	r := w.recorder("rec")
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	w.wantVPN(g, lab.VPNv4, web1)

	moved := strings.NewReplacer("10.0.0.11", "10.0.0.12", "label 100", "label 300").Replace(web1)
	w.noWithdrawal(r, "+ "+web1, "+ "+moved, func() {
		w.ctl("move floatingip web-1 --computenode cmp2 --interface tap3 --fixed-ip 10.47.255.249 --label 300")
	})
	const gone = "- 10.0.0.11:1:203.0.113.5/32"
	if _, err := r.WaitFor(w.deadline(), gone); err != nil {
		t.Fatal(err)
	}
	w.wantVPN(g, lab.VPNv4, moved)

	// Another label at the same node is the same route with a change.
	again := strings.Replace(moved, "label 300", "label 301", 1)
	w.noWithdrawal(r, gone, "+ "+again, func() {
		w.ctl("move floatingip web-1 --computenode cmp2 --interface tap4 --fixed-ip 10.47.255.249 --label 301")
	})
	w.wantVPN(g, lab.VPNv4, again)
}

// TestPools: a pool that is shared gives another project an address with an
// allocated label, and the gateway learns it under the network's target. What
// is not shared is refused, and so is the address after the last one.
func TestPools(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.ctl("create network vn-public --subnet 203.0.113.0/24 --route-target target:64512:10003")
	w.ctl("create pool two --network vn-public --range 203.0.113.10-203.0.113.11 --share-with dev")
	w.ctl("bind pool two --namespace shop")
	w.ctl("create computenode cmp1 --address 10.0.0.11")
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")

	const dev = "--project dev "
	allocated := w.ctl(dev + "allocate floatingip web --namespace shop")
	if !strings.Contains(allocated, "203.0.113.10") || !strings.Contains(allocated, "namespace shop") {
		t.Errorf("allocate says %q", allocated)
	}
	w.ctl(dev + "associate floatingip web --computenode cmp1 --interface tap0 --fixed-ip 10.47.0.1")
	w.wantVPN(g, lab.VPNv4, "10.0.0.11:1:203.0.113.10/32 label 100000 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:10003 target:64512:8000001 encapsulation:gre")

	for _, tt := range []struct {
		line, want string
		code       int
	}{
		{"--project other allocate floatingip web --namespace shop", "not shared with project other", 5},
		{"--project other allocate floatingip web --pool projects/default/networks/vn-public/pools/two", "is not shared with project other, or does not exist", 4},
		{"--project other allocate floatingip web --pool projects/default/networks/vn-public/pools/none", "is not shared with project other, or does not exist", 4},
		{"allocate floatingip x --pool two --address 203.0.113.9", "203.0.113.9 is outside projects/default/networks/vn-public/pools/two: 203.0.113.10/31", 1},
		{"allocate floatingip second --pool two", "", 0},
		{"allocate floatingip third --pool two", "2 of 2 used in 203.0.113.10/31", 1},
		{"set pool two --range 203.0.113.10", "projects/default/floatingIps/second (203.0.113.11)", 5},
		{"set pool two --range 203.0.113.10-203.0.113.12", "", 0},
		{"allocate floatingip third --pool two", "", 0},
	} {
		r := w.try(tt.line)
		if r.Code != tt.code || !strings.Contains(r.Stderr, tt.want) {
			t.Errorf("%s: exit status %d, want %d\n%s\nwant %q", tt.line, r.Code, tt.code, r.Stderr, tt.want)
		}
	}
}

// TestASChange: another AS renumbers the automatic targets on the live network,
// without a withdraw. A collision is refused and changes nothing. The daemon
// starts again with the AS in its file.
func TestASChange(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	r := w.recorder("rec")
	g := w.peer("mx1", vpnFamilies)
	w.importVRF(g, "automatic", "target:64600:8000001")
	w.wantVPN(g, lab.VPNv4, web1)
	w.wantVRF(g, "automatic", lab.VPNv4)

	w.ctl("create network vn-other --route-target target:64601:8000009")
	if r := w.try("set global --as 64601"); r.Code != 5 || !strings.Contains(r.Stderr, "projects/default/networks/vn-other has target:64601:8000009") {
		t.Errorf("a collision: exit status %d\n%s", r.Code, r.Stderr)
	}
	if out := w.ctl("set global --as 64600 --validate-only"); !strings.Contains(out, "target:64600:8000001") {
		t.Errorf("validate-only says %q", out)
	}
	renumbered := strings.Replace(web1, "target:64512:8000001", "target:64600:8000001", 1)
	w.noWithdrawal(r, "+ "+web1, "+ "+renumbered, func() { w.ctl("set global --as 64600") })
	w.wantVPN(g, lab.VPNv4, renumbered)
	w.wantVRF(g, "automatic", lab.VPNv4, web1InVRF)

	if err := w.buoyd.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := w.buoyd.WriteConfig(strings.Replace(w.buoyd.YAML(), fmt.Sprint("as: ", ourAS), "as: 64600", 1)); err != nil {
		t.Fatal(err)
	}
	w.restart()
	if out := w.ctl("get global -o json"); !strings.Contains(out, `"session_as": 64600`) {
		t.Errorf("after the restart: %s", out)
	}
}
