package bolt

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/storetest"
)

// TestNotes: notes are there after a restart, and no commit, watch or revision has
// to do with them.
func TestNotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	s := reopen(t, path)
	expect := func(want map[string]string) {
		t.Helper()
		notes, err := s.LoadNotes()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for name, text := range notes {
			got[name] = string(text)
		}
		if !maps.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	expect(map[string]string{}) // of a store that never had any
	mustCommit(t, s, put("a", inventory.Absent, "1"))
	before := storetest.Content(t, s)
	many := map[string][]byte{"a": []byte("one"), "b": []byte("two"), "c": {}}
	for i := range 500 {
		many[fmt.Sprint("many", i)] = []byte(strings.Repeat("x", i))
	}
	if err := s.SaveNotes(many); err != nil {
		t.Fatal(err)
	}
	for name := range many {
		if strings.HasPrefix(name, "many") {
			many[name] = nil
		}
	}
	many["a"], many["nowhere"] = []byte("other"), nil
	mustClose(t, s)
	s = reopen(t, path)
	if err := s.SaveNotes(many); err != nil {
		t.Fatal(err)
	}
	if diff := before.Diff(storetest.Content(t, s)); diff != "" {
		t.Errorf("notes are in the content: %s", diff)
	}
	mustClose(t, s)
	s = reopen(t, path)
	expect(map[string]string{"a": "other", "b": "two", "c": ""})
	if err := s.SaveNotes(map[string][]byte{"": nil}); err == nil {
		t.Error("a note without a name was taken")
	}
	mustClose(t, s)
	if err := s.SaveNotes(many); !errors.Is(err, store.ErrClosed) {
		t.Errorf("SaveNotes: %v", err)
	}
	if _, err := s.LoadNotes(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("LoadNotes: %v", err)
	}
}

// TestNotesUnchecked: notes that somebody else has written, or without what describes
// them, are damage.
func TestNotesUnchecked(t *testing.T) {
	for what, damage := range map[string]func(tx *bbolt.Tx) error{
		"changed":     func(tx *bbolt.Tx) error { return tx.Bucket(notesBucket).Put([]byte("a"), []byte("x")) },
		"one more":    func(tx *bbolt.Tx) error { return tx.Bucket(notesBucket).Put([]byte("b"), []byte("one")) },
		"gone":        func(tx *bbolt.Tx) error { return tx.DeleteBucket(notesBucket) },
		"undescribed": func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Delete(notesKey) },
	} {
		path := filepath.Join(t.TempDir(), "buoy.db")
		s := reopen(t, path)
		if err := s.SaveNotes(map[string][]byte{"a": []byte("one")}); err != nil {
			t.Fatal(err)
		}
		if err := s.db.Update(damage); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		if _, err := Open(path); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: got %v, want %v", what, err, store.ErrCorrupt)
		}
	}
}

// TestNotesDiskFull: notes that do not fit leave those before them, and commits.
func TestNotesDiskFull(t *testing.T) {
	s, err := options{maxEvents: 100, maxSize: 1 << 20}.open(filepath.Join(t.TempDir(), "buoy.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SaveNotes(map[string][]byte{"a": []byte("one")}); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveNotes(map[string][]byte{"a": make([]byte, 2<<20)}); err == nil {
		t.Error("notes larger than the disk were taken")
	}
	if notes, err := s.LoadNotes(); err != nil || string(notes["a"]) != "one" {
		t.Errorf("got %q, %v", notes, err)
	}
	mustCommit(t, s, put("k", inventory.Absent, "v"))
}
