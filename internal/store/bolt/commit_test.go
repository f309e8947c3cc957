package bolt

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/storetest"
)

// TestGroup puts dependent commits into one transaction: each sees those
// before it, and one that fails does not disturb the others.
func TestGroup(t *testing.T) {
	s := newStoreWithoutRun(t)
	var many []inventory.Mutation
	for i := range 500 {
		many = append(many, put(fmt.Sprintf("many/%d", i), inventory.Absent, strings.Repeat("v", 100)))
	}
	var none []inventory.Mutation
	for _, m := range many {
		none = append(none, del(m.Key))
	}
	prefix := inventory.Mutation{Op: inventory.CheckPrefix, Key: "many/"}
	steps := []struct {
		mutations []inventory.Mutation
		revision  uint64
		conflict  string
	}{
		{many, 1, ""},
		{[]inventory.Mutation{prefix}, 1, "many/"},
		{[]inventory.Mutation{put("k", inventory.Absent, "1")}, 2, ""},
		{[]inventory.Mutation{put("k", inventory.Absent, "2")}, 2, "k"},
		{none, 3, ""},
		{[]inventory.Mutation{prefix}, 3, ""}, // leaves that are empty now
		{[]inventory.Mutation{prefix, put("k", 2, "3")}, 4, ""},
	}
	var commits []*commit
	for _, step := range steps {
		c, err := newCommit(step.mutations, nil)
		if err != nil {
			t.Fatal(err)
		}
		commits = append(commits, c)
	}
	before := transactions(t, s)
	s.commitGroup(commits)
	if got := transactions(t, s) - before; got != 1 {
		t.Errorf("%d transactions, want 1", got)
	}
	for i, step := range steps {
		<-commits[i].done
		var c *store.ConflictError
		switch err := commits[i].err; {
		case step.conflict == "" && (err != nil || commits[i].revision != step.revision):
			t.Errorf("commit %d: %d, %v, want %d", i, commits[i].revision, err, step.revision)
		case step.conflict != "" && (!errors.As(err, &c) || c.Key != step.conflict || c.Revision != step.revision):
			t.Errorf("commit %d: %v, want a conflict on %s at %d", i, err, step.conflict, step.revision)
		}
	}
	if m := storetest.Content(t, s); m.Revision != 4 || len(m.Keys) != 1 || m.Keys["k"].Value != "3" {
		t.Errorf("content %v", m)
	}
}

