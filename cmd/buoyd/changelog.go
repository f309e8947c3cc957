package main

import (
	"context"

	"github.com/buoynet/buoy/internal/reconcile"
	"github.com/buoynet/buoy/internal/ring"
	"github.com/buoynet/buoy/vrf"
)

// changeLog is the log of changes as the API needs it, with positions as text.
type changeLog struct{ *reconcile.Changes }

func (c changeLog) End() string { return c.Changes.End().String() }

func (c changeLog) Since(ctx context.Context, position string) (changed []vrf.Destination, end string, ok bool, err error) {
	p, err := ring.ParsePosition(position)
	if err != nil {
		return nil, "", false, err
	}
	changed, p, ok, err = c.Changes.Since(ctx, p)
	return changed, p.String(), ok, err
}
