package integration

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestGracefulRestart stops and kills buoyd again and again: at rest, during its
// start, and among changes. FRR, BIRD and GoBGP, which asks for route targets,
// are watched all the time: none drops a route that should be there. Each time
// they end up with what buoyd has, without what was disassociated right before.
func TestGracefulRestart(t *testing.T) {
	const stable = 10_000
	rounds := long(8, 24)
	w := newWorld(t)
	w.stocked(stable)
	frr, bird := w.router("frr", "mx1").(*lab.FRR), w.router("bird", "mx2").(*lab.Bird)
	member := w.peer("mx3", allFamilies)
	w.importVRF(member, "red", "target:64512:10003")

	var kept atomic.Pointer[lab.Labels] // what no gateway may lose
	settle := func() lab.Labels {
		want := w.labels()
		w.hasAll("frr", frr, want)
		w.hasAll("bird", bird, want)
		w.established("mx3")
		w.hasAll("gobgp", member, want)
		kept.Store(&want)
		return want
	}
	if n := len(settle()); n != stable {
		t.Fatalf("there are %d routes, want %d", n, stable)
	}
	watch, done := context.WithCancel(context.Background())
	var watchers sync.WaitGroup
	watchers.Go(func() { w.watch(watch, "frr", keeps(frr, &kept)) })
	watchers.Go(func() { w.watch(watch, "bird", keeps(bird, &kept)) })
	watchers.Go(func() { w.watch(watch, "gobgp", keepsCount(member, &kept)) })

	changed := stable
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
			time.Sleep(rand.N(2 * time.Second)) // the moment is the experiment; nothing is waited for
			process.Kill()
		case 3:
			what = "SIGKILL among changes"
			w.changeAndKill(&changed)
		}
		w.restart()
		n := len(settle())
		t.Logf("round %d: %s: %s until everything is as it should be, with %d routes", round, what, time.Since(begin).Round(time.Millisecond), n)
		if t.Failed() {
			break
		}
	}
	done()
	watchers.Wait()
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

// changeAndKill associates floating IPs and disassociates half of them, and
// kills buoyd right after the last was acknowledged.
func (w *world) changeAndKill(next *int) {
	w.t.Helper()
	client := w.client()
	for i := range 20 + rand.IntN(20) {
		name := fmt.Sprint("changed-", *next)
		if err := provision(client, name, *next); err != nil {
			w.t.Fatal(err)
		}
		*next++
		if i%2 == 0 {
			continue
		}
		if _, err := client.Disassociate(w.deadline(), &buoyv1.DisassociateRequest{Name: "projects/default/floatingIps/" + name}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.buoyd.Kill()
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

// labelled is a gateway that shows its table at little cost.
type labelled interface {
	Labels(context.Context, lab.Family) (lab.Labels, error)
}

// hasAll waits until the VPNv4 table of a gateway has exactly these routes.
func (w *world) hasAll(name string, g labelled, want lab.Labels) {
	w.t.Helper()
	w.eventually(name+" has what buoyd advertises", func(ctx context.Context) error {
		have, err := g.Labels(ctx, lab.VPNv4)
		if err != nil {
			return err
		}
		if !maps.Equal(have, want) {
			return fmt.Errorf("%d routes that are not the %d of buoyd", len(have), len(want))
		}
		return nil
	})
}

// keeps checks that a gateway has all routes that it may not lose.
func keeps(g labelled, kept *atomic.Pointer[lab.Labels]) func(context.Context) error {
	return func(ctx context.Context) error {
		want := *kept.Load()
		have, err := g.Labels(ctx, lab.VPNv4)
		if err != nil {
			return err
		}
		lost, example := 0, ""
		for key, label := range want {
			if l, ok := have[key]; !ok || l != label {
				lost++
				example = key.String()
			}
		}
		if lost > 0 {
			return fmt.Errorf("%d of %d routes are lost or changed, such as %s", lost, len(want), example)
		}
		return nil
	}
}

// keepsCount does with the number of them what keeps does with each: gobgpd
// takes a second to show its table.
func keepsCount(g *lab.GoBGP, kept *atomic.Pointer[lab.Labels]) func(context.Context) error {
	return func(ctx context.Context) error {
		want := len(*kept.Load())
		have, err := g.Count(ctx, lab.VPNv4)
		if err == nil && have < want {
			err = fmt.Errorf("there are %d routes, want %d", have, want)
		}
		return err
	}
}

// watch looks at something until the context ends. It must be well each time.
func (w *world) watch(ctx context.Context, name string, look func(context.Context) error) {
	looks, longest := 0, time.Duration(0)
	for ctx.Err() == nil {
		begin := time.Now()
		err := look(ctx)
		if ctx.Err() != nil {
			break
		}
		if looks++; err != nil {
			w.t.Errorf("%s, look %d: %v", name, looks, err)
			break
		}
		select { // three quarters of the time are for others
		case <-time.After(max(50*time.Millisecond, 3*time.Since(begin))):
		case <-ctx.Done():
		}
		longest = max(longest, time.Since(begin))
	}
	w.t.Logf("%s was looked at %d times, at least every %s", name, looks, longest.Round(time.Millisecond))
}
