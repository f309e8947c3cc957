package engine

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// AdjRIBOut returns the routes that a neighbor has been given, ordered by key.
// The engine keeps no record: it computes anew what passes the negotiated
// families, the neighbor's membership and the policy. That takes seconds with
// hundreds of thousands of routes, and everything else in the engine waits.
func (e *Engine) AdjRIBOut(ctx context.Context, addr netip.Addr, families neighbor.Families) ([]vrf.Route, error) {
	e.mu.Lock()
	session, ok := e.sessions[addr]
	e.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("there is no session with %s", addr)
	}
	routes := []vrf.Route{}
	for _, family := range families.Slice() {
		if family == neighbor.RouteTarget {
			continue
		}
		request := &api.ListPathRequest{
			TableType:        api.TableType_ADJ_OUT,
			Name:             session.String(),
			Family:           apiFamily(family),
			EnableOnlyBinary: true,
		}
		var failed error
		err := e.server.ListPath(ctx, request, func(d *api.Destination) {
			for _, p := range d.Paths {
				r, err := routeFromPath(family, p)
				if err != nil {
					failed = err
					return
				}
				routes = append(routes, r)
			}
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, fmt.Errorf("list what neighbor %s was given: %w", addr, err)
		}
	}
	slices.SortFunc(routes, func(a, b vrf.Route) int { return a.Key.Compare(b.Key) })
	return routes, nil
}
