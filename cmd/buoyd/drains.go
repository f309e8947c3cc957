package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// drains withdraws the routes of compute nodes whose gateways have had their
// time. When that is over is in the store, so it holds over restarts, too.
type drains struct {
	feed    *store.Subscription
	execute func(context.Context, inventory.Command) (*inventory.State, error)
	now     func() time.Time // the wall clock; time.Now but in tests
	log     *slog.Logger

	waiting map[string]*draining // by name; owned by run
}

// draining is a compute node that is yet to be drained.
type draining struct {
	until   time.Time     // by the wall clock
	backoff time.Duration // after an attempt that failed; 0 for none
	again   time.Time     // not before; by the monotonic clock
}

const (
	// clockCheck is how often the wall clock is looked at while something drains:
	// it may be set.
	clockCheck = time.Second
	// The store may refuse for as long as the disk is full.
	firstBackoff, maxBackoff = time.Second, time.Minute
)

// run carries drains out until the context ends.
func (d *drains) run(ctx context.Context) error {
	defer d.feed.Close()
	d.waiting = map[string]*draining{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.feed.Wake():
			d.learn()
		case <-timer.C:
		}
		for name, n := range d.waiting {
			if !d.now().Before(n.until) && !time.Now().Before(n.again) {
				d.finish(ctx, name, n)
			}
		}
		if wait, any := d.next(); any {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
	}
}

// learn takes over what has changed in the store.
func (d *drains) learn() {
	state, touched := d.feed.Take()
	for _, name := range touched {
		if inventory.KindOf(name) != inventory.KindComputeNode {
			continue
		}
		n, ok := state.ComputeNode(name)
		if !ok || n.Drain.State != inventory.Draining {
			delete(d.waiting, name)
			continue
		}
		if held, ok := d.waiting[name]; !ok || !held.until.Equal(n.Drain.Until) {
			d.waiting[name] = &draining{until: n.Drain.Until}
			d.log.Info("a compute node is draining", "compute_node", name, "until", n.Drain.Until)
		}
	}
}

// finish withdraws the routes of a compute node, or notes when to try again.
func (d *drains) finish(ctx context.Context, name string, n *draining) {
	_, err := d.execute(history.By(ctx, history.Author{Who: "buoyd (drain)"}), inventory.FinishDrain{Name: name, Until: n.until})
	switch {
	case err == nil:
		delete(d.waiting, name)
		d.log.Info("a compute node's time to drain is over", "compute_node", name, "until", n.until)
	case ctx.Err() != nil:
	default:
		n.backoff = min(max(2*n.backoff, firstBackoff), maxBackoff)
		n.again = time.Now().Add(n.backoff)
		d.log.Error("cannot drain a compute node; its routes are still advertised", "compute_node", name, "until", n.until, "again_in", n.backoff, "error", err)
	}
}

// next returns when something is to be done, if anything drains.
func (d *drains) next() (wait time.Duration, any bool) {
	wait = clockCheck
	for _, n := range d.waiting {
		due := max(n.until.Sub(d.now()), time.Until(n.again))
		wait, any = min(wait, max(due, 0)), true
	}
	return wait, any
}
