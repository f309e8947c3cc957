package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/bolt"
)

// TestRestart closes the store and follows it anew.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "buoy.db")
	open := func() *bolt.Store {
		s, err := bolt.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	s := open()
	w := seeded(t, s)
	before := w.do(network(public), node(cmp1, "10.0.0.11"), allocate(web, "203.0.113.5"), associate(web, cmp1, "tap0"))
	w.stop()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	w = follow(t, open())
	<-w.Ready()
	after := w.State()
	if after.Revision() != before.Revision() || !slices.Equal(slices.Collect(after.Names()), slices.Collect(before.Names())) {
		t.Errorf("revision %d, %q\nwant %d, %q", after.Revision(), slices.Collect(after.Names()), before.Revision(), slices.Collect(before.Names()))
	}
	was, _ := before.FloatingIP(web)
	is, ok := after.FloatingIP(web)
	if !ok || fmt.Sprintf("%+v", *is) != fmt.Sprintf("%+v", *was) || !slices.Equal(after.RoutesOf(is), before.RoutesOf(was)) {
		t.Errorf("got %+v, want %+v", is, was)
	}
	// The claims are there, too.
	w.do(inventory.Disassociate{Name: web}, inventory.Release{Name: web}, allocate(mail, "203.0.113.5"))
}

func TestReady(t *testing.T) {
	w := follow(t, openBolt(t))
	<-w.Ready()
	state := w.State()
	if n, ok := state.Neighbor(static); !ok || !n.ReadOnly || state.Revision() != 0 {
		t.Errorf("an empty store: revision %d, %s is %+v", state.Revision(), static, n)
	}
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		w := follow(t, s)
		waited := make(chan uint64, 3)
		for _, revision := range []uint64{0, 7, 8} {
			go func() {
				state, err := w.Wait(t.Context(), revision)
				if err != nil {
					t.Error(err)
				}
				waited <- state.Revision()
			}()
			synctest.Wait()
		}
		expect := func(want ...uint64) {
			t.Helper()
			synctest.Wait()
			var got []uint64
			for len(waited) > 0 {
				got = append(got, <-waited)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		expect(0)
		s.events <- store.Event{Revision: 7, Snapshot: true}
		expect(7)
		s.events <- store.Event{Revision: 8, Changes: []inventory.Change{resource("global", 8, inventory.Global{AS: 1})}}
		expect(8)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := w.Wait(ctx, 9)
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "wait for revision 9: context deadline exceeded" {
			t.Errorf("got %v", err)
		}
		w.stop()
	})
}

// TestUnreadable ends Run when the store holds what cannot be read.
func TestUnreadable(t *testing.T) {
	for _, tt := range []struct{ key, value, want string }{
		{"network/" + public, "junk", "decode: invalid character 'j' looking for beginning of value"},
		{"fip/" + web, `{"name":"` + web + `","address":"nowhere"}`, `decode: ParseAddr("nowhere"): unable to parse IP`},
		{"flavour/x", "{}", "unknown kind of key; was it written by a later version of Buoy?"},
		{"neighbor/" + static, `{"name":"static"}`, "neighbor static is in the store and in the configuration file; rename it in the file"},
	} {
		for _, when := range []string{"before", "after"} {
			s := openBolt(t)
			if when == "before" {
				put(t, s, tt.key, tt.value)
			}
			w := follow(t, s)
			if when == "after" {
				<-w.Ready()
				put(t, s, tt.key, tt.value)
			}
			want := fmt.Sprintf("follow store: apply %s at revision 1: %s", tt.key, tt.want)
			if err := w.runError(); err == nil || err.Error() != want {
				t.Errorf("%s the start:\n got %v\nwant %s", when, err, want)
			}
			select {
			case <-w.Ready():
				if when == "before" {
					t.Errorf("%s: ready all the same", tt.key)
				}
			default:
			}
		}
	}
}

func put(t *testing.T, s store.Store, key, value string) {
	t.Helper()
	if _, err := s.Commit(t.Context(), []inventory.Mutation{{Key: key, Value: []byte(value)}}); err != nil {
		t.Fatal(err)
	}
}

// TestLagging starts again with a new snapshot when the watch was too slow.
func TestLagging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScripted()
		w := follow(t, s)
		global := resource("global", 1, inventory.Global{AS: 64512})
		oldNode := resource("node/"+cmp1, 2, inventory.ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.11")})
		newNode := resource("node/"+cmp2, 5, inventory.ComputeNode{Name: cmp2, Address: addr("10.0.0.11"), RouterID: addr("10.0.0.11")})
		s.events <- store.Event{Revision: 2, Snapshot: true, Changes: []inventory.Change{global, oldNode}}
		synctest.Wait()
		before := w.State()
		sub := w.Subscribe()
		defer sub.Close()
		sub.Take()

		s.events <- fmt.Errorf("watch: %w", store.ErrLagging)
		s.events <- store.Event{Revision: 5, Snapshot: true, Changes: []inventory.Change{global, newNode}}
		synctest.Wait()
		<-sub.Wake()
		state, names := sub.Take()
		// What was missed is not known, so everything may have changed.
		if want := []string{cmp1, cmp2, inventory.GlobalName, static}; !slices.Equal(names, want) {
			t.Errorf("touched: got %q, want %q", names, want)
		}
		if _, ok := state.ComputeNode(cmp1); ok || state.Revision() != 5 {
			t.Errorf("at revision %d, %s is still there", state.Revision(), cmp1)
		}
		if _, ok := before.ComputeNode(cmp1); !ok || before.Revision() != 2 {
			t.Error("an older state has changed")
		}
		if n, ok := state.Neighbor(static); !ok || !n.ReadOnly {
			t.Errorf("%s: got %+v", static, n)
		}
		// Any other error ends it.
		s.events <- errors.New("disk on fire")
		if err := w.runError(); err == nil || err.Error() != "follow store: disk on fire" {
			t.Errorf("Run: got %v", err)
		}
	})
}

// TestNothingIsLeft lets synctest look for goroutines that go on.
func TestNothingIsLeft(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := bolt.Open(filepath.Join(dir, "buoy.db"))
		if err != nil {
			t.Fatal(err)
		}
		w := seeded(t, s)
		sub := w.Subscribe()
		w.do(network(public))
		ctx, cancel := context.WithCancel(t.Context())
		waited := make(chan error)
		go func() {
			_, err := w.Wait(ctx, 1000)
			waited <- err
		}()
		<-sub.Wake()
		cancel()
		if err := <-waited; !errors.Is(err, context.Canceled) {
			t.Errorf("Wait: got %v", err)
		}
		sub.Close()
		w.stop()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
