package computenode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// running is Nodes whose time passes when everybody waits.
type running struct {
	*Nodes
	feed *feed
	disk *disk
	log  strings.Builder

	wall, stopped atomic.Int64 // by how much the wall clock was set, and how long the process was stopped
}

func run(t *testing.T, test func(*testing.T, *running)) {
	synctest.Test(t, func(t *testing.T) {
		r := &running{feed: newFeed(t), disk: &disk{notes: map[string][]byte{}}}
		r.feed.put(cmp1, session)
		clock := SystemClock()
		var err error
		r.Nodes, err = New(Config{Inventory: r.feed, Notes: r.disk, Logger: slog.New(slog.NewTextHandler(&r.log, nil)),
			Clock: func() (time.Time, time.Duration) {
				wall, elapsed := clock()
				return wall.Add(time.Duration(r.wall.Load())), elapsed + time.Duration(r.stopped.Load())
			}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		test(t, r)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if r.disk.failed == nil && len(r.core.unnoted) > 0 {
			t.Errorf("not noted: %v", r.core.unnoted)
		}
	})
}

func (r *running) open(t *testing.T) *Session {
	s, err := r.Open(cmp1, "10.0.0.1:4711", "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRun: a stream that is silent is lost when its time has come, whatever the wall
// clock says.
func TestRun(t *testing.T) {
	run(t, func(t *testing.T, r *running) {
		time.Sleep(100 * time.Millisecond)
		for _, set := range []time.Duration{0, 24 * time.Hour, -48 * time.Hour} {
			s := r.open(t)
			began := time.Now()
			r.wall.Add(int64(set))
			<-s.Done()
			if got := time.Since(began); got != 30*time.Second {
				t.Errorf("the clock was set by %s: lost after %s, want 30s", set, got)
			}
			count, next := r.Changed()
			<-next
			if got := time.Since(began); got != 150*time.Second {
				t.Errorf("the clock was set by %s: down after %s, want 2m30s", set, got)
			}
			if again, _ := r.Changed(); again != count+1 {
				t.Errorf("%d changes, want 1", again-count)
			}
		}
	})
}

// TestStopped: streams are not lost because this process was stopped.
func TestStopped(t *testing.T) {
	run(t, func(t *testing.T, r *running) {
		s := r.open(t)
		time.Sleep(25500 * time.Millisecond)
		r.stopped.Store(int64(time.Hour))
		began := time.Now()
		<-s.Done()
		if got := time.Since(began); got < 4*time.Second || got > 6*time.Second {
			t.Errorf("lost %s after it went on, want about 4.5s", got)
		}
	})
}

// TestFollow: the inventory is followed without being asked.
func TestFollow(t *testing.T) {
	run(t, func(t *testing.T, r *running) {
		s := r.open(t)
		r.feed.remove(cmp1)
		<-s.Done()
		if err := s.Err(); !errors.Is(err, ErrDeleted) {
			t.Errorf("got %v, want %v", err, ErrDeleted)
		}
	})
}

// TestNoting: changes that come together are written together; an error is said once
// and holds up nobody.
func TestNoting(t *testing.T) {
	run(t, func(t *testing.T, r *running) {
		s := r.open(t)
		synctest.Wait()
		if r.disk.writes != 1 {
			t.Errorf("%d writes at once, want 1", r.disk.writes)
		}
		for i := range 100 {
			if err := s.Report([]inventory.InterfaceReport{{Name: fmt.Sprint("tap", i), State: inventory.InterfaceUp}}, false); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if r.disk.writes != 2 {
			t.Errorf("%d writes, want 2", r.disk.writes)
		}
		r.disk.fail(errors.New("disk is full"))
		s.Close(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := strings.Count(r.log.String(), "disk is full"); n != 1 {
			t.Errorf("said %d times, want 1", n)
		}
		if r.disk.tries < 100 || r.disk.tries > 140 {
			t.Errorf("%d attempts in an hour, want about 120", r.disk.tries)
		}
		if got := r.Living().Node(cmp1).State; got != inventory.NodeDown {
			t.Errorf("state %d, want %d", got, inventory.NodeDown)
		}
		r.disk.fail(nil)
		time.Sleep(maxNoteWait)
		synctest.Wait()
		if note := string(r.disk.notes[cmp1]); !strings.HasPrefix(note, `{"state":"down"`) {
			t.Errorf("noted %s", note)
		}
	})
}

// TestTogether has many streams and readers at once.
func TestTogether(t *testing.T) {
	w := newWorld(t, map[string]inventory.Liveness{cmp1: session, cmp2: vouched})
	w.Nodes.clock = SystemClock()
	w.Nodes.log = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	var streams, others sync.WaitGroup
	others.Go(func() { w.Run(ctx) })
	others.Go(func() {
		for ctx.Err() == nil {
			_, next := w.Changed()
			select {
			case <-next:
			case <-ctx.Done():
			}
		}
	})
	for g := range 8 {
		streams.Go(func() {
			for i := range 200 {
				name := []string{cmp1, cmp2}[i%2]
				s, err := w.Open(name, fmt.Sprint(g), "")
				if err != nil {
					t.Error(err)
					return
				}
				s.Heard()
				err = s.Report([]inventory.InterfaceReport{{Name: fmt.Sprint("tap", g), State: inventory.InterfaceState(1 + i%3)}}, i%5 == 0)
				if err != nil && !errors.Is(err, ErrReplaced) {
					t.Error(err)
				}
				if s.HoldTime() != 30*time.Second {
					t.Errorf("hold time %s", s.HoldTime())
				}
				living, _ := w.Take()
				living.Node(name)
				living.Interface(name, "tap0")
				w.Interfaces(name)
				if i%7 == 0 {
					s.Close(nil)
					<-s.Done()
				}
			}
		})
	}
	w.feed.put(cmp1, vouched)
	streams.Wait()
	cancel()
	others.Wait()
}
