package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"
)

// lastRun is a file beside the store that is touched as long as sessions may be
// open: after a crash, too, its time says when gateways last had a session.
type lastRun struct {
	path string
	log  *slog.Logger
}

// touched is how often; the restart time of a gateway counts from the last one.
const touched = time.Second

// time returns when this node was last alive, or zero if it never was.
func (l lastRun) time() time.Time {
	info, err := os.Stat(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return time.Time{}
	}
	if err != nil {
		l.log.Warn("when the daemon last ran is not known; gateways may drop routes until they are sent again", "error", err)
		return time.Time{}
	}
	return info.ModTime()
}

// run touches the file until the context ends.
func (l lastRun) run(ctx context.Context) error {
	tick := time.NewTicker(touched)
	defer tick.Stop()
	broken := false
	for {
		err := l.touch()
		if err != nil && !broken { // nothing that the service should end for
			l.log.Error("cannot note that the daemon runs; after a restart gateways may drop routes until they are sent again", "error", err)
		}
		broken = err != nil
		select {
		case <-tick.C:
		case <-ctx.Done():
			l.touch()
			return nil
		}
	}
}

func (l lastRun) touch() error {
	now := time.Now()
	err := os.Chtimes(l.path, now, now)
	if errors.Is(err, os.ErrNotExist) {
		err = os.WriteFile(l.path, []byte("The time of this file is when buoyd last ran. It decides whether a start is a restart.\n"), 0o600)
	}
	return err
}

// forget makes the next start a cold one.
func (l lastRun) forget() error {
	err := os.Remove(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
