package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/history"
)

// errHistory means that the history is damaged, and nothing else is.
var errHistory = errors.New("the history is damaged")

// damagedName is what a file is called whose history is damaged.
const damagedName = ".damaged-history"

// HistoryLost returns where a damaged history is, and "" if it was not damaged when the
// store was opened.
func (s *Store) HistoryLost() string { return s.lost }

// openWithout opens a store whose history is damaged: without it. bbolt cannot remove a
// bucket that it cannot read, so everything else becomes another file, which takes the
// place of the damaged one. That one is kept beside it.
func (o options) openWithout(path string, file *os.File, damage error) (*Store, error) {
	if err := salvage(path, file); err != nil {
		return nil, fmt.Errorf("open store %s: %w; begin a new one: %w", path, damage, err)
	}
	s, err := o.open(path) // it has no history now
	if err != nil {
		return nil, err
	}
	s.lost = path + damagedName
	s.Record(history.Event{Time: time.Now(), Kind: history.Missing, Reason: fmt.Sprintf("%v; the file is kept as %s", damage, s.lost)})
	return s, nil
}

// salvage closes the file.
func salvage(path string, file *os.File) (err error) {
	old, err := bbolt.Open(file.Name(), 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockTimeout,
		OpenFile: func(string, int, os.FileMode) (*os.File, error) { return file, nil }})
	if err != nil {
		return errors.Join(err, file.Close())
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	dir := filepath.Dir(path)
	next, err := os.CreateTemp(dir, filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name())
	if err := next.Close(); err != nil {
		return err
	}
	if err := copyBuckets(old, next.Name()); err != nil {
		return err
	}
	if err := os.Remove(path + damagedName); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Link(path, path+damagedName); err != nil {
		return err
	}
	if err := os.Rename(next.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// copyBuckets copies what the check has found to be right.
func copyBuckets(from *bbolt.DB, name string) error {
	to, err := bbolt.Open(name, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		return err
	}
	err = from.View(func(read *bbolt.Tx) error {
		return to.Update(func(write *bbolt.Tx) error {
			for _, bucket := range [][]byte{keysBucket, metaBucket, notesBucket} {
				source := read.Bucket(bucket)
				if source == nil {
					continue
				}
				target, err := write.CreateBucket(bucket)
				if err != nil {
					return err
				}
				target.FillPercent = 0.9
				if err := source.ForEach(target.Put); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return errors.Join(err, to.Close())
}
