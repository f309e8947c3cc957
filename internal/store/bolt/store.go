package bolt

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// queueLimit bounds what waits for one watcher, in bytes.
const queueLimit = 64 << 20

// Store implements store.Store. Its methods may be called concurrently.
type Store struct {
	db         *bbolt.DB
	queueLimit int // constant once a watch has begun

	commits chan *commit  // to run
	closing chan struct{} // closed by Close
	done    chan struct{} // closed when run has returned
	close   func() error  // once

	broken error // owned by run: why nothing can be committed any more

	events    events
	maxEvents int
	lost      string // where the history is that could not be read

	mu       sync.Mutex
	watchers map[*queue]struct{}
	ended    error // why there are no watchers any more
	failure  error // of the last transaction; nil if it was written
	failed   time.Time
}

var _ store.Store = (*Store)(nil)

func newStore(db *bbolt.DB, k kept, maxEvents int) *Store {
	s := &Store{
		db:         db,
		events:     newEvents(k),
		maxEvents:  maxEvents,
		queueLimit: queueLimit,
		commits:    make(chan *commit),
		closing:    make(chan struct{}),
		done:       make(chan struct{}),
		watchers:   map[*queue]struct{}{},
	}
	s.close = sync.OnceValue(func() error {
		close(s.closing)
		<-s.done
		s.endWatchers(store.ErrClosed)
		return s.db.Close()
	})
	go s.run() // Close waits for it
	return s
}

// Commit implements store.Store. When the context ends before the commit was
// begun, the error is the context's own. The mutations are copied.
func (s *Store) Commit(ctx context.Context, mutations []inventory.Mutation, steps ...history.Step) (uint64, error) {
	c, err := newCommit(mutations, steps)
	if err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	select {
	case <-s.closing:
		return 0, store.ErrClosed
	default:
	}
	select {
	case s.commits <- c:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-s.closing:
		return 0, store.ErrClosed
	}
	select {
	case <-c.done:
		return c.revision, c.err
	case <-ctx.Done():
		return 0, fmt.Errorf("commit: outcome unknown: %w", ctx.Err())
	}
}

// Close waits for the commits under way and ends the watches. It may be called
// more than once; every call waits and returns the same.
func (s *Store) Close() error {
	return s.close()
}

// run is the only writer.
func (s *Store) run() {
	defer close(s.done)
	for {
		select {
		case c := <-s.commits:
			s.commitGroup(s.gather(c))
		case <-s.events.due:
			s.commitGroup(nil)
		case <-s.closing:
			s.commitGroup(nil)
			return
		}
	}
}

// gather adds the commits that wait already; it does not wait for more.
func (s *Store) gather(first *commit) []*commit {
	group := []*commit{first}
	for len(group) < maxGroup {
		select {
		case c := <-s.commits:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}
