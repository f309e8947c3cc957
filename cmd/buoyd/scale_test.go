package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// scale is how many floating IPs these benchmarks have.
const scale = 100_000

// provision allocates and associates floating IPs, 1000 in a commit.
func (d *daemon) provision(b *testing.B, n int) {
	for done := 0; done < n; {
		draft := inventory.NewDraft(d.follower.State(), time.Now())
		for range min(1000, n-done) {
			c := associate(done + 1)
			c.Association.Label = 0
			for _, c := range []inventory.Command{inventory.Allocate{Name: c.Name, Network: benchNetwork}, c} {
				if err := draft.Do(c); err != nil {
					b.Fatal(err)
				}
			}
			done++
		}
		revision, err := d.store.Commit(b.Context(), draft.Mutations())
		if err == nil {
			_, err = d.follower.Wait(b.Context(), revision)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart measures from the start of a daemon with 100 000 floating IPs
// on disk until its API answers: every route is in the speaker then. Beside it,
// a bare bbolt opens the same file and reads every key.
func BenchmarkStart(b *testing.B) {
	d := startDaemon(b)
	d.provision(b, scale)
	stored := filepath.Join(b.TempDir(), "copy.db")
	copyFile(b, d.cfg.Store.Path, stored) // nobody writes any more
	for b.Loop() {
		b.StopTimer()
		cfg := d.cfg
		cfg.Store.Path = filepath.Join(b.TempDir(), "buoy.db")
		copyFile(b, stored, cfg.Store.Path)
		b.StartTimer()

		start := time.Now()
		another, err := open(b.Context(), cfg, startup{}, quiet)
		if err != nil {
			b.Fatal(err)
		}
		opened := time.Now()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- another.run(ctx) }()
		conn := dial(b, another.listeners[0].Addr().String())
		if _, err := buoyv1.NewGlobalsClient(conn).GetGlobal(b.Context(), &buoyv1.GetGlobalRequest{}); err != nil {
			b.Fatal(err)
		}
		ready := time.Now()
		if got := another.loop.Table().Len(); got != scale {
			b.Fatalf("%d routes, want %d", got, scale)
		}

		b.StopTimer()
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		bare := readAll(b, stored)
		b.ReportMetric(opened.Sub(start).Seconds(), "open-s")
		b.ReportMetric(ready.Sub(opened).Seconds(), "open-to-ready-s")
		b.ReportMetric(bare.Seconds(), "bare-read-s")
		b.StartTimer()
	}
}

func copyFile(b *testing.B, from, to string) {
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// readAll opens a file with bbolt alone and reads every key.
func readAll(b *testing.B, name string) time.Duration {
	start := time.Now()
	db, err := bbolt.Open(name, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	bytes := 0
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, bucket *bbolt.Bucket) error {
			return bucket.ForEach(func(k, v []byte) error {
				bytes += len(k) + len(v)
				return nil
			})
		})
	})
	if err != nil || bytes == 0 {
		b.Fatal(bytes, err)
	}
	return time.Since(start)
}

// BenchmarkList measures the pages of a list of 100 000 floating IPs through
// gRPC: the first, one in the middle, and all of them one after another.
func BenchmarkList(b *testing.B) {
	d := startDaemon(b)
	d.provision(b, scale)
	client := buoyv1.NewFloatingIPsClient(dial(b, d.listeners[0].Addr().String()))
	page := func(token string) string {
		resp, err := client.ListFloatingIPs(b.Context(), &buoyv1.ListFloatingIPsRequest{Parent: "projects/default", PageSize: 1000, PageToken: token})
		if err != nil {
			b.Fatal(err)
		}
		return resp.NextPageToken
	}
	middle := ""
	for range scale / 2000 {
		middle = page(middle)
	}
	for _, bench := range []struct{ name, token string }{{"first", ""}, {"middle", middle}} {
		b.Run("page="+bench.name, func(b *testing.B) {
			for b.Loop() {
				page(bench.token)
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			pages := 1
			for token := page(""); token != ""; token = page(token) {
				pages++
			}
			if pages < scale/1000 {
				b.Fatal(fmt.Sprint(pages, " pages"))
			}
		}
	})
}
