package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
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
	stored := provisioned(b, scale)
	for b.Loop() {
		b.StopTimer()
		cfg := copyOf(b, stored)
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
		bare := readAll(b, stored.Store.Path)
		b.ReportMetric(opened.Sub(start).Seconds(), "open-s")
		b.ReportMetric(ready.Sub(opened).Seconds(), "open-to-ready-s")
		b.ReportMetric(bare.Seconds(), "bare-read-s")
		b.StartTimer()
	}
}

// BenchmarkStartToRouter measures from the start of a daemon with floating IPs
// on disk until a router that connects as soon as it can has read the last route.
// Beside it, a bare GoBGP starts, and is given the same routes in memory.
func BenchmarkStartToRouter(b *testing.B) {
	for _, n := range []int{10_000, scale} {
		b.Run(fmt.Sprintf("fips=%d", n), func(b *testing.B) {
			stored := provisioned(b, n)
			for range b.N {
				routes := startOurs(b, copyOf(b, stored), n)
				startBare(b, routes)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// startOurs returns the routes that the router was sent.
func startOurs(b *testing.B, cfg config.Config, n int) (routes []vrf.Route) {
	addr := netip.MustParseAddr("127.0.0.2")
	cfg.Neighbors = []neighbor.Settings{{
		Name: "mx1", Address: addr, Port: 179, AS: benchAS, Families: neighbor.NewFamilies(neighbor.InetVPN), Passive: true,
	}}
	router := lab.NewSink(benchAS, netip.MustParseAddr("10.0.0.1"), n)
	start := time.Now()
	d, err := open(b.Context(), cfg, startup{}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	opened := time.Now()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- d.run(ctx) }()
	go insist(ctx, router, addr, d.speaker.Addrs()[0])
	<-router.Up
	b.ReportMetric(time.Since(start).Seconds(), "buoy-session-s")
	b.ReportMetric(lastRoute(b, router, start).Seconds(), "buoy-s")
	b.ReportMetric(opened.Sub(start).Seconds(), "buoy-open-s")
	for r := range d.loop.Table().All() {
		routes = append(routes, r)
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	return routes
}

// insist makes a router connect until it has a session, and stay until that ends.
func insist(ctx context.Context, router *lab.Sink, from netip.Addr, to netip.AddrPort) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from.AsSlice()}}
	for ctx.Err() == nil {
		if conn, err := d.DialContext(ctx, "tcp4", to.String()); err == nil {
			router.Run(conn)
			conn.Close()
		}
		select {
		case <-router.Up:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func startBare(b *testing.B, routes []vrf.Route) {
	l, err := net.Listen("tcp4", "127.0.0.2:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	router := lab.NewSink(benchAS, netip.MustParseAddr("10.0.0.1"), len(routes))
	go func() {
		if conn, err := l.Accept(); err == nil {
			router.Run(conn)
			conn.Close()
		}
	}()
	runtime.GC()
	start := time.Now()
	e, err := lab.StartBareEngine(b.Context(), benchAS, netip.MustParseAddr("10.0.0.2"))
	if err != nil {
		b.Fatal(err)
	}
	defer e.Stop(b.Context())
	if err := e.AddNeighbor(b.Context(), l.Addr().(*net.TCPAddr).AddrPort(), benchAS); err != nil {
		b.Fatal(err)
	}
	if err := e.Advertise(b.Context(), routes); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(lastRoute(b, router, start).Seconds(), "gobgp-s")
}

// lastRoute returns how long after the start the router had all routes.
func lastRoute(b *testing.B, router *lab.Sink, start time.Time) time.Duration {
	select {
	case at := <-router.Full:
		return at.Sub(start)
	case <-time.After(5 * time.Minute):
		b.Fatal("the router does not get everything")
		return 0
	}
}

// provisioned returns the configuration of a daemon that has ended, with so many
// floating IPs in its store.
func provisioned(b *testing.B, n int) config.Config {
	d := startDaemon(b)
	d.provision(b, n)
	cfg := d.cfg
	d.stop()
	<-d.settled
	return copyOf(b, cfg)
}

// copyOf returns the configuration with a copy of the store, and gives the
// memory back that is not the next daemon's.
func copyOf(b *testing.B, cfg config.Config) config.Config {
	to := filepath.Join(b.TempDir(), "buoy.db")
	content, err := os.ReadFile(cfg.Store.Path)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	cfg.Store.Path = to
	runtime.GC()
	return cfg
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
