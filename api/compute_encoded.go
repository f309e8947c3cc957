package api

import (
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// Where routes are in the messages.
var (
	changesField = (&buoyv1.AttachResponse{}).ProtoReflect().Descriptor().Fields().ByName("changes").Number()
	routesField  = (&buoyv1.Changes{}).ProtoReflect().Descriptor().Fields().ByName("routes").Number()
)

// maxRouteEncodings is how many routes are kept at least, after they were sent.
const maxRouteEncodings = 1 << 14

// routeEncodings are the routes that compute nodes were sent a moment ago, as they go over
// the wire. After a change at a gateway all nodes of a network want the same. Its methods
// may be called concurrently.
type routeEncodings struct {
	mu sync.Mutex
	// By the first next hop, which equal routes share. Two generations: when the younger
	// one is full, the older one goes.
	young, old map[*inventory.NextHop]encoded
}

func newRouteEncodings() *routeEncodings {
	return &routeEncodings{young: map[*inventory.NextHop]encoded{}}
}

// messages writes a part out. Its messages go to the node in this order.
func (e *routeEncodings) messages(p *inventory.Programme) (list []any) {
	if p.BeginOfSnapshot {
		list = append(list, &buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_BeginOfSnapshot{BeginOfSnapshot: &buoyv1.BeginOfSnapshot{}}})
	}
	changes := changesToProto(p)
	// Both belong to the last message.
	if !p.EndOfRoutes {
		changes.ResumeToken = p.ResumeToken
	}
	if !p.EndOfRoutes && !p.EndOfFloatingIPs {
		changes.Revision = p.Revision
	}
	if size := proto.Size(changes); size+len(p.Routes) > 0 {
		list = append(list, e.withRoutes(changes, p.Routes))
	}
	end := func(part buoyv1.EndOfSnapshot_Part, token string, revision uint64) {
		list = append(list, &buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_EndOfSnapshot{
			EndOfSnapshot: &buoyv1.EndOfSnapshot{Part: part, ResumeToken: token, Revision: revision}}})
	}
	switch {
	case p.EndOfFloatingIPs && p.EndOfRoutes:
		end(buoyv1.EndOfSnapshot_FLOATING_IPS, "", 0)
		end(buoyv1.EndOfSnapshot_ROUTES, p.ResumeToken, p.Revision)
	case p.EndOfFloatingIPs:
		end(buoyv1.EndOfSnapshot_FLOATING_IPS, "", p.Revision)
	case p.EndOfRoutes:
		end(buoyv1.EndOfSnapshot_ROUTES, p.ResumeToken, p.Revision)
	}
	return list
}

// withRoutes adds routes to changes that have none. A message is its fields, one after
// the other, so those that are written already are appended.
func (e *routeEncodings) withRoutes(changes *buoyv1.Changes, routes []inventory.NetworkRoute) any {
	body, err := proto.Marshal(changes)
	if err != nil {
		return &buoyv1.AttachResponse{Message: &buoyv1.AttachResponse_Changes{Changes: changes}} // gRPC says so when it is sent
	}
	e.mu.Lock()
	for i := range routes {
		body = append(body, e.route(&routes[i])...)
	}
	e.mu.Unlock()
	message := make([]byte, 0, len(body)+2*protowire.SizeVarint(uint64(len(body))))
	message = protowire.AppendTag(message, changesField, protowire.BytesType)
	return encoded(protowire.AppendBytes(message, body))
}

// route returns a route as it is in a message. The caller holds mu: others that want the
// same wait for the first one to write it.
func (e *routeEncodings) route(r *inventory.NetworkRoute) encoded {
	key := &r.NextHops[0]
	if text, ok := e.young[key]; ok {
		return text
	}
	text, ok := e.old[key]
	if !ok {
		p := nodeRouteToProto(*r)
		text = protowire.AppendTag(nil, routesField, protowire.BytesType)
		text = protowire.AppendVarint(text, uint64(proto.Size(p)))
		var err error
		if text, err = (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend(text, p); err != nil {
			return nil // a name of ours that is no UTF-8: there is none
		}
	}
	if len(e.young) >= maxRouteEncodings {
		e.old, e.young = e.young, map[*inventory.NextHop]encoded{}
	}
	e.young[key] = text
	return text
}
