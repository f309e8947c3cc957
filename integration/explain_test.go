package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// explained is what the tests read of explain -o json.
type explained struct {
	Healthy bool
	Summary string
	Cause   string
	Next    string `json:"next_step"`
}

// explains waits until an explanation has a cause; "" is that of a floating IP that
// can be reached.
func (w *world) explains(args, cause, text string) (e explained) {
	w.t.Helper()
	w.eventually("explain "+args+" says "+cause, func(context.Context) error {
		r := w.try("explain " + args + " -o json")
		e = explained{}
		if err := json.Unmarshal([]byte(r.Stdout), &e); err != nil {
			return fmt.Errorf("%s%s: %w", r.Stdout, r.Stderr, err)
		}
		if want := map[bool]int{true: 0, false: 7}[cause == ""]; e.Cause != cause || !strings.Contains(e.Summary, text) || r.Code != want || e.Healthy != (cause == "") {
			return fmt.Errorf("exit status %d, %+v", r.Code, e)
		}
		return nil
	})
	return e
}

// wellExplained waits until every step holds.
func (w *world) wellExplained(args string) string {
	w.t.Helper()
	text := ""
	w.eventually("all is well with "+args, func(context.Context) error {
		r := w.try("explain " + args)
		if text = r.Stdout; r.Code != 0 || strings.ContainsAny(text, "✗!–") || strings.Count(text, "✓") != 17 {
			return fmt.Errorf("exit status %d\n%s%s", r.Code, text, r.Stderr)
		}
		return nil
	})
	return text
}

// TestExplain: with real gateways, each thing that is wrong is named as the cause, and
// when nothing is, every step holds, the way back included.
func TestExplain(t *testing.T) {
	needs(t, "frr")
	w := newWorld(t)
	w.start()
	w.explains("203.0.113.20", "known", "no network has 203.0.113.20")
	w.public()
	w.ctl("create pool closed --network vn-public --range 203.0.113.16-203.0.113.31")
	w.explains("203.0.113.20", "allocated", "the pool is not shared: only project default can take it")
	w.explains("203.0.113.20 --project shop", "known", "no network of project shop has 203.0.113.20, and no pool that is shared with it")
	w.ctl("set pool closed --share-with shop")
	w.explains("203.0.113.20 --project shop", "allocated", "no floating IP has 203.0.113.20")
	w.explains("web-1", "associated", "is not associated")
	w.associate()
	w.explains("web-1", "configured", "no neighbor is configured")

	g := w.routerOf("frr", w.gatewayConfig("mx1", vpnFamilies))
	w.ctl(strings.Replace(strings.Join(g.Config().CreateNeighbor("mx1"), " "), "--as 64512", "--as 64999", 1))
	e := w.explains("web-1", "established", "is AS 64512; configured is 64999")
	if !strings.Contains(e.Next, "set neighbor mx1 --as 64512") {
		t.Errorf("next step: got %q", e.Next)
	}
	w.ctl("set neighbor mx1 --as 64512")
	w.explains("web-1", "", "1 of 1 neighbors have a route; 1 step is not as it should be")
	w.announce(g.(lab.Originator), w.origin(g.Config(), 7, "0.0.0.0/0", "10.0.0.9", "target:64512:10003"))
	w.wellExplained("203.0.113.5 --vendor frr")
	w.wellExplained("web-1 --neighbor mx1 --from 198.51.100.7")

	w.ctl("drain computenode cmp1 --wait 0")
	w.explains("web-1", "compute_node", "computeNodes/cmp1 is drained")
	w.ctl("undrain computenode cmp1")
	w.wellExplained("web-1")

	w.typesAt(g.(*lab.FRR), "neighbor PEER shutdown")()
	e = w.explains("web-1", "established", "Administrative Shutdown")
	if e.Next != "the session was shut down on the router: enable it there" {
		t.Errorf("next step: got %q", e.Next)
	}
	w.typesAt(g.(*lab.FRR), "no neighbor PEER shutdown")()
	w.wellExplained("web-1")

	// One that asks for nothing, until a VRF of it imports the target.
	asks := w.peer("mx2", allFamilies)
	w.explains("web-1 --neighbor mx2", "wanted", "mx2 did not ask for any of target:64512:10003")
	w.explains("web-1", "", "1 of 2 neighbors have a route; 1 step is not as it should be")
	w.importVRF(asks, "red", "target:64512:10003")
	w.explains("web-1 --neighbor mx2", "", "mx2 has a route")
	w.ctl("set neighbor mx2 --families inet6-vpn,route-target")
	w.explains("web-1 --neighbor mx2", "configured", "mx2 is not configured for inet-vpn")
}

// TestLookAtGateway: what explain says to type on FRR, BIRD and GoBGP shows the route
// there.
func TestLookAtGateway(t *testing.T) {
	for _, r := range []router{frr, bird, gobgp} {
		t.Run(r.kind, func(t *testing.T) {
			w := newWiredWorld(t, r.kind)
			w.start()
			w.public()
			w.ctl("create neighbor mx1 --address 10.0.0.1 --as 64512")
			g := w.wired(r.kind, w.ctl("gateway-config --vendor "+r.kind+" --local-address 10.0.0.2"), ourAS)
			w.established("mx1")
			w.associate()
			w.reaches(g, "vn-public", lab.VPNv4, "203.0.113.5/32")
			out := w.ctl("explain web-1 --vendor " + r.kind)
			_, out, _ = strings.Cut(out, "What the gateway does")
			tried := 0
			for line := range strings.Lines(out) {
				command, ok := strings.CutPrefix(strings.TrimSpace(line), r.kind+" ")
				// The kernel's is not the router's; and in the lab vtysh reaches bgpd alone.
				if command = strings.TrimSpace(command); !ok || strings.HasPrefix(command, "ip ") || strings.Contains(command, "show ip route") {
					continue
				}
				tried++
				typed, wanted, filtered := strings.Cut(command, " | grep ")
				text, err := w.typed(g, typed)
				if filtered && !strings.Contains(text, wanted) {
					t.Errorf("%s: got\n%s", command, text)
				}
				if err != nil || !strings.Contains(text, "203.0.113.5/32") && !strings.Contains(command, "for 10.0.0.11") {
					t.Errorf("%s: %v\n%s", command, err, text)
				}
			}
			if tried < 2 {
				t.Errorf("%d commands in\n%s", tried, out)
			}
		})
	}
}

// typed runs a command as an operator would type it at a router.
func (w *world) typed(g lab.Gateway, command string) (string, error) {
	program, rest, _ := strings.Cut(command, " ")
	switch g := g.(type) {
	case *lab.FRR:
		return g.CLI(w.deadline(), strings.Trim(strings.TrimPrefix(rest, "-c "), "'"))
	case *lab.Bird:
		return g.CLI(w.deadline(), strings.Trim(rest, "'"))
	case *lab.GoBGP:
		return g.CLI(w.deadline(), strings.Fields(rest)...)
	}
	return "", fmt.Errorf("nobody types %s there", program)
}
