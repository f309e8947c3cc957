package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/buoynet/buoy/internal/inventory"
)

// request is a command that somebody waits for. Whoever leads owns it until
// done is closed.
type request struct {
	ctx     context.Context
	command inventory.Command
	done    chan struct{}

	revision uint64 // that shows the command
	err      error
	final    bool // refused on the state as it is: no commit can change that
}

// queue holds the requests that nobody has taken yet.
type queue struct {
	mu      sync.Mutex
	waiting []*request
	led     bool          // somebody takes them
	arrived chan struct{} // holds a token after there was one more
}

// maxTogether bounds the commands of one commit, and so the time that the
// first of them waits for the others.
const maxTogether = 2000

// Execute plans a command, commits it and waits until the state shows it. It
// returns that state, or the *inventory.Error of the plan, or an error of the
// store. When somebody else's commit came in between, it plans again. When the
// context ends first, the outcome is unknown.
//
// Commands that wait at the same time are planned one after another, each on
// the outcome of those before it, and share one commit. So callers that want
// the next free address, or the next label, do not get into each other's way.
func (f *Follower) Execute(ctx context.Context, c inventory.Command) (*inventory.State, error) {
	r := &request{ctx: ctx, command: c, done: make(chan struct{})}
	f.queue.mu.Lock()
	f.queue.waiting = append(f.queue.waiting, r)
	if !f.queue.led {
		f.queue.led = true
		go f.lead()
	}
	f.queue.mu.Unlock()
	select {
	case f.queue.arrived <- struct{}{}:
	default:
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("commit: %w", ctx.Err())
	}
	if r.err != nil {
		return nil, r.err
	}
	return f.Wait(ctx, r.revision)
}

// flight is a commit under way.
type flight struct {
	together []*request
	expected uint64        // the revision that later drafts take for granted
	landed   chan struct{} // closed when the outcome is known

	revision uint64
	err      error
}

// lead carries out requests until none is left. While one commit is under way,
// the next one is planned on its draft: the disk does not wait for the plans,
// nor the plans for the disk.
func (f *Follower) lead() {
	var ahead *inventory.Draft // shows what was committed or is under way; nil: the state does
	var air *flight
	for {
		next, together := f.gather(ahead, air)
		if air != nil && !f.land(air) {
			// What was planned on it is void.
			f.carryOut(together)
			ahead, air = nil, nil
			continue
		}
		air = nil
		if len(together) > 0 {
			ahead, air = next, f.launch(next, together)
		} else if f.resign() {
			return
		}
	}
}

// gather plans the requests that wait, and those that come while a commit is
// under way. Without one it does not wait.
func (f *Follower) gather(ahead *inventory.Draft, air *flight) (next *inventory.Draft, together []*request) {
	for {
		if more := f.take(maxTogether - len(together)); len(more) > 0 {
			if next == nil {
				next = f.after(ahead)
			}
			plan(next, more)
			together = append(together, more...)
		}
		if air == nil {
			return next, together
		}
		arrived := f.queue.arrived
		if len(together) == maxTogether {
			arrived = nil // there is no room
		}
		select {
		case <-air.landed:
			return next, together
		case <-arrived:
		}
	}
}

// take returns the requests that wait, at most so many.
func (f *Follower) take(most int) []*request {
	f.queue.mu.Lock()
	defer f.queue.mu.Unlock()
	n := min(len(f.queue.waiting), most)
	together := f.queue.waiting[:n:n]
	f.queue.waiting = f.queue.waiting[n:]
	return together
}

// resign ends the lead if nobody waits.
func (f *Follower) resign() bool {
	f.queue.mu.Lock()
	defer f.queue.mu.Unlock()
	f.queue.led = len(f.queue.waiting) > 0
	return !f.queue.led
}

// after returns a draft that goes on after another one.
func (f *Follower) after(ahead *inventory.Draft) *inventory.Draft {
	f.mu.Lock()
	newest := f.state.Revision()
	f.mu.Unlock()
	if ahead != nil && ahead.Revision() >= newest { // or somebody else wrote
		if next, err := ahead.Next(f.now()); err == nil {
			return next
		}
	}
	return f.Draft()
}

