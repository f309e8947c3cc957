package bolt

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// Watch implements store.Store. The keys of the snapshot are sorted. When the
// store is closed, the commits up to then are still reported.
func (s *Store) Watch(ctx context.Context, fn func(store.Event) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// The queue comes first: what is published before is in the snapshot, what
	// is published later is in the queue, and what is in both is skipped.
	q := newQueue(s.queueLimit)
	if err := s.addWatcher(q); err != nil {
		return err
	}
	defer s.removeWatcher(q)

	snapshot, err := s.snapshot()
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		return store.ErrClosed
	}
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	if err := fn(snapshot); err != nil {
		return err
	}
	seen := snapshot.Revision
	snapshot = store.Event{} // not kept for as long as the watch
	for {
		event, err := q.next(ctx)
		if err != nil {
			return err
		}
		if event.Revision <= seen {
			continue
		}
		if err := fn(event); err != nil {
			return err
		}
	}
}

// snapshot copies everything. bbolt's values are only valid in the transaction,
// which should be short: a commit that enlarges the file's mapping waits for it.
func (s *Store) snapshot() (store.Event, error) {
	event := store.Event{Snapshot: true}
	err := s.db.View(func(tx *bbolt.Tx) error {
		h, err := readHeader(tx)
		if err != nil {
			return err
		}
		event.Revision = h.revision
		event.Changes = make([]inventory.Change, 0, h.keys)
		return tx.Bucket(keysBucket).ForEach(func(key, stored []byte) error {
			value := make([]byte, len(stored)-versionSize)
			copy(value, stored[versionSize:])
			event.Changes = append(event.Changes, inventory.Change{
				Key: string(key), Value: value, Version: versionOf(stored),
			})
			return nil
		})
	})
	return event, err
}

func (s *Store) addWatcher(q *queue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return s.ended
	}
	s.watchers[q] = struct{}{}
	return nil
}

func (s *Store) removeWatcher(q *queue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watchers, q)
}

// publish queues the events for every watcher. It never waits for one.
func (s *Store) publish(events []store.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for q := range s.watchers {
		for _, event := range events {
			q.push(event)
		}
	}
}

// endWatchers ends every watch, and every later one, with err. A failure that
// came before Close is forgotten with Close.
func (s *Store) endWatchers(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil || errors.Is(err, store.ErrClosed) {
		s.ended = err
	}
	for q := range s.watchers {
		q.end(s.ended)
	}
}
