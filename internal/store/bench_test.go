package store_test

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/store"
)

// recorded is a store that keeps what was committed.
type recorded struct {
	store.Store
	commits [][]inventory.Mutation // one caller at a time
}

func (s *recorded) Commit(ctx context.Context, mutations []inventory.Mutation, steps ...history.Step) (uint64, error) {
	s.commits = append(s.commits, mutations)
	return s.Store.Commit(ctx, mutations, steps...)
}

// BenchmarkProvision allocates the next free address and associates it with an
// allocated label, 100 000 times, durably, with so many callers at once; beside
// a bare bbolt that writes the same keys and values in the same transactions.
func BenchmarkProvision(b *testing.B) {
	const n = 100_000
	for _, callers := range []int{64, 500, 2000} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			for range b.N {
				s := &recorded{Store: openBolt(b)}
				w := seeded(b, s)
				w.do(inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("20.0.0.0/8")}}})
				for i := range 100 {
					w.do(node(fmt.Sprint("computeNodes/cmp", i), fmt.Sprint("10.0.1.", i)))
				}
				s.commits = nil
				start := time.Now()
				provision(b, w, n, callers)
				ours := n / time.Since(start).Seconds()
				bare := n / bareBolt(b, s.commits).Seconds()
				b.ReportMetric(ours, "fips/s")
				b.ReportMetric(bare, "bare-fips/s")
				b.ReportMetric(ours/bare, "ours/bare")
				b.ReportMetric(2*n/float64(len(s.commits)), "commands/commit")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func provision(b *testing.B, w *world, n, callers int) {
	next := make(chan int)
	var running sync.WaitGroup
	for range callers {
		running.Go(func() {
			for i := range next {
				name := fmt.Sprint("projects/p/floatingIps/f", i)
				for _, c := range []inventory.Command{
					inventory.Allocate{Name: name, Network: public},
					inventory.Associate{Name: name, Association: inventory.Association{
						ComputeNode: fmt.Sprint("computeNodes/cmp", i%100), Interface: fmt.Sprint("tap", i), FixedIP: addr("10.47.0.1")}},
				} {
					if _, err := w.Execute(b.Context(), c); err != nil {
						b.Error(err)
					}
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	running.Wait()
}

// bareBolt writes the same with bbolt alone.
func bareBolt(b *testing.B, commits [][]inventory.Mutation) time.Duration {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	bucket := []byte("keys")
	if err := db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(bucket); return err }); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	for _, mutations := range commits {
		err := db.Update(func(tx *bbolt.Tx) error {
			keys := tx.Bucket(bucket)
			for _, m := range mutations {
				var err error
				switch m.Op {
				case inventory.Put:
					err = keys.Put([]byte(m.Key), m.Value)
				case inventory.Delete:
					err = keys.Delete([]byte(m.Key))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
