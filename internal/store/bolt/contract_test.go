package bolt

import (
	"path/filepath"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openNew(t) })
}

// openNew opens a store in a folder of its own, and closes it after the test.
func openNew(t testing.TB) *Store {
	t.Helper()
	return reopen(t, filepath.Join(t.TempDir(), "buoy.db"))
}

func reopen(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustCommit(t testing.TB, s store.Store, mutations ...inventory.Mutation) uint64 {
	t.Helper()
	revision, err := s.Commit(t.Context(), mutations)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func mustClose(t testing.TB, s store.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(key string, expect inventory.Version, value string) inventory.Mutation {
	return inventory.Mutation{Op: inventory.Put, Key: key, Expect: expect, Value: []byte(value)}
}

func del(key string) inventory.Mutation {
	return inventory.Mutation{Op: inventory.Delete, Key: key, Expect: inventory.AnyVersion}
}
