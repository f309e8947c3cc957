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
	Commit(ctx context.Context, mutations []inventory.Mutation) (revision uint64, err error)

	// Watch calls fn with a snapshot and then with every later commit, in
	// order, until the context ends, fn fails or the store is closed. It
	// returns fn's error, the context's, ErrClosed or ErrLagging.
	Watch(ctx context.Context, fn func(Event) error) error

	// Close waits for the commits under way.
	Close() error
}
