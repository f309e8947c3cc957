package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// observePace is the time between two looks.
const observePace = 100 * time.Millisecond

// observer finds, once for all watchers, what looks different without a commit:
// neighbors, the streams of compute nodes, and the states of floating IPs. It keeps a log of their names, which
// watchers follow as they follow the store's.
type observer struct {
	view
	run  string        // tells sightings of another run of the daemon apart
	wake chan struct{} // holds a token when there may be more to look at

	mu        sync.Mutex
	watchers  int
	looked    bool
	sessions  uint64              // Sessions.Changed at the last look
	neighbors map[string]standing // as they were sent last, or seen
	floating
	streams
	sightings
	chronicle
}

// standing is what a neighbor is sent again for.
type standing struct {
	state        buoyv1.Neighbor_State
	reason, next string
}

func standingOf(p *buoyv1.Neighbor) standing { return standing{p.State, p.StateReason, p.NextStep} }

func newObserver(v view) *observer {
	return &observer{view: v, run: rand.Text()[:8], wake: make(chan struct{}, 1), neighbors: map[string]standing{},
		floating: newFloating(), streams: newStreams(), sightings: newSightings(), chronicle: newChronicle()}
}

// join makes the observer look, as long as somebody watches: at floating IPs, too, if
// they are among what is watched.
func (o *observer) join(floatingIPs bool) (leave func()) {
	count := func(n int) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.watchers += n
		if !floatingIPs {
			return
		}
		if o.floating.watchers += n; o.floating.watchers == 1 {
			select {
			case o.begun <- struct{}{}:
			default:
			}
		}
	}
	count(1)
	o.wakeUp()
	return func() { count(-1) }
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
	switch {
	case known && before != s:
		o.neighborLocked(name, before, s)
	case !known && s.state == buoyv1.Neighbor_ESTABLISHED: // every neighbor begins without a session
		o.neighborLocked(name, standing{state: buoyv1.Neighbor_IDLE}, s)
	}
}

// Run looks whenever something may look different, as long as somebody watches. The
// history always does.
func (o *observer) Run(ctx context.Context) {
	if o.History != nil {
		defer o.tell()
		defer o.join(true)()
	}
	var running sync.WaitGroup
	for _, task := range []func(context.Context){o.round, o.followRoutes} {
		running.Go(func() {
			for ctx.Err() == nil {
				if err := o.guard(func() { task(ctx) }); err != nil {
					o.Logger.Error("what watchers are told panicked", "error", err)
					pause(ctx, time.Second)
				}
			}
		})
	}
	running.Wait()
}

// guard makes an error of a panic: it must not end the sessions with the gateways.
func (o *observer) guard(do func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v\n%s", p, debug.Stack())
		}
	}()
	do()
	return nil
}

// round looks once and waits for a reason to look again.
func (o *observer) round(ctx context.Context) {
	o.mu.Lock()
	watched, floatingIPs := o.watchers > 0, o.floating.watchers > 0
	o.mu.Unlock()
	var changed, progress, life <-chan struct{}
	var again <-chan time.Time
	if watched {
		_, changed = o.Sessions.Changed()
		life = o.lifeChanged()
		o.look()
	}
	if floatingIPs {
		var wait time.Duration
		if progress, wait = o.lookAtFloatingIPs(); wait > 0 {
			again = time.After(wait)
		}
	}
	o.tell()
	select {
	case <-changed:
	case <-life:
	case <-progress:
	case <-again:
	case <-o.wake:
	case <-ctx.Done():
	}
	pause(ctx, observePace)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// look looks at what may be different: neighbors, and the streams of compute nodes.
func (o *observer) look() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lookAtNeighborsLocked()
	o.lookAtNodesLocked()
}

// lookAtNeighborsLocked looks if something has changed since the last time.
func (o *observer) lookAtNeighborsLocked() {
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
			delete(o.reasons, name)
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