// transactions is how many there have been in the file.
func transactions(t testing.TB, s *Store) (n int) {
	t.Helper()
	if err := s.db.View(func(tx *bbolt.Tx) error {
		n = tx.ID()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// newStoreWithoutRun lets the test take the place of run.
func newStoreWithoutRun(t *testing.T) *Store {
	s := openNew(t)
	close(s.closing)
	<-s.done
	s.close = s.db.Close
	return s
}

// TestDiskFull: a commit that does not fit fails as a whole, nobody is told of
// it, and smaller ones go on.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	s, err := options{maxEvents: 100, maxSize: 1 << 20}.open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mustCommit(t, s, put("k", inventory.Absent, "v"))
	before := storetest.Content(t, s)
	big := put("big", inventory.Absent, strings.Repeat("x", 2<<20))
	for range 3 {
		_, err := s.Commit(t.Context(), []inventory.Mutation{put("k", 1, "w"), big})
		if !errors.Is(err, bbolterrors.ErrMaxSizeReached) || !strings.HasPrefix(err.Error(), "commit: ") {
			t.Fatalf("Commit: %v", err)
		}
	}
	if diff := before.Diff(storetest.Content(t, s)); diff != "" {
		t.Errorf("a failed commit was written: %s", diff)
	}
	if _, err := s.Commit(t.Context(), []inventory.Mutation{put("k", 7, "w")}); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Commit: %v", err)
	}
	if at, err := s.Failure(); !errors.Is(err, bbolterrors.ErrMaxSizeReached) || time.Since(at) > time.Minute {
		t.Errorf("a conflict hides the failure: %v, %v", err, at)
	}
	if r := mustCommit(t, s, put("k", 1, "w")); r != 2 {
		t.Errorf("revision %d, want 2", r)
	}
	if _, err := s.Failure(); err != nil {
		t.Errorf("after a commit the failure is %v", err)
	}
	mustClose(t, s)
	mustClose(t, reopen(t, path))
}

// TestWatchBeforePublish begins a watch when a commit is on disk but not yet
// published: it is in the snapshot and in the queue, and reported once.
func TestWatchBeforePublish(t *testing.T) {
	s := newStoreWithoutRun(t)
	var published []store.Event
	for i := range 2 {
		c, err := newCommit([]inventory.Mutation{put("k", inventory.Version(i), "v")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		events, err := s.transact([]*commit{c})
		if err != nil {
			t.Fatal(err)
		}
		published = append(published, events...)
	}
	published = append(published, store.Event{Revision: 3})
	var seen []uint64
	enough := errors.New("enough")
	err := s.Watch(t.Context(), func(e store.Event) error {
		if seen = append(seen, e.Revision); e.Snapshot {
			s.publish(published)
		}
		if e.Revision == 3 {
			return enough
		}
		return nil
	})
	if err != enough || !slices.Equal(seen, []uint64{2, 3}) {
		t.Errorf("reported %v, %v", seen, err)
	}
}

// TestUnknownOutcome plays the failure of the last sync: what the transaction
// wrote can be seen, but is perhaps not on disk.
func TestUnknownOutcome(t *testing.T) {
	s := newStoreWithoutRun(t)
	watch := make(chan error)
	watching := make(chan struct{})
	go func() {
		watch <- s.Watch(context.Background(), func(e store.Event) error { close(watching); return nil })
	}()
	<-watching
	c, err := newCommit([]inventory.Mutation{put("k", inventory.Absent, "v")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.transact([]*commit{c}); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("input/output error")
	if err := s.afterFailure(0, failure); !errors.Is(err, failure) {
		t.Errorf("afterFailure: %v", err)
	}
	if err := <-watch; !errors.Is(err, failure) {
		t.Errorf("the watch ended with %v", err)
	}
	if err := s.Watch(context.Background(), func(store.Event) error { return nil }); !errors.Is(err, failure) {
		t.Errorf("Watch: %v", err)
	}
	s.commitGroup([]*commit{c})
	if !errors.Is(c.err, failure) || c.revision != 0 {
		t.Errorf("a later commit: %d, %v", c.revision, c.err)
	}
}

func TestLagging(t *testing.T) {
	s := openNew(t)
	s.queueLimit = 10_000
	entered, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error)
	go func() {
		ended <- s.Watch(t.Context(), func(e store.Event) error {
			if e.Snapshot {
				close(entered)
				<-release
			}
			return nil
		})
	}()
	<-entered
	for i := range 20 {
		mustCommit(t, s, put("k", inventory.Version(i), strings.Repeat("v", 1000)))
	}
	close(release)
	if err := <-ended; !errors.Is(err, store.ErrLagging) {
		t.Errorf("Watch: %v", err)
	}
}

// TestQueue: one event always fits, however large.
func TestQueue(t *testing.T) {
	q := newQueue(100)
	large := store.Event{Revision: 1, Changes: []inventory.Change{{Key: "k", Value: make([]byte, 1000)}}}
	q.push(large)
	if e, err := q.next(t.Context()); err != nil || e.Revision != 1 {
		t.Errorf("next: %v", err)
	}
	q.push(large)
	q.end(store.ErrClosed)
	if e, err := q.next(t.Context()); err != nil || e.Revision != 1 {
		t.Errorf("next: %v", err)
	}
	if _, err := q.next(t.Context()); err != store.ErrClosed {
		t.Errorf("next: %v", err)
	}
	if q.size != 0 {
		t.Errorf("size %d", q.size)
	}
}
