package bolt

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/buoynet/buoy/internal/store"
)

// LoadNotes returns the notes that SaveNotes has written: what somebody wants to
// find again at the next start. They belong to no revision, and no watch reports
// them.
func (s *Store) LoadNotes() (map[string][]byte, error) {
	notes := map[string][]byte{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(notesBucket)
		if bucket == nil {
			return nil
		}
		return bucket.ForEach(func(name, text []byte) error {
			notes[string(name)] = slices.Clone(text)
			return nil
		})
	})
	if err != nil {
		return nil, notesError("load", err)
	}
	return notes, nil
}

// SaveNotes writes notes under their names, all or none; nil removes one. Commits
// wait meanwhile, so there should not be too many at a time.
func (s *Store) SaveNotes(notes map[string][]byte) error {
	for name, text := range notes {
		if name == "" || len(name) > bbolt.MaxKeySize || len(text) > bbolt.MaxValueSize {
			return fmt.Errorf("save notes: %q: expected a name of 1..%d bytes and a text of at most %d", name, bbolt.MaxKeySize, bbolt.MaxValueSize)
		}
	}
	err := s.db.Update(func(tx *bbolt.Tx) error {
		bucket, err := tx.CreateBucketIfNotExists(notesBucket)
		if err != nil {
			return err
		}
		meta := tx.Bucket(metaBucket)
		var sum header
		if text := meta.Get(notesKey); text != nil {
			if sum, err = decodeHeader(text); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(notes)) { // bbolt is faster that way
			if err := sum.replace(bucket, []byte(name), notes[name]); err != nil {
				return err
			}
		}
		return meta.Put(notesKey, sum.encode())
	})
	if err != nil {
		return notesError("save", err)
	}
	return nil
}

// replace puts a note in the place of the one before it.
func (h *header) replace(bucket *bbolt.Bucket, name, text []byte) error {
	if old := bucket.Get(name); old != nil {
		h.remove(name, old)
	}
	if text == nil {
		return bucket.Delete(name)
	}
	h.add(name, text)
	return bucket.Put(name, text)
}

func notesError(what string, err error) error {
	if errors.Is(err, bbolterrors.ErrDatabaseNotOpen) {
		err = store.ErrClosed
	}
	return fmt.Errorf("%s notes: %w", what, err)
}
