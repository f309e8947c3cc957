package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/store"
)

const (
	lockTimeout = time.Second
	lockRetry   = 50 * time.Millisecond
)

// Open opens the store at path. If there is nothing at path, not even an empty
// file, it creates the store and, for this user only, missing folders.
//
// The error wraps store.ErrLocked when another process has the store open,
// store.ErrCorrupt when the file is damaged or no store, and ErrFormat when
// another version of the program wrote it. A history that is damaged is no reason not
// to open a store: see HistoryLost.
func Open(path string, opts ...Option) (*Store, error) {
	o := options{maxEvents: DefaultMaxEvents}
	for _, opt := range opts {
		opt(&o)
	}
	return o.open(path)
}

// Option is a setting of a store.
type Option func(*options)

type options struct {
	maxEvents int
	maxSize   int // bbolt's limit for the size of the file; 0 for none
}

// MaxEvents is how many events the history has at most, at least 1. They never have
// more than 64 MiB.
func MaxEvents(n int) Option { return func(o *options) { o.maxEvents = max(n, 1) } }

func (o options) open(path string) (*Store, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("create store %s: %w", path, err)
		}
		file, err = os.OpenFile(path, os.O_RDWR, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db, k, err := o.openFile(file)
	if errors.Is(err, errHistory) {
		return o.openWithout(path, file, err)
	}
	if err != nil {
		file.Close() // bbolt may have closed it already
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return newStore(db, k, o.maxEvents), nil
}

// openFile holds the lock while it checks and until bbolt takes it over: bbolt
// gets the same open file, so its own lock succeeds at once.
func (o options) openFile(file *os.File) (*bbolt.DB, kept, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, kept{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, kept{}, errors.New("not a regular file")
	}
	if err := lock(file); err != nil {
		return nil, kept{}, err
	}
	// The file may have changed while another process had the lock.
	if info, err = file.Stat(); err != nil {
		return nil, kept{}, err
	}
	if now, err := os.Stat(file.Name()); err != nil || !os.SameFile(info, now) {
		return nil, kept{}, fmt.Errorf("%w, which has put another file in its place", store.ErrLocked)
	}
	k, err := check(file, info.Size())
	if err != nil {
		var unreadable *fs.PathError
		if errors.Is(err, ErrFormat) || errors.Is(err, errHistory) || errors.As(err, &unreadable) {
			return nil, kept{}, err
		}
		return nil, kept{}, fmt.Errorf("%w: %w; restore it from a backup, or move it away to start empty", store.ErrCorrupt, err)
	}
	db, err := bbolt.Open(file.Name(), 0o600, &bbolt.Options{
		Timeout:  lockTimeout,
		MaxSize:  o.maxSize,
		OpenFile: func(string, int, os.FileMode) (*os.File, error) { return file, nil },
	})
	return db, k, err
}

func lock(file *os.File) error {
	deadline := time.Now().Add(lockTimeout)
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case err == syscall.EINTR:
		case err != syscall.EWOULDBLOCK:
			return fmt.Errorf("lock: %w", err)
		case time.Now().After(deadline):
			return store.ErrLocked
		default:
			time.Sleep(lockRetry)
		}
	}
}

// create puts an empty store at path. It does not replace what another process
// has put there in the meantime: that is then opened.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	name := file.Name()
	defer os.Remove(name)
	if err := file.Close(); err != nil {
		return err
	}
	if err := writeEmpty(name); err != nil {
		return err
	}
	// A link, unlike a rename, never replaces a file.
	if err := os.Link(name, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// writeEmpty makes a store without keys out of an empty file. bbolt syncs it.
func writeEmpty(name string) error {
	db, err := bbolt.Open(name, 0o600, &bbolt.Options{Timeout: lockTimeout})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if _, err := tx.CreateBucket(keysBucket); err != nil {
			return err
		}
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		return meta.Put(headerKey, header{}.encode())
	})
	return errors.Join(err, db.Close())
}

// makeDir is os.MkdirAll with a sync of every folder that got a new entry.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
