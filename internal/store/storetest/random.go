package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// testModel commits random lists of mutations and compares each outcome with
// the model's, and what two watches add up to with the model in the end.
func testModel(t *testing.T, s store.Store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	first := follow(t, s)
	var second *follower
	model := Model{Keys: map[string]Entry{}}
	const commits = 400
	for i := range commits {
		if i == commits/2 {
			second = start(t, s)
		}
		mutations := randomMutations(random, &model)
		key, ok := model.Commit(mutations)
		revision, err := s.Commit(t.Context(), mutations)
		var c *store.ConflictError
		switch {
		case ok && err != nil:
			t.Fatalf("seed %d: Commit(%v): %v", seed, mutations, err)
		case ok && revision != model.Revision:
			t.Fatalf("seed %d: Commit(%v) = %d, want %d", seed, mutations, revision, model.Revision)
		case !ok && (!errors.As(err, &c) || c.Key != key || c.Revision != model.Revision):
			t.Fatalf("seed %d: Commit(%v): %v, want a conflict on %q at %d", seed, mutations, err, key, model.Revision)
		}
	}
	if diff := model.Diff(Content(t, s)); diff != "" {
		t.Errorf("seed %d: model / store: %s", seed, diff)
	}
	for _, f := range []*follower{first, second} {
		f.waitFor(model.Revision)
		if diff := model.Diff(f.stop()); diff != "" {
			t.Errorf("seed %d: model / watch: %s", seed, diff)
		}
	}
}

// randomMutations mostly have conditions that hold.
func randomMutations(random *rand.Rand, model *Model) []inventory.Mutation {
	var mutations []inventory.Mutation
	written := map[string]bool{}
	for range 1 + random.IntN(6) {
		key := fmt.Sprintf("%c/%d", 'a'+random.IntN(4), random.IntN(20))
		m := inventory.Mutation{Op: inventory.Op(random.IntN(4)), Key: key, Expect: model.Keys[key].Version}
		switch random.IntN(12) {
		case 0:
			m.Expect = inventory.Version(random.Uint64N(model.Revision + 2))
		case 1, 2:
			m.Expect = inventory.AnyVersion
		}
		switch m.Op {
		case inventory.Put, inventory.Delete:
			if written[key] {
				continue
			}
			written[key] = true
			if m.Op == inventory.Put {
				m.Value = make([]byte, random.IntN(300))
				for i := range m.Value {
					m.Value[i] = byte(random.Uint32())
				}
			}
		case inventory.CheckPrefix:
			m.Key = key[:random.IntN(len(key)+1)]
			m.Expect = inventory.Version(model.Revision)
			if random.IntN(4) == 0 {
				m.Expect = inventory.Version(random.Uint64N(model.Revision + 1))
			}
		}
		mutations = append(mutations, m)
	}
	return mutations
}
