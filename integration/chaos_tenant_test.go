package integration

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// source chooses where an address is to come from: a pool of anybody, or the binding of
// a namespace or of the cluster.
func (o *orchestrator) source(req *buoyv1.AllocateRequest) (of *draw, binding bool) {
	name := poolOf(o.project, "own")
	switch o.rand.IntN(8) {
	case 0, 1:
		name = poolOf(projects[o.rand.IntN(len(projects))], "lent")
	case 2:
		name = poolOf(o.other(), "own")
	case 3:
		name = poolOf("blue", "open")
	case 4:
		return o.model.begin(o.model.pool(poolOf("blue", "open")), o.project, 1), true
	case 5:
		req.Namespace = "borrowed"
		return o.model.begin(o.model.pool(poolOf("red", "lent")), o.project, 1), true
	}
	req.Pool = name
	return o.model.begin(o.model.pool(name), o.project, 1), false
}

// other returns another project.
func (o *orchestrator) other() string {
	return projects[(slices.Index(projects, o.project)+1+o.rand.IntN(len(projects)-1))%len(projects)]
}

// share shares the pool that the project lends with others, whoever has addresses of it.
func (o *orchestrator) share() error {
	pool := o.model.pool(poolOf(o.project, "lent"))
	if o.lent == nil {
		p, err := o.ways[0].Pools.GetPool(context.Background(), &buoyv1.GetPoolRequest{Name: pool.name})
		if err != nil {
			return err
		}
		o.lent = p
	}
	with := [][]string{nil, {o.other()}, {o.other()}, {"*"}}[o.rand.IntN(4)]
	req := &buoyv1.UpdatePoolRequest{
		Pool: &buoyv1.Pool{Name: pool.name, SharedWith: with}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"shared_with"}},
		Etag: o.lent.Etag, RequestId: client.RequestID(),
	}
	o.model.shares(pool, with)
	for i, way := range o.ways {
		p, err := way.Pools.UpdatePool(context.Background(), req)
		if err != nil {
			return fmt.Errorf("share %s with %q: %w", pool.name, with, err)
		}
		if i > 0 && p.Etag != o.lent.Etag || !slices.Equal(p.SharedWith, with) {
			return fmt.Errorf("share %s with %q: got %v, after %v", pool.name, with, p, o.lent)
		}
		o.lent = p
	}
	o.model.isShared(pool)
	o.changes++
	return nil
}

// trespass tries what a project must not, and looks at what it sees.
func (o *orchestrator) trespass() error {
	ctx, c, other := context.Background(), o.ways[o.rand.IntN(2)], o.other()
	o.refused++
	theirs := fmt.Sprintf("projects/%s/floatingIps/o%d-%d", other, slices.Index(projects, other), o.rand.IntN(6))
	switch o.rand.IntN(5) {
	case 0:
		// Who owns the network may see who has its addresses, and do nothing to it.
		_, err := c.FloatingIPs.Release(ctx, &buoyv1.ReleaseRequest{Name: theirs, RequestId: client.RequestID()})
		return expect("release "+theirs, err, codes.NotFound, codes.PermissionDenied)
	case 1:
		f, err := c.FloatingIPs.GetFloatingIP(ctx, &buoyv1.GetFloatingIPRequest{Name: theirs})
		if err == nil && projectOf(f.Network) == o.project {
			return nil
		}
		return expect("get "+theirs, err, codes.NotFound)
	case 2:
		name := poolOf(other, "own")
		_, err := c.Pools.UpdatePool(ctx, &buoyv1.UpdatePoolRequest{RequestId: client.RequestID(),
			Pool: &buoyv1.Pool{Name: name, SharedWith: []string{o.project}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"shared_with"}}})
		return expect("update "+name, err, codes.NotFound)
	case 3:
		_, err := c.FloatingIPs.Allocate(ctx, &buoyv1.AllocateRequest{Name: theirs, Pool: poolOf(o.project, "own"), RequestId: client.RequestID()})
		return expect("allocate "+theirs, err, codes.PermissionDenied)
	default:
		return o.look(c)
	}
}

func expect(what string, err error, want ...codes.Code) error {
	if !slices.Contains(want, status.Code(err)) {
		return fmt.Errorf("%s: got %v, want %v", what, err, want)
	}
	return nil
}

// look lists what the project sees.
func (o *orchestrator) look(c *client.Client) error {
	ctx := context.Background()
	list, err := c.FloatingIPs.ListFloatingIPs(ctx, &buoyv1.ListFloatingIPsRequest{})
	if err != nil {
		return err
	}
	for _, f := range list.FloatingIps {
		if projectOf(f.Name) != o.project && projectOf(f.Network) != o.project {
			return fmt.Errorf("%s sees %v", o.project, f)
		}
	}
	looks := map[string]*draw{}
	for _, p := range o.model.pools {
		looks[p.name] = o.model.begin(p, o.project, 0)
	}
	pools, err := c.Pools.ListPools(ctx, &buoyv1.ListPoolsRequest{})
	seen := map[string]bool{}
	for _, p := range pools.GetPools() {
		seen[p.Name] = true
	}
	for name, d := range looks {
		if there, missing := o.model.look(d); err == nil && (seen[name] && !there || !seen[name] && !missing) {
			err = fmt.Errorf("%s sees %s: %t", o.project, name, seen[name])
		}
	}
	return err
}
