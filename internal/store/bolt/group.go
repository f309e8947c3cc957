package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// maxGroup bounds the commits of one transaction, and so the time that the
// first of them waits for the others.
const maxGroup = 1000

// commitGroup puts the commits into one transaction and answers all of them.
// Watchers have the events in their queues before a caller hears of success.
func (s *Store) commitGroup(commits []*commit) {
	events, err := s.transact(commits)
	if err != nil || len(events) > 0 || len(commits) == 0 {
		s.note(err)
	}
	if err == nil {
		s.publish(events)
	}
	for _, c := range commits {
		if err != nil {
			// A conflict, too: it may be one with what was not written.
			c.revision, c.err = 0, fmt.Errorf("commit: %w", err)
		}
		close(c.done)
	}
}

// Failure returns when and why the last commit, or write of the history, that had something to write was not
// written; nil if it was. A conflict is no failure.
func (s *Store) Failure() (at time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed, s.failure
}

// note keeps how a transaction ended.
func (s *Store) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure = err; err != nil {
		s.failed = time.Now()
	}
}

// transact sets the outcome of each commit. It returns an error when none of
// them is on disk. What was recorded before is written with them.
func (s *Store) transact(commits []*commit) (_ []store.Event, err error) {
	if s.broken != nil {
		return nil, s.broken
	}
	now := time.Now()
	recorded, missed := s.events.takeRecorded(now)
	if len(commits)+len(recorded) == 0 {
		return nil, nil
	}
	defer func() {
		if err != nil {
			s.putBack(recorded, missed)
		}
	}()
	tx, err := s.db.Begin(true)
	if err != nil {
		return nil, err
	}
	g, err := newGroup(tx, now, recorder{tx: tx, kept: s.events.kept, most: s.maxEvents})
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	before := g.header.revision
	if err := g.history.write(recorded); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	for _, c := range commits {
		if c.revision, c.err = g.apply(c); g.err != nil {
			return nil, errors.Join(g.err, tx.Rollback())
		}
	}
	if len(g.events)+len(recorded) == 0 {
		return nil, tx.Rollback()
	}
	err = errors.Join(g.history.trim(), tx.Bucket(metaBucket).Put(headerKey, g.header.encode()))
	if err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return nil, s.afterFailure(before, err)
	}
	committed := time.Now()
	for i := range g.events {
		g.events[i].Committed = committed
	}
	s.events.keep(g.history.kept)
	return g.events, nil
}

// afterFailure finds out whether a failed transaction left something behind.
// bbolt writes its header and then syncs it: when that sync fails, readers see
// the transaction although the disk may not have it. Going on would give the
// watchers a gap.
func (s *Store) afterFailure(before uint64, err error) error {
	var after header
	readErr := s.db.View(func(tx *bbolt.Tx) (err error) {
		after, err = readHeader(tx)
		return err
	})
	if readErr == nil && after.revision == before {
		return err
	}
	s.broken = fmt.Errorf("store must be opened again: %w", err)
	s.endWatchers(s.broken)
	return s.broken
}

func readHeader(tx *bbolt.Tx) (header, error) {
	return decodeHeader(tx.Bucket(metaBucket).Get(headerKey))
}

// group is a transaction under way; owned by transact.
type group struct {
	keys    *bbolt.Bucket
	header  header
	now     time.Time
	history recorder
	events  []store.Event
	err     error // bbolt's: the transaction cannot be committed
}

func newGroup(tx *bbolt.Tx, now time.Time, r recorder) (*group, error) {
	h, err := readHeader(tx)
	return &group{keys: tx.Bucket(keysBucket), header: h, now: now, history: r}, err
}

// apply writes one commit if all its conditions hold.
func (g *group) apply(c *commit) (uint64, error) {
	for _, m := range c.mutations {
		if !g.holds(m) {
			return 0, &store.ConflictError{Key: m.Key, Revision: g.header.revision}
		}
	}
	revision := g.header.revision + 1
	happened := g.eventsOf(c) // as long as the values before are there
	var changes []inventory.Change
	for i, m := range c.mutations {
		key := []byte(m.Key)
		switch m.Op {
		case inventory.Put:
			stored := c.stored[i]
			binary.BigEndian.PutUint64(stored, revision)
			g.put(key, stored)
			changes = append(changes, inventory.Change{
				Key: m.Key, Value: stored[versionSize:], Version: inventory.Version(revision),
			})
		case inventory.Delete:
			if g.delete(key) {
				changes = append(changes, inventory.Change{Key: m.Key})
			}
		}
		if g.err != nil {
			return 0, g.err
		}
	}
	if len(changes) > 0 {
		g.header.revision = revision
		g.events = append(g.events, store.Event{Revision: revision, Changes: changes})
		g.err = g.history.write(happened)
	}
	return g.header.revision, g.err
}

// holds reports whether the condition of a mutation holds.
func (g *group) holds(m inventory.Mutation) bool {
	key := []byte(m.Key)
	if m.Expect == inventory.AnyVersion {
		return true
	}
	if m.Op == inventory.CheckPrefix {
		return g.noneAbove(key, m.Expect)
	}
	return versionOf(g.keys.Get(key)) == m.Expect
}

// noneAbove reports whether no key with the prefix has a version above the one
// given. It looks at every such key.
func (g *group) noneAbove(prefix []byte, version inventory.Version) bool {
	cursor := g.keys.Cursor()
	for key, stored := cursor.Seek(prefix); key != nil && bytes.HasPrefix(key, prefix); key, stored = cursor.Next() {
		if versionOf(stored) > version {
			return false
		}
	}
	return true
}

func (g *group) put(key, stored []byte) {
	if old := g.keys.Get(key); old != nil {
		g.header.remove(key, old)
	}
	g.header.add(key, stored)
	g.err = g.keys.Put(key, stored)
}

// delete reports whether there was something to delete.
func (g *group) delete(key []byte) bool {
	old := g.keys.Get(key)
	if old == nil {
		return false
	}
	g.header.remove(key, old)
	g.err = g.keys.Delete(key)
	return true
}

// versionOf reads the version from a stored value; none is Absent.
func versionOf(stored []byte) inventory.Version {
	if stored == nil {
		return inventory.Absent
	}
	return inventory.Version(binary.BigEndian.Uint64(stored))
}
