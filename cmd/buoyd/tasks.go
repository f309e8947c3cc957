package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
)

// tasks runs the parts of the daemon. They stop in the reverse order of their
// start, each before the one that it depends on.
type tasks struct {
	ctx    context.Context // of all tasks; it does not end by itself
	log    *slog.Logger
	failed chan struct{} // closed when a task ends with an error

	running []task // owned by the caller of add and stop

	mu  sync.Mutex
	err error
}

type task struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
}

func newTasks(ctx context.Context, log *slog.Logger) *tasks {
	return &tasks{ctx: context.WithoutCancel(ctx), log: log, failed: make(chan struct{})}
}

// add starts a task. It runs until stop, or until it fails.
func (t *tasks) add(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(t.ctx)
	done := make(chan struct{})
	t.running = append(t.running, task{name, cancel, done})
	go func() {
		defer close(done)
		if err := run(ctx); err != nil {
			t.fail(fmt.Errorf("%s: %w", name, err))
		} else if ctx.Err() == nil {
			t.fail(fmt.Errorf("%s: ended by itself", name))
		}
	}()
}

func (t *tasks) fail(err error) {
	t.log.Error("a part of the daemon failed", "error", err)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		close(t.failed)
	}
	t.err = errors.Join(t.err, err)
}

// stop ends the tasks, the last first, and returns what failed.
func (t *tasks) stop() error {
	for len(t.running) > 0 {
		last := t.running[len(t.running)-1]
		t.running = t.running[:len(t.running)-1]
		last.cancel()
		<-last.done
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
