package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
)

// request is a command that somebody waits for. Whoever leads owns it until
// done is closed.
type request struct {
	ctx     context.Context
	command inventory.Command
	done    chan struct{}

	step     history.Step // what the command writes, and whose it is
	revision uint64       // that shows the command
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
// store. The history tells it as done by history.AuthorOf(ctx). When somebody else's commit came in between, it plans again. When the
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
