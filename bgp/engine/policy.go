package engine

import (
	"context"

	api "github.com/osrg/gobgp/v3/api"

	"github.com/buoynet/buoy/internal/neighbor"
)

// The names under which the policy stands in the engine.
const (
	everyNeighbor = "every-neighbor"
	importPolicy  = "received-vpn-routes-never-compete"
	exportPolicy  = "only-our-own-routes-leave"
	globalTable   = "global"
)

// installPolicy rejects VPN routes from neighbors on import, and what is not
// our own on export. It names the neighbors by their loopback prefix: a
// default of "reject" would reject our own routes too.
func (e *Engine) installPolicy(ctx context.Context) error {
	err := e.server.AddDefinedSet(ctx, &api.AddDefinedSetRequest{DefinedSet: &api.DefinedSet{
		DefinedType: api.DefinedType_NEIGHBOR,
		Name:        everyNeighbor,
		List:        []string{loopback.String()},
	}})
	if err != nil {
		return err
	}
	reject := &api.Actions{RouteAction: api.RouteAction_REJECT}
	// Otherwise a neighbor that announces one of our memberships with a higher
	// LOCAL_PREF takes ours away from the others.
	last := &api.Actions{RouteAction: api.RouteAction_ACCEPT, LocalPref: &api.LocalPrefAction{Value: 1}}
	policies := []struct {
		name       string
		direction  api.PolicyDirection
		statements []*api.Statement
	}{
		{importPolicy, api.PolicyDirection_IMPORT, []*api.Statement{{
			Name: importPolicy,
			Conditions: &api.Conditions{
				NeighborSet: &api.MatchSet{Type: api.MatchSet_ANY, Name: everyNeighbor},
				AfiSafiIn:   []*api.Family{apiFamily(neighbor.InetVPN), apiFamily(neighbor.Inet6VPN)},
			},
			Actions: reject,
		}, {
			Name: importPolicy + "-membership",
			Conditions: &api.Conditions{
				NeighborSet: &api.MatchSet{Type: api.MatchSet_ANY, Name: everyNeighbor},
				AfiSafiIn:   []*api.Family{apiFamily(neighbor.RouteTarget)},
			},
			Actions: last,
		}}},
		{exportPolicy, api.PolicyDirection_EXPORT, []*api.Statement{
			{Name: exportPolicy + "-ibgp", Conditions: &api.Conditions{RouteType: api.Conditions_ROUTE_TYPE_INTERNAL}, Actions: reject},
			{Name: exportPolicy + "-ebgp", Conditions: &api.Conditions{RouteType: api.Conditions_ROUTE_TYPE_EXTERNAL}, Actions: reject},
		}},
	}
	for _, p := range policies {
		if err := e.server.AddPolicy(ctx, &api.AddPolicyRequest{Policy: &api.Policy{Name: p.name, Statements: p.statements}}); err != nil {
			return err
		}
		err := e.server.AddPolicyAssignment(ctx, &api.AddPolicyAssignmentRequest{Assignment: &api.PolicyAssignment{
			Name:          globalTable,
			Direction:     p.direction,
			Policies:      []*api.Policy{{Name: p.name}},
			DefaultAction: api.RouteAction_ACCEPT,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}
