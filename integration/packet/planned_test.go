package packet

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// scenario is something that is done while packets flow.
type scenario struct {
	name    string
	always  bool   // also when not every scenario is asked for
	address string // that is asked all the time; overGRE if not said
	lossy   bool   // packets may be lost: the outage is only reported
	breaks  bool   // a connection ends with the workload that it leads to
	do      func(t *testing.T, w *world)
	undo    func(t *testing.T, w *world) // packets flow then, too
}

// TestPlanned: no packet is lost by what operators do, and none by the loss of a control node.
// Where packets are lost, it is told how many and for how long.
func TestPlanned(t *testing.T) {
	w := take(t)
	var table strings.Builder
	for _, s := range scenarios {
		if !s.always && !*all {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			address := s.address
			if address == "" {
				address = overGRE
			}
			w.answers(t, address)
			in, out := streams{}, ping(t, "w1", "", clientAddr.String())
			if address == both {
				in = pingFromAll(t, address) // some of them to each
			} else {
				in = append(in, ping(t, "client", "", address))
			}
			called := call("client", address)
			in.more(t, 25)
			out.more(t, 25)
			s.do(t, w)
			in.more(t, 100)
			out.more(t, 100)
			if s.undo != nil {
				s.undo(t, w)
				in.more(t, 100)
				out.more(t, 100)
			}
			calls, failed := called.stop()
			inward, outward := in.stop(t), out.stop(t)
			if !s.lossy && !s.breaks && failed != nil {
				t.Errorf("calls failed: %s: %v", calls, failed)
			}
			if !s.lossy && inward.lost+outward.lost > 0 {
				t.Errorf("lost from the client %v, until %v; from w1 %v, until %v", inward, inward.when, outward, outward.when)
			}
			fmt.Fprintf(&table, "| %s | %v | %v | %s |\n", s.name, inward, outward, calls)
		})
	}
	fmt.Printf("| while | lost: client → floating IP | lost: w1 → client | calls failed |\n|---|---|---|---|\n%s", table.String())
}

