package api

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// projectKey is the metadata that says for which project a request is.
const projectKey = "buoy-project"

// viewer is the project that a request is for: it sees and changes what that
// project may. The empty one is the operator, who sees all.
type viewer string

type viewerKey struct{}

// viewerOf returns the viewer that scope found.
func viewerOf(ctx context.Context) viewer {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v
}

// viewerIn reads the metadata of a request. An empty value is refused: a client
// that lost its project must not become the operator.
func viewerIn(ctx context.Context) (viewer, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	names := md.Get(projectKey)
	if len(names) == 0 {
		return "", nil
	}
	return viewerNamed(names)
}

// viewerNamed reads the one value that there must be.
func viewerNamed(names []string) (viewer, error) {
	if len(names) > 1 {
		return "", invalid(projectKey, fmt.Errorf("expected one project, got %d", len(names)))
	}
	if err := inventory.CheckID(names[0]); err != nil {
		return "", invalid(projectKey, err)
	}
	return viewer(names[0]), nil
}

// scope refuses what a request's viewer must not do, and hands on the others
// with their viewer.
func scope(inv Inventory) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		v, err := viewerIn(ctx)
		if err != nil {
			return nil, err
		}
		if v == "" {
			return handler(ctx, req)
		}
		if err := v.mayAll(rules[info.FullMethod], inv, req); err != nil {
			return nil, err
		}
		resp, err := handler(context.WithValue(ctx, viewerKey{}, v), req)
		return resp, discreet(err)
	}
}

// mayAll checks the rule of a method for a request, or each request of a batch.
func (v viewer) mayAll(r rule, inv Inventory, req any) error {
	field, requests := requestsIn(req)
	if requests == nil {
		return v.may(r, inv, nameIn(req))
	}
	for i, one := range requests {
		if err := v.may(ruleFor(r, one), inv, nameIn(one)); err != nil {
			return &inventory.ItemError{List: field, Item: i, Err: err}
		}
	}
	return nil
}

// ruleFor returns the rule of a method for a part of a request: what belongs to no
// project is the operator's to describe.
func ruleFor(r rule, request any) rule {
	d, ok := request.(*buoyv1.Document)
	if !ok {
		return r
	}
	switch d.Resource.(type) {
	case nil, *buoyv1.Document_Network, *buoyv1.Document_Pool, *buoyv1.Document_FloatingIp:
		return r
	default:
		return operators
	}
}

// may checks the rule of a method for the resource that a request names. A name
// of no project is left to the method, which knows none such or refuses it.
func (v viewer) may(r rule, inv Inventory, name string) error {
	owner := inventory.ProjectOf(name)
	switch {
	case r == operators:
		return v.operatorsOnly()
	case r == reads || owner == "" || owner == string(v):
		return nil
	case r == changes && !v.sees(inv.State(), name):
		return missing("name", name)
	default:
		return &inventory.Error{Code: inventory.PermissionDenied, Reason: reasonNotYours, Field: "name",
			Message: fmt.Sprintf("%s is not of project %s", name, v)}
	}
}

// operatorsOnly refuses what no viewer may do.
func (v viewer) operatorsOnly() error {
	return &inventory.Error{Code: inventory.PermissionDenied, Reason: reasonOperatorsOnly,
		Message: fmt.Sprintf("only the operator may do this, and the request is for project %s", v)}
}

// sees reports whether the viewer may see a resource.
func (v viewer) sees(state *inventory.State, name string) bool { return state.Visible(string(v), name) }

// find returns a resource. What the viewer may not see is missing.
func find[R any](v viewer, state *inventory.State, get func(name string) (R, bool), field, name string) (R, error) {
	r, ok := get(name)
	if !ok || !v.sees(state, name) {
		var none R
		return none, missing(field, name)
	}
	return r, nil
}

// sharedWith returns the part of a pool's list that the viewer may see: its
// project learns all, others only that they may draw from it.
func (v viewer) sharedWith(p *inventory.Pool) []string {
	if v == "" || inventory.ProjectOf(p.Name) == string(v) {
		return p.SharedWith
	}
	return slices.DeleteFunc(slices.Clone(p.SharedWith), func(project string) bool {
		return project != string(v) && project != inventory.AllProjects
	})
}

// etag returns the etag of what the viewer may change. That of something else
// would change with what it may not see.
func (v viewer) etag(name string, e inventory.Etag) string {
	if v != "" && inventory.ProjectOf(name) != string(v) {
		return ""
	}
	return e.String()
}

// discreet takes the interfaces of others out of a refusal: a label is taken on
// a compute node that all projects share.
func discreet(err error) error {
	var refusal *inventory.Error
	if !errors.As(err, &refusal) {
		return err
	}
	e := *refusal
	switch e.Reason {
	case inventory.ReasonLabelTaken:
		e.Message = "another interface of " + e.Resource + " has it"
	case inventory.ReasonLabelDiffers:
		e.Message = "the interface of " + e.Resource + " has another one"
	case inventory.ReasonLabelResting:
		e.Message = "another interface of " + e.Resource + " had it until a moment ago; it rests, since gateways may still send to it"
	default:
		return err
	}
	var item *inventory.ItemError
	if errors.As(err, &item) {
		return &inventory.ItemError{List: item.List, Item: item.Item, Err: &e}
	}
	return &e
}
