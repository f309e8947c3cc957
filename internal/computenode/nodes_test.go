package computenode

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// TestSession takes a compute node through its life.
func TestSession(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session})
	w.expect("at first", cmp1, "down")
	s := w.open(cmp1)
	w.expect("opened", cmp1, "up")
	w.expectTold("opened")
	w.report(s, true, "tap0 up", "tap1 down: no cable", "tap2 unhealthy")
	w.expect("reported", cmp1, "up", "tap0 up", "tap1 down: no cable", "tap2 unhealthy")
	w.expectTold("reported", "cmp1 tap0")
	w.report(s, false, "tap0 up", "tap1 down: no link")
	w.expectTold("reported again")

	w.sleep(20 * time.Second)
	s.Heard()
	w.sleep(29 * time.Second)
	w.expect("after a silence", cmp1, "up", "tap0 up", "tap1 down: no link", "tap2 unhealthy")
	w.sleep(time.Second)
	w.expect("silent", cmp1, "stale, until 12:02:50: the stream was silent for 30s", "tap0 up", "tap1 down: no link", "tap2 unhealthy")
	w.expectTold("silent")
	<-s.Done()
	if err := s.Err(); !errors.Is(err, ErrSilent) || err.Error() != "the stream was silent for 30s" {
		t.Errorf("got %v", err)
	}
	if err := s.Report(nil, true); !errors.Is(err, ErrSilent) {
		t.Errorf("a report after the end: got %v, want %v", err, ErrSilent)
	}
	s.Close(io.EOF) // it has ended already

	w.sleep(119 * time.Second)
	s = w.open(cmp1)
	w.expect("back in time", cmp1, "up", "tap0 up", "tap1 down: no link", "tap2 unhealthy")
	w.report(s, false, "tap1 down: no link", "tap2 up")
	w.expectTold("back in time", "cmp1 tap2")
	w.report(s, true)
	w.expect("everything is said", cmp1, "up", "tap1 down: no link", "tap2 up")
	w.expectTold("what was not mentioned", "cmp1 tap0")

	s.Close(errors.New("connection\x1b[2J reset"))
	w.expect("ended", cmp1, "stale, until 12:04:49: the stream ended: connection[2J reset", "tap1 down: no link", "tap2 up")
	w.sleep(2 * time.Minute)
	w.expect("stale for too long", cmp1, "down: the stream ended: connection[2J reset")
	w.expectTold("stale for too long", "cmp1 tap2")
	w.sleep(time.Hour)
	s = w.open(cmp1)
	w.expect("back too late", cmp1, "up")
	w.report(s, false, "tap2 up")
	w.expectTold("back too late", "cmp1 tap2")
	w.report(s, false, "tap2 unknown")
	w.expectTold("taken back", "cmp1 tap2")
}

// TestProgrammed: who says what is programmed is behind until it is, in each stream anew;
// others never are.
func TestProgrammed(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session})
	behind := func(what string, want bool) {
		t.Helper()
		if got := w.Behind(cmp1, 7); got != want {
			t.Errorf("%s: behind is %v", what, got)
		}
	}
	behind("no stream", false)
	s := w.open(cmp1)
	behind("it has said nothing", false)
	s.Programmed(0)
	behind("it will say so", true)
	s.Programmed(6)
	behind("something older", true)
	<-w.Wake()
	s.Programmed(8)
	behind("something newer", false)
	<-w.Wake()
	s.Programmed(5)
	behind("older again", false)
	next := w.open(cmp1)
	next.Programmed(0)
	s.Programmed(9) // it was replaced
	behind("another stream", true)
	next.Close(io.EOF)
	behind("the stream is lost", false)
	if w.Behind("computeNodes/other", 1) {
		t.Error("one that does not exist is behind")
	}
}

// TestVouched: what a compute node says counts as long as it has a stream.
func TestVouched(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: vouched})
	s := w.open(cmp1)
	w.report(s, true, "tap0 up", "tap1 down")
	w.expectTold("reported", "cmp1 tap1")
	s.Close(nil)
	w.expect("ended", cmp1, "down: the stream ended")
	w.expectTold("ended", "cmp1 tap1")
	if err := s.Err(); !errors.Is(err, ErrEnded) {
		t.Errorf("got %v, want %v", err, ErrEnded)
	}
}

