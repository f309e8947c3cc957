package integration

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestChangesReachTheGateway: whatever changes about a route, the gateway has
// it as it is now. A change of only the label or the next hop is a change.
func TestChangesReachTheGateway(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	w.wantVPN(g, lab.VPNv4, web1)

	want := web1
	for _, change := range []struct {
		commands []string
		old, new string // in the route
	}{
		{[]string{
			"disassociate floatingip web-1",
			"associate floatingip web-1 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.249 --label 101",
		}, "label 100", "label 101"},
		{[]string{"set computenode cmp1 --encapsulation udp"}, " encapsulation:gre", ""},
		{[]string{"set computenode cmp1 --encapsulation gre,udp"}, "encapsulation:udp", "encapsulation:gre encapsulation:udp"},
		{[]string{"set network vn-public --encapsulation gre"}, " encapsulation:udp", ""},
		{[]string{"set computenode cmp1 --address 10.0.0.99"}, "next-hop 10.0.0.11", "next-hop 10.0.0.99"},
		{[]string{"set computenode cmp1 --router-id 10.0.0.98"}, "10.0.0.11:1:", "10.0.0.98:1:"},
		{[]string{"set network vn-public --export-target target:64512:7"}, "target:64512:10003", "target:64512:7 target:64512:10003"},
		{[]string{
			"disassociate floatingip web-1",
			"associate floatingip web-1 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.249 --label 101 --preferred",
		}, "local-pref 100", "local-pref 200"},
	} {
		for _, command := range change.commands {
			w.ctl(command)
		}
		if !strings.Contains(want, change.old) {
			t.Fatalf("the test is wrong: %q is not in %q", change.old, want)
		}
		want = strings.Replace(want, change.old, change.new, 1)
		w.wantVPN(g, lab.VPNv4, want)
	}
}

// TestTargetChange: when a network's targets change, its routes are sent anew
// with the new ones and are never withdrawn in between. A VRF with the new
// target gets them, one with the old target loses them.
func TestTargetChange(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	r := w.recorder("rec")
	g := w.peer("mx1", vpnFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	w.importVRF(g, "blue", "target:64512:10004")
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	w.wantVRF(g, "blue", lab.VPNv4)

	changed := strings.Replace(web1, "target:64512:10003", "target:64512:10004", 1)
	w.noWithdrawal(r, "+ "+web1, "+ "+changed, func() {
		w.ctl("set network vn-public --route-target target:64512:10004")
	})
	w.wantVPN(g, lab.VPNv4, changed)
	w.wantVRF(g, "red", lab.VPNv4)
	w.wantVRF(g, "blue", lab.VPNv4, web1InVRF)

	// Both at once, as one would do it to move a gateway without an outage.
	w.ctl("set network vn-public --route-target target:64512:10003,target:64512:10004")
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	w.wantVRF(g, "blue", lab.VPNv4, web1InVRF)
}

// TestTargetChangeBesideMembership: a gateway that no longer wants a route
// because its targets changed has it withdrawn. The others see no withdrawal.
func TestTargetChangeBesideMembership(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	r := w.recorder("rec")
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	changed := strings.Replace(web1, "target:64512:10003", "target:64512:10004", 1)
	w.noWithdrawal(r, "+ "+web1, "+ "+changed, func() {
		w.ctl("set network vn-public --route-target target:64512:10004")
	})
	w.wantVPN(g, lab.VPNv4)
	w.eventually("the floating IP says who does not want it", func(context.Context) error {
		if out := w.ctl("get floatingips web-1 -o wide"); !strings.Contains(out, "to 1 of 2 neighbors: mx1 did not ask for any of target:64512:10004") {
			return errors.New(out)
		}
		return nil
	})
	w.importVRF(g, "blue", "target:64512:10004")
	w.wantVRF(g, "blue", lab.VPNv4, web1InVRF)
}

// noWithdrawal checks that no route reaches or leaves a recorder between what
// it has before a change and what it has after.
func (w *world) noWithdrawal(r *lab.Recorder, before, after string, change func()) {
	w.t.Helper()
	first, err := r.WaitFor(w.deadline(), before)
	if err != nil {
		w.t.Fatal(err)
	}
	change()
	last, err := r.WaitFor(w.deadline(), after)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range r.Events()[first+1 : last] {
		if !e.EndOfRIB {
			w.t.Errorf("between the old route and the new one: %s", e)
		}
	}
}
