package storetest

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/store"
)

// follower adds up what a watch reports.
type follower struct {
	t      *testing.T
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of Watch, once ended

	mu       sync.Mutex
	model    Model
	advanced chan struct{} // closed at the next event
}

// follow starts a watch and waits for its snapshot.
func follow(t *testing.T, s store.Store) *follower {
	t.Helper()
	f := start(t, s)
	f.waitFor(0)
	return f
}

func start(t *testing.T, s store.Store) *follower {
	ctx, cancel := context.WithCancel(context.Background())
	f := &follower{t: t, cancel: cancel, ended: make(chan struct{}), advanced: make(chan struct{})}
	go func() {
		defer close(f.ended)
		f.err = s.Watch(ctx, f.apply)
	}()
	t.Cleanup(func() {
		cancel()
		<-f.ended
	})
	return f
}

func (f *follower) apply(e store.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.model.Apply(e); err != nil {
		return err
	}
	close(f.advanced)
	f.advanced = make(chan struct{})
	return nil
}

// waitFor returns when the revision has been reported.
func (f *follower) waitFor(revision uint64) {
	f.t.Helper()
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		there := f.model.Keys != nil && f.model.Revision >= revision
		advanced := f.advanced
		f.mu.Unlock()
		if there {
			return
		}
		select {
		case <-advanced:
		case <-f.ended:
			f.t.Fatalf("the watch ended before revision %d: %v", revision, f.err)
		case <-timeout:
			f.t.Fatalf("revision %d was not reported", revision)
		}
	}
}

// wait returns what the watch returned, and the content that it had reported.
func (f *follower) wait() (Model, error) {
	f.t.Helper()
	select {
	case <-f.ended:
	case <-time.After(patience):
		f.t.Fatal("the watch does not end")
	}
	return Model{f.model.Revision, maps.Clone(f.model.Keys)}, f.err
}

// stop ends the watch by its context.
func (f *follower) stop() Model {
	f.t.Helper()
	f.cancel()
	m, err := f.wait()
	if !errors.Is(err, context.Canceled) {
		f.t.Errorf("Watch: %v", err)
	}
	return m
}
