package api

import (
	"context"
	"net/netip"

	"google.golang.org/grpc"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// watchBatch is about how many destinations and routes are written out before they are sent.
// Between two batches nothing of the tables is held: a reader may be slow.
const watchBatch = 1000

// watcher sends what the networks' tables have. Each destination is sent as it is
// when it is its turn, so what changes meanwhile may be sent twice.
type watcher struct {
	view
	viewer  viewer
	network string // empty: all
	stream  grpc.ServerStreamingServer[buoyv1.WatchRoutesResponse]

	resumed bool
	names   map[uint16]string // of the networks that were there, for when they are gone; "" if not watched
	ended   bool              // the network is no more
	tables  *ribs             // of this batch; nil before it
	size    int               // of the batch: destinations and their routes
	batch   []*buoyv1.WatchRoutesResponse
}

func (s *routeService) WatchRoutes(req *buoyv1.WatchRoutesRequest, stream grpc.ServerStreamingServer[buoyv1.WatchRoutesResponse]) error {
	ctx := stream.Context()
	end := s.Changes.End() // before the tables are read
	w := &watcher{view: s.view, viewer: viewerOf(ctx), network: req.GetNetwork(), stream: stream, names: map[uint16]string{}}
	state := s.Inventory.State()
	if w.network != "" {
		if _, err := find(w.viewer, state, state.Network, "network", w.network); err != nil {
			return err
		}
	}
	for n := range state.Networks() {
		if w.names[n.ID] = ""; w.sees(n.Name, state) {
			w.names[n.ID] = n.Name
		}
	}
	position := req.GetResumeToken()
	if w.resumed = position != ""; !w.resumed {
		if err := w.everything(); err != nil {
			return err
		}
		position = end
	}
	if position == end {
		if err := w.bookmark(end); err != nil {
			return err
		}
	}
	return w.follow(ctx, position)
}

// follow sends what changes behind a position.
func (w *watcher) follow(ctx context.Context, position string) error {
	for {
		changed, end, ok, err := w.Changes.Since(ctx, position)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return invalid("resume_token", err)
		case !ok:
			return errTooOld
		}
		if err := w.changes(changed); err != nil {
			return err
		}
		if w.ended {
			return missing("network", w.network)
		}
		if err := w.bookmark(end); err != nil {
			return err
		}
		position = end
	}
}

func (w *watcher) changes(list []vrf.Destination) error {
	for _, d := range list {
		if w.full() {
			if err := w.flush(); err != nil {
				return err
			}
		}
		s := w.now()
		if !d.Prefix.IsValid() {
			w.ended = w.ended || w.isEnd(s.state, d.VRF)
			continue
		}
		name, err := w.nameOf(s.state, d.VRF)
		if err != nil {
			return err
		}
		n, exists := s.state.Network(name)
		switch {
		case name == "":
		case exists: // perhaps another one by now, with the same name
			w.add(name, d.Prefix, ranked(s.ownAt(n, d.Prefix), s.imports.Routes(n.ID, d.Prefix)))
		default:
			w.add(name, d.Prefix, nil)
		}
	}
	return w.flush()
}

// isEnd reports whether the end of a network, which may be unknown, is that of the
// one that is watched.
func (w *watcher) isEnd(state *inventory.State, id uint16) bool {
	if w.network == "" || id != 0 && w.names[id] != w.network {
		return false
	}
	_, exists := state.Network(w.network)
	return !exists
}

// sees reports whether a network is watched.
func (w *watcher) sees(name string, state *inventory.State) bool {
	return (w.network == "" || name == w.network) && w.viewer.sees(state, name)
}

// nameOf returns the name of a watched network, or "". A network that was gone
// before a watch was resumed cannot be named any more.
func (w *watcher) nameOf(state *inventory.State, id uint16) (string, error) {
	if n, ok := state.NetworkByID(id); ok {
		if !w.sees(n.Name, state) {
			if _, watched := w.names[id]; !watched {
				w.names[id] = "" // its end is none of the reader's business
			}
			return "", nil
		}
		w.names[id] = n.Name
	}
	name, ok := w.names[id]
	if !ok && w.resumed {
		return "", errTooOld
	}
	return name, nil
}

// now returns the tables for this batch.
func (w *watcher) now() *ribs {
	if w.tables == nil {
		w.tables = w.ribs(w.viewer)
	}
	return w.tables
}

// full reports whether the batch should be sent before more is added.
func (w *watcher) full() bool { return w.size >= watchBatch }

func (w *watcher) add(network string, prefix netip.Prefix, lines []line) {
	d := &buoyv1.Destination{Table: tableOf(network, prefix), Network: network, Prefix: prefix.String()}
	s := w.now()
	for _, l := range lines {
		p := s.routeToProto(&l)
		if l.given {
			judgeChange(p, s.table, l.own.Key)
		}
		d.Routes = append(d.Routes, p)
	}
	w.size += 1 + len(lines)
	w.batch = append(w.batch, &buoyv1.WatchRoutesResponse{Event: &buoyv1.WatchRoutesResponse_Destination{Destination: d}})
}

func (w *watcher) flush() error {
	w.tables = nil
	for i, r := range w.batch {
		if err := w.stream.Send(r); err != nil {
			return err
		}
		w.batch[i] = nil
	}
	w.batch, w.size = w.batch[:0], 0
	return nil
}

func (w *watcher) bookmark(position string) error {
	return w.stream.Send(&buoyv1.WatchRoutesResponse{Event: &buoyv1.WatchRoutesResponse_Bookmark{Bookmark: &buoyv1.Bookmark{ResumeToken: position}}})
}
