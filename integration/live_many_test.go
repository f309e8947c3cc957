package integration

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestManyNodes: many compute nodes connect at once, and so again after buoyd was
// killed. FRR and BIRD keep book all the time: no route of theirs is dropped, even for a
// moment, and that of a node that was dead before does not come back.
func TestManyNodes(t *testing.T) {
	count := long(300, 1000)
	w := newWorld(t)
	w.stocked(0)
	w.many(count)
	member := w.peer("mx2", allFamilies)
	w.importVRF(member, "red", "target:64512:10003")
	gateways := []gateway{{"mx1", w.router("frr", "mx1").(*lab.FRR)}, {"mx2", member}}

	streams := w.attachAll(count)
	w.traces(gateways, 0)
	w.advertises(count)
	streams[0].drop()
	w.nodeIs("n0", "DOWN")
	kept := w.settle(gateways)
	w.nothingLost(gateways, nil) // but new ones came
	for _, s := range streams[1:] {
		if err := s.isWelcome(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	w.buoyd.Kill()
	for _, s := range streams {
		s.drop()
	}
	w.restart()
	w.nodeIs("n1", "STALE")
	w.nodeIs("n0", "DOWN")
	if again := w.settle(gateways); len(again) != len(kept) {
		t.Errorf("%d routes were there, %d are", len(kept), len(again))
	}
	begin := time.Now()
	w.attachAll(count)[0].drop() // that one reports its interface at once, and is withdrawn again
	t.Logf("%d nodes were back after %s", count, time.Since(begin).Round(time.Millisecond))
	w.nodeIs("n0", "DOWN")
	if again := w.settle(gateways); len(again) != len(kept) {
		t.Errorf("%d routes were there, %d are", len(kept), len(again))
	}
	w.nothingLost(gateways, kept)
}

// many makes so many compute nodes, each with an interface that has a floating IP. The
// first one is never stale.
func (w *world) many(count int) {
	w.t.Helper()
	conn := w.dial()
	nodes, floatingIPs := buoyv1.NewComputeNodesClient(conn), w.client()
	allocate, associate := &buoyv1.BatchAllocateRequest{}, &buoyv1.BatchAssociateRequest{}
	for i := range count {
		stale := uint32(3600)
		if i == 0 {
			stale = 0
		}
		node := &buoyv1.ComputeNode{Name: fmt.Sprint("computeNodes/n", i), Address: fmt.Sprintf("10.1.%d.%d", i>>8, i&0xff),
			Liveness: buoyv1.ComputeNode_SESSION, StaleTime: &stale}
		if _, err := nodes.CreateComputeNode(w.deadline(), &buoyv1.CreateComputeNodeRequest{ComputeNode: node}); err != nil {
			w.t.Fatal(err)
		}
		name := fmt.Sprint("projects/default/floatingIps/f", i)
		allocate.Requests = append(allocate.Requests, &buoyv1.AllocateRequest{Name: name, Network: "projects/default/networks/vn-many",
			Address: fmt.Sprintf("198.18.%d.%d", 100+i>>8, i&0xff)})
		associate.Requests = append(associate.Requests, &buoyv1.AssociateRequest{Name: name,
			Association: &buoyv1.Association{ComputeNode: node.Name, Interface: "tap0", FixedIp: "10.47.0.1"}})
	}
	_, err := floatingIPs.BatchAllocate(w.deadline(), allocate)
	if err == nil {
		_, err = floatingIPs.BatchAssociate(w.deadline(), associate)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// attachAll connects all nodes at once, and waits until each has a stream.
func (w *world) attachAll(count int) []*stream {
	w.t.Helper()
	streams, errs := make([]*stream, count), make([]error, count)
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() { streams[i], errs[i] = attach(w.buoyd.Server(), fmt.Sprint("n", i), up("tap0")) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		for _, s := range streams {
			s.drop()
		}
	})
	for _, s := range streams {
		w.eventually(s.name+" has a stream", s.isWelcome)
	}
	return streams
}

// advertises waits until buoyd has at least so many routes.
func (w *world) advertises(count int) {
	w.t.Helper()
	w.eventually("they are advertised", func(context.Context) error {
		if got := len(w.labels()); got < count {
			return fmt.Errorf("%d routes", got)
		}
		return nil
	})
}
