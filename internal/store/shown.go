package store

import (
	"sort"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/ring"
)

// keptShown is how many changes of resources a reader may be behind.
const keptShown = 1 << 16

// shownLog has the last changes of resources: not how they were changed, which
// the newest state says. Readers are not known to it: one that is slow costs
// nothing. It is guarded by Follower.mu.
type shownLog struct {
	log  ring.Ring[shownAt]
	base uint64 // every change behind this revision is there
}

type shownAt struct {
	revision uint64
	inventory.Shown
}

func (l *shownLog) add(revision uint64, list []inventory.Shown) {
	for _, shown := range list {
		if l.log.Next()-l.log.First() == keptShown {
			l.base = l.log.At(l.log.First()).revision // it goes now
		}
		l.log.Add(shownAt{revision, shown})
	}
}

// reset forgets everything: what has led to a revision is not known.
func (l *shownLog) reset(revision uint64) {
	*l = shownLog{log: ring.New[shownAt](keptShown), base: revision}
}

// since returns what has changed behind a revision that is not before base, the
// oldest first.
func (l *shownLog) since(revision uint64) []inventory.Shown {
	oldest, next := l.log.First(), l.log.Next()
	behind := sort.Search(int(next-oldest), func(i int) bool { return l.log.At(oldest+uint64(i)).revision > revision })
	var list []inventory.Shown
	for n := oldest + uint64(behind); n < next; n++ {
		list = append(list, l.log.At(n).Shown)
	}
	return list
}

// ShownSince returns the resources that look different since a revision, the
// oldest change first, and the newest state. It reports false for a revision that
// is too old, or not of this store. The channel is closed at the next commit.
func (f *Follower) ShownSince(revision uint64) (list []inventory.Shown, state *inventory.State, more <-chan struct{}, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	state = f.snapshotLocked()
	if revision < f.shown.base || revision > state.Revision() {
		return nil, state, f.advanced, false
	}
	return f.shown.since(revision), state, f.advanced, true
}

// FirstRevision returns the revision that the store had when Run began. What was
// done by an earlier run of this program is in it.
func (f *Follower) FirstRevision() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first
}
