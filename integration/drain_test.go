package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
)

// asDraining returns a route as it is while its compute node drains.
func asDraining(route string) string {
	return strings.Replace(route, "local-pref 100", "local-pref 0", 1) + " graceful-shutdown"
}

// web1At2 is web-1 at a second compute node.
const web1At2 = "10.0.0.12:1:203.0.113.5/32 label 200 next-hop 10.0.0.12 local-pref 100 origin incomplete as-path [] target:64512:10003 target:64512:8000001 encapsulation:gre"

// drained is what the tests read of a compute node.
type drained struct {
	Drain string
	Until time.Time `json:"drain_until"`
}

func (w *world) drain(node string) (d drained) {
	w.t.Helper()
	text := strings.Replace(w.ctl("get computenodes "+node+" -o json"), `"drain_until": ""`, `"drain_until": null`, 1)
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		w.t.Fatal(err)
	}
	return d
}

// becomes waits for a stage of a drain.
func (w *world) becomes(node, want string) {
	w.t.Helper()
	w.eventually(node+" is "+want, func(context.Context) error {
		if d := w.drain(node); d.Drain != want {
			return fmt.Errorf("it is %s until %s", d.Drain, d.Until)
		}
		return nil
	})
}

// TestDrain: FRR and BIRD see the routes of a draining compute node with
// LOCAL_PREF 0 and the community, and no withdraw before; then they go. A drain
// goes on over kill -9, and its time may come while no daemon runs.
func TestDrain(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("create computenode cmp2 --address 10.0.0.12 --encapsulation gre")
	gateways := []lab.Gateway{w.router("frr", "mx1"), w.router("bird", "mx2")}
	r := w.recorder("rec")
	have := func(routes ...string) {
		t.Helper()
		for _, g := range gateways {
			w.wantVPN(g, lab.VPNv4, routes...)
		}
	}
	kill := func() {
		t.Helper()
		w.buoyd.Kill()
		w.restart()
		for _, name := range []string{"mx1", "mx2"} {
			w.established(name)
		}
	}
	w.associate()
	w.ctl("associate floatingip web-1 --computenode cmp2 --interface tap7 --fixed-ip 10.47.255.250 --label 200")
	have(web1, web1At2)

	if _, err := r.WaitFor(w.deadline(), "+ "+web1At2); err != nil {
		t.Fatal(err)
	}
	from := len(r.Events())
	w.ctl("drain computenode cmp1 --wait 1h")
	have(asDraining(web1), web1At2)
	if last, err := r.WaitFor(w.deadline(), "+ "+asDraining(web1)); err != nil || last != from {
		t.Errorf("draining is event %d of %v, %v; want %d", last, r.Events(), err, from)
	}
	before := w.drain("cmp1")
	kill()
	have(asDraining(web1), web1At2)
	if after := w.drain("cmp1"); after != before || after.Drain != "DRAINING" {
		t.Errorf("the drain was %v and is %v", before, after)
	}
	w.ctl("undrain computenode cmp1")
	have(web1, web1At2)

	w.ctl("drain computenode cmp1 --wait 1")
	have(web1At2)
	w.becomes("cmp1", "DRAINED")
	if out := w.ctl("get floatingips web-1 -o wide"); !strings.Contains(out, "computeNodes/cmp1 is drained") || !strings.Contains(out, "advertised") {
		t.Errorf("the floating IP does not say why it has no route there:\n%s", out)
	}
	kill()
	have(web1At2)
	w.ctl("undrain computenode cmp1")
	have(web1, web1At2)

	// Its time comes while nobody is there.
	w.ctl("drain computenode cmp2 --wait 2")
	until := w.drain("cmp2").Until
	w.buoyd.Kill()
	w.eventually("the time has come", func(context.Context) error {
		if left := time.Until(until); left > 0 {
			return fmt.Errorf("%s left", left)
		}
		return nil
	})
	w.restart()
	w.becomes("cmp2", "DRAINED")
	have(web1)
	w.ctl("drain computenode cmp1 --wait 0")
	have()
	if out := w.ctl("get floatingips web-1 -o wide"); !strings.Contains(out, "withheld") {
		t.Errorf("the floating IP:\n%s", out)
	}
	w.ctl("undrain computenode cmp1")
	w.ctl("undrain computenode cmp2")
	have(web1, web1At2)
}

// TestDrainExternal: a gateway in another AS is told by the community alone.
func TestDrainExternal(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	config := w.gatewayConfig("mx1", vpnFamilies)
	config.AS = 64999
	g := w.gateway(config)
	w.neighbor("mx1", config)
	route := strings.NewReplacer("local-pref 100 ", "", "as-path []", "as-path [64512]").Replace(web1)
	w.wantVPN(g, lab.VPNv4, route)
	w.ctl("drain computenode cmp1 --wait 1h")
	w.wantVPN(g, lab.VPNv4, route+" graceful-shutdown")
	w.ctl("undrain computenode cmp1")
	w.wantVPN(g, lab.VPNv4, route)
}
