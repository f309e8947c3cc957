package bolt

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// A commit as an association makes it: a resource and two index keys.
var benchValue = strings.Repeat("v", 300)

func benchMutations(n int) []inventory.Mutation {
	n %= 10_000 // so that the store stays small
	return []inventory.Mutation{
		put(fmt.Sprintf("fip/projects/default/floatingIps/%d", n), inventory.AnyVersion, benchValue),
		put(fmt.Sprintf("addr/1/10.0.%d.%d", n/256, n%256), inventory.AnyVersion, "x"),
		put(fmt.Sprintf("label/node/%d", n), inventory.AnyVersion, "x"),
	}
}

func BenchmarkCommit(b *testing.B) {
	b.Run("store", func(b *testing.B) { benchCommit(b, 1, false) })
	b.Run("history", func(b *testing.B) { benchCommit(b, 1, true) })
	b.Run("bare", func(b *testing.B) { benchBare(b, 1) })
}

func BenchmarkCommitParallel(b *testing.B) {
	b.Run("store", func(b *testing.B) { benchCommit(b, 64, false) })
	b.Run("history", func(b *testing.B) { benchCommit(b, 64, true) })
	b.Run("bare", func(b *testing.B) { benchBare(b, 32) }) // while one half is written, the other half queues
}

// benchSteps is what the history is told of benchMutations: an association is put in the
// place of another one.
func benchSteps(n int, list []inventory.Mutation) []history.Step {
	value := fmt.Appendf(nil, `{"name":"%.200s","associations":[{"compute_node":"computeNodes/cmp%d","interface":"tap0"}],"version":1}`, benchValue, n)
	list[0].Value = value
	return []history.Step{{Author: history.Author{Who: "ann (uid 1000, pid 4242)", Agent: "buoyctl/1.0", Method: "FloatingIPs.Associate"},
		Changes: []history.Change{{Key: list[0].Key, Name: list[0].Key[len("fip/"):], After: value}}}}
}

func benchCommit(b *testing.B, callers int, told bool) {
	s := openNew(b)
	next := make(chan int)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for n := range next {
				mutations := benchMutations(n)
				steps := benchSteps(n, mutations)
				if !told {
					steps = nil
				}
				if _, err := s.Commit(b.Context(), mutations, steps...); err != nil {
					b.Error(err)
				}
			}
		})
	}
	before := transactions(b, s)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		next <- n
	}
	close(next)
	wg.Wait()
	b.ReportMetric(float64(b.N)/float64(transactions(b, s)-before), "commits/tx")
}

// benchBare writes the same bytes with bbolt alone, so many commits together.
func benchBare(b *testing.B, batch int) {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		if err := db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists(keysBucket)
			if err != nil {
				return err
			}
			for i := n; i < min(n+batch, b.N); i++ {
				for _, m := range benchMutations(i) {
					stored := make([]byte, versionSize+len(m.Value))
					binary.BigEndian.PutUint64(stored, uint64(i))
					copy(stored[versionSize:], m.Value)
					if err := bucket.Put([]byte(m.Key), stored); err != nil {
						return err
					}
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}

// fill commits so many keys of 300 bytes.
func fill(b *testing.B, s *Store, keys int) {
	for n := 0; n < keys; {
		var mutations []inventory.Mutation
		for ; n < keys && len(mutations) < 1000; n++ {
			mutations = append(mutations, put(fmt.Sprintf("fip/projects/default/floatingIps/%d", n), inventory.Absent, benchValue))
		}
		mustCommit(b, s, mutations...)
	}
}

func BenchmarkOpen100k(b *testing.B) {
	path := filepath.Join(b.TempDir(), "buoy.db")
	s := reopen(b, path)
	fill(b, s, 100_000)
	mustClose(b, s)
	b.ReportAllocs()
	for b.Loop() {
		s, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		mustClose(b, s)
	}
}

func BenchmarkSnapshot100k(b *testing.B) {
	s := openNew(b)
	fill(b, s, 100_000)
	b.ReportAllocs()
	for b.Loop() {
		err := s.Watch(b.Context(), func(e store.Event) error {
			if len(e.Changes) != 100_000 {
				b.Fatalf("%d keys", len(e.Changes))
			}
			return store.ErrLagging
		})
		if err != store.ErrLagging {
			b.Fatal(err)
		}
	}
}
