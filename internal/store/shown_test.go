package store_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// since returns the names of what looks different since a revision, or "too old".
func (w *world) since(revision uint64) (names []string) {
	list, state, _, ok := w.ShownSince(revision)
	if !ok {
		return []string{"too old"}
	}
	if state.Revision() != w.State().Revision() {
		w.Errorf("since %d: got a state of revision %d, want %d", revision, state.Revision(), w.State().Revision())
	}
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names
}

func TestShownSince(t *testing.T) {
	w := seeded(t, openBolt(t))
	first := w.State().Revision()
	_, _, more, _ := w.ShownSince(first)
	w.do(network(public), node(cmp1, "10.0.0.11"))
	select {
	case <-more:
	default:
		t.Error("a commit: the channel is open, want it closed")
	}
	w.do(allocate(web, "203.0.113.5"), inventory.Release{Name: web})
	for behind, want := range [][]string{nil, {web}, {web, web}, {cmp1, web, web}, {public, cmp1, web, web}} {
		revision := w.State().Revision() - uint64(behind)
		if got := w.since(revision); !slices.Equal(got, want) {
			t.Errorf("since %d of %d: got %q, want %q", revision, w.State().Revision(), got, want)
		}
	}
	if got := w.since(w.State().Revision() + 1); got[0] != "too old" {
		t.Errorf("since a revision to come: got %q, want that it is refused", got)
	}
	if got := w.FirstRevision(); got != 0 {
		t.Errorf("first revision: got %d, want 0", got)
	}
}

// What is older than the log is refused, also after a watch that was too slow.
func TestShownSinceTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		w := follow(t, s)
		global := resource("global", 1, inventory.Global{AS: 64512})
		s.events <- store.Event{Revision: 7, Snapshot: true, Changes: []inventory.Change{global}}
		for revision := uint64(8); revision < 12; revision++ {
			var changes []inventory.Change
			for i := range 1 << 14 {
				name := fmt.Sprint("computeNodes/c", i)
				at := addr(fmt.Sprintf("10.0.%d.%d", i/256, i%256))
				// Each change shows something else.
				changes = append(changes, resource("node/"+name, inventory.Version(revision),
					inventory.ComputeNode{Name: name, Address: at, RouterID: at, LabelHoldDown: uint32(revision)}))
			}
			s.events <- store.Event{Revision: revision, Changes: changes}
		}
		synctest.Wait()
		for revision, want := range map[uint64]int{6: 1, 7: 4 << 14, 10: 1 << 14, 11: 0} {
			if got := w.since(revision); len(got) != want {
				t.Errorf("since %d: got %d names, want %d", revision, len(got), want)
			}
		}
		s.events <- store.Event{Revision: 12, Changes: []inventory.Change{resource("global", 12, inventory.Global{AS: 1})}}
		synctest.Wait()
		for revision, want := range map[uint64]string{7: "too old", 8: "computeNodes/c0", 11: inventory.GlobalName} {
			if got := w.since(revision); got[0] != want {
				t.Errorf("since %d: got %q…, want %q", revision, got[0], want)
			}
		}
		s.events <- fmt.Errorf("watch: %w", store.ErrLagging)
		s.events <- store.Event{Revision: 20, Snapshot: true, Changes: []inventory.Change{global}}
		synctest.Wait()
		if got := w.since(12); len(got) == 0 || got[0] != "too old" {
			t.Errorf("since 12: got %q, want that it is refused", got)
		}
		if got := w.since(20); got != nil {
			t.Errorf("since 20: got %q, want nothing", got)
		}
		if got := w.FirstRevision(); got != 7 {
			t.Errorf("first revision: got %d, want 7", got)
		}
		w.stop()
	})
}