var scenarios = []scenario{
	{name: "nothing happens", always: true, do: func(*testing.T, *world) {}},
	{name: "a control node is upgraded", do: func(t *testing.T, w *world) { // control1 began as an older one
		if err := w.controls[0].Stop(); err != nil {
			t.Fatal(err)
		}
		w.controls[0] = w.controls[0].With(programs.Programs)
		w.startAgain(t, 0)
	}},
	{name: "a control node is restarted", always: true, do: func(t *testing.T, w *world) { w.restartControl(t, 0, false) }},
	{name: "a control node is killed", always: true, do: func(t *testing.T, w *world) { w.restartControl(t, 0, true) }},
	{name: "a control node is gone", do: func(t *testing.T, w *world) {
		w.controls[0].Kill()
		w.gatewayLoses(t, "10.0.0.2")
	}, undo: func(t *testing.T, w *world) { w.startAgain(t, 0) }},
	{name: "both control nodes are gone", do: func(t *testing.T, w *world) {
		w.controls[0].Kill()
		w.controls[1].Kill()
		w.gatewayLoses(t, "10.0.0.2")
		w.gatewayLoses(t, "10.0.0.3")
	}, undo: func(t *testing.T, w *world) {
		w.startAgain(t, 0)
		w.startAgain(t, 1)
	}},
	{name: "the agent is restarted", always: true, do: func(t *testing.T, w *world) {
		if err := w.agents[0].Stop(); err != nil {
			t.Fatal(err)
		}
		w.agentAgain(t, 0)
	}},
	{name: "the agent is killed", do: func(t *testing.T, w *world) {
		w.agents[0].Kill()
		w.agentAgain(t, 0)
	}},
	{name: "another target, with the old one", always: true, do: func(t *testing.T, w *world) {
		w.do(t, "set network vn-public --route-target target:64512:10003,target:64512:10004")
	}, undo: func(t *testing.T, w *world) {
		w.do(t, "set network vn-public --route-target target:64512:10003")
	}},
	{name: "a floating IP is moved", always: true, address: visitor, breaks: true, do: func(t *testing.T, w *world) {
		w.do(t, fmt.Sprintf("move floatingip visitor --computenode cmp2 --interface tap0 --fixed-ip %v --label %d", fixedAddrs[1], label+1))
		w.gatewayUses(t, visitor, "10.0.0.12")
	}, undo: func(t *testing.T, w *world) {
		w.do(t, fmt.Sprintf("move floatingip visitor --computenode cmp1 --interface tap0 --fixed-ip %v --label %d", fixedAddrs[0], label))
		w.gatewayUses(t, visitor, "10.0.0.11")
	}},
	{name: "a compute node is drained", always: true, address: both, breaks: true, do: func(t *testing.T, w *world) {
		w.do(t, "drain computenode cmp2 --wait 5s")
		w.gatewayUses(t, both, "10.0.0.11")
	}, undo: func(t *testing.T, w *world) {
		w.do(t, "undrain computenode cmp2")
		w.gatewayUses(t, both, "10.0.0.11", "10.0.0.12")
	}},
	{name: "an interface goes down, with a backup", address: guarded, lossy: true, do: func(t *testing.T, w *world) {
		w.link(t, node(1), "tap0", "down")
		w.gatewayUses(t, guarded, "10.0.0.11")
	}, undo: func(t *testing.T, w *world) {
		w.link(t, node(1), "tap0", "up")
		w.gatewayUses(t, guarded, "10.0.0.12")
	}},
	{name: "a compute node is cut off, with a backup", address: guarded, lossy: true, do: func(t *testing.T, w *world) {
		w.link(t, "core", node(1), "down")
		w.gatewayUses(t, guarded, "10.0.0.11")
	}, undo: func(t *testing.T, w *world) {
		w.link(t, "core", node(1), "up")
		w.gatewayUses(t, guarded, "10.0.0.12")
	}},
	{name: "a compute node is cut off, beside another", address: both, lossy: true, do: func(t *testing.T, w *world) {
		w.link(t, "core", node(1), "down")
		w.gatewayUses(t, both, "10.0.0.11")
	}, undo: func(t *testing.T, w *world) {
		w.link(t, "core", node(1), "up")
		w.gatewayUses(t, both, "10.0.0.11", "10.0.0.12")
	}},
	{name: "the gateway clears a session", do: func(t *testing.T, w *world) { w.clear(t, "10.0.0.2") }},
	{name: "the gateway clears both sessions", lossy: true, do: func(t *testing.T, w *world) { w.clear(t, "*") }},
	{name: "the gateway's bgpd is restarted", lossy: true, do: func(t *testing.T, w *world) {
		if err := w.gateway.bgpd.Stop(); err != nil {
			t.Fatal(err)
		}
		if err := w.gateway.startBGP(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.gatewayUses(t, overGRE, "10.0.0.11")
	}},
}

// restartControl ends a control node and starts it again.
func (w *world) restartControl(t *testing.T, i int, kill bool) {
	t.Helper()
	if kill {
		w.controls[i].Kill()
	} else if err := w.controls[i].Stop(); err != nil {
		t.Fatal(err)
	}
	w.startAgain(t, i)
}

// startAgain starts a control node, and waits until the gateway has its routes.
func (w *world) startAgain(t *testing.T, i int) {
	t.Helper()
	if err := w.controls[i].Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.gatewayHas(t, i)
}

// clear makes the gateway end sessions, and waits until it has all routes again.
func (w *world) clear(t *testing.T, sessions string) {
	t.Helper()
	if _, err := w.gateway.vtysh(t.Context(), "clear bgp "+sessions); err != nil {
		t.Fatal(err)
	}
	for i := range w.controls {
		w.gatewayHas(t, i)
	}
}

// gatewayHas waits until the gateway has routes of a control node.
func (w *world) gatewayHas(t *testing.T, i int) {
	t.Helper()
	eventually(t, "the gateway has the routes of "+control(i), func(ctx context.Context) error {
		text, err := w.gateway.vtysh(ctx, fmt.Sprintf("show bgp neighbors %v json", controlAddrs[i]))
		if err == nil && (!strings.Contains(text, `"bgpState":"Established"`) || strings.Contains(text, `"acceptedPrefixCounter":0`)) {
			err = fmt.Errorf("it has not")
		}
		return err
	})
}

// gatewayLoses waits until the gateway knows that a control node is gone.
func (w *world) gatewayLoses(t *testing.T, addr string) {
	t.Helper()
	eventually(t, "the gateway loses "+addr, func(ctx context.Context) error {
		text, err := w.gateway.vtysh(ctx, "show bgp neighbors "+addr+" json")
		if err == nil && strings.Contains(text, `"bgpState":"Established"`) {
			err = fmt.Errorf("it has it")
		}
		return err
	})
}

// gatewayUses waits until the gateway's kernel sends an address to these compute nodes.
func (w *world) gatewayUses(t *testing.T, address string, nodes ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("the gateway sends %s to %v", address, nodes), func(ctx context.Context) error {
		text, err := w.gateway.routes(ctx, address)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if !strings.Contains(text, "via "+n+" ") {
				return fmt.Errorf("got %q", text)
			}
		}
		if strings.Count(text, "encap mpls") != len(nodes) {
			return fmt.Errorf("got %q", text)
		}
		return nil
	})
}

// agentAgain starts the agent of a compute node again.
func (w *world) agentAgain(t *testing.T, i int) {
	t.Helper()
	if err := w.startAgent(t.Context(), i); err != nil {
		t.Fatal(err)
	}
}

// link sets an interface up or down.
func (w *world) link(t *testing.T, namespace, name, state string) {
	t.Helper()
	b := &batch{}
	b.in(namespace, "link set "+name+" "+state)
	if err := b.run(t.Context()); err != nil {
		t.Fatal(err)
	}
}
