package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// testConditions tries every operation with every kind of expectation.
func testConditions(t *testing.T, s store.Store) {
	const absent, any = inventory.Absent, inventory.AnyVersion
	old := inventory.Version(commit(t, s, put("a/1", absent, "x"), put("b", absent, "x")))
	now := inventory.Version(commit(t, s, put("a/1", old, "y"), put("a/2", absent, "y")))
	future := now + 100

	for _, m := range []inventory.Mutation{
		put("a/1", absent, ""), put("a/1", old, ""), put("a/1", future, ""), put("none", now, ""),
		del("a/1", absent), del("a/1", old), del("a/1", future), del("none", now),
		check("a/1", absent), check("a/1", old), check("a/1", future), check("none", now),
		check("a/", now), check("a/11", now), // a part of a key is not the key
		checkPrefix("a", absent), checkPrefix("a/1", absent), checkPrefix("", absent),
		checkPrefix("a/", old), checkPrefix("", old), checkPrefix("b", old-1),
	} {
		conflict(t, s, m.Key, m)
		// Neither do the conditions before and behind it help.
		conflict(t, s, m.Key, check("b", old), m, put("c", absent, "z"))
	}
	for _, m := range []inventory.Mutation{
		check("a/1", now), check("a/1", any), check("none", absent), check("none", any),
		checkPrefix("a/", now), checkPrefix("", now), checkPrefix("a/", future), checkPrefix("a/", any), checkPrefix("b", old),
		checkPrefix("a/3", absent), checkPrefix("a/11", absent), checkPrefix("c", absent), checkPrefix("\xff", absent),
		del("none", absent), del("none", any),
	} {
		if got := commit(t, s, m); got != uint64(now) {
			t.Errorf("Commit(%v) = %d, want %d", m, got, now)
		}
	}
	v := now
	for _, m := range []inventory.Mutation{
		put("a/1", now, "p"), put("a/1", now+1, "q"), put("a/1", any, "r"), put("c", any, "r"), put("c/1", absent, "r"),
		del("a/1", now+3), del("c", any),
	} {
		v++
		if got := commit(t, s, m); got != uint64(v) {
			t.Errorf("Commit(%v) = %d, want %d", m, got, v)
		}
	}
	// A deleted key is absent, and its former version is no longer right.
	conflict(t, s, "a/1", check("a/1", now+3))
	commit(t, s, check("a/1", absent), checkPrefix("a/1", absent), put("a/1", absent, "again"))
}

func testAllOrNothing(t *testing.T, s store.Store) {
	r := commit(t, s, put("x", inventory.Absent, "1"), put("y", inventory.Absent, "1"))
	v := inventory.Version(r)
	for i := range 3 { // the one that fails stands first, in the middle, last
		mutations := []inventory.Mutation{put("x", v, "2"), put("new", inventory.Absent, "2"), del("y", v)}
		mutations[i].Expect = 99
		conflict(t, s, mutations[i].Key, mutations...)
	}
	// Of several, the first is named.
	conflict(t, s, "b", check("a", inventory.Absent), check("b", 7), check("c", 7))
}

func testConditionsBeforeWrites(t *testing.T, s store.Store) {
	r := commit(t, s, put("x", inventory.Absent, "1"))
	v := inventory.Version(r)
	r = commit(t, s, put("x", v, "2"), check("x", v), put("n/1", inventory.Absent, "1"),
		checkPrefix("n/", inventory.Absent), check("n/1", inventory.Absent))
	conflict(t, s, "x", del("x", inventory.Version(r)), check("x", inventory.Absent))
	conflict(t, s, "n/", del("n/1", inventory.Version(r)), checkPrefix("n/", inventory.Absent))
}

