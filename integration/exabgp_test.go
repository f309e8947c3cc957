package integration

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestExaBGP: the scenario of all routers. ExaBGP does not show an empty AS
// path; it shows the next hop of a VPNv6 route as it was sent.
func TestExaBGP(t *testing.T) {
	needs(t, "exabgp")
	newWorld(t).learns(router{
		kind: "exabgp",
		seen: func(route string) string {
			return mappedNextHop(strings.Replace(route, " as-path []", "", 1))
		},
	})
}

// mappedNextHop returns a route as a router has it that does not unmap the
// next hop of VPNv6: an IPv4 one was sent as an IPv4-mapped IPv6 address.
func mappedNextHop(route string) string {
	if strings.HasPrefix(route, "10.0.0.11:1:2001:db8:") {
		route = strings.Replace(route, "next-hop 10.", "next-hop ::ffff:10.", 1)
	}
	return route
}

// TestExaBGPConnects: it connects to Buoy from another AS, and again after a
// restart.
func TestExaBGPConnects(t *testing.T) {
	needs(t, "exabgp")
	newWorld(t).connects("exabgp", "10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11 origin incomplete as-path [64512]"+
		" target:64512:10003 target:64512:8000001 encapsulation:gre encapsulation:udp")
}

// connects is the scenario of a router that connects: twice it learns a route
// that Buoy already has, and both see the session come and go.
func (w *world) connects(kind, route string) {
	w.t.Helper()
	w.start()
	w.public()
	w.associate()
	config := w.gatewayConfig("mx1", vpnFamilies)
	config.Active, config.AS = true, 64999
	g, err := lab.NewGateway(kind, programs, config)
	if err != nil {
		w.t.Fatal(err)
	}
	w.ctl(strings.Join(config.CreateNeighbor("mx1"), " "))
	for range 2 {
		w.runs(g, func() {
			w.established("mx1")
			w.eventually("the VPN table has the route", func(ctx context.Context) error {
				routes, err := g.VPN(ctx, lab.VPNv4)
				return compare(routes, err, []string{route})
			})
			if s, err := g.Session(w.deadline()); s.State != "Established" || err != nil {
				w.t.Errorf("the router says %v, %v", s, err)
			}
		})
		w.eventually("the session is over", func(context.Context) error {
			if s := w.neighborState("mx1"); s.State == "ESTABLISHED" {
				return errors.New(s.State)
			}
			return nil
		})
	}
}

// runs does something while a router runs.
func (w *world) runs(g lab.Gateway, do func()) {
	w.t.Helper()
	if err := g.Start(w.deadline()); err != nil {
		w.t.Fatal(err)
	}
	defer func() { // also when do ends the test
		if err := g.Stop(); err != nil {
			w.t.Error(err)
		}
		if w.t.Failed() {
			w.t.Logf("%s:\n%s", g.LogFile(), lab.Tail(g.LogFile(), 50))
		}
	}()
	do()
}
