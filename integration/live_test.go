package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/buoynet/buoy/internal/lab"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestStream: a floating IP is advertised while its compute node and its interface
// live. A stream that comes back within the stale time changes nothing at the router;
// one that does not takes the routes with it.
func TestStream(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("set computenode cmp1 --liveness session --hold-time 3 --stale-time 3600")
	r := w.recorder("rec")
	next := 0 // events that were looked at
	told := func(want string) {
		t.Helper()
		at, err := r.WaitFor(w.deadline(), want)
		for err == nil && at < next {
			err = lab.Poll(w.deadline(), want, func(context.Context) error {
				for i, e := range r.Events()[next:] {
					if e.String() == want {
						at = next + i
						return nil
					}
				}
				return errors.New("it is not told again")
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		next = at + 1
	}
	quiet := func(what string) {
		t.Helper()
		for _, e := range r.Events()[next:] {
			if !e.EndOfRIB {
				t.Errorf("%s: the router was told %s", what, e)
			}
		}
	}
	const gone = "- 10.0.0.11:1:203.0.113.5/32"
	w.associate()
	w.says("web-1", "withheld", "computeNodes/cmp1 is down: it has had no stream")
	s := w.attach("cmp1")
	w.programmes(s, "projects/default/floatingIps/web-1 203.0.113.5 at 10.47.255.249 of tap0 label 100")
	w.says("web-1", "withheld", "computeNodes/cmp1 has not reported tap0")
	quiet("before the interface is up")
	w.reports(s, up("tap0"))
	told("+ " + web1)

	w.reports(s, down("tap0"))
	told(gone)
	w.says("web-1", "withheld", "tap0 of computeNodes/cmp1 is down: no carrier")
	w.reports(s, &buoyv1.ComputeInterface{Name: "tap0", State: buoyv1.ComputeInterface_UP, Preference: buoyv1.ComputeInterface_PREFERRED})
	told("+ " + strings.Replace(web1, "local-pref 100", "local-pref 200", 1))
	w.reports(s, up("tap0"))
	told("+ " + web1)
	w.reports(s, &buoyv1.ComputeInterface{Name: "tap0", State: buoyv1.ComputeInterface_UNHEALTHY, Reason: "no answer"})
	told(gone)
	w.reports(s, up("tap0"))
	told("+ " + web1)

	s.drop()
	w.nodeIs("cmp1", "STALE")
	s = w.attach("cmp1", up("tap0"))
	w.nodeIs("cmp1", "UP")
	newer := w.attach("cmp1", up("tap0"))
	w.eventually("the older stream is told", func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if status.Code(s.err) != codes.Aborted || !strings.Contains(s.err.Error(), "a newer stream took the place") {
			return fmt.Errorf("got %v", s.err)
		}
		return nil
	})
	w.nodeIs("cmp1", "UP")
	quiet("streams that came in time")

	w.ctl("set computenode cmp1 --stale-time 1")
	newer.drop()
	told(gone)
	w.nodeIs("cmp1", "DOWN")
	w.attach("cmp1", up("tap0"))
	told("+ " + web1)
}

// says waits for the state of a floating IP, and what it says of it.
func (w *world) says(floatingIP, state, reason string) {
	w.t.Helper()
	w.eventually(floatingIP+" is "+state, func(context.Context) error {
		if out := w.ctl("get floatingips " + floatingIP + " -o wide"); !strings.Contains(out, state) || !strings.Contains(out, reason) {
			return errors.New(out)
		}
		return nil
	})
}

// TestDamping: an interface that has gone down five times counts as down for a while after
// it is up again.
func TestDamping(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("set computenode cmp1 --liveness session")
	r := w.recorder("rec")
	w.associate()
	s := w.attach("cmp1", up("tap0"))
	for range 5 {
		w.eventually("it is advertised", func(context.Context) error { return lastIs(r, "+ "+web1) })
		w.reports(s, down("tap0"))
		w.eventually("it is withdrawn", func(context.Context) error { return lastIs(r, "- 10.0.0.11:1:203.0.113.5/32") })
		w.reports(s, up("tap0"))
	}
	w.says("web-1", "withheld", "tap0 of computeNodes/cmp1 has flapped 5 times; it counts as down until")
	if err := lastIs(r, "- 10.0.0.11:1:203.0.113.5/32"); err != nil {
		t.Error(err)
	}
	w.eventually("it has calmed down", func(context.Context) error { return lastIs(r, "+ "+web1) })
}

// lastIs reports whether a router was told this last.
func lastIs(r *lab.Recorder, want string) error {
	events := r.Events()
	if len(events) == 0 || events[len(events)-1].String() != want {
		return fmt.Errorf("got %v", events)
	}
	return nil
}

// TestStreamRoutes: a compute node is told the routes that the networks of its floating
// IPs import, and only once the gateways have announced theirs that these are all.
func TestStreamRoutes(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("set computenode cmp1 --liveness session")
	w.associate()
	config := w.gatewayConfig("mx1", vpnFamilies)
	four := w.origin(config, 7, "0.0.0.0/0", "10.0.0.9", "target:64512:10003")
	tuned := w.origin(config, 8, "198.51.100.0/24", "10.0.0.8", "target:64512:8000001")
	other := w.origin(config, 9, "192.0.2.0/24", "10.0.0.9", "target:64512:9999")
	config.Origins = []lab.Route{four, tuned, other}
	g := w.importer("bird", "mx1", config)

	const (
		web     = "projects/default/floatingIps/web-1 203.0.113.5 at 10.47.255.249 of tap0 label 100"
		byFour  = "projects/default/networks/vn-public 0.0.0.0/0 10.0.0.9 label 24007 by gre,udp"
		byTuned = "projects/default/networks/vn-public 198.51.100.0/24 10.0.0.8 label 24008 by gre,udp"
	)
	s := w.attach("cmp1", up("tap0"))
	w.programmes(s, web, byFour, byTuned)
	w.withdraw(g, tuned)
	w.programmes(s, web, byFour)
	w.announce(g, tuned)
	w.programmes(s, web, byFour, byTuned)
	w.ctl("disassociate floatingip web-1")
	w.programmes(s)
	w.associate()
	w.programmes(s, web, byFour, byTuned)

	// After a restart the routes are not there at once, and nobody is told that they are.
	w.buoyd.Kill()
	w.restart()
	s = w.attach("cmp1", up("tap0"))
	w.eventually("the floating IPs are complete", func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.ended[buoyv1.EndOfSnapshot_ROUTES] && len(s.routes) < 2 {
			t.Fatalf("routes are said to be complete with %v", s.routes)
		}
		if !s.ended[buoyv1.EndOfSnapshot_FLOATING_IPS] {
			return errors.New("not yet")
		}
		return nil
	})
	w.programmes(s, web, byFour, byTuned)
}