func testVersions(t *testing.T, s store.Store) {
	if m := Content(t, s); m.Revision != 0 || len(m.Keys) != 0 {
		t.Fatalf("a new store has revision %d and %d keys", m.Revision, len(m.Keys))
	}
	big := strings.Repeat("big ", 100_000)
	values := []string{"", "\x00", "\xff\x00\xff", big}
	keys := []string{"k", "k\x00", "kk", "\xff\xff"}
	want := Model{Keys: map[string]Entry{}}
	for i, value := range values {
		mutations := []inventory.Mutation{put(keys[i], inventory.Absent, value)}
		want.Commit(mutations)
		if got := commit(t, s, mutations...); got != uint64(i+1) {
			t.Errorf("revision %d, want %d", got, i+1)
		}
	}
	// The same value again is a new version.
	again := []inventory.Mutation{put("k", 1, "")}
	want.Commit(again)
	commit(t, s, again...)
	if diff := want.Diff(Content(t, s)); diff != "" {
		t.Errorf("want / got: %s", diff)
	}
}

func testNothingToWrite(t *testing.T, s store.Store) {
	if got := commit(t, s); got != 0 {
		t.Errorf("an empty commit in an empty store: revision %d", got)
	}
	r := commit(t, s, put("x", inventory.Absent, "1"))
	for _, mutations := range [][]inventory.Mutation{
		nil, {}, {check("x", 1)}, {del("y", inventory.Absent)}, {checkPrefix("y", 0), del("y", inventory.AnyVersion)},
	} {
		if got := commit(t, s, mutations...); got != r {
			t.Errorf("Commit(%v) = %d, want %d", mutations, got, r)
		}
	}
}

func testRefusals(t *testing.T, s store.Store) {
	const any = inventory.AnyVersion
	for name, mutations := range map[string][]inventory.Mutation{
		"no key to put":     {put("", any, "1")},
		"no key to delete":  {del("", any)},
		"no key to check":   {check("", any)},
		"long key":          {put(strings.Repeat("k", 1<<20), any, "1")},
		"unknown operation": {{Op: 99, Key: "k", Expect: any}},
		"put twice":         {put("k", any, "1"), put("k", any, "2")},
		"put and deleted":   {put("k", any, "1"), del("k", any)},
	} {
		mutations = append([]inventory.Mutation{put("other", any, "1")}, mutations...)
		if r, err := s.Commit(t.Context(), mutations); err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: Commit = %d, %v", name, r, err)
		}
	}
	if m := Content(t, s); m.Revision != 0 || len(m.Keys) != 0 {
		t.Errorf("a refused commit has written: %v", m)
	}
}

func testArgumentsAreCopied(t *testing.T, s store.Store) {
	f := follow(t, s)
	value := []byte("before")
	mutations := []inventory.Mutation{{Op: inventory.Put, Key: "k", Value: value}}
	r := commit(t, s, mutations...)
	copy(value, "after!")
	mutations[0].Key = "other"
	f.waitFor(r)
	for _, m := range []Model{Content(t, s), f.stop()} {
		if m.Keys["k"].Value != "before" {
			t.Errorf("the value is %q", m.Keys["k"].Value)
		}
	}
}

// testOneWinner lets many callers race for each version of one key.
func testOneWinner(t *testing.T, s store.Store) {
	const rounds, callers = 20, 8
	version := inventory.Absent
	for range rounds {
		var wins atomic.Int32
		var won atomic.Uint64
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				r, err := s.Commit(t.Context(), []inventory.Mutation{put("k", version, "v")})
				var c *store.ConflictError
				switch {
				case err == nil:
					wins.Add(1)
					won.Store(r)
				case !errors.As(err, &c):
					t.Errorf("Commit: %v", err)
				case c.Revision != uint64(version)+1:
					t.Errorf("conflict at %d, want %d", c.Revision, version+1)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Fatalf("%d callers have won", wins.Load())
		}
		version = inventory.Version(won.Load())
	}
}

func testContexts(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Commit(ctx, []inventory.Mutation{put("k", inventory.AnyVersion, "v")}); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: %v", err)
	}
	if err := s.Watch(ctx, func(store.Event) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
	if m := Content(t, s); m.Revision != 0 {
		t.Errorf("a commit whose context had ended was written: %v", m)
	}
}
