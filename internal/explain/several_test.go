package explain

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/internal/neighbor"
)

// One way is enough, and what the others lack is said.
func TestOneWayIsEnough(t *testing.T) {
	w := newWorld(t)
	w.at2()
	w.peer("mx2", "10.0.0.3")
	w.do(inventory.DrainComputeNode{Name: cmp1})
	w.lost("mx2", neighbor.Active, neighbor.CauseTimedOut, "no answer")
	q := Question{FloatingIP: web}
	if got, want := w.explain(q).Summary, "reachable as far as Buoy can see: 1 of 2 neighbors have a route, to 1 of 2 compute nodes; 2 steps are not as they should be"; got != want {
		t.Errorf("got %s", got)
	}
	q.Neighbor = mx1
	if got, want := w.explain(q).Summary, "reachable as far as Buoy can see: mx1 has a route to 1 of 2 compute nodes; 1 step is not as it should be"; got != want {
		t.Errorf("got %s", got)
	}
	q.Neighbor = mx2
	if e := w.explain(q); e.Healthy || e.Cause != Reachable || e.Summary != "not reachable: mx2 is Active (no answer)" {
		t.Errorf("got %s", text(e))
	}
	// Of several failures the one that is nearest to the goal is the cause.
	w.deliveries["mx1"] = neighbor.Delivery{Reason: "did not ask for it", Check: neighbor.CheckMembership}
	q.Neighbor = ""
	if e := w.explain(q); e.Healthy || e.Cause != Wanted || e.Summary != "not reachable: mx1 did not ask for it" {
		t.Errorf("got %s", text(e))
	}
}

// An address of several networks is that of the one that has it in use.
func TestSeveralNetworks(t *testing.T) {
	const other, pool = "projects/q/networks/other", "projects/q/networks/other/pools/b"
	w := newWorld(t)
	w.do(inventory.CreateNetwork{Network: inventory.Network{Name: other, Subnets: prefixes("203.0.113.0/24")}},
		inventory.CreatePool{Pool: inventory.Pool{Name: pool, Ranges: []ipam.Range{ipam.RangeOf(prefixes("203.0.113.0/28")[0])}, SharedWith: []string{"r"}}})
	if e := w.explain(Question{Address: addr("203.0.113.5")}); e.FloatingIP != web {
		t.Errorf("got %s", text(e))
	}
	refused := func(q Question, want string) {
		t.Helper()
		_, err := w.ask(q)
		var e *inventory.Error
		if !errors.As(err, &e) || e.Field != "network" || e.Message != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	refused(Question{Address: addr("203.0.113.9")}, "203.0.113.9 is in several networks; name one of "+public+", "+other)
	w.do(inventory.Allocate{Name: "projects/q/floatingIps/x", Pool: pool, Address: addr("203.0.113.5")})
	refused(Question{Address: addr("203.0.113.5")},
		"203.0.113.5 is in several networks; name one of "+public+" ("+web+"), "+other+" (projects/q/floatingIps/x)")
	if e := w.explain(Question{Address: addr("203.0.113.5"), Network: other}); e.FloatingIP != "projects/q/floatingIps/x" || e.Cause != Associated {
		t.Errorf("got %s", text(e))
	}

	// A project sees what it may use, and not who has it.
	for _, tt := range []struct{ project, fip, text string }{
		{"p", web, ""},
		{"q", "projects/q/floatingIps/x", ""},
		{"r", "", "not reachable: 203.0.113.5 is taken"},
		{"s", "", "not reachable: no network of project s has 203.0.113.5, and no pool that is shared with it"},
	} {
		e := w.explain(Question{Address: addr("203.0.113.5"), Project: tt.project})
		if got := text(e); e.FloatingIP != tt.fip || tt.text != "" && e.Summary != tt.text || strings.Contains(got, "203.0.113.0/24") != (tt.fip != "") {
			t.Errorf("%s: got %s", tt.project, got)
		}
	}
}

// An explanation of whatever there may be says that something can be reached exactly
// if a neighbor has a route for it, and always has a cause otherwise.
func TestRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	checks := []neighbor.Delivery{{At: noon}, {At: noon}, {Reason: "did not negotiate it", Check: neighbor.CheckFamily}, {Reason: "is full", Check: neighbor.CheckMaximum},
		{Reason: "did not ask", Check: neighbor.CheckMembership}, {Reason: "is not established", Check: neighbor.CheckSession}, {Reason: "is being sent it", Check: neighbor.CheckSent}, {Reason: "has none", Check: neighbor.CheckRoute}}
	healthy := 0
	for range 500 {
		w := newWorld(t)
		w.peer("mx2", "10.0.0.3")
		one := func(do func()) {
			if random.IntN(4) == 0 {
				do()
			}
		}
		one(w.at2)
		one(func() { w.do(inventory.DrainComputeNode{Name: cmp1}) })
		one(func() {
			w.watched(inventory.NodeLife{State: inventory.NodeUp}, inventory.InterfaceState(random.IntN(4)), "")
		})
		one(func() { w.refused[webKey] = errors.New("no") })
		one(func() { w.withheld["10.0.0.12:1:203.0.113.5/32"] = true })
		for _, name := range []string{"mx1", "mx2"} {
			w.deliveries[name] = checks[random.IntN(len(checks))]
			one(func() { w.lost(name, neighbor.State(random.IntN(5)), neighbor.Cause(random.IntN(21)), "some reason") })
			one(func() { delete(w.Sessions, name) })
		}
		e := w.explain(Question{FloatingIP: web})
		wellFormed(t, e)
		want := false
		f, _ := w.State.FloatingIP(web)
		for _, r := range w.State.LiveRoutesOf(f, w.Living) {
			if have, _, ok := w.Get(r.Key); ok && have == r && w.Failure(r.Key) == nil {
				for n := range w.State.Neighbors() {
					s := w.Sessions[n.Name]
					want = want || s != nil && s.State == neighbor.Established && w.Delivery(n.Address, r.Key).Reason == ""
				}
			}
		}
		if e.Healthy != want || e.Healthy != (e.Cause == None) || (e.Next == "") != e.Healthy {
			t.Fatalf("healthy: got %t, want %t\n%s", e.Healthy, want, text(e))
		}
		if want {
			healthy++
		}
	}
	if healthy < 50 || healthy > 450 {
		t.Errorf("%d of 500 were healthy", healthy)
	}
}
