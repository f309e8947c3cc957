package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// Follower keeps an inventory.State equal to the content of a store. Run feeds
// it; everybody else takes snapshots, executes commands, waits for a revision
// or subscribes.
type Follower struct {
	store  Store
	static inventory.Static
	now    func() time.Time
	queue  queue // of Execute

	mu       sync.Mutex
	state    *inventory.State // fed by Run alone
	snapshot *inventory.State // of state, taken when somebody asks; nil after a change
	advanced chan struct{}    // closed at the next change
	ready    chan struct{}    // closed when the first snapshot of the store is in
	ended    chan struct{}    // closed when Run returns
	subs     map[*Subscription]struct{}
	shown    shownLog
	first    uint64 // the revision of the first snapshot of the store
}

// NewFollower returns a follower of a store. What the configuration file
// defines belongs to every state that it shows. The clock is time.Now but in
// tests.
func NewFollower(s Store, static inventory.Static, now func() time.Time) *Follower {
	return &Follower{
		store:    s,
		static:   static,
		now:      now,
		state:    inventory.NewState(static),
		advanced: make(chan struct{}),
		ready:    make(chan struct{}),
		ended:    make(chan struct{}),
		queue:    queue{arrived: make(chan struct{}, 1)},
		subs:     map[*Subscription]struct{}{},
	}
}

// Run follows the store until the context ends or the store cannot be
// followed. It is called once.
func (f *Follower) Run(ctx context.Context) error {
	defer close(f.ended)
	for {
		err := f.store.Watch(ctx, f.apply)
		switch {
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, ErrLagging): // then a new snapshot helps
			return fmt.Errorf("follow store: %w", err)
		}
	}
}

func (f *Follower) apply(e Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var gone []string
	if e.Snapshot {
		gone = slices.Collect(f.state.Names())
		f.state = inventory.NewState(f.static)
	}
	touched, err := f.replay(e)
	if err != nil {
		return err
	}
	select {
	case <-f.ready:
	default:
		f.first = e.Revision
		close(f.ready)
	}
	f.snapshot = nil
	close(f.advanced)
	f.advanced = make(chan struct{})
	for sub := range f.subs {
		sub.add(touched, gone)
		sub.oldest = earlier(sub.oldest, e.Committed)
	}
	return nil
}

// replay applies an event and notes what it shows.
func (f *Follower) replay(e Event) (touched []string, err error) {
	if e.Snapshot {
		f.shown.reset(e.Revision)
		return f.state.Apply(e.Revision, e.Changes)
	}
	touched, shown, err := f.state.ApplyShown(e.Revision, e.Changes)
	f.shown.add(e.Revision, shown)
	return touched, err
}

// Ready is closed when the state shows the content of the store.
func (f *Follower) Ready() <-chan struct{} { return f.ready }

// State returns a snapshot of the newest state.
func (f *Follower) State() *inventory.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snapshotLocked()
}

// Draft returns a draft on the newest state. It belongs to the caller.
func (f *Follower) Draft() *inventory.Draft {
	f.mu.Lock()
	defer f.mu.Unlock()
	return inventory.NewDraft(f.state, f.now())
}

func (f *Follower) snapshotLocked() *inventory.State {
	if f.snapshot == nil {
		f.snapshot = f.state.Snapshot()
	}
	return f.snapshot
}

// Wait returns a snapshot that shows at least the given revision, or ErrClosed
// when Run has returned before.
func (f *Follower) Wait(ctx context.Context, revision uint64) (*inventory.State, error) {
	for {
		f.mu.Lock()
		if f.state.Revision() >= revision {
			state := f.snapshotLocked()
			f.mu.Unlock()
			return state, nil
		}
		advanced := f.advanced
		f.mu.Unlock()
		select {
		case <-advanced:
		case <-f.ended:
			return nil, fmt.Errorf("wait for revision %d: %w", revision, ErrClosed)
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for revision %d: %w", revision, ctx.Err())
		}
	}
}

// Subscription tells which resources changed. Changes that were not taken yet
// are merged, so a slow subscriber costs no more than the names of all
// resources.
type Subscription struct {
	follower *Follower

	touched map[string]struct{} // guarded by follower.mu, as oldest is
	oldest  time.Time           // when the first of them was committed; zero if none was in this run
	taken   time.Time           // oldest, of what Take returned last; owned by the caller of Take
	wake    chan struct{}       // holds a token when touched is not empty
}

// Subscribe begins with every resource that there is.
func (f *Follower) Subscribe() *Subscription {
	f.mu.Lock()
	defer f.mu.Unlock()
	sub := &Subscription{follower: f, touched: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	sub.add(slices.Collect(f.state.Names()))
	f.subs[sub] = struct{}{}
	return sub
}

func (s *Subscription) add(lists ...[]string) {
	for _, names := range lists {
		for _, name := range names {
			s.touched[name] = struct{}{}
		}
	}
	if len(s.touched) > 0 {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Wake delivers when there is something to take.
func (s *Subscription) Wake() <-chan struct{} { return s.wake }

// Take returns the newest state and the names of what has changed since the
// last call, sorted.
func (s *Subscription) Take() (*inventory.State, []string) {
	s.follower.mu.Lock()
	defer s.follower.mu.Unlock()
	names := slices.Sorted(maps.Keys(s.touched))
	clear(s.touched)
	s.taken, s.oldest = s.oldest, time.Time{}
	return s.follower.snapshotLocked(), names
}

// Committed returns when the first of the commits was on disk that the last Take told
// of; the zero time when it told of none in this run. It is for the caller of Take.
func (s *Subscription) Committed() time.Time { return s.taken }

// earlier returns the earlier one of two times, of which either may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.follower.mu.Lock()
	defer s.follower.mu.Unlock()
	delete(s.follower.subs, s)
}
