package main

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/bolt"
)

const cmp1, cmp2 = "computeNodes/cmp1", "computeNodes/cmp2"

// drainLab is a store on disk, and a clock that is set.
type drainLab struct {
	testing.TB
	path string
	log  output

	mu     sync.Mutex
	time   time.Time
	refuse error // of FinishDrain
	tries  int   // that were refused

	follower *store.Follower
	stop     func()
}

func newDrainLab(t testing.TB) *drainLab {
	l := &drainLab{TB: t, path: filepath.Join(t.TempDir(), "buoy.db"), time: time.Unix(1_000_000_000, 0)}
	t.Cleanup(func() { l.stop() })
	l.start()
	for i, name := range []string{cmp1, cmp2} {
		l.do(inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: name, Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(11 + i)})}})
	}
	return l
}

// start opens the store, and runs what carries drains out.
func (l *drainLab) start() {
	l.Helper()
	s, err := bolt.Open(l.path)
	if err != nil {
		l.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&l.log, nil))
	started := newTasks(context.Background(), log)
	l.follower = store.NewFollower(s, inventory.Static{}, l.now)
	started.add("inventory", l.follower.Run)
	<-l.follower.Ready()
	d := drains{feed: l.follower.Subscribe(), execute: l.execute, now: l.now, log: log}
	started.add("drains", d.run)
	l.stop = func() {
		if err := errors.Join(started.stop(), s.Close()); err != nil {
			l.Error(err)
		}
		l.stop = func() {}
	}
}

func (l *drainLab) execute(ctx context.Context, c inventory.Command) (*inventory.State, error) {
	l.mu.Lock()
	refuse := l.refuse
	if refuse != nil {
		l.tries++
	}
	l.mu.Unlock()
	if refuse != nil {
		return nil, refuse
	}
	return l.follower.Execute(ctx, c)
}

func (l *drainLab) now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.time
}

func (l *drainLab) later(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.time = l.time.Add(d)
}

func (l *drainLab) do(c inventory.Command) {
	l.Helper()
	if _, err := l.follower.Execute(l.Context(), c); err != nil {
		l.Fatal(err)
	}
}

func (l *drainLab) drain(name string, wait time.Duration) {
	l.Helper()
	l.do(inventory.DrainComputeNode{Name: name, Wait: wait})
}

// is expects a stage now.
func (l *drainLab) is(name string, want inventory.DrainState) {
	l.Helper()
	if n, _ := l.follower.State().ComputeNode(name); n.Drain.State != want {
		l.Errorf("%s is %s, want %s", name, n.Drain.State, want)
	}
}

// becomes waits for a stage.
func (l *drainLab) becomes(name string, want inventory.DrainState) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.Context(), patience)
	defer cancel()
	for {
		state := l.follower.State()
		if n, _ := state.ComputeNode(name); n.Drain.State == want {
			return
		}
		if _, err := l.follower.Wait(ctx, state.Revision()+1); err != nil {
			l.Fatalf("%s does not become %s: %v", name, want, err)
		}
	}
}

func TestDrains(t *testing.T) {
	l := newDrainLab(t)
	l.drain(cmp1, time.Minute)
	l.drain(cmp2, time.Hour)
	l.later(time.Minute)
	l.becomes(cmp1, inventory.Drained)
	l.is(cmp2, inventory.Draining)

	// Undone, and begun anew: what was to happen before does not.
	l.do(inventory.UndrainComputeNode{Name: cmp1})
	l.drain(cmp1, 2*time.Hour)
	l.later(time.Hour)
	l.becomes(cmp2, inventory.Drained)
	l.is(cmp1, inventory.Draining)

	// The clock is set back, and then forward.
	l.later(-24 * time.Hour)
	l.do(inventory.UndrainComputeNode{Name: cmp2})
	l.drain(cmp2, time.Minute)
	l.later(time.Minute)
	l.becomes(cmp2, inventory.Drained)
	l.is(cmp1, inventory.Draining)
	l.later(48 * time.Hour)
	l.becomes(cmp1, inventory.Drained)

	// A compute node that goes is not waited for.
	l.do(inventory.UndrainComputeNode{Name: cmp1})
	l.do(inventory.UndrainComputeNode{Name: cmp2})
	l.drain(cmp1, time.Minute)
	l.drain(cmp2, 2*time.Minute)
	l.do(inventory.DeleteComputeNode{Name: cmp1})
	l.later(2 * time.Minute)
	l.becomes(cmp2, inventory.Drained)
	l.stop()
	if log := l.log.String(); strings.Contains(log, "level=ERROR") || strings.Count(log, "time to drain is over") < 4 {
		t.Errorf("log:\n%s", log)
	}
}

// The time may pass while no daemon runs.
func TestDrainsAcrossRestart(t *testing.T) {
	l := newDrainLab(t)
	l.drain(cmp1, time.Minute)
	l.drain(cmp2, 2*time.Minute)
	l.stop()
	l.later(time.Minute)
	l.start()
	l.becomes(cmp1, inventory.Drained)
	l.is(cmp2, inventory.Draining)
	l.later(time.Minute)
	l.becomes(cmp2, inventory.Drained)
}

// A store that refuses is asked again, with some time in between.
func TestDrainsRefused(t *testing.T) {
	l := newDrainLab(t)
	refuse := func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.refuse = err
	}
	l.log.mark, l.log.marked = "again_in=2s", make(chan struct{})
	refuse(errors.New("no space left on device"))
	l.drain(cmp1, time.Minute)
	l.later(time.Minute)
	select {
	case <-l.log.marked:
	case <-time.After(patience):
		t.Fatalf("log:\n%s", l.log.String())
	}
	l.is(cmp1, inventory.Draining)
	refuse(nil)
	l.becomes(cmp1, inventory.Drained)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tries > 5 {
		t.Errorf("%d attempts within a few seconds", l.tries)
	}
	if !strings.Contains(l.log.String(), `msg="cannot drain a compute node; its routes are still advertised" compute_node=computeNodes/cmp1`) {
		t.Errorf("log:\n%s", l.log.String())
	}
}
