package doctor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

// What many floating IPs have in common is one finding, and so is what many compute nodes
// have.
func TestMany(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		name := fmt.Sprintf("projects/p/floatingIps/x%02d", i)
		w.do(inventory.Allocate{Name: name, Network: public})
		w.at(name, cmp2, fmt.Sprint("tap", i), 0)
	}
	w.do(inventory.DrainComputeNode{Name: cmp2})
	want := `✗ floating_ips floating_ip_withheld computeNodes/cmp2: 30 floating IPs are withheld: computeNodes/cmp2 is drained > buoyctl undrain computenode cmp2 30 [projects/p/floatingIps/x00 projects/p/floatingIps/x01 projects/p/floatingIps/x02]
i compute_nodes compute_node_drained computeNodes/cmp2: computeNodes/cmp2 is drained; floating IPs there: 30 > buoyctl undrain computenode cmp2
`
	if got := text(Examine(w.Snapshot).Findings); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}

	w = newWorld(t)
	for i := range most + 3 {
		name := fmt.Sprintf("n%02d", i)
		w.node(name, fmt.Sprintf("10.0.1.%d", i+1))
		w.watched("computeNodes/"+name, inventory.NodeLife{Since: downtime.Add(time.Duration(-i) * time.Minute), Reason: "lost"})
	}
	w.watched(cmp1, inventory.NodeLife{State: inventory.NodeUp})
	w.interfaces["tap0"] = inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: inventory.InterfaceUp}}
	want = `! compute_nodes compute_node_down computeNodes/*: 13 alike; computeNodes/n00: computeNodes/n00 is down: lost; floating IPs there: 0 > look at the agent of n00 and its way to Buoy; without one: buoyctl set computenode n00 --liveness none @10:48 13 [computeNodes/n00 computeNodes/n01 computeNodes/n02]
`
	if got := text(Examine(w.Snapshot).Findings); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got := pattern(poolA); got != "projects/*/networks/*/pools/*" {
		t.Errorf("got %s", got)
	}
}

// A route on its way is a warning once it is known to be for long.
func TestPending(t *testing.T) {
	soon := func(since time.Time) neighbor.Delivery {
		return neighbor.Delivery{Reason: "is being sent the route", Soon: true, Check: neighbor.CheckSent, Since: since}
	}
	for name, tt := range map[string]struct {
		delivery neighbor.Delivery
		want     string
	}{
		"long":        {soon(noon.Add(-11 * time.Second)), "! floating_ips route_pending neighbors/mx1: 1 floating IP is pending: mx1 is being sent the route > wait; if it lasts, look at whether the router reads: buoyctl describe neighbor mx1 @11:59 1 [projects/p/floatingIps/web]\n"},
		"not long":    {soon(noon.Add(-10 * time.Second)), "i floating_ips route_pending neighbors/mx1: 1 floating IP is pending: mx1 is being sent the route > wait; if it lasts, look at whether the router reads: buoyctl describe neighbor mx1 @11:59 1 [projects/p/floatingIps/web]\n"},
		"not known":   {soon(time.Time{}), "i floating_ips route_pending neighbors/mx1: 1 floating IP is pending: mx1 is being sent the route > wait; if it lasts, look at whether the router reads: buoyctl describe neighbor mx1 1 [projects/p/floatingIps/web]\n"},
		"since given": {soon(noon.Add(-2 * time.Hour)), "! floating_ips route_pending neighbors/mx1: 1 floating IP is pending: mx1 is being sent the route > wait; if it lasts, look at whether the router reads: buoyctl describe neighbor mx1 @11:00 1 [projects/p/floatingIps/web]\n"},
	} {
		w := newWorld(t)
		w.deliveries["mx1"], w.deliveries["mx2"] = tt.delivery, tt.delivery
		if got := text(Examine(w.Snapshot).Findings); got != tt.want {
			t.Errorf("%s: got\n%swant\n%s", name, got, tt.want)
		}
	}
}

