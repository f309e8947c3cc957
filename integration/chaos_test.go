package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestChaos: orchestrators of several projects that retry, repeat what they did
// long ago, send everything twice at once, race for one resource, draw from the
// pools of others while these share them and no longer do, and try what they must not,
// while the daemon is killed again and again. Each change that has a request id
// happens exactly once, and has one answer; with etags no update is lost. Each
// request comes to what the model says. What each project sees at the end is what
// its orchestrators know.
func TestChaos(t *testing.T) {
	const (
		kills         = 8
		orchestrators = 10
	)
	w := newWorld(t)
	w.start()
	m := w.tenants()
	for n := range nodes {
		w.ctl(fmt.Sprintf("create computenode cmp%d --address 10.0.0.1%d --label-hold-down 1", n, n))
	}

	ctx, end := context.WithCancel(context.Background())
	defer end()
	var crew []*orchestrator
	var running sync.WaitGroup
	var stepped atomic.Int64
	for n := range orchestrators {
		o := &orchestrator{number: n, project: projects[n%len(projects)], model: m, have: map[string]*buoyv1.FloatingIP{},
			rand: rand.New(rand.NewPCG(rand.Uint64(), uint64(n)))}
		for range 2 { // two ways to the same daemon
			o.ways = append(o.ways, w.as(o.project))
		}
		crew = append(crew, o)
		running.Go(func() {
			for ; ctx.Err() == nil && o.err == nil; stepped.Add(1) {
				o.err = o.step()
			}
			stepped.Add(1 << 40) // nobody waits for it any more
		})
	}
	for round := range kills {
		enough := int64(round+1) * 20 * orchestrators
		w.eventually("enough has happened", func(context.Context) error {
			if n := stepped.Load(); n < enough {
				return fmt.Errorf("%d steps, want %d", n, enough)
			}
			return nil
		})
		time.Sleep(rand.N(50 * time.Millisecond)) // the moment is the experiment; nothing is waited for
		w.buoyd.Kill()
		w.restart()
	}
	end()
	running.Wait()
	w.compare(m, crew)
}

// projects are those of the orchestrators. Each has a network with the same subnet, a
// pool of its own, and one that it lends.
var projects = []string{"red", "green", "blue"}

// tenants makes what the projects have. The pools are smaller than what all want.
func (w *world) tenants() *tenancy {
	w.t.Helper()
	m := &tenancy{open: map[*draw]struct{}{}}
	pool := func(project, name string, first, size int, shared ...string) {
		line := fmt.Sprintf("create pool %s --project %s --network vn --range 203.0.113.%d-203.0.113.%d", name, project, first, first+size-1)
		for _, with := range shared {
			line += " --share-with " + with
		}
		w.ctl(line)
		m.pools = append(m.pools, &drawn{name: poolOf(project, name), size: size, shared: shared})
	}
	for _, p := range projects {
		w.ctl("create network vn --project " + p + " --subnet 203.0.113.0/25")
		pool(p, "own", 10, 9)
		pool(p, "lent", 20, 5)
		w.ctl("allocate floatingip shared --project " + p + " --network projects/" + p + "/networks/vn --port-mapping tcp:1:1")
	}
	pool("blue", "open", 30, 4, "*")
	w.ctl("bind pool " + poolOf("blue", "open") + " --global")
	w.ctl("bind pool " + poolOf("red", "lent") + " --namespace borrowed")
	return m
}

func poolOf(project, name string) string {
	return "projects/" + project + "/networks/vn/pools/" + name
}

func sharedOf(project string) string { return "projects/" + project + "/floatingIps/shared" }

// as connects for a project, and has patience with a daemon that is killed.
func (w *world) as(project string) *client.Client {
	w.t.Helper()
	c, err := client.Dial(w.buoyd.Server(), client.WithRetry(patience), client.WithProject(project))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// compare compares what is there with what the orchestrators know.
func (w *world) compare(m *tenancy, crew []*orchestrator) {
	w.t.Helper()
	have, left := map[string]*buoyv1.FloatingIP{}, map[string]*buoyv1.FloatingIP{}
	resp, err := w.client().ListFloatingIPs(w.deadline(), &buoyv1.ListFloatingIPsRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range resp.FloatingIps {
		have[f.Name], left[f.Name] = f, f
	}
	w.checkUnique(have)
	changes, again, refused, updates := 0, 0, 0, map[string]int{}
	for _, o := range crew {
		if o.err != nil {
			w.t.Errorf("orchestrator %d of %s: %v", o.number, o.project, o.err)
		}
		for name, f := range o.have {
			if have[name] == nil || !equal(have[name], f) {
				w.t.Errorf("%s was answered as\n     %v\nand is %v", name, f, have[name])
			}
			delete(left, name)
		}
		changes, again, refused, updates[o.project] = changes+o.changes, again+o.again, refused+o.refused, updates[o.project]+o.updates
	}
	for _, p := range projects {
		if port := have[sharedOf(p)].GetPortMappings()[0].Port; int(port) != 1+updates[p] {
			w.t.Errorf("%s: %d updates of %d have happened", p, port-1, updates[p])
		}
		delete(left, sharedOf(p))
		w.compareView(m, p, have)
	}
	if len(left) > 0 {
		w.t.Errorf("nobody knows of %v", left)
	}
	if err := m.settled(); err != nil && !w.t.Failed() {
		w.t.Error(err)
	}
	w.t.Logf("%d changes, %d repetitions, %d requests for what others have, %v updates of one resource", changes, again, refused, updates)
	if changes < len(crew) || again == 0 || refused == 0 || len(updates) < len(projects) {
		w.t.Error("hardly anything has happened: nothing was tested")
	}
}

// compareView compares all that a project sees with what it may see.
func (w *world) compareView(m *tenancy, project string, have map[string]*buoyv1.FloatingIP) {
	w.t.Helper()
	want := map[string]string{"projects/" + project + "/networks/vn": "network"}
	for name, f := range have {
		if projectOf(name) == project || projectOf(f.Network) == project {
			want[name] = f.Address
		}
	}
	for _, p := range m.pools {
		if allows(p.name, p.shared, project) {
			want[p.name] = fmt.Sprintf("%d of %d used", p.sure, p.size)
		}
	}
	got := map[string]string{}
	c := w.as(project)
	networks, err1 := c.Networks.ListNetworks(w.deadline(), &buoyv1.ListNetworksRequest{})
	for _, n := range networks.GetNetworks() {
		got[n.Name] = "network"
	}
	pools, err2 := c.Pools.ListPools(w.deadline(), &buoyv1.ListPoolsRequest{})
	for _, p := range pools.GetPools() {
		got[p.Name] = fmt.Sprintf("%d of %d used", p.Used, p.Total)
	}
	list, err3 := c.FloatingIPs.ListFloatingIPs(w.deadline(), &buoyv1.ListFloatingIPsRequest{})
	for _, f := range list.GetFloatingIps() {
		got[f.Name] = f.Address
	}
	if err := errors.Join(err1, err2, err3); err != nil || !maps.Equal(got, want) {
		w.t.Errorf("%s sees %v\n     %v\nwant %v", project, err, got, want)
	}
}
