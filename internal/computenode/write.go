package computenode

import (
	"context"
	"time"
)

// Notes keep what the next start must know, beside the store and not in it: nothing
// waits for them, and no revision has them.
type Notes interface {
	LoadNotes() (map[string][]byte, error)
	// SaveNotes writes notes under their names, all or none; nil removes one.
	SaveNotes(map[string][]byte) error
}

const (
	notePace    = 200 * time.Millisecond // between two times of writing
	noteBatch   = 64                     // compute nodes at a time: commits of the store wait meanwhile
	maxNoteWait = 30 * time.Second       // after an error
)

// write keeps the notes as they should be until the context ends, and then once
// more. What changes meanwhile is written once.
func (n *Nodes) write(ctx context.Context) {
	failing := false
	wait := notePace
	for ctx.Err() == nil {
		select {
		case <-n.dirty:
		case <-ctx.Done():
		}
		switch err := n.flush(); {
		case err == nil:
			failing, wait = false, notePace
		case !failing:
			failing = true
			n.log.Error("what is known of compute nodes cannot be noted for the next start; it is tried again", "error", err)
			fallthrough
		default:
			wait = min(2*wait, maxNoteWait)
			signal(n.dirty)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	if err := n.flush(); err != nil && !failing {
		n.log.Error("what is known of compute nodes could not be noted for the next start", "error", err)
	}
}

// flush writes what is out of date.
func (n *Nodes) flush() error {
	for {
		names, seen := n.takeUnnoted()
		if len(names) == 0 {
			return nil
		}
		notes := make(map[string][]byte, len(names))
		for _, name := range names {
			notes[name] = seen.noteOf(name)
		}
		if err := n.notes.SaveNotes(notes); err != nil {
			n.unnote(names)
			return err
		}
	}
}

// takeUnnoted returns some of those whose notes are out of date, and how they are.
func (n *Nodes) takeUnnoted() (names []string, seen *living) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.core.unnoted {
		if len(names) == noteBatch {
			break
		}
		names = append(names, name)
		delete(n.core.unnoted, name)
	}
	return names, n.livingLocked()
}

// unnote puts back those that could not be noted.
func (n *Nodes) unnote(names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		n.core.unnoted[name] = struct{}{}
	}
}
