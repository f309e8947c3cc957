package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// orchestrator changes floating IPs of its own, and one that is everybody's of its
// project. The first of a project shares the pool that it lends.
type orchestrator struct {
	number  int
	project string
	model   *tenancy
	rand    *rand.Rand
	ways    []*client.Client
	lent    *buoyv1.Pool                  // as it was answered
	have    map[string]*buoyv1.FloatingIP // as it was answered
	past    []done
	changes int
	again   int // changes that were repeated later
	updates int // of the shared one
	refused int // requests for what others have
	err     error
}

// done is a change that was carried out, and its answer.
type done struct {
	send   send
	answer *buoyv1.FloatingIP // nil for a release
}

type send func(*client.Client) (*buoyv1.FloatingIP, error)

func (o *orchestrator) step() error {
	switch n := o.rand.IntN(12); {
	case n == 0 && len(o.past) > 0:
		return o.repeat()
	case n == 1:
		return o.update()
	case n == 2:
		return o.batch()
	case n == 3:
		return o.trespass()
	case n == 4 && o.number < len(projects):
		return o.share()
	default:
		return o.change()
	}
}

// change makes the next change in the life of a floating IP, and sends it twice
// at once now and then.
func (o *orchestrator) change() error {
	name := fmt.Sprintf("projects/%s/floatingIps/o%d-%d", o.project, o.number, o.rand.IntN(6))
	id := client.RequestID()
	d, f := done{}, o.have[name]
	var of *draw
	binding := false
	switch {
	case f == nil:
		req := &buoyv1.AllocateRequest{Name: name, RequestId: id}
		of, binding = o.source(req)
		d.send = func(c *client.Client) (*buoyv1.FloatingIP, error) {
			return c.FloatingIPs.Allocate(context.Background(), req)
		}
	case len(f.Associations) == 0 && o.rand.IntN(3) == 0:
		req := &buoyv1.ReleaseRequest{Name: name, RequestId: id, Etag: f.Etag}
		o.model.releases(f.Pool, 1)
		d.send = func(c *client.Client) (*buoyv1.FloatingIP, error) {
			_, err := c.FloatingIPs.Release(context.Background(), req)
			return nil, err
		}
	case len(f.Associations) == 0:
		a := (&writer{rand: o.rand}).place()
		req := &buoyv1.AssociateRequest{Name: name, RequestId: id, Association: a}
		d.send = func(c *client.Client) (*buoyv1.FloatingIP, error) {
			return c.FloatingIPs.Associate(context.Background(), req)
		}
	default:
		req := &buoyv1.DisassociateRequest{Name: name, RequestId: id, Etag: f.Etag}
		d.send = func(c *client.Client) (*buoyv1.FloatingIP, error) {
			return c.FloatingIPs.Disassociate(context.Background(), req)
		}
	}
	var err error
	d.answer, err = o.twice(d.send)
	if of != nil {
		if wrong := o.model.end(of, binding, err); wrong != nil {
			return wrong
		}
		if err != nil {
			return nil // as the model says
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if o.have[name] = d.answer; d.answer == nil {
		delete(o.have, name)
		o.model.released(f.Pool, 1)
	} else if of != nil && d.answer.Pool != of.name {
		return fmt.Errorf("%s: an address of %s, want one of %s", name, d.answer.Pool, of.name)
	}
	o.past = append(o.past, d)
	o.changes++
	return nil
}

// twice sends a request both ways at once, or only one. What was carried out
// has one answer; a refusal may come from before there was room.
func (o *orchestrator) twice(send send) (*buoyv1.FloatingIP, error) {
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
	shared := sharedOf(o.project)
	for {
		f, err := o.ways[0].FloatingIPs.GetFloatingIP(context.Background(), &buoyv1.GetFloatingIPRequest{Name: shared})
		if err != nil {
			return err
		}
		next := f.PortMappings[0].Port + 1
		req := &buoyv1.UpdateFloatingIPRequest{
			FloatingIp: &buoyv1.FloatingIP{Name: shared, PortMappings: []*buoyv1.PortMapping{{Protocol: "tcp", Port: next, FixedPort: next}}},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"port_mappings"}},
			Etag:       f.Etag, RequestId: client.RequestID(),
		}
		_, err = o.twice(func(c *client.Client) (*buoyv1.FloatingIP, error) {
			return c.FloatingIPs.UpdateFloatingIP(context.Background(), req)
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
	const count = 3
	allocate := &buoyv1.BatchAllocateRequest{RequestId: client.RequestID()}
	release := &buoyv1.BatchReleaseRequest{RequestId: client.RequestID()}
	pool := o.model.pool(poolOf(o.project, "own"))
	for i := range count {
		name := fmt.Sprintf("projects/%s/floatingIps/batch%d-%d", o.project, o.number, i)
		allocate.Requests = append(allocate.Requests, &buoyv1.AllocateRequest{Name: name, Pool: pool.name})
		release.Requests = append(release.Requests, &buoyv1.ReleaseRequest{Name: name})
	}
	of := o.model.begin(pool, o.project, count)
	_, err := o.ways[0].FloatingIPs.BatchAllocate(context.Background(), allocate)
	if wrong := o.model.end(of, false, err); wrong != nil || err != nil {
		return wrong
	}
	o.model.releases(pool.name, count)
	if _, err := o.ways[1].FloatingIPs.BatchRelease(context.Background(), release); err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	o.model.released(pool.name, count)
	o.changes += 2 * count
	return nil
}
