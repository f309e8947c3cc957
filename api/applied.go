package api

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// maxRouteChanges is how many changes of routes an answer lists.
const maxRouteChanges = 20_000

// applied says what became of resources, and of the routes that the viewer sees.
func (v view) applied(viewer viewer, done *inventory.Outcome, names []string) *buoyv1.ApplyResponse {
	resp := &buoyv1.ApplyResponse{}
	var changed []string
	for _, name := range names {
		a := v.appliedTo(viewer, done, name)
		switch a.Action {
		case buoyv1.AppliedDocument_CREATED:
			resp.Created++
		case buoyv1.AppliedDocument_UPDATED:
			resp.Updated++
		default:
			resp.Unchanged++
		}
		if a.Action != buoyv1.AppliedDocument_UNCHANGED {
			changed = append(changed, name)
		}
		resp.Documents = append(resp.Documents, a)
	}
	sees := func(f *inventory.FloatingIP) bool {
		return viewer.sees(done.Before, f.Name) || viewer.sees(done.After, f.Name)
	}
	for _, c := range inventory.RouteChanges(done.Before, done.After, changed, sees) {
		switch {
		case c.Before == nil:
			resp.RoutesAnnounced++
		case c.After == nil:
			resp.RoutesWithdrawn++
		default:
			resp.RoutesChanged++
		}
		if len(resp.RouteChanges) < maxRouteChanges {
			resp.RouteChanges = append(resp.RouteChanges, routeChangeToProto(done, c))
		}
	}
	return resp
}

// appliedTo compares a resource as it was with what it is.
func (v view) appliedTo(viewer viewer, done *inventory.Outcome, name string) *buoyv1.AppliedDocument {
	a := &buoyv1.AppliedDocument{Name: name, Action: buoyv1.AppliedDocument_UNCHANGED}
	was, there := done.Before.EtagOf(name)
	if is, _ := done.After.EtagOf(name); there && was == is {
		return a
	}
	a.After, _ = v.document(viewer, done.After, name)
	if !there {
		a.Action = buoyv1.AppliedDocument_CREATED
		return a
	}
	a.Action = buoyv1.AppliedDocument_UPDATED
	a.Before, _ = v.document(viewer, done.Before, name)
	a.ChangedFields = changedFields(a.Before.Described().ProtoReflect(), a.After.Described().ProtoReflect())
	return a
}

// changedFields returns the fields in which two messages of a kind differ.
func changedFields(a, b protoreflect.Message) (names []string) {
	fields := a.Descriptor().Fields()
	for i := range fields.Len() {
		if f := fields.Get(i); !a.Get(f).Equal(b.Get(f)) {
			names = append(names, string(f.Name()))
		}
	}
	return names
}

func routeChangeToProto(done *inventory.Outcome, c inventory.RouteChange) *buoyv1.RouteChange {
	p := &buoyv1.RouteChange{}
	if c.Before != nil {
		p.Before = ownToProto(done.Before, *c.Before)
	}
	if c.After != nil {
		p.After = ownToProto(done.After, *c.After)
	}
	return p
}
