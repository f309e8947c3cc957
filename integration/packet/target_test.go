package packet

import (
	"testing"
	"time"
)

// TestTarget: with another route target the floating IP cannot be reached, and with the
// right one it can, without a restart of anything.
func TestTarget(t *testing.T) {
	w := take(t)
	w.answers(t, overGRE)
	pid := []int{w.gateway.bgpd.PID(), w.gateway.zebra.PID(), w.agents[0].PID(), w.controls[0].PID(), w.controls[1].PID()}
	w.do(t, "set network vn-public --route-target target:64512:666")
	w.gatewayUses(t, overGRE)
	p := ping(t, "client", "", overGRE)
	time.Sleep(25 * pace)
	if r := p.stop(t); r.lost != r.sent {
		t.Errorf("with the wrong target: %v", r)
	}
	w.do(t, "set network vn-public --route-target target:64512:10003")
	w.gatewayUses(t, overGRE, "10.0.0.11")
	w.answers(t, overGRE)
	for i, now := range []int{w.gateway.bgpd.PID(), w.gateway.zebra.PID(), w.agents[0].PID(), w.controls[0].PID(), w.controls[1].PID()} {
		if now != pid[i] {
			t.Errorf("process %d is another one: %d", i, now)
		}
	}
}
