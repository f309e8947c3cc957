package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestShutdown: what is shut down with --withdraw takes its routes along at once,
// and the gateways' operators read why. A plain stop leaves them where they are.
func TestShutdown(t *testing.T) {
	for _, kind := range []string{"frr", "bird"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			g := w.stopped(kind)
			w.restart()
			w.established("mx1")
			w.hasRoutes(g, web1, web6)
			if changed, err := g.(lab.Tracer).Traced(w.deadline()); err != nil || len(changed) > 0 {
				t.Errorf("over the restart it lost or changed %v, %v", changed, err)
			}

			w.ctl("shutdown --withdraw --communication maintenance-tonight")
			w.hasRoutes(g)                         // long before the restart time of 300 s
			if err := w.buoyd.Stop(); err != nil { // it ended by itself
				t.Errorf("buoyd ended with %v", err)
			}
			w.reads(g, "maintenance-tonight")
			w.restart()
			w.hasRoutes(g, web1, web6)
			w.offersAfresh("after --withdraw") // there is nothing to be kept
		})
	}
}

// reads waits until a gateway shows its operator a shutdown communication. FRR
// does not show what is in a Hard Reset (RFC 8538 §3), but that it is a shutdown.
func (w *world) reads(g lab.Gateway, communication string) {
	w.t.Helper()
	w.eventually("the operator can read why", func(ctx context.Context) (err error) {
		text, want := lab.Tail(g.LogFile(), 20), communication
		if frr, ok := g.(*lab.FRR); ok {
			want = "Notification received (Cease/Administrative Shutdown/Hard Reset)"
			text, err = frr.CLI(ctx, "show bgp neighbors")
		}
		if err == nil && !strings.Contains(text, want) {
			err = fmt.Errorf("not in %s", text)
		}
		return err
	})
}

// TestCold: buoyd --cold says nothing of an earlier run, and so the gateways drop
// what they kept; in the end they have what is right.
func TestCold(t *testing.T) {
	for _, kind := range []string{"frr", "bird"} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			g := w.stopped(kind)
			if err := w.buoyd.Start(w.deadline(), "--cold"); err != nil {
				t.Fatal(err)
			}
			w.established("mx1")
			w.offersAfresh("with --cold")
			w.hasRoutes(g, web1, web6)
			if kind == "frr" { // BIRD drops what is stale a little later, and may have it again by then
				w.eventually("the kept route was dropped", func(ctx context.Context) error {
					changed, err := g.(lab.Tracer).Traced(ctx)
					if err == nil && len(changed) != 1 {
						err = fmt.Errorf("changed are %v", changed)
					}
					return err
				})
			}
			w.ctl("disassociate floatingip web-6")
			w.hasRoutes(g, web1)
		})
	}
}

// stopped starts buoyd and a gateway that has its routes, and stops buoyd with
// SIGTERM. The gateway keeps the routes, and book of VPNv4.
func (w *world) stopped(kind string) lab.Gateway {
	w.t.Helper()
	w.start()
	w.public()
	w.associate()
	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
	g := w.router(kind, "mx1")
	w.hasRoutes(g, web1, web6)
	if err := g.(lab.Tracer).Trace(w.deadline()); err != nil {
		w.t.Fatal(err)
	}
	if err := w.buoyd.Stop(); err != nil {
		w.t.Fatal(err)
	}
	w.eventually("the session is lost", func(ctx context.Context) error {
		s, err := g.Session(ctx)
		if err == nil && s.State == "Established" {
			err = fmt.Errorf("it is %s", s.State)
		}
		return err
	})
	w.hasRoutes(g, web1, web6)
	return g
}

// offersAfresh checks that our OPEN asks for routes to be kept from now on, and
// neither says that we have restarted (R) nor that we still forward (F).
func (w *world) offersAfresh(when string) {
	w.t.Helper()
	w.established("mx1")
	r := w.neighborState("mx1").Session.OpenSent.Restart
	if len(r.Families) == 0 || r.Restarting || len(r.Preserved) > 0 {
		w.t.Errorf("%s our OPEN says %+v", when, r)
	}
}
