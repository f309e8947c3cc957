package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

const (
	maxAwaited  = 4096                   // floating IPs
	awaitTime   = time.Second            // between two looks at them
	observePace = 100 * time.Millisecond // between two looks at the sessions
)

// observer finds, once for all watchers, what looks different without a commit:
// neighbors, and floating IPs that were sent while they were pending. It keeps a
// log of their names, which watchers follow as they follow the store's.
type observer struct {
	view
	run  string        // tells sightings of another run of the daemon apart
	wake chan struct{} // holds a token when there may be more to look at

	mu        sync.Mutex
	watchers  int
	looked    bool
	sessions  uint64              // Sessions.Changed at the last look
	neighbors map[string]standing // as they were sent last, or seen
	awaited   map[string]struct{} // floating IPs that somebody was sent as pending
	checked   time.Time           // when they were looked at
	sightings
}

// standing is what a neighbor is sent again for.
type standing struct {
	state        buoyv1.Neighbor_State
	reason, next string
}

func standingOf(p *buoyv1.Neighbor) standing { return standing{p.State, p.StateReason, p.NextStep} }

func newObserver(v view) *observer {
	return &observer{view: v, run: rand.Text()[:8], wake: make(chan struct{}, 1), neighbors: map[string]standing{},
		awaited: map[string]struct{}{}, sightings: newSightings()}
}

// join makes the observer look, as long as somebody watches.
func (o *observer) join() (leave func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watchers++
	o.wakeUp()
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.watchers--
	}
}

func (o *observer) wakeUp() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// saw is told how a neighbor stands. When that is not how the others know it, they
// are told.
func (o *observer) saw(name string, s standing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sawLocked(name, s)
}

func (o *observer) sawLocked(name string, s standing) {
	before, known := o.neighbors[name]
	o.neighbors[name] = s
	if known && before != s {
		o.note(name)
	}
}

// await makes the observer look at a floating IP until it is no longer pending.
// When there are too many, another one is forgotten.
func (o *observer) await(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.awaited[name]; !ok && len(o.awaited) >= maxAwaited {
		for other := range o.awaited {
			delete(o.awaited, other)
			break
		}
	}
	o.awaited[name] = struct{}{}
	if len(o.awaited) == 1 {
		o.wakeUp()
	}
}

// unsettled reports whether some floating IP was sent as pending.
func (o *observer) unsettled() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.awaited) > 0
}

// Run looks whenever a session has changed, and at pending floating IPs about once
// a second, as long as somebody watches.
func (o *observer) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := o.round(ctx); err != nil {
			o.Logger.Error("what watchers are told panicked", "error", err)
			pause(ctx, time.Second)
		}
	}
}

// round looks once and waits for a reason to look again. A panic is an error: it
// must not end the sessions with the gateways.
func (o *observer) round(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
	}()
	o.mu.Lock()
	watched := o.watchers > 0
	o.mu.Unlock()
	if !watched {
		select {
		case <-o.wake:
		case <-ctx.Done():
		}
		return nil
	}
	_, changed := o.Sessions.Changed()
	o.look()
	o.check()
	var again <-chan time.Time
	if o.unsettled() {
		again = time.After(awaitTime)
	}
	select {
	case <-changed:
	case <-again:
	case <-o.wake:
	case <-ctx.Done():
	}
	pause(ctx, observePace)
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// look looks at the neighbors, if something has changed since the last time.
func (o *observer) look() {
	o.mu.Lock()
	defer o.mu.Unlock()
	count, _ := o.Sessions.Changed()
	if o.looked && count == o.sessions {
		return
	}
	state := o.Inventory.State()
	sessions := o.view.sessions(state)
	o.looked, o.sessions = true, count
	for name := range o.neighbors {
		if _, ok := state.Neighbor(name); !ok {
			delete(o.neighbors, name)
		}
	}
	for n := range state.Neighbors() {
		o.sawLocked(n.ResourceName(), o.stand(sessions[n.Name]))
	}
}

// stand says how a neighbor stands whose session is seen, if it is.
func (v view) stand(session *neighbor.Status) standing {
	if session == nil {
		return standing{buoyv1.Neighbor_IDLE, "the neighbor is being set up", ""}
	}
	if reason, next := session.Lacks(); reason != "" {
		return standing{stateToProto[session.State], reason, next}
	}
	return standing{stateToProto[session.State], session.Reason, session.Advice(v.Local)}
}

// check looks at the floating IPs that are awaited, unless that was just done.
func (o *observer) check() {
	o.mu.Lock()
	names := make([]string, 0, len(o.awaited))
	if time.Since(o.checked) >= awaitTime {
		o.checked = time.Now()
		for name := range o.awaited {
			names = append(names, name)
		}
	}
	o.mu.Unlock()
	if len(names) == 0 {
		return
	}
	settled := o.settled(o.Inventory.State(), names)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range settled {
		delete(o.awaited, name)
	}
	o.note(settled...)
}

// settled returns those that are not pending.
func (o *observer) settled(state *inventory.State, names []string) (settled []string) {
	seen := o.observe(state)
	for _, name := range names {
		f, ok := state.FloatingIP(name)
		if ok {
			if s, _ := seen.floatingIP(f); s == buoyv1.FloatingIP_PENDING {
				continue
			}
		}
		settled = append(settled, name)
	}
	return settled
}
