package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// testWatchEvents compares each event whole.
func testWatchEvents(t *testing.T, s store.Store) {
	commit(t, s, put("a", inventory.Absent, "1"), put("b", inventory.Absent, ""))
	events := make(chan store.Event)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var watchErr error
	wg.Go(func() {
		defer close(events)
		watchErr = s.Watch(ctx, func(e store.Event) error { events <- e; return nil })
	})
	expect := func(want store.Event) {
		t.Helper()
		got, ok := <-events
		if !ok {
			t.Fatalf("the watch ended: %v", watchErr)
		}
		slices.SortFunc(got.Changes, func(a, b inventory.Change) int { return slices.Compare([]byte(a.Key), []byte(b.Key)) })
		if got.Committed.IsZero() != got.Snapshot || time.Since(got.Committed) < 0 {
			t.Errorf("revision %d was committed at %v", got.Revision, got.Committed)
		}
		got.Committed = time.Time{}
		// %#v tells a nil value from an empty one.
		if a, b := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); a != b {
			t.Errorf("event\n got %s\nwant %s", a, b)
		}
	}
	expect(store.Event{Revision: 1, Snapshot: true, Changes: []inventory.Change{
		{Key: "a", Value: []byte("1"), Version: 1}, {Key: "b", Value: []byte{}, Version: 1}}})

	commit(t, s, put("a", 1, "2"), del("b", 1), put("c", inventory.Absent, ""), check("d", inventory.Absent), del("e", inventory.AnyVersion))
	expect(store.Event{Revision: 2, Changes: []inventory.Change{
		{Key: "a", Value: []byte("2"), Version: 2}, {Key: "b"}, {Key: "c", Value: []byte{}, Version: 2}}})

	// What changes nothing is not reported.
	commit(t, s, check("a", 2))
	commit(t, s, del("e", inventory.AnyVersion))
	conflict(t, s, "a", put("a", 1, "3"))
	commit(t, s, put("a", 2, "4"))
	expect(store.Event{Revision: 3, Changes: []inventory.Change{{Key: "a", Value: []byte("4"), Version: 3}}})

	cancel()
	wg.Wait()
	if !errors.Is(watchErr, context.Canceled) {
		t.Errorf("Watch: %v", watchErr)
	}
}

// testWatchUnderWriters starts watches while others write. Each must add up to
// the same content; Model.Apply refuses gaps and repetitions.
func testWatchUnderWriters(t *testing.T, s store.Store) {
	const writers, commits, watches = 4, 60, 8
	early := follow(t, s)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range commits {
				key := fmt.Sprintf("%d/%d", w, i%7)
				m := put(key, inventory.AnyVersion, fmt.Sprint(i))
				if i%5 == 4 {
					m = del(fmt.Sprintf("%d/%d", w, (i-1)%7), inventory.AnyVersion)
				}
				if _, err := s.Commit(t.Context(), []inventory.Mutation{m, put("shared", inventory.AnyVersion, key)}); err != nil {
					t.Errorf("Commit: %v", err)
					return
				}
			}
		})
	}
	followers := []*follower{early}
	for i := range watches {
		early.waitFor(uint64(i * writers * commits / (watches + 1)))
		followers = append(followers, start(t, s))
	}
	wg.Wait()
	want := Content(t, s)
	if want.Revision != writers*commits {
		t.Errorf("revision %d, want %d", want.Revision, writers*commits)
	}
	for i, f := range followers {
		f.waitFor(want.Revision)
		if diff := want.Diff(f.stop()); diff != "" {
			t.Errorf("watch %d differs: %s", i, diff)
		}
	}
}

func testWatchEnds(t *testing.T, s store.Store) {
	commit(t, s, put("k", inventory.Absent, "v"))
	failed := errors.New("fn failed")
	if err := s.Watch(t.Context(), func(store.Event) error { return failed }); err != failed {
		t.Errorf("fn fails at the snapshot: Watch = %v", err)
	}
	got := make(chan error)
	go func() {
		got <- s.Watch(t.Context(), func(e store.Event) error {
			if e.Snapshot {
				_, err := s.Commit(t.Context(), []inventory.Mutation{put("k", 1, "w")}) // fn may commit
				return err
			}
			return failed
		})
	}()
	if err := <-got; err != failed {
		t.Errorf("fn fails at an event: Watch = %v", err)
	}
}

// testSlowWatcher blocks a watcher. Commits go on, and it misses none.
func testSlowWatcher(t *testing.T, s store.Store) {
	const commits = 100
	var m Model
	entered, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- s.Watch(t.Context(), func(e store.Event) error {
			if e.Snapshot {
				close(entered)
				<-release
			}
			if err := m.Apply(e); err != nil {
				return err
			}
			if e.Revision == commits {
				return errEnough
			}
			return nil
		})
	}()
	<-entered
	for i := range commits {
		commit(t, s, put(fmt.Sprint(i), inventory.Absent, "v"))
	}
	close(release)
	if err := <-ended; !errors.Is(err, errEnough) {
		t.Fatalf("Watch: %v", err)
	}
	if diff := Content(t, s).Diff(m); diff != "" {
		t.Errorf("the watch differs: %s", diff)
	}
}

func testClose(t *testing.T, s store.Store) {
	f := follow(t, s)
	r := commit(t, s, put("k", inventory.Absent, "v"))
	f.waitFor(r)
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if m, err := f.wait(); !errors.Is(err, store.ErrClosed) || m.Revision != r {
		t.Errorf("the watch ended at revision %d with %v", m.Revision, err)
	}
	if _, err := s.Commit(t.Context(), []inventory.Mutation{put("k", 1, "w")}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Commit: %v", err)
	}
	if err := s.Watch(t.Context(), func(store.Event) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Watch: %v", err)
	}
}

// testCloseUnderWriters closes while commits and watches are under way. Each
// ends, with success or ErrClosed.
func testCloseUnderWriters(t *testing.T, s store.Store) {
	f := follow(t, s)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for {
				_, err := s.Commit(t.Context(), []inventory.Mutation{put(fmt.Sprint(w), inventory.AnyVersion, "v")})
				if err != nil {
					if !errors.Is(err, store.ErrClosed) {
						t.Errorf("Commit: %v", err)
					}
					return
				}
			}
		})
		wg.Go(func() {
			for {
				err := s.Watch(t.Context(), func(e store.Event) error {
					if e.Snapshot {
						return nil
					}
					return errEnough
				})
				if !errors.Is(err, errEnough) {
					if !errors.Is(err, store.ErrClosed) {
						t.Errorf("Watch: %v", err)
					}
					return
				}
			}
		})
	}
	f.waitFor(20)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	wg.Wait()
	if _, err := f.wait(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("the watch ended with %v", err)
	}
}
