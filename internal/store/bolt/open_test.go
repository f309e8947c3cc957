package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/storetest"
)

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	var want storetest.Model
	for i := range 4 {
		s := reopen(t, path)
		if i > 0 {
			if diff := want.Diff(storetest.Content(t, s)); diff != "" {
				t.Fatalf("reopened: %s", diff)
			}
		}
		mustCommit(t, s, put("every", inventory.AnyVersion, fmt.Sprint(i)), put(fmt.Sprint(i), inventory.Absent, ""))
		mustCommit(t, s, put("gone", inventory.Absent, strings.Repeat("x", 10_000*i)))
		mustCommit(t, s, del("gone"))
		want = storetest.Content(t, s)
		mustClose(t, s)
	}
	if want.Revision != 12 {
		t.Errorf("revision %d, want 12", want.Revision)
	}
}

func TestCreate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "buoy.db")
	s := reopen(t, path)
	for _, want := range []struct {
		path string
		mode fs.FileMode
	}{{path, 0o600}, {dir, 0o700}, {filepath.Dir(dir), 0o700}} {
		info, err := os.Stat(want.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want.mode {
			t.Errorf("%s has mode %o, want %o", want.path, got, want.mode)
		}
	}
	mustCommit(t, s, put("k", inventory.Absent, "v"))
	mustClose(t, s)

	// Somebody who found nothing there, but came later, replaces nothing.
	if err := create(path); err != nil {
		t.Error(err)
	}
	if m := storetest.Content(t, reopen(t, path)); m.Revision != 1 {
		t.Error("an empty store has replaced another")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder has %v, %v", entries, err)
	}
}

// TestCreateRace: whoever loses sees the winner's store, not one of its own.
func TestCreateRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := Open(path)
			if errors.Is(err, store.ErrLocked) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Commit(t.Context(), []inventory.Mutation{put(fmt.Sprint(i), inventory.Absent, "")}); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	m := storetest.Content(t, reopen(t, path))
	if m.Revision == 0 || m.Revision != uint64(len(m.Keys)) {
		t.Errorf("revision %d with %d keys", m.Revision, len(m.Keys))
	}
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	s := reopen(t, path)
	start := time.Now()
	if _, err := Open(path); !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v", err)
	}
	if took := time.Since(start); took > 10*lockTimeout {
		t.Errorf("it took %v", took)
	}
	mustCommit(t, s, put("k", inventory.Absent, "v"))
	mustClose(t, s)
	mustClose(t, reopen(t, path))
}

func TestUnusablePaths(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	paths := []string{dir, filepath.Join(file, "buoy.db"), "/dev/null"}
	if os.Geteuid() != 0 { // root may do anything
		forbidden := filepath.Join(dir, "forbidden")
		if err := os.WriteFile(forbidden, []byte("x"), 0o400); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, forbidden)
	}
	for _, path := range paths {
		s, err := Open(path)
		if err == nil {
			s.Close()
		}
		if err == nil || errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s): %v", path, err)
		} else {
			t.Log(err)
		}
	}
}

func TestOtherFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	mustClose(t, reopen(t, path))
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	record := header{}.encode()
	record[7]++
	record = appendSum(record[:headerSize-8])
	if err := errors.Join(db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(metaBucket).Put(headerKey, record)
	}), db.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path)
	if !errors.Is(err, ErrFormat) || errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Open: %v", err)
	}
	t.Log(err)
}
