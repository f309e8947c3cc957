package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestChaos: orchestrators that retry, repeat what they did long ago, send
// everything twice at once, and race for one resource, while the daemon is
// killed again and again. Each change that has a request id happens exactly
// once, and has one answer; with etags no update is lost. What is there at the
// end is what each of them knows.
func TestChaos(t *testing.T) {
	const (
		kills         = 8
		orchestrators = 10
	)
	w := newWorld(t)
	w.start()
	w.ctl("create network vn-public --subnet 203.0.113.0/25")
	w.ctl("create pool main --network vn-public --range 203.0.113.0-203.0.113.39") // less than they want at times
	for n := range nodes {
		w.ctl(fmt.Sprintf("create computenode cmp%d --address 10.0.0.1%d --label-hold-down 1", n, n))
	}
	w.ctl("allocate floatingip shared --network vn-public --port-mapping tcp:1:1")

	ctx, end := context.WithCancel(context.Background())
	defer end()
	var crew []*orchestrator
	var running sync.WaitGroup
	var stepped atomic.Int64
	for n := range orchestrators {
		o := &orchestrator{number: n, rand: rand.New(rand.NewPCG(rand.Uint64(), uint64(n))), have: map[string]*buoyv1.FloatingIP{}}
		for range 2 { // two ways to the same daemon
			c, err := client.Dial(w.buoyd.Server(), client.WithRetry(patience))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			o.ways = append(o.ways, c.FloatingIPs)
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
	w.compare(crew)
}

// compare compares what is there with what the orchestrators know.
func (w *world) compare(crew []*orchestrator) {
	w.t.Helper()
	have := map[string]*buoyv1.FloatingIP{}
	resp, err := w.client().ListFloatingIPs(w.deadline(), &buoyv1.ListFloatingIPsRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range resp.FloatingIps {
		have[f.Name] = f
	}
	w.checkUnique(have)
	pool, err := buoyv1.NewPoolsClient(w.dial()).GetPool(w.deadline(), &buoyv1.GetPoolRequest{Name: "projects/default/networks/vn-public/pools/main"})
	if err != nil || int(pool.Used) != len(have)-1 {
		w.t.Errorf("%v: %d addresses of the pool are used, and there are %d floating IPs", err, pool.GetUsed(), len(have)-1)
	}
	changes, again, updates := 0, 0, 0
	for _, o := range crew {
		if o.err != nil {
			w.t.Errorf("orchestrator %d: %v", o.number, o.err)
		}
		for name, f := range o.have {
			if have[name] == nil || !equal(have[name], f) {
				w.t.Errorf("%s was answered as\n     %v\nand is %v", name, f, have[name])
			}
			delete(have, name)
		}
		changes, again, updates = changes+o.changes, again+o.again, updates+o.updates
	}
	if port := have[shared].GetPortMappings()[0].Port; int(port) != 1+updates {
		w.t.Errorf("%d updates of %d have happened", port-1, updates)
	}
	if delete(have, shared); len(have) > 0 {
		w.t.Errorf("nobody knows of %v", have)
	}
	w.t.Logf("%d changes, %d repetitions, %d updates of one resource", changes, again, updates)
	if changes < len(crew) || again == 0 || updates == 0 {
		w.t.Error("hardly anything has happened: nothing was tested")
	}
}

const shared = "projects/default/floatingIps/shared"

// orchestrator changes floating IPs of its own, and one that is everybody's.
type orchestrator struct {
	number  int
	rand    *rand.Rand
	ways    []buoyv1.FloatingIPsClient
	have    map[string]*buoyv1.FloatingIP // as it was answered
	past    []done
	changes int
	again   int // changes that were repeated later
	updates int // of the shared one
	err     error
}

// done is a change that was carried out, and its answer.
type done struct {
	send   func(buoyv1.FloatingIPsClient) (*buoyv1.FloatingIP, error)
	answer *buoyv1.FloatingIP // nil for a release
}

func (o *orchestrator) step() error {
	switch n := o.rand.IntN(10); {
	case n == 0 && len(o.past) > 0:
		return o.repeat()
	case n == 1:
		return o.update()
	case n == 2:
		return o.batch()
	default:
		return o.change()
	}
}

// change makes the next change in the life of a floating IP, and sends it twice
// at once now and then.
func (o *orchestrator) change() error {
	name := fmt.Sprintf("projects/default/floatingIps/o%d-%d", o.number, o.rand.IntN(6))
	id := client.RequestID()
	var d done
	switch f := o.have[name]; {
	case f == nil:
		req := &buoyv1.AllocateRequest{Name: name, Pool: "projects/default/networks/vn-public/pools/main", RequestId: id}
		d.send = func(c buoyv1.FloatingIPsClient) (*buoyv1.FloatingIP, error) {
			return c.Allocate(context.Background(), req)
		}
	case len(f.Associations) == 0 && o.rand.IntN(3) == 0:
		req := &buoyv1.ReleaseRequest{Name: name, RequestId: id, Etag: f.Etag}
		d.send = func(c buoyv1.FloatingIPsClient) (*buoyv1.FloatingIP, error) {
			_, err := c.Release(context.Background(), req)
			return nil, err
		}
	case len(f.Associations) == 0:
		a := (&writer{rand: o.rand}).place()
		req := &buoyv1.AssociateRequest{Name: name, RequestId: id, Association: a}
		d.send = func(c buoyv1.FloatingIPsClient) (*buoyv1.FloatingIP, error) {
			return c.Associate(context.Background(), req)
		}
	default:
		req := &buoyv1.DisassociateRequest{Name: name, RequestId: id, Etag: f.Etag}
		d.send = func(c buoyv1.FloatingIPsClient) (*buoyv1.FloatingIP, error) {
			return c.Disassociate(context.Background(), req)
		}
	}
	var err error
	if d.answer, err = o.twice(d.send); status.Code(err) == codes.ResourceExhausted {
		return nil // the pool is smaller than what all want
	} else if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if o.have[name] = d.answer; d.answer == nil {
		delete(o.have, name)
	}
	o.past = append(o.past, d)
	o.changes++
	return nil
}

// twice sends a request both ways at once, or only one. What was carried out
// has one answer; a refusal may come from before there was room.
func (o *orchestrator) twice(send func(buoyv1.FloatingIPsClient) (*buoyv1.FloatingIP, error)) (*buoyv1.FloatingIP, error) {
	if o.rand.IntN(3) > 0 {
		return send(o.ways[0])
	}
	type answer struct {
		f   *buoyv1.FloatingIP
		err error
	}
	answers := make([]answer, 2)
	var both sync.WaitGroup
	for i, way := range o.ways {
		both.Go(func() { answers[i].f, answers[i].err = send(way) })
	}
	both.Wait()
	a, b := answers[0], answers[1]
	switch {
	case a.err != nil:
		return b.f, b.err
	case b.err != nil:
		return a.f, nil
	case (a.f == nil) != (b.f == nil) || a.f != nil && !equal(a.f, b.f):
		return nil, fmt.Errorf("two answers to one request:\n     %v\n     %v", a.f, b.f)
	}
	return a.f, nil
}

// repeat sends a change of long ago again.
func (o *orchestrator) repeat() error {
	d := o.past[o.rand.IntN(len(o.past))]
	f, err := o.twice(d.send)
	o.again++
	if err != nil || (f == nil) != (d.answer == nil) || f != nil && !equal(f, d.answer) {
		return fmt.Errorf("a repeated request: %w\n got %v\nwant %v", err, f, d.answer)
	}
	return nil
}

// update counts in the shared floating IP: the port is how many updates there
// were.
func (o *orchestrator) update() error {
	for {
		f, err := o.ways[0].GetFloatingIP(context.Background(), &buoyv1.GetFloatingIPRequest{Name: shared})
		if err != nil {
			return err
		}
		next := f.PortMappings[0].Port + 1
		req := &buoyv1.UpdateFloatingIPRequest{
			FloatingIp: &buoyv1.FloatingIP{Name: shared, PortMappings: []*buoyv1.PortMapping{{Protocol: "tcp", Port: next, FixedPort: next}}},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"port_mappings"}},
			Etag:       f.Etag, RequestId: client.RequestID(),
		}
		_, err = o.twice(func(c buoyv1.FloatingIPsClient) (*buoyv1.FloatingIP, error) {
			return c.UpdateFloatingIP(context.Background(), req)
		})
		switch status.Code(err) {
		case codes.OK:
			o.updates++
			return nil
		case codes.Aborted: // somebody else was faster
		default:
			return fmt.Errorf("update %s: %w", shared, err)
		}
	}
}

// batch allocates some floating IPs and gives them back, all at once.
func (o *orchestrator) batch() error {
	allocate := &buoyv1.BatchAllocateRequest{RequestId: client.RequestID()}
	release := &buoyv1.BatchReleaseRequest{RequestId: client.RequestID()}
	for i := range 3 {
		name := fmt.Sprintf("projects/default/floatingIps/batch%d-%d", o.number, i)
		allocate.Requests = append(allocate.Requests, &buoyv1.AllocateRequest{Name: name, Pool: "projects/default/networks/vn-public/pools/main"})
		release.Requests = append(release.Requests, &buoyv1.ReleaseRequest{Name: name})
	}
	if _, err := o.ways[0].BatchAllocate(context.Background(), allocate); status.Code(err) == codes.ResourceExhausted {
		return nil
	} else if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	if _, err := o.ways[1].BatchRelease(context.Background(), release); err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	o.changes += 2 * len(release.Requests)
	return nil
}
