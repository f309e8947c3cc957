package main

import (
	"context"
	"testing"
	"time"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// seenLabel is what a watcher has seen.
type seenLabel struct {
	label vrf.Label
	at    time.Time
}

// watchHere has a goroutine of the daemon's process look up what has changed.
func watchHere(ctx context.Context, _ *testing.B, d *daemon, seen chan<- seenLabel) {
	at := d.changes.End()
	go func() {
		for {
			changed, end, ok, err := d.changes.Since(ctx, at)
			if !ok || err != nil {
				return
			}
			at = end
			tables := d.imports.Tables()
			for _, c := range changed {
				if best := tables.Routes(c.VRF, c.Prefix).Best; len(best) > 0 {
					seen <- seenLabel{best[0].Label, time.Now()}
				}
			}
		}
	}()
}

// watchRemote has a client of the API watch. It returns when the client has all
// that there was.
func watchRemote(ctx context.Context, b *testing.B, d *daemon, seen chan<- seenLabel) {
	client := buoyv1.NewRoutesClient(dial(b, d.listeners[0].Addr().String()))
	stream, err := client.WatchRoutes(ctx, &buoyv1.WatchRoutesRequest{})
	if err != nil {
		b.Fatal(err)
	}
	for {
		event, err := stream.Recv()
		if err != nil {
			b.Fatal(err)
		}
		if event.GetBookmark() != nil {
			break
		}
	}
	go func() {
		for {
			event, err := stream.Recv()
			if err != nil {
				return
			}
			if routes := event.GetDestination().GetRoutes(); len(routes) > 0 {
				seen <- seenLabel{vrf.Label(routes[0].GetLabel()), time.Now()}
			}
		}
	}()
}
