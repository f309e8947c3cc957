package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// step is one of the author who, with a resource of each key that has the key's value;
// empty for none.
func step(who string, keysAndValues ...string) history.Step {
	s := history.Step{Author: history.Author{Who: who}}
	for i := 0; i < len(keysAndValues); i += 2 {
		c := history.Change{Key: keysAndValues[i], Name: "name of " + keysAndValues[i]}
		if v := keysAndValues[i+1]; v != "" {
			c.After = []byte(v)
		}
		s.Changes = append(s.Changes, c)
	}
	return s
}

// told returns what the events say.
func told(t *testing.T, s store.Store) (list []string) {
	t.Helper()
	first, next, _ := s.Kept()
	events, err := s.Events(first, int(next-first)+1)
	if err != nil {
		t.Fatalf("Events: %v", err)
	}
	if len(events) != int(next-first) {
		t.Errorf("%d events from %d below %d", len(events), first, next)
	}
	for i, e := range events {
		if e.Sequence != first+uint64(i) || time.Since(e.Time) > patience {
			t.Errorf("event %d of %d is %d, at %s", i, first, e.Sequence, e.Time)
		}
		list = append(list, fmt.Sprint(e.Who, " ", e.Kind, " ", e.Subject, " ", e.Before, " ", e.After))
	}
	return list
}

func expectTold(t *testing.T, s store.Store, want ...string) {
	t.Helper()
	if got := told(t, s); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func commitSteps(t *testing.T, s store.Store, mutations []inventory.Mutation, steps ...history.Step) {
	t.Helper()
	if _, err := s.Commit(t.Context(), mutations, steps...); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

// testHistory: each step tells what it has changed, from the values that the one before
// it has left.
func testHistory(t *testing.T, s store.Store) {
	_, _, changed := s.Kept()
	commitSteps(t, s, []inventory.Mutation{put("a", inventory.Absent, `{"x":1,"y":2}`), put("index", inventory.Absent, "")}, step("ann", "a", `{"x":1,"y":2}`))
	<-changed
	commitSteps(t, s, []inventory.Mutation{put("a", inventory.AnyVersion, `{"x":3,"y":2,"z":5}`), del("b", inventory.AnyVersion)},
		step("bob", "a", `{"x":2,"y":2}`, "b", `{"n":1}`), step("cid", "a", `{"x":3,"y":2,"z":5}`), step("dan", "b", ""))
	commitSteps(t, s, []inventory.Mutation{del("a", inventory.AnyVersion)}, step("eve", "a", ""))
	want := []string{
		`ann 1 name of a  {"x":1,"y":2}`,
		`bob 2 name of a {"x":1} {"x":2}`, `bob 1 name of b  {"n":1}`, `cid 2 name of a {"x":2} {"x":3,"z":5}`, `dan 3 name of b {"n":1} `,
		`eve 3 name of a {"x":3,"y":2,"z":5} `,
	}
	expectTold(t, s, want...)
	if list, err := s.Events(3, 2); err != nil || len(list) != 2 || list[0].Sequence != 3 {
		t.Errorf("Events(3, 2): %v, %v", list, err)
	}
	if list, err := s.Events(7, 2); err != nil || len(list) != 0 {
		t.Errorf("Events(7, 2): %v, %v", list, err)
	}
}

// testHistoryOfNothing: what was refused or changed nothing is no event.
func testHistoryOfNothing(t *testing.T, s store.Store) {
	commitSteps(t, s, []inventory.Mutation{put("a", inventory.Absent, "1")}, step("ann", "a", "1"))
	if _, err := s.Commit(t.Context(), []inventory.Mutation{put("a", inventory.Absent, "2")}, step("bob", "a", "2")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("Commit: %v", err)
	}
	commitSteps(t, s, []inventory.Mutation{put("a", inventory.AnyVersion, "1"), put("b", inventory.Absent, "1")}, step("cid", "a", "1"))
	commitSteps(t, s, []inventory.Mutation{check("a", inventory.AnyVersion)}, step("dan", "a", "1"))
	expectTold(t, s, "ann 1 name of a  1")
}

// testHistoryRecorded: what was recorded stands before the next commit, and is written
// without one.
func testHistoryRecorded(t *testing.T, s store.Store) {
	seen := func(what string) history.Event {
		return history.Event{Time: time.Now(), Kind: history.Observed, Subject: what, Before: "UP", After: "DOWN"}
	}
	s.Record(seen("n1"), seen("n2"))
	commitSteps(t, s, []inventory.Mutation{put("a", inventory.Absent, "1")}, step("ann", "a", "1"))
	expectTold(t, s, " 4 n1 UP DOWN", " 4 n2 UP DOWN", "ann 1 name of a  1")
	_, _, changed := s.Kept()
	s.Record(seen("n3"))
	select {
	case <-changed:
	case <-time.After(patience):
		t.Fatal("what was recorded is not written")
	}
	expectTold(t, s, " 4 n1 UP DOWN", " 4 n2 UP DOWN", "ann 1 name of a  1", " 4 n3 UP DOWN")
}

// testHistoryRandom replays the history of random commits: it leads to what is there.
func testHistoryRandom(t *testing.T, s store.Store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	model, want := map[string]string{}, []string(nil)
	for round := range 200 {
		if random.IntN(5) == 0 {
			s.Record(history.Event{Time: time.Now(), Kind: history.Observed, Subject: fmt.Sprint(round)})
			want = append(want, fmt.Sprintf(" 4 %d  ", round))
		}
		var steps []history.Step
		last := map[string]string{}
		var events []string
		for range 1 + random.IntN(3) {
			key, who := fmt.Sprint("key", random.IntN(6)), fmt.Sprint("who", random.IntN(3))
			was, value := model[key], ""
			if v, ok := last[key]; ok {
				was = v
			}
			if random.IntN(3) > 0 {
				value = fmt.Sprint(random.IntN(4))
			}
			steps = append(steps, step(who, key, value))
			last[key] = value
			kind := map[[2]bool]history.Kind{{false, true}: history.Created, {true, true}: history.Changed, {true, false}: history.Deleted}[[2]bool{was != "", value != ""}]
			if was != value {
				events = append(events, fmt.Sprint(who, " ", kind, " name of ", key, " ", was, " ", value))
			}
		}
		mutations := []inventory.Mutation{put("round", inventory.AnyVersion, fmt.Sprint(round))}
		for key, value := range last {
			if value == "" {
				mutations = append(mutations, del(key, inventory.AnyVersion))
			} else {
				mutations = append(mutations, put(key, inventory.AnyVersion, value))
			}
		}
		if random.IntN(6) == 0 {
			mutations = append(mutations, check("round", 99_999))
			if _, err := s.Commit(t.Context(), mutations, steps...); !errors.Is(err, store.ErrConflict) {
				t.Fatalf("Commit: %v", err)
			}
			continue
		}
		commitSteps(t, s, mutations, steps...)
		want = append(want, events...)
		for key, value := range last {
			model[key] = value
		}
	}
	expectTold(t, s, want...)
}
