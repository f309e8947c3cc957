package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// watching is a get with --watch: all at first, then what changes, until it is
// interrupted. A lost connection is made again.
type watching[T proto.Message] struct {
	a     *app
	noun  noun[T]
	print *resourcePrinter[T]
	req   *buoyv1.WatchRequest
	takes func(T) bool // of what is watched; nil for all

	link  link
	known map[string]T // what was printed and is not gone
}

// watch runs until the context ends, which is no error.
func (n noun[T]) watch(ctx context.Context, a *app, c *client, req *buoyv1.WatchRequest, columns []column[T]) error {
	req.Kinds = []string{n.kind}
	w := &watching[T]{a: a, noun: n, req: req, known: map[string]T{}, print: &resourcePrinter[T]{a: a, columns: columns, nameOf: n.nameOf}}
	if n.only != nil && req.Name == "" {
		var err error
		if w.takes, err = n.only(ctx, c); err != nil {
			return err
		}
	}
	return a.keep(ctx, &w.link, func() error { return w.attempt(ctx, c) }, func() { w.req.ResumeToken = "" })
}

var errSilent = status.Error(codes.DeadlineExceeded, "no answer")

// attempt reads one stream to its end. Its first bookmark has to come in time.
func (w *watching[T]) attempt(ctx context.Context, c *client) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(w.a.timeout, func() { cancel(errSilent) })
	defer silence.Stop()
	err := w.follow(ctx, c, func() { silence.Stop() })
	if errors.Is(context.Cause(ctx), errSilent) {
		return errSilent
	}
	return err
}

func (w *watching[T]) follow(ctx context.Context, c *client, answered func()) error {
	stream, err := c.Watches.Watch(ctx, w.req)
	if err != nil {
		return err
	}
	all := w.req.ResumeToken == ""
	var events []event[T]
	for {
		resp, err := stream.Recv()
		if err != nil {
			return err
		}
		if b := resp.GetBookmark(); b != nil {
			answered()
			if err := w.bookmark(all, events); err != nil {
				return err
			}
			w.req.ResumeToken, w.link = b.ResumeToken, link{heard: true}
			all, events = false, nil
			continue
		}
		if resource := w.noun.event(resp); resource.ProtoReflect().IsValid() {
			if w.takes == nil || w.takes(resource) {
				events = append(events, event[T]{w.noun.nameOf(resource), resource, false})
			}
		} else {
			events = append(events, event[T]{name: resp.GetDeleted(), gone: true})
		}
	}
}

// bookmark prints what came before a bookmark. When that was all there is, what is
// not among it is gone.
func (w *watching[T]) bookmark(all bool, events []event[T]) error {
	if all && !w.link.heard && w.req.Name != "" && len(events) == 0 {
		return notFound("%s does not exist", w.req.Name)
	}
	if all {
		there := map[string]bool{}
		for _, e := range events {
			there[e.name] = true
		}
		for name := range w.known {
			if !there[name] {
				events = append(events, event[T]{name: name, gone: true})
			}
		}
	}
	// What was never printed need not be said to be gone.
	events = slices.DeleteFunc(events, func(e event[T]) bool {
		_, ok := w.known[e.name]
		return e.gone && !ok
	})
	for i, e := range events {
		if e.gone {
			events[i].resource = w.known[e.name]
			delete(w.known, e.name)
		} else {
			w.known[e.name] = e.resource
		}
	}
	return w.print.events(all, events)
}
