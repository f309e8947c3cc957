package integration

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestGracefulRestart stops and kills buoyd again and again: at rest, during its
// start, and among changes. FRR, BIRD and GoBGP, which asks for route targets,
// keep book all the time: none drops a route that should be there, even for a
// moment. Each time they end up with what buoyd has, without what was
// disassociated right before.
func TestGracefulRestart(t *testing.T) {
	const stable = 10_000
	rounds := long(8, 24)
	w := newWorld(t)
	w.stocked(stable)
	member := w.peer("mx3", allFamilies)
	w.importVRF(member, "red", "target:64512:10003")
	gateways := []gateway{
		{"mx1", w.router("frr", "mx1").(*lab.FRR)},
		{"mx2", w.router("bird", "mx2").(*lab.Bird)},
		{"mx3", member}, // the last: it takes five seconds to open a session anew
	}
	w.settle(gateways)
	next := w.traces(gateways, stable)
	kept := w.settle(gateways)
	w.nothingLost(gateways, nil) // but new ones came
	for round := range rounds {
		begin, what := time.Now(), ""
		switch round % 4 {
		case 0:
			what = "SIGTERM"
			if err := w.buoyd.Stop(); err != nil {
				t.Error(err)
			}
		case 1:
			what = "SIGKILL"
			w.buoyd.Kill()
		case 2:
			what = "SIGKILL, and again during the start"
			w.buoyd.Kill()
			process, err := w.buoyd.Command().Start()
			if err != nil {
				t.Fatal(err)
			}
			// The moment is the experiment; nothing is waited for. No session is up yet:
			// a router that has only a part again would have to drop the rest (RFC 4724 §4.2).
			time.Sleep(rand.N(100 * time.Millisecond))
			process.Kill()
		case 3:
			what = "SIGKILL among changes"
			next = w.changeAndKill(next)
		}
		w.restart()
		was := kept
		kept = w.settle(gateways)
		w.nothingLost(gateways, was)
		if t.Failed() {
			t.Fatalf("round %d: %s", round, what)
		}
		t.Logf("round %d: %s: %d routes everywhere after %s", round, what, len(kept), time.Since(begin).Round(time.Millisecond))
	}
}

// gateway is one that keeps book, and the neighbor that it is.
type gateway struct {
	neighbor string
	lab.Tracer
}

// settle waits until all have exactly what buoyd advertises, and returns that.
func (w *world) settle(gateways []gateway) lab.Labels {
	w.t.Helper()
	want := w.labels()
	for _, g := range gateways {
		w.established(g.neighbor)
		w.hasLabels(g, want)
	}
	return want
}

// labels returns what buoyd advertises.
func (w *world) labels() lab.Labels {
	w.t.Helper()
	routes, err := w.buoyd.Routes(w.deadline())
	if err != nil {
		w.t.Fatal(err)
	}
	return lab.LabelsOf(routes)
}

// hasLabels waits until a gateway has exactly these VPNv4 routes.
func (w *world) hasLabels(g gateway, want lab.Labels) {
	w.t.Helper()
	w.eventually(g.neighbor+" has what buoyd advertises", func(ctx context.Context) error {
		have, err := g.Labels(ctx, lab.VPNv4)
		if err == nil && !maps.Equal(have, want) {
			err = fmt.Errorf("%d routes that are not the %d of buoyd", len(have), len(want))
		}
		return err
	})
}

// traces makes all keep book. It associates floating IPs, from the nth address
// on, until every book has some, and returns the next.
func (w *world) traces(gateways []gateway, n int) (next int) {
	w.t.Helper()
	for _, g := range gateways {
		if err := g.Trace(w.deadline()); err != nil {
			w.t.Fatal(err)
		}
	}
	client, keep := w.client(), map[string]bool{}
	w.eventually("every gateway keeps book", func(ctx context.Context) error {
		if err := provision(client, fmt.Sprint("traced-", n), n); err != nil {
			return err
		}
		n++
		for _, g := range gateways {
			changed, err := g.Traced(ctx)
			if err != nil {
				return err
			}
			if keep[g.neighbor] = keep[g.neighbor] || len(changed) > 0; !keep[g.neighbor] {
				return fmt.Errorf("%s does not", g.neighbor)
			}
		}
		return nil
	})
	return n
}

// nothingLost checks that the gateways had these routes all the time since the
// last look into the books.
func (w *world) nothingLost(gateways []gateway, kept lab.Labels) {
	w.t.Helper()
	for _, g := range gateways {
		changed, err := g.Traced(w.deadline())
		if err != nil {
			w.t.Fatal(err)
		}
		lost, example := 0, ""
		for key := range changed {
			if _, ok := kept[key]; ok {
				lost++
				example = key.String()
			}
		}
		if lost > 0 {
			w.t.Errorf("%s lost %d of %d routes for a while, such as %s", g.neighbor, lost, len(kept), example)
		}
	}
}

// stocked starts the buoyd with n floating IPs, all associated. They come from
// one without the race detector, which is several times as fast.
func (w *world) stocked(n int) {
	w.t.Helper()
	run := w.buoyd
	w.buoyd = run.With(programs.Plain())
	w.start()
	w.ctl("create network vn-many --subnet 198.18.0.0/16 --route-target target:64512:10003 --reserved-hosts none")
	w.ctl("create computenode cmp1 --address 10.0.0.11 --encapsulation gre")
	client := w.client()
	numbers := make(chan int)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for i := range numbers {
				if err := provision(client, fmt.Sprint("stable-", i), i); err != nil {
					w.t.Error(err)
				}
			}
		})
	}
	for i := range n {
		numbers <- i
	}
	close(numbers)
	callers.Wait()
	if err := w.buoyd.Stop(); err != nil {
		w.t.Error(err)
	}
	w.buoyd = run
	w.restart()
}

// provision associates the nth address of vn-many.
func provision(client buoyv1.FloatingIPsClient, name string, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	full := "projects/default/floatingIps/" + name
	_, err := client.Allocate(ctx, &buoyv1.AllocateRequest{
		Name: full, Network: "projects/default/networks/vn-many", Address: fmt.Sprintf("198.18.%d.%d", 1+n>>8, n&0xff),
	})
	if err != nil {
		return err
	}
	_, err = client.Associate(ctx, &buoyv1.AssociateRequest{Name: full, Association: &buoyv1.Association{
		ComputeNode: "computeNodes/cmp1", Interface: "tap-" + name, FixedIp: "10.47.0.1",
	}})
	return err
}

// changeAndKill associates floating IPs, from the nth address on, disassociates
// half of them, and kills buoyd right after that was acknowledged. It returns
// the next.
func (w *world) changeAndKill(n int) (next int) {
	w.t.Helper()
	client := w.client()
	for next = n; next < n+20+rand.IntN(20); next++ {
		name := fmt.Sprint("changed-", next)
		if err := provision(client, name, next); err != nil {
			w.t.Fatal(err)
		}
		if next%2 == 0 {
			continue
		}
		if _, err := client.Disassociate(w.deadline(), &buoyv1.DisassociateRequest{Name: "projects/default/floatingIps/" + name}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.buoyd.Kill()
	return next
}
