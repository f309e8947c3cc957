// Package store keeps the resources on disk: a compare-and-swap commit, and a
// watch that is the only feed of the in-memory inventory.State.
//
// # Basics
//
// A commit is a list of inventory.Mutations. Its conditions are checked, then
// all of it is written, durably, under one new revision; or nothing is, and
// the error wraps ErrConflict. When Commit returns, the change is on disk. A
// key's version is the revision that last wrote it.
//
// Watch reports the whole content first and then every commit in order, so
// that whoever applies what it reports has the content of the store.
//
// # Caveats
//
// A conflict is not a failure: the caller planned on an older state. It waits
// until it has seen the revision in the ConflictError and plans again.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
)

// The errors of every driver.
var (
	// ErrConflict means that a condition of the commit did not hold.
	ErrConflict = errors.New("conflict")
	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store is closed")
	// ErrLocked means that another process has the store open.
	ErrLocked = errors.New("store is in use by another process")
	// ErrCorrupt means that the store exists but cannot be read as one.
	ErrCorrupt = errors.New("store is corrupt")
	// ErrLagging means that a watcher was too slow and must start again.
	ErrLagging = errors.New("watcher is too slow")
)

// ConflictError says which condition did not hold. It wraps ErrConflict.
type ConflictError struct {
	Key      string
	Revision uint64 // the store's revision at which the condition failed
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("conflict on %s at revision %d", e.Key, e.Revision)
}

func (e *ConflictError) Unwrap() error { return ErrConflict }

// Event is what Watch reports. The first one of a watch has Snapshot set and
// carries every key; each later one carries the changes of one commit.
type Event struct {
	Revision  uint64
	Snapshot  bool
	Changes   []inventory.Change
	Committed time.Time // when the commit was on disk; zero with Snapshot
}

// Store is what a driver offers. Its methods may be called concurrently.
type Store interface {
	// Commit applies the mutations as one. It returns the new revision when
	// they are on disk. When the context ends first, the outcome is unknown.
	// What the steps mean, one after another, becomes part of the history in
	// the same commit. A commit that changes nothing has no history.
	Commit(ctx context.Context, mutations []inventory.Mutation, steps ...history.Step) (revision uint64, err error)

	// Watch calls fn with a snapshot and then with every later commit, in
	// order, until the context ends, fn fails or the store is closed. It
	// returns fn's error, the context's, ErrClosed or ErrLagging.
	Watch(ctx context.Context, fn func(Event) error) error

	History

	// Close waits for the commits under way, and writes what was recorded.
	Close() error
}

// History is the log of what has happened, with the oldest events gone once there are
// too many. Sequences are one more from event to event, over restarts too.
type History interface {
	// Record adds events that no commit brings. It does not wait: they are written
	// before the next commit, or within a second. Only their sequences are not theirs.
	Record(events ...history.Event)

	// Kept returns the sequence of the oldest event that is there and the one that
	// the next event gets. The channel is closed at the next change.
	Kept() (first, next uint64, changed <-chan struct{})

	// Events returns the events from a sequence on, or from the oldest one, so many at
	// most. One that cannot be read says so, as history.Missing.
	Events(from uint64, most int) ([]history.Event, error)
}