// The configuration's pool for all may be missing, or hide the store's.
func TestGlobalPool(t *testing.T) {
	w := newWorldWith(t, inventory.Static{GlobalPool: public + "/pools/none"})
	if got := text(Examine(w.Snapshot).Findings); !strings.HasPrefix(got, "! configuration global_pool_missing projects/p/networks/public/pools/none: ") || strings.Count(got, "\n") != 1 {
		t.Errorf("got\n%s", got)
	}
	w = newWorld(t)
	w.do(inventory.BindPool{Name: inventory.GlobalBindingName, Pool: poolA})
	if x := Examine(w.Snapshot); len(x.Findings) > 0 {
		t.Errorf("got\n%s", text(x.Findings))
	}
}

// An empty start is healthy.
func TestEmpty(t *testing.T) {
	w := newWorld(t)
	w.State = inventory.NewState(inventory.Static{})
	w.do(inventory.SeedGlobal{AS: 64512})
	x := Examine(w.Snapshot)
	if !x.Healthy || len(x.Findings) != 2 || x.Findings[0].ID != "no_neighbor" || x.Findings[1].ID != "no_network" {
		t.Errorf("got %s", text(x.Findings))
	}
}

// Whatever there may be: floating IPs that are withheld, and no others, are counted by the
// findings that say so.
func TestRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	deliveries := []neighbor.Delivery{{At: noon}, {At: noon}, {Reason: "did not negotiate it", Check: neighbor.CheckFamily}, {Reason: "is full", Check: neighbor.CheckMaximum},
		{Reason: "did not ask", Check: neighbor.CheckMembership}, {Reason: "is being sent it", Check: neighbor.CheckSent, Soon: true, Since: downtime}}
	healthy, withheld := 0, 0
	for range 500 {
		w := newWorld(t)
		one := func(of int, do func()) {
			if random.IntN(of) == 0 {
				do()
			}
		}
		for i := range 20 {
			name := fmt.Sprintf("projects/p/floatingIps/x%02d", i)
			w.do(inventory.Allocate{Name: name, Network: public})
			one(2, func() { w.at(name, cmp1, fmt.Sprint("tap", i%3), 0) })
			one(2, func() { w.at(name, cmp2, fmt.Sprint("tap", i%3), 0) })
		}
		for _, node := range []string{cmp1, cmp2} {
			one(4, func() {
				w.do(inventory.DrainComputeNode{Name: node, Wait: time.Duration(random.IntN(2)) * time.Minute})
			})
			one(6, func() { w.watched(node, inventory.NodeLife{State: inventory.NodeState(random.IntN(3))}) })
		}
		one(3, func() {
			w.interfaces["tap1"] = inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: inventory.InterfaceState(random.IntN(4))}}
		})
		one(4, func() { w.refused[webKey] = errors.New("no") })
		one(4, func() { w.withheld[webKey] = true })
		for _, name := range []string{"mx1", "mx2"} {
			w.deliveries[name] = deliveries[random.IntN(len(deliveries))]
			one(5, func() { w.lost(name, neighbor.CauseNone, "some reason") })
			one(9, func() { delete(w.Snapshot.Sessions, name) })
		}
		x := Examine(w.Snapshot)
		wellFormed(t, x)
		seen := [Withheld + 1]uint64{}
		for f := range w.State.FloatingIPs("") {
			if len(f.Associations) > 0 {
				s, _ := w.judge(f)
				seen[s]++
			}
		}
		found := [Withheld + 1]uint64{}
		for _, f := range x.Findings {
			switch f.ID {
			case "floating_ip_withheld", "route_refused", "target_unwanted", "route_not_sent":
				found[Withheld] += f.Count
				if f.Severity != Error {
					t.Errorf("got %+v", f)
				}
			case "route_pending", "no_gateway":
				found[Pending] += f.Count
			}
			if strings.Contains(f.Cause, "about to change") {
				t.Errorf("no cause: %+v", f)
			}
		}
		if found[Withheld] != seen[Withheld] || found[Pending] != seen[Pending] {
			t.Fatalf("pending and withheld are %v, found were %v\n%s", seen[Pending:], found[Pending:], text(x.Findings))
		}
		if x.Healthy {
			healthy++
		}
		if seen[Withheld] > 0 {
			withheld++
		}
	}
	if healthy < 10 || withheld < 100 || withheld > 490 {
		t.Errorf("of 500 %d were healthy, %d had some withheld", healthy, withheld)
	}
}
