package api

import (
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// exists reports whether there is a resource.
func exists(state *inventory.State, name string) (ok bool) {
	switch inventory.KindOf(name) {
	case inventory.KindGlobal:
		_, ok = state.Global()
	case inventory.KindNetwork:
		_, ok = state.Network(name)
	case inventory.KindPool:
		_, ok = state.Pool(name)
	case inventory.KindBinding:
		_, ok = state.Binding(name)
	case inventory.KindComputeNode:
		_, ok = state.ComputeNode(name)
	case inventory.KindNeighbor:
		_, ok = state.Neighbor(name)
	case inventory.KindFloatingIP:
		_, ok = state.FloatingIP(name)
	}
	return ok
}

// messages writes resources out. What many watchers are sent now is written once
// for all of them.
func (w *resourceWatcher) messages(state *inventory.State, names []string, now bool) []any {
	seen := sync.OnceValue(func() *observed { return w.observe(state) })
	list := make([]any, 0, len(names))
	for _, name := range names {
		resource, write := w.message(state, seen, name)
		if resource == nil {
			continue // gone since the client was told that it is there; it will be told
		}
		switch {
		case w.filter != nil:
			if m := w.filtered(name, write()); m != nil {
				list = append(list, m)
			}
		case now && !perViewer(name):
			list = append(list, w.encoded.get(name, resource, w.sighting, write))
		default:
			list = append(list, write())
		}
	}
	return list
}

// filtered returns what to send of a resource that may not pass the filter. A client that
// begins does not have it; of others nobody knows.
func (w *resourceWatcher) filtered(name string, m *buoyv1.WatchResponse) *buoyv1.WatchResponse {
	switch {
	case w.filter.matches(eventOf(m)):
		return m
	case w.beginning:
		return nil
	default:
		return deletion(name)
	}
}

// eventOf returns the resource of an event.
func eventOf(resp *buoyv1.WatchResponse) (resource proto.Message) {
	r := resp.ProtoReflect()
	field := r.WhichOneof(r.Descriptor().Oneofs().ByName("event"))
	return r.Get(field).Message().Interface()
}

func deletion(name string) *buoyv1.WatchResponse {
	return &buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_Deleted{Deleted: name}}
}

// perViewer reports whether a resource looks different to different viewers.
func perViewer(name string) bool {
	kind := inventory.KindOf(name)
	return kind == inventory.KindPool || kind == inventory.KindBinding
}

// message returns a resource, and how it is written out. A resource that was
// changed is another one.
func (w *resourceWatcher) message(state *inventory.State, seen func() *observed, name string) (resource any, write func() *buoyv1.WatchResponse) {
	switch inventory.KindOf(name) {
	case inventory.KindGlobal:
		if g, ok := state.Global(); ok {
			return g, func() *buoyv1.WatchResponse {
				return &buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_Global{Global: w.globalToProto(g)}}
			}
		}
	case inventory.KindNetwork:
		if n, ok := state.Network(name); ok {
			return n, func() *buoyv1.WatchResponse {
				return &buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_Network{Network: networkToProto(state, n)}}
			}
		}
	case inventory.KindPool:
		if p, ok := state.Pool(name); ok {
			return p, func() *buoyv1.WatchResponse {
				return &buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_Pool{Pool: poolToProto(w.viewer, state, p)}}
			}
		}
	case inventory.KindBinding:
		if b, ok := state.Binding(name); ok {
			return b, func() *buoyv1.WatchResponse {
				return &buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_PoolBinding{PoolBinding: bindingToProto(w.viewer, state, b)}}
			}
		}
	case inventory.KindComputeNode:
		if n, ok := state.ComputeNode(name); ok {
			return n, func() *buoyv1.WatchResponse {
				living := seen().living
				w.observer.sawNode(name, standNode(n, living))
				return &buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_ComputeNode{ComputeNode: nodeToProto(n, living)}}
			}
		}
	case inventory.KindNeighbor:
		if n, ok := state.Neighbor(name); ok {
			return n, func() *buoyv1.WatchResponse {
				p := w.neighborToProto(n, seen().sessions[n.Name])
				w.observer.saw(name, standingOf(p))
				return &buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_Neighbor{Neighbor: p}}
			}
		}
	case inventory.KindFloatingIP:
		if f, ok := state.FloatingIP(name); ok {
			return f, func() *buoyv1.WatchResponse {
				p, v := settledToProto(f), seen().floatingIP(f)
				p.State, p.StateReason = v.state, v.reason
				w.observer.sawFloatingIP(name, v)
				return &buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_FloatingIp{FloatingIp: p}}
			}
		}
	}
	return nil, nil
}