// launch commits a draft in the background.
func (f *Follower) launch(draft *inventory.Draft, together []*request) *flight {
	a := &flight{together: together, expected: draft.Revision(), revision: draft.Revision(), landed: make(chan struct{})}
	mutations := draft.Mutations()
	go func() {
		defer close(a.landed)
		if len(mutations) > 0 {
			a.revision, a.err = f.store.Commit(context.Background(), mutations)
		}
	}()
	return a
}

// land waits for a commit and settles its requests. It reports whether the
// drafts that followed it hold.
func (f *Follower) land(a *flight) bool {
	<-a.landed
	var conflict *ConflictError
	switch {
	case a.err == nil:
		if a.revision == a.expected {
			settle(a.together, a.revision, nil)
			return true
		}
		// Somebody else wrote, too.
		again := settleDone(a.together, a.revision)
		f.catchUp(a.revision)
		f.carryOut(again)
	case errors.As(a.err, &conflict):
		f.catchUp(conflict.Revision)
		f.carryOut(a.together)
	default:
		settle(a.together, 0, fmt.Errorf("commit: %w", a.err))
	}
	return false
}

// carryOut plans requests on the newest state, commits them and settles them,
// one step after the other, as often as it takes.
func (f *Follower) carryOut(together []*request) {
	for len(together) > 0 {
		draft := f.Draft()
		planned := draft.Revision()
		plan(draft, together)
		mutations := draft.Mutations()
		if len(mutations) == 0 {
			settle(together, planned, nil)
			return
		}
		revision, err := f.store.Commit(context.Background(), mutations)
		if err == nil && revision == draft.Revision() {
			settle(together, revision, nil)
			f.catchUp(revision) // the next plan would be outdated before
			return
		}
		if err == nil {
			together = settleDone(together, revision)
			f.catchUp(revision)
			continue
		}
		var conflict *ConflictError
		switch {
		case !errors.As(err, &conflict):
			settle(together, 0, fmt.Errorf("commit: %w", err))
			return
		case planned < conflict.Revision && f.catchUp(conflict.Revision):
			continue
		case planned < conflict.Revision:
			settle(together, 0, fmt.Errorf("commit: %w", ErrClosed))
			return
		case len(together) > 1: // find the one at fault
			for i := range together {
				f.carryOut(together[i : i+1])
			}
			return
		default:
			// The plan knew everything and was still wrong: the claims in the
			// store and the resources contradict each other.
			settle(together, 0, fmt.Errorf("%w: %w: planned at revision %d", ErrCorrupt, err, planned))
			return
		}
	}
}

// plan carries out requests on a draft, and refuses those that cannot be
// fulfilled.
func plan(draft *inventory.Draft, together []*request) {
	for _, r := range together {
		if err := r.ctx.Err(); err != nil { // nobody waits any more
			r.err, r.final = fmt.Errorf("commit: %w", err), true
			continue
		}
		r.final = len(draft.Mutations()) == 0
		r.err = draft.Do(r.command)
	}
}

// settle tells the outcome of requests to those who wait. A refusal stands,
// unless it was planned on what was not committed.
func settle(together []*request, revision uint64, err error) {
	for _, r := range together {
		if r.err == nil || err != nil && !r.final {
			r.revision, r.err = revision, err
		}
		close(r.done)
	}
}

// settleDone tells the outcome of a commit that another writer's came before:
// what was carried out is, but a refusal may be on a state that never was. It
// returns the requests to plan again.
func settleDone(together []*request, revision uint64) (again []*request) {
	for i, r := range together {
		if r.err == nil || r.final {
			settle(together[i:i+1], revision, nil)
		} else {
			again = append(again, r)
		}
	}
	return again
}

// catchUp waits until the state shows a revision, or reports that it never
// will.
func (f *Follower) catchUp(revision uint64) bool {
	for {
		f.mu.Lock()
		done, advanced := f.state.Revision() >= revision, f.advanced
		f.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-advanced:
		case <-f.ended:
			return false
		}
	}
}
