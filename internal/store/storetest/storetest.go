// Package storetest is the contract that every store driver has to pass.
//
// # Basics
//
// A driver's test calls Run with a function that opens an empty store:
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { … })
//	}
//
// # Caveats
//
// What survives a restart or a crash differs between drivers and is tested
// there; so is ErrLagging, since the length of a queue is a driver's own.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// patience is how long a condition may take before a test fails. No test waits
// for it otherwise.
const patience = 30 * time.Second

// Run tests a driver. open returns an empty store of its own for each test;
// the suite closes it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, store.Store)
	}{
		{"Conditions", testConditions},
		{"AllOrNothing", testAllOrNothing},
		{"ConditionsBeforeWrites", testConditionsBeforeWrites},
		{"Versions", testVersions},
		{"NothingToWrite", testNothingToWrite},
		{"Refusals", testRefusals},
		{"ArgumentsAreCopied", testArgumentsAreCopied},
		{"OneWinner", testOneWinner},
		{"Contexts", testContexts},
		{"WatchEvents", testWatchEvents},
		{"WatchUnderWriters", testWatchUnderWriters},
		{"WatchEnds", testWatchEnds},
		{"SlowWatcher", testSlowWatcher},
		{"Close", testClose},
		{"CloseUnderWriters", testCloseUnderWriters},
		{"Model", testModel},
		{"History", testHistory},
		{"HistoryOfNothing", testHistoryOfNothing},
		{"HistoryRecorded", testHistoryRecorded},
		{"HistoryRandom", testHistoryRandom},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			test.run(t, s)
			if err := s.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

func put(key string, expect inventory.Version, value string) inventory.Mutation {
	return inventory.Mutation{Op: inventory.Put, Key: key, Expect: expect, Value: []byte(value)}
}

func del(key string, expect inventory.Version) inventory.Mutation {
	return inventory.Mutation{Op: inventory.Delete, Key: key, Expect: expect}
}

func check(key string, expect inventory.Version) inventory.Mutation {
	return inventory.Mutation{Op: inventory.Check, Key: key, Expect: expect}
}

func checkPrefix(prefix string, newest inventory.Version) inventory.Mutation {
	return inventory.Mutation{Op: inventory.CheckPrefix, Key: prefix, Expect: newest}
}

// commit expects success.
func commit(t *testing.T, s store.Store, mutations ...inventory.Mutation) uint64 {
	t.Helper()
	revision, err := s.Commit(t.Context(), mutations)
	if err != nil {
		t.Fatalf("Commit(%v): %v", mutations, err)
	}
	return revision
}

// conflict expects a conflict on the key.
func conflict(t *testing.T, s store.Store, key string, mutations ...inventory.Mutation) {
	t.Helper()
	before := Content(t, s)
	revision, err := s.Commit(t.Context(), mutations)
	var c *store.ConflictError
	if !errors.As(err, &c) || !errors.Is(err, store.ErrConflict) {
		t.Fatalf("Commit(%v) = %d, %v, want a conflict", mutations, revision, err)
	}
	if c.Key != key || c.Revision != before.Revision || revision != 0 {
		t.Errorf("Commit(%v) = %d, conflict on %q at %d, want 0, on %q at %d",
			mutations, revision, c.Key, c.Revision, key, before.Revision)
	}
	if diff := before.Diff(Content(t, s)); diff != "" {
		t.Errorf("a conflict has changed the store: %s", diff)
	}
}

var errEnough = errors.New("enough")

// Content returns what the store holds, as a new watch reports it.
func Content(t testing.TB, s store.Store) Model {
	t.Helper()
	var m Model
	err := s.Watch(context.Background(), func(e store.Event) error {
		if err := m.Apply(e); err != nil {
			return err
		}
		return errEnough
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("Watch: %v", err)
	}
	return m
}
