package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
)

// flight is a commit under way.
type flight struct {
	together []*request
	expected uint64        // the revision that later drafts take for granted
	landed   chan struct{} // closed when the outcome is known

	revision uint64
	err      error
}

// launch commits a draft in the background.
func (f *Follower) launch(draft *inventory.Draft, together []*request) *flight {
	a := &flight{together: together, expected: draft.Revision(), revision: draft.Revision(), landed: make(chan struct{})}
	mutations, steps := draft.Mutations(), stepsOf(together)
	go func() {
		defer close(a.landed)
		if len(mutations) > 0 {
			a.revision, a.err = f.store.Commit(context.Background(), mutations, steps...)
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
		revision, err := f.store.Commit(context.Background(), mutations, stepsOf(together)...)
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
		r.step = history.Step{}
		if r.err = draft.Do(r.command); r.err == nil {
			r.step.Author = history.AuthorOf(r.ctx)
			draft.Written(func(key, name string, value []byte) {
				r.step.Changes = append(r.step.Changes, history.Change{Key: key, Name: name, After: value})
			})
		}
	}
}

// stepsOf returns what the requests that were fulfilled write.
func stepsOf(together []*request) (steps []history.Step) {
	for _, r := range together {
		if r.err == nil && len(r.step.Changes) > 0 {
			steps = append(steps, r.step)
		}
	}
	return steps
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
