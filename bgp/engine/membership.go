package engine

import (
	"context"
	"fmt"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/buoynet/buoy/routetarget"
)

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
