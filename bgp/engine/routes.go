package engine

import (
	"context"
	"fmt"

	api "github.com/osrg/gobgp/v3/api"
	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Advertise puts routes into the global table, or replaces those with the same
// keys. After an error some of them may be in; to repeat it is harmless.
func (e *Engine) Advertise(ctx context.Context, routes []vrf.Route) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var wanted *wantedTargets // read when the first target set changes
	for _, r := range routes {
		if err := ctx.Err(); err != nil {
			return err // GoBGP does not look at it
		}
		if old, ok := e.targets[r.Key]; ok && old != r.Targets {
			if wanted == nil {
				var err error
				if wanted, err = e.wantedTargets(ctx); err != nil {
					return err
				}
			}
			if wanted.losesInterest(old, r.Targets) {
				if err := e.delete(ctx, r); err != nil {
					return err
				}
			}
		}
		path, err := pathFromRoute(r)
		if err == nil {
			_, err = e.server.AddPath(ctx, &api.AddPathRequest{Path: path})
		}
		if err != nil {
			return fmt.Errorf("advertise %s: %w", r.Key, err)
		}
		e.targets[r.Key] = r.Targets
	}
	return nil
}

// Withdraw removes routes from the global table. What is not there is not an
// error.
func (e *Engine) Withdraw(ctx context.Context, routes []vrf.Route) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range routes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := e.delete(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) delete(ctx context.Context, r vrf.Route) error {
	path, err := pathFromRoute(r)
	if err == nil {
		err = e.server.DeletePath(ctx, &api.DeletePathRequest{Path: path})
	}
	if err != nil {
		return fmt.Errorf("withdraw %s: %w", r.Key, err)
	}
	delete(e.targets, r.Key)
	return nil
}

// SetMembership announces exactly these targets as wanted to the neighbors
// that negotiated route-target.
func (e *Engine) SetMembership(ctx context.Context, want routetarget.Set) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for t := range want.All() {
		if e.membership.Contains(t) {
			continue
		}
		path, err := e.pathFromTarget(t)
		if err == nil {
			_, err = e.server.AddPath(ctx, &api.AddPathRequest{Path: path})
		}
		if err != nil {
			return fmt.Errorf("announce membership of %s: %w", t, err)
		}
	}
	for t := range e.membership.All() {
		if want.Contains(t) {
			continue
		}
		path, err := e.pathFromTarget(t)
		if err == nil {
			err = e.server.DeletePath(ctx, &api.DeletePathRequest{Path: path})
		}
		if err != nil {
			return fmt.Errorf("withdraw membership of %s: %w", t, err)
		}
	}
	e.membership = want
	return nil
}

// wantedTargets is the membership of the neighbors that negotiated
// route-target, by the loopback address that the engine knows each by.
type wantedTargets struct {
	neighbors map[string]*interest
}

type interest struct {
	all     bool // the default membership (RFC 4684 §4)
	targets []routetarget.Target
}

func (e *Engine) wantedTargets(ctx context.Context) (*wantedTargets, error) {
	w := &wantedTargets{neighbors: map[string]*interest{}}
	request := &api.ListPathRequest{Family: apiFamily(neighbor.RouteTarget), EnableOnlyBinary: true}
	err := e.server.ListPath(ctx, request, func(d *api.Destination) {
		for _, p := range d.Paths {
			w.add(p)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list the neighbors' membership: %w", err)
	}
	return w, nil
}

func (w *wantedTargets) add(p *api.Path) {
	nlri := &bgp.RouteTargetMembershipNLRI{}
	if err := nlri.DecodeFromBytes(p.NlriBinary); err != nil || p.NeighborIp == "" || p.NeighborIp == "<nil>" {
		return // our own
	}
	i := w.neighbors[p.NeighborIp]
	if i == nil {
		i = &interest{}
		w.neighbors[p.NeighborIp] = i
	}
	if nlri.RouteTarget == nil {
		i.all = true
		return
	}
	if b, err := nlri.RouteTarget.Serialize(); err == nil && len(b) == 8 {
		if t, ok := routetarget.TargetFromBytes([8]byte(b)); ok {
			i.targets = append(i.targets, t)
		}
	}
}

// losesInterest reports whether some neighbor wants a route with the old
// targets and does not want it with the new ones.
func (w *wantedTargets) losesInterest(old, new routetarget.Set) bool {
	for _, i := range w.neighbors {
		set := routetarget.NewSet(i.targets...)
		if !i.all && set.Intersects(old) && !set.Intersects(new) {
			return true
		}
	}
	return false
}
