package api

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/bolt"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// BenchmarkWatch changes a floating IP while many watch, and waits for the last of
// them: 50 watches on each connection, 1000 floating IPs, 8 neighbors. The clients are in the same
// process, and their memory and allocations are counted, too.
func BenchmarkWatch(b *testing.B) {
	for _, watchers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("watchers=%d", watchers), func(b *testing.B) { benchWatch(b, watchers) })
	}
}

func benchWatch(b *testing.B, watchers int) {
	const floatingIPs = 1000
	follower, dial := benchServer(b, floatingIPs)
	name := "projects/default/floatingIps/f0"
	heapBefore, stacksBefore := benchMemory()
	var last atomic.Uint64
	var got sync.WaitGroup
	var ready sync.WaitGroup
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for i := range watchers {
		if i%50 == 0 {
			ready.Wait()
		}
		client := buoyv1.NewWatchesClient(dial(i / 50))
		ready.Add(1)
		go func() {
			stream, err := client.Watch(ctx, &buoyv1.WatchRequest{Kinds: []string{"floatingIp"}})
			if err != nil {
				b.Error(err)
				return
			}
			for first := true; ; {
				resp, err := stream.Recv()
				switch {
				case err != nil:
					return
				case resp.GetBookmark() == nil:
				case first:
					first = false
					ready.Done()
				default:
					last.Store(uint64(time.Now().UnixNano()))
					got.Done()
				}
			}
		}()
	}
	ready.Wait()
	heapAfter, stacksAfter := benchMemory()
	var took []time.Duration
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range b.N {
		direction := []inventory.Direction{inventory.Ingress, inventory.Egress}[i%2]
		got.Add(watchers)
		if _, err := follower.Execute(b.Context(), inventory.UpdateFloatingIP{Name: name, Direction: &direction}); err != nil {
			b.Fatal(err)
		}
		committed := time.Now()
		got.Wait()
		took = append(took, time.Unix(0, int64(last.Load())).Sub(committed))
		time.Sleep(2 * watchPace)
	}
	runtime.ReadMemStats(&after)
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-to-last-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-to-last-p99")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N*watchers), "allocs/watcher")
	b.ReportMetric(float64(int64(heapAfter-heapBefore))/float64(watchers), "heap-B/watcher")
	b.ReportMetric(float64(int64(stacksAfter-stacksBefore))/float64(watchers), "stack-B/watcher")
}

// BenchmarkPoll lists the same floating IPs instead, once for each client: what it
// costs to see one change by polling.
func BenchmarkPoll(b *testing.B) {
	for _, clients := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			_, dial := benchServer(b, 1000)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			for range b.N {
				var all sync.WaitGroup
				for i := range clients {
					client := buoyv1.NewFloatingIPsClient(dial(i / 50))
					all.Go(func() {
						if _, err := client.ListFloatingIPs(b.Context(), &buoyv1.ListFloatingIPsRequest{}); err != nil {
							b.Error(err)
						}
					})
				}
				all.Wait()
			}
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(took.Microseconds())/float64(b.N), "µs-all")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N*clients), "allocs/client")
		})
	}
}

func benchMemory() (heap, stacks uint64) {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

// benchServer serves floating IPs on a Unix socket. Connections are dialed once.
func benchServer(b *testing.B, floatingIPs int) (*store.Follower, func(n int) *grpc.ClientConn) {
	b.Helper()
	s, err := bolt.Open(filepath.Join(b.TempDir(), "buoy.db"))
	if err != nil {
		b.Fatal(err)
	}
	var static inventory.Static
	speaker := &fakeSpeaker{}
	for i := range 8 {
		settings := neighbor.Settings{Name: fmt.Sprint("mx", i), Address: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), AS: 64512}
		static.Neighbors = append(static.Neighbors, &inventory.Neighbor{Settings: settings})
		speaker.sessions = append(speaker.sessions, session(settings.Name, neighbor.Active, "connection refused"))
	}
	follower := store.NewFollower(s, static, time.Now)
	speaker.state = follower.State
	server := New(Config{
		Inventory: follower,
		Routes:    func() RouteTable { return speaker },
		Sessions:  speaker,
		Families:  neighbor.AllFamilies,
		Logger:    slog.New(slog.DiscardHandler),
	})
	path := filepath.Join(b.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	start(b, follower.Run, s.Close)
	start(b, func(ctx context.Context) error { return server.Serve(ctx, []Listener{listener}) }, nil)
	commands := inventory.Batch{inventory.SeedGlobal{AS: 64512}, inventory.CreateNetwork{Network: inventory.Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("20.0.0.0/8")}}}}
	for i := range floatingIPs {
		commands = append(commands, inventory.Allocate{Name: fmt.Sprint("projects/default/floatingIps/f", i), Network: public})
	}
	if _, err := follower.Execute(b.Context(), commands); err != nil {
		b.Fatal(err)
	}
	conns := map[int]*grpc.ClientConn{}
	return follower, func(n int) *grpc.ClientConn {
		if conns[n] == nil {
			conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { conn.Close() })
			conns[n] = conn
		}
		return conns[n]
	}
}
