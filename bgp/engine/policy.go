package engine

import (
	"context"

	api "github.com/osrg/gobgp/v3/api"
)

// globalTable is the engine's name for the policy of all its neighbors.
const globalTable = "global"

// installPolicy rejects everything in both directions: the engine has no routes
// of its own, and receives none.
func (e *Engine) installPolicy(ctx context.Context) error {
	for _, direction := range []api.PolicyDirection{api.PolicyDirection_IMPORT, api.PolicyDirection_EXPORT} {
		err := e.server.SetPolicyAssignment(ctx, &api.SetPolicyAssignmentRequest{Assignment: &api.PolicyAssignment{
			Name: globalTable, Direction: direction, DefaultAction: api.RouteAction_REJECT,
		}})
		if err != nil {
			return err
		}
	}
	return nil
}
