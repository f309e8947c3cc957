package main

import (
	"cmp"
	"context"
	"maps"
	"slices"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// watchBatch is how many destinations are written at once at most.
const watchBatch = 1000

// watch shows what networks' tables have, and what changes, until it is
// interrupted.
type watch struct {
	*app
	printer *watchPrinter
	req     *buoyv1.WatchRoutesRequest

	batch []*buoyv1.Destination
	known map[string]*buoyv1.Destination // what was shown and is there, without its routes
	old   map[string]*buoyv1.Destination // what was, before it began again
	link  link
}

func (a *app) watchRoutes(ctx context.Context, c *client, network string) error {
	w := &watch{app: a, printer: &watchPrinter{app: a}, req: &buoyv1.WatchRoutesRequest{Network: network}, known: map[string]*buoyv1.Destination{}}
	return a.keep(ctx, &w.link, func() error { return w.follow(ctx, c) }, w.begin)
}

// begin forgets where it was.
func (w *watch) begin() {
	w.req.ResumeToken, w.batch = "", nil
	if w.old == nil {
		w.old = map[string]*buoyv1.Destination{}
	}
	maps.Copy(w.old, w.known)
	w.known = map[string]*buoyv1.Destination{}
}

// follow shows what a stream sends until it ends.
func (w *watch) follow(ctx context.Context, c *client) error {
	w.batch = nil
	stream, err := c.Routes.WatchRoutes(ctx, w.req)
	if err != nil {
		return err
	}
	for {
		resp, err := stream.Recv()
		if err != nil {
			return cmp.Or(w.flush(), err)
		}
		w.link = link{heard: true}
		if d := resp.GetDestination(); d != nil {
			w.note(d)
		}
		b := resp.GetBookmark()
		if b != nil {
			w.gone()
		}
		if b != nil || len(w.batch) >= watchBatch {
			if err := w.flush(); err != nil {
				return err
			}
		}
		if b != nil {
			w.req.ResumeToken = b.ResumeToken
		}
	}
}

func (w *watch) note(d *buoyv1.Destination) {
	key := d.Table + " " + d.Prefix
	if len(d.Routes) == 0 {
		delete(w.known, key)
	} else {
		w.known[key] = &buoyv1.Destination{Table: d.Table, Network: d.Network, Prefix: d.Prefix}
	}
	w.batch = append(w.batch, d)
}

// gone notes what was there before it began again, and is not.
func (w *watch) gone() {
	for _, key := range slices.Sorted(maps.Keys(w.old)) {
		if w.known[key] == nil {
			w.batch = append(w.batch, w.old[key])
		}
	}
	w.old = nil
}

func (w *watch) flush() error {
	defer func() { w.batch = nil }()
	return w.printer.print(w.batch)
}
