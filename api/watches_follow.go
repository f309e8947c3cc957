package api

import (
	"context"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

const (
	// watchPace is the least time between two looks of a watcher at what has
	// changed: many watchers must not cost a busy daemon more than the changes.
	watchPace = 10 * time.Millisecond
	// bookmarkTime is how long a client may have an old token while what changes is
	// not for it.
	bookmarkTime = 10 * time.Second
)

// resourceWatcher sends resources to one client. It keeps where the client is, and
// nothing of what it was sent: one that reads slowly reads the log when it is ready.
type resourceWatcher struct {
	*watchService
	watched
	stream grpc.ServerStream

	revision, sighting uint64
	marked             time.Time // when the last bookmark was sent
	due                bool      // one is to be sent in any case
	beginning          bool      // the client has nothing yet
}

// everything sends the resources of one state.
func (w *resourceWatcher) everything() error {
	w.observer.look()
	w.sighting = w.observer.last() // before the state: what comes in between is sent twice
	state := w.Inventory.State()
	w.revision, w.beginning = state.Revision(), true
	if err := w.sendKinds(state, w.kinds); err != nil {
		return err
	}
	w.beginning = false
	return w.bookmark()
}

// resume goes on where a client was.
func (w *resourceWatcher) resume(from place) error {
	w.observer.look()
	w.revision, w.sighting, w.due = from.revision, from.sighting, true
	if from.run == w.observer.run {
		return nil
	}
	// No other run has gone further than this one began.
	if from.revision != w.Inventory.FirstRevision() {
		return errTooOld
	}
	return w.observeAgain()
}

// observeAgain sends what is observed once more, for a client that may have missed
// something.
func (w *resourceWatcher) observeAgain() error {
	w.sighting = w.observer.last()
	kinds := make([]bool, len(w.kinds))
	for _, kind := range []inventory.Kind{inventory.KindNeighbor, inventory.KindFloatingIP} {
		kinds[rank(kind)] = w.kinds[rank(kind)]
	}
	return w.sendKinds(w.Inventory.State(), kinds)
}

// follow sends what changes, until the context ends.
func (w *resourceWatcher) follow(ctx context.Context) error {
	for {
		shown, state, moreShown, ok := w.Inventory.ShownSince(w.revision)
		if !ok {
			return errTooOld
		}
		seen, sighting, moreSeen, ok := w.observer.since(w.sighting)
		if !ok {
			if err := w.observeAgain(); err != nil {
				return err
			}
			w.due = true
			continue
		}
		revision := state.Revision()
		if revision == w.revision && sighting == w.sighting && !w.due {
			select {
			case <-moreShown:
			case <-moreSeen:
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		gone, there := w.sort(state, shown, seen)
		w.revision, w.sighting = revision, sighting // nothing that was written out before them is sent
		if err := w.send(state, gone, there); err != nil {
			return err
		}
		if w.due || len(gone)+len(there) > 0 || time.Since(w.marked) > bookmarkTime {
			if err := w.bookmark(); err != nil {
				return err
			}
		}
		select {
		case <-time.After(watchPace):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sort returns the names of what was changed and is watched: what is gone, such that
// nothing goes before what depends on it, and what is there, the other way round.
func (w *resourceWatcher) sort(state *inventory.State, shown []inventory.Shown, seen []string) (gone, there []string) {
	could := make(map[string]bool, len(shown)+len(seen)) // whether the viewer could see it before
	for _, s := range shown {
		if w.takes(s.Name) {
			could[s.Name] = could[s.Name] || w.couldSee(s)
		}
	}
	for _, name := range seen {
		if w.takes(name) {
			could[name] = could[name] || false
		}
	}
	for name, before := range could {
		switch {
		case exists(state, name) && w.viewer.sees(state, name):
			there = append(there, name)
		case before:
			gone = append(gone, name)
		}
	}
	slices.SortFunc(there, byRank)
	slices.SortFunc(gone, func(a, b string) int { return byRank(b, a) })
	return gone, there
}

func byRank(a, b string) int {
	if d := rank(inventory.KindOf(a)) - rank(inventory.KindOf(b)); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// send sends what is gone, and then the resources that are there.
func (w *resourceWatcher) send(state *inventory.State, gone, there []string) error {
	for _, name := range gone {
		if err := w.stream.SendMsg(deletion(name)); err != nil {
			return err
		}
	}
	if len(there) <= watchChunk { // the rule; what is sent next needs no state
		return w.sendMessages(w.messages(state, there, true))
	}
	h := hold(w.Inventory, state)
	defer h.close()
	state = nil
	for chunk := range slices.Chunk(there, watchChunk) {
		if err := w.sendMessages(w.messages(h.state(), chunk, true)); err != nil {
			return err
		}
	}
	return nil
}

func (w *resourceWatcher) sendMessages(list []any) error {
	for _, m := range list {
		if err := w.stream.SendMsg(m); err != nil {
			return err
		}
	}
	return nil
}

func (w *resourceWatcher) bookmark() error {
	at := place{w.revision, w.observer.run, w.sighting}
	w.marked, w.due = time.Now(), false
	return w.stream.SendMsg(&buoyv1.WatchResponse{Event: &buoyv1.WatchResponse_Bookmark{Bookmark: &buoyv1.Bookmark{ResumeToken: at.String()}}})
}