// TestNewest: a compute node that comes back before its old stream is found dead
// does not wait, and nothing changes.
func TestNewest(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: vouched})
	old := w.open(cmp1)
	w.report(old, true, "tap0 down", "tap1 down")
	w.told()
	s := w.open(cmp1)
	<-old.Done()
	if err := old.Err(); !errors.Is(err, ErrReplaced) || !strings.HasSuffix(err.Error(), "from 10.0.0.1:4711") {
		t.Errorf("got %v, want %v and where it is from", err, ErrReplaced)
	}
	old.Close(nil)
	if err := old.Report([]inventory.InterfaceReport{{Name: "tap0", State: inventory.InterfaceUp}}, true); !errors.Is(err, ErrReplaced) {
		t.Errorf("the old stream's report: got %v, want %v", err, ErrReplaced)
	}
	w.expect("taken over", cmp1, "up", "tap0 down", "tap1 down")
	w.report(s, true, "tap1 down")
	w.expectTold("the new one's report", "cmp1 tap0")
}

func TestUnknown(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session})
	if _, err := w.Open(cmp2, "", ""); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), cmp2) {
		t.Errorf("got %v, want %v", err, ErrUnknown)
	}
	w.feed.put(cmp2, session)
	s := w.open(cmp2) // at once
	w.report(s, true, "tap0 up")
	w.told()
	w.feed.remove(cmp2)
	w.follow()
	<-s.Done()
	if err := s.Err(); !errors.Is(err, ErrDeleted) {
		t.Errorf("got %v, want %v", err, ErrDeleted)
	}
	w.expect("deleted", cmp2, "down")
	if _, err := w.Open(cmp2, "", ""); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want %v", err, ErrUnknown)
	}
}

// TestPolicy changes the policy in place.
func TestPolicy(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session})
	s := w.open(cmp1)
	w.report(s, true, "tap0 up", "tap1 down")
	if got := s.HoldTime(); got != 30*time.Second {
		t.Errorf("hold time %s, want 30s", got)
	}
	set := func(l inventory.Liveness) {
		w.feed.put(cmp1, l)
		w.follow()
	}
	w.sleep(10 * time.Second)
	set(inventory.Liveness{Mode: inventory.Session, HoldTime: 12, StaleTime: 100})
	if got := s.HoldTime(); got != 12*time.Second {
		t.Errorf("hold time %s, want 12s", got)
	}
	w.sleep(2 * time.Second)
	w.expect("a shorter hold time", cmp1, "stale, until 12:01:52: the stream was silent for 12s", "tap0 up", "tap1 down")
	w.sleep(10 * time.Second)
	set(inventory.Liveness{Mode: inventory.Session, StaleTime: 20})
	w.expect("a shorter stale time", cmp1, "stale, until 12:00:32: the stream was silent for 12s", "tap0 up", "tap1 down")
	w.told()
	set(vouched)
	w.expect("none", cmp1, "down: the stream was silent for 12s")
	w.expectTold("none", "cmp1 tap1") // who associates vouches; the store's feed tells the rest

	set(inventory.Liveness{Mode: inventory.Session})
	s = w.open(cmp1)
	w.report(s, true, "tap0 up")
	w.told()
	s.Close(nil)
	w.expect("no stale time", cmp1, "down: the stream ended")
	w.expectTold("no stale time", "cmp1 tap0")
}

// TestFlapping damps an interface that goes up and down.
func TestFlapping(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session})
	s := w.open(cmp1)
	w.report(s, true, "tap0 up")
	for range 4 {
		w.report(s, false, "tap0 down")
		w.report(s, false, "tap0 up")
	}
	w.expect("four flaps", cmp1, "up", "tap0 up, 4 flaps")
	w.told()
	w.sleep(10 * time.Second)
	w.report(s, false, "tap0 unhealthy")
	w.expectTold("the fifth is at once", "cmp1 tap0")
	w.report(s, false, "tap0 up")
	w.expect("five flaps", cmp1, "up", "tap0 up, damped until 12:00:14, 5 flaps")
	w.expectTold("it counts as down")
	w.sleep(4 * time.Second)
	w.expect("no longer damped", cmp1, "up", "tap0 up, 5 flaps")
	w.expectTold("no longer damped", "cmp1 tap0")
	for i := range 10 { // to be forgotten and mentioned again is no way out
		if i%2 == 0 {
			w.report(s, false, "tap0 down")
		} else {
			w.report(s, false, "tap0 unknown")
		}
		w.report(s, false, "tap0 up")
	}
	w.expect("many flaps", cmp1, "up", "tap0 up, damped until 12:00:46, 15 flaps")
	for range 4 {
		w.sleep(20 * time.Second)
		s.Heard()
	}
	w.expect("a minute later", cmp1, "up", "tap0 up")
	w.expectTold("a minute later", "cmp1 tap0")
	w.report(s, false, "tap0 down")
	w.report(s, false, "tap0 up")
	w.expect("once more", cmp1, "up", "tap0 up, 1 flaps")
}
