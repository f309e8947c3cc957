package integration

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestMembership: a gateway that negotiates route-target gets what its VRFs
// import, and nothing else (RFC 4684).
func TestMembership(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("create network vn-other --subnet 198.51.100.0/24 --route-target target:64512:20000")
	w.ctl("allocate floatingip other --network vn-other --address 198.51.100.7")
	w.associate()
	w.ctl("associate floatingip other --computenode cmp1 --interface tap1 --fixed-ip 10.47.0.7 --label 101")
	const other = "10.0.0.11:2:198.51.100.7/32 label 101 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:20000 target:64512:8000002 encapsulation:gre encapsulation:udp"

	g := w.peer("mx1", allFamilies)
	w.wantMemberships(g, "64512:64512:10003", "64512:64512:20000", "64512:64512:8000001", "64512:64512:8000002")
	// Buoy has nothing to wait for: had it sent routes, they would have come
	// with the memberships.
	w.wantVPN(g, lab.VPNv4)
	w.importVRF(g, "red", "target:64512:10003")
	w.wantVPN(g, lab.VPNv4, web1)
	w.importVRF(g, "green", "target:64512:20000")
	w.wantVPN(g, lab.VPNv4, web1, other)
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)

	// It no longer wants the route: the engine alone would never withdraw it.
	w.ctl("set network vn-public --route-target target:64512:10004")
	w.wantVPN(g, lab.VPNv4, other)
	w.wantMemberships(g, "64512:64512:10004", "64512:64512:20000", "64512:64512:8000001", "64512:64512:8000002")
	w.ctl("set network vn-public --route-target target:64512:10003")
	w.wantVPN(g, lab.VPNv4, web1, other)

	// A change between two targets that it wants is no withdrawal.
	w.importVRF(g, "blue", "target:64512:10005")
	w.ctl("set network vn-public --route-target target:64512:10005")
	w.wantVPN(g, lab.VPNv4, strings.Replace(web1, "10003", "10005", 1), other)
	w.wantVRF(g, "red", lab.VPNv4)
	w.wantVRF(g, "blue", lab.VPNv4, web1InVRF)

	// A network that is deleted is no longer asked for.
	w.ctl("disassociate floatingip other")
	w.ctl("release floatingip other")
	w.ctl("delete network vn-other")
	w.wantMemberships(g, "64512:64512:10005", "64512:64512:8000001")
}

func (w *world) wantMemberships(g *lab.GoBGP, want ...string) {
	w.t.Helper()
	w.eventually("Buoy announces its memberships", func(ctx context.Context) error {
		got, err := g.Memberships(ctx)
		if err == nil && !reflect.DeepEqual(got, want) {
			err = fmt.Errorf("got %v, want %v", got, want)
		}
		return err
	})
}
