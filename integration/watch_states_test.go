package integration

import (
	"context"
	"testing"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestWatchStates: who watches is told of each state of a floating IP that nobody
// touches: there is no room for it at the gateway, there is, and the gateway is lost.
func TestWatchStates(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("allocate floatingip web-2 --network vn-public --address 203.0.113.6")
	g := w.peer("mx1", vpnFamilies)
	w.ctl("set neighbor mx1 --max-advertised 1")
	w.associate()
	w.wantVPN(g, vpnFamilies[0], web1)
	w.ctl("associate floatingip web-2 --computenode cmp1 --interface tap2 --fixed-ip 10.47.255.250")

	const web2 = "projects/default/floatingIps/web-2"
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := buoyv1.NewWatchesClient(w.dial()).Watch(ctx, &buoyv1.WatchRequest{Name: web2})
	if err != nil {
		t.Fatal(err)
	}
	until := func(what string, want buoyv1.FloatingIP_State) {
		t.Helper()
		var last *buoyv1.FloatingIP
		for last.GetState() != want {
			resp, err := stream.Recv()
			if err != nil {
				t.Fatalf("%s: %v, after %v", what, err, last)
			}
			if f := resp.GetFloatingIp(); f != nil {
				last = f
			}
		}
	}
	until("no room", buoyv1.FloatingIP_WITHHELD)
	w.ctl("disassociate floatingip web-1")
	until("room", buoyv1.FloatingIP_ADVERTISED)
	if err := g.Stop(); err != nil {
		t.Fatal(err)
	}
	until("no gateway", buoyv1.FloatingIP_PENDING)
}
