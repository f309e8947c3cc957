package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/store"
)

const (
	// DefaultMaxEvents is how many events are kept, unless MaxEvents says otherwise.
	DefaultMaxEvents = 100_000
	maxEventBytes    = 64 << 20
	// When there are too many events, one part of so many goes at once: commits
	// would otherwise write at both ends of the bucket.
	trimPart = 64

	recordDelay = 500 * time.Millisecond // until recorded events are written by themselves
	maxRecorded = 8192                   // events that wait to be written
)

// kept is which events the bucket has: all from first on, below next.
type kept struct {
	first, next uint64
	bytes       int64 // of the values
}

func (k kept) count() int { return int(k.next - k.first) }

// events is the history as others see it.
type events struct {
	mu       sync.Mutex
	kept     kept
	changed  chan struct{} // closed at the next change of kept
	recorded []history.Event
	missed   uint32        // recorded events that there was no room for
	due      chan struct{} // holds a token when what is recorded is to be written
}

func newEvents(k kept) events {
	return events{kept: k, changed: make(chan struct{}), due: make(chan struct{}, 1)}
}

// Record implements store.History. What does not fit, while the disk is full or too
// slow, is counted.
func (s *Store) Record(list ...history.Event) {
	e := &s.events
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.recorded) == 0 {
		time.AfterFunc(recordDelay, s.writeRecorded)
	}
	room := min(len(list), maxRecorded-len(e.recorded))
	e.recorded = append(e.recorded, list[:room]...)
	e.missed += uint32(len(list) - room)
}

func (s *Store) writeRecorded() {
	select {
	case s.events.due <- struct{}{}:
	default:
	}
}

// takeRecorded returns what waits to be written.
func (e *events) takeRecorded(now time.Time) (list []history.Event, missed uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list, missed = e.recorded, e.missed
	e.recorded, e.missed = nil, 0
	if missed > 0 {
		list = append(list, history.Event{Time: now, Kind: history.Missing, Count: missed, Reason: "there was no room for them"})
	}
	return list, missed
}

// putBack keeps what could not be written.
func (s *Store) putBack(list []history.Event, missed uint32) {
	if len(list) == 0 {
		return
	}
	if missed > 0 {
		list = list[:len(list)-1]
	}
	e := &s.events
	e.mu.Lock()
	defer e.mu.Unlock()
	e.missed += missed
	e.recorded = append(slices.Clip(list), e.recorded...)
	if more := len(e.recorded) - maxRecorded; more > 0 {
		e.recorded, e.missed = e.recorded[:maxRecorded], e.missed+uint32(more)
	}
	time.AfterFunc(recordDelay, s.writeRecorded)
}

// Kept implements store.History.
func (s *Store) Kept() (first, next uint64, changed <-chan struct{}) {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	return s.events.kept.first, s.events.kept.next, s.events.changed
}

func (e *events) keep(k kept) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.kept != k {
		e.kept = k
		close(e.changed)
		e.changed = make(chan struct{})
	}
}

// Events implements store.History.
func (s *Store) Events(from uint64, most int) (list []history.Event, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(historyBucket)
		if bucket == nil {
			return nil
		}
		cursor := bucket.Cursor()
		for key, value := cursor.Seek(sequenceKey(from)); key != nil && len(list) < most; key, value = cursor.Next() {
			sequence := binary.BigEndian.Uint64(key)
			e, err := history.Decode(sequence, value)
			if err != nil {
				e = history.Event{Sequence: sequence, Kind: history.Missing, Count: 1, Reason: err.Error()}
			}
			list = append(list, e)
		}
		return nil
	})
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		err = store.ErrClosed
	}
	if err != nil {
		return nil, fmt.Errorf("read the history: %w", err)
	}
	return list, nil
}

func sequenceKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// recorder writes events in a transaction; owned by transact.
type recorder struct {
	tx     *bbolt.Tx
	bucket *bbolt.Bucket // nil until there is something to write
	kept   kept
	most   int
	buffer []byte
}

// write adds events. bbolt keeps the values until the end of the transaction.
func (r *recorder) write(list []history.Event) error {
	if len(list) == 0 {
		return nil
	}
	if r.bucket == nil {
		bucket, err := r.tx.CreateBucketIfNotExists(historyBucket)
		if err != nil {
			return err
		}
		bucket.FillPercent = 0.95 // it grows at its end
		r.bucket = bucket
	}
	for i := range list {
		e := &list[i]
		e.Sequence = r.kept.next
		begin := len(r.buffer)
		r.buffer = e.Encode(r.buffer)
		value := r.buffer[begin:len(r.buffer):len(r.buffer)]
		if err := r.bucket.Put(sequenceKey(e.Sequence), value); err != nil {
			return err
		}
		r.kept.next++
		r.kept.bytes += int64(len(value))
	}
	return nil
}

// trim removes the oldest events when there are too many, or they are too large.
func (r *recorder) trim() error {
	if r.bucket == nil || r.kept.count() <= r.most && r.kept.bytes <= maxEventBytes {
		return nil
	}
	events, bytes := r.most-r.most/trimPart, int64(maxEventBytes-maxEventBytes/trimPart)
	for r.kept.count() > events || r.kept.bytes > bytes {
		key := sequenceKey(r.kept.first)
		r.kept.bytes -= int64(len(r.bucket.Get(key)))
		if err := r.bucket.Delete(key); err != nil {
			return err
		}
		r.kept.first++
	}
	return nil
}

// eventsOf returns what a commit means for the history. Its steps were carried out one
// after another, each on the values that the one before it has left.
func (g *group) eventsOf(c *commit) (list []history.Event) {
	written := map[string][]byte{}
	before := func(key string) []byte {
		if value, ok := written[key]; ok {
			return value
		}
		if stored := g.keys.Get([]byte(key)); stored != nil {
			return stored[versionSize:]
		}
		return nil
	}
	for i := range c.steps {
		list = append(list, c.steps[i].Events(g.now, before)...)
		if i+1 < len(c.steps) {
			for _, change := range c.steps[i].Changes {
				written[change.Key] = change.After
			}
		}
	}
	return list
}
