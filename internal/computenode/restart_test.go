package computenode

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// TestRestart crashes and starts anew.
func TestRestart(t *testing.T) {
	const anew = "this control node has started anew"
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session, cmp2: vouched})
	s, other := w.open(cmp1), w.open(cmp2)
	w.report(s, true, "tap0 up", "tap1 down: no cable")
	w.report(other, true, "tap0 down: gone")
	w.report(s, false, "tap2 up", "tap2 down", "tap2 unknown")
	w.sleep(25 * time.Second)

	w.restart()
	w.expect("what was up is stale, for all of its time", cmp1, "stale, until 12:02:25: "+anew, "tap0 up", "tap1 down: no cable")
	w.expect("it has the hold time to come back", cmp2, "stale, until 12:00:55: "+anew, "tap0 down: gone")
	w.sleep(20 * time.Second)
	w.restart()
	w.expect("what was stale is that for the rest", cmp1, "stale, until 12:02:25: "+anew, "tap0 up", "tap1 down: no cable")
	w.sleep(10 * time.Second)
	w.expect("not back in time", cmp2, "down: "+anew)
	w.expectTold("not back in time", "cmp2 tap0")
	s = w.open(cmp1)
	w.report(s, true, "tap0 up", "tap1 down: no cable")
	w.expect("back", cmp1, "up", "tap0 up", "tap1 down: no cable")
	w.expectTold("back")

	s.Close(nil)
	w.sleep(time.Minute)
	w.wall -= time.Hour // the clock is set while the daemon is away
	w.restart()
	w.expect("stale since a time in the future", cmp1, "stale, until 11:03:55: the stream ended", "tap0 up", "tap1 down: no cable")
	w.flush()
	w.wall += time.Hour
	w.restart()
	w.expect("stale for too long", cmp1, "down: the stream ended")
	w.sleep(time.Second)
	w.restart()
	w.expect("down", cmp1, "down: the stream ended")
	w.feed.remove(cmp1)
	w.restart()
	w.follow()
	w.flush()
	if len(w.disk.notes) != 1 {
		t.Errorf("notes are left over: %q", w.disk.notes)
	}
}

// TestDamaged: what cannot be read is forgotten, and said.
func TestDamaged(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session, cmp2: session})
	s := w.open(cmp1)
	w.report(s, true, "tap0 up")
	w.flush()
	good := string(w.disk.notes[cmp1])
	for _, bad := range []string{"", "{", `{"state":"dead"}`, strings.ReplaceAll(good, `"tap0"`, `"a/b"`), strings.ReplaceAll(good, `"state":"up","since":1`, `"state":"on","since":1`)} {
		w.log.Reset()
		w.disk.notes = map[string][]byte{cmp1: []byte(bad)}
		w.start()
		w.expect(bad, cmp1, "down")
		if !strings.Contains(w.log.String(), cmp1) {
			t.Errorf("%s: nothing was said", bad)
		}
		if w.flush(); len(w.disk.notes) != 0 {
			t.Errorf("%s: it is still there", bad)
		}
	}
	w.disk.fail(errors.New("gone"))
	if _, err := New(Config{Inventory: w.feed, Notes: w.disk, Clock: w.clock}); err == nil || !strings.Contains(err.Error(), "load the notes on compute nodes: gone") {
		t.Errorf("notes that cannot be loaded: %v", err)
	}
}

// TestFreeze: that this daemon stops says nothing of the compute nodes.
func TestFreeze(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: {Mode: inventory.Session}})
	s := w.open(cmp1)
	w.report(s, true, "tap0 up")
	w.told()
	w.Freeze()
	s.Heard()
	if err := s.Report([]inventory.InterfaceReport{{Name: "tap0", State: inventory.InterfaceDown}}, false); !errors.Is(err, ErrStopping) {
		t.Errorf("Report: %v", err)
	}
	if _, err := w.Open(cmp1, "", ""); !errors.Is(err, ErrStopping) {
		t.Errorf("Open: %v", err)
	}
	s.Close(errors.New("server stops"))
	<-s.Done()
	w.feed.remove(cmp1)
	w.follow()
	w.mono += time.Hour
	w.tick(0)
	w.expect("frozen", cmp1, "up", "tap0 up")
	w.expectTold("frozen")
}
