package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

const benchAS = 64512

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// startDaemon runs a daemon with one network, one compute node and the given
// neighbors, on free ports and an empty store.
func startDaemon(b *testing.B, neighbors ...neighbor.Settings) *daemon {
	endpoint, err := config.ParseEndpoint("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	d, err := open(b.Context(), config.Config{
		BGP: config.BGP{
			AS: benchAS, RouterID: netip.MustParseAddr("10.0.0.2"),
			Listen:   []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
			Families: neighbor.AllFamilies,
		},
		API:       config.API{Listen: []config.Endpoint{endpoint}},
		Store:     config.Store{Driver: config.Bolt, Path: filepath.Join(b.TempDir(), "buoy.db")},
		Neighbors: neighbors,
	}, startup{}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	keepRunning(b, d)
	d.must(b, inventory.CreateNetwork{Network: inventory.Network{
		Name: benchNetwork, Subnets: []netip.Prefix{netip.MustParsePrefix("20.0.0.0/8")},
	}})
	d.must(b, inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: benchNode, Address: netip.MustParseAddr("10.0.0.11")}})
	return d
}

const (
	benchNetwork = "projects/default/networks/vn-public"
	benchNode    = "computeNodes/cmp1"
)

func (d *daemon) must(b testing.TB, c inventory.Command) uint64 {
	state, err := d.follower.Execute(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	return state.Revision()
}

func fipName(i int) string { return fmt.Sprintf("projects/default/floatingIps/fip-%d", i) }

func fipAddr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
}

func associate(i int) inventory.Associate {
	return inventory.Associate{Name: fipName(i), Association: inventory.Association{
		ComputeNode: benchNode, Interface: fmt.Sprintf("tap%d", i),
		FixedIP: netip.MustParseAddr("10.47.0.1"), Label: vrf.Label(16 + i),
	}}
}

// fill allocates and associates floating IPs from..to, and waits until the
// speaker has them all.
func (d *daemon) fill(b *testing.B, from, to int) {
	var group sync.WaitGroup
	next := make(chan int)
	for range 64 {
		group.Go(func() {
			for i := range next {
				d.must(b, inventory.Allocate{Name: fipName(i), Network: benchNetwork, Address: fipAddr(i)})
				d.must(b, associate(i))
			}
		})
	}
	for i := from; i < to; i++ {
		next <- i
	}
	close(next)
	group.Wait()
	if err := d.loop.Wait(b.Context(), d.follower.State().Revision()); err != nil {
		b.Fatal(err)
	}
}

// heap returns the bytes in use after a full collection.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// BenchmarkHeap compares the heap that a floating IP costs in the whole daemon
// (state, table and engine) with what a route costs in the engine alone.
func BenchmarkHeap(b *testing.B) {
	const n = 100_000
	{
		before := heap()
		e, err := lab.StartBareEngine(b.Context(), benchAS, netip.MustParseAddr("10.0.0.2"))
		if err != nil {
			b.Fatal(err)
		}
		v := inventory.Network{Name: benchNetwork, ID: 1}
		for i := range n {
			routes := v.VRF(benchAS).RoutesOf([]vrf.Endpoint{{
				Address: fipAddr(i + 1), NextHop: netip.MustParseAddr("10.0.0.11"),
				RouterID: netip.MustParseAddr("10.0.0.11"), Label: vrf.Label(16 + i),
			}})
			if err := e.Advertise(b.Context(), routes); err != nil {
				b.Fatal(err)
			}
		}
		bare := (heap() - before) / n

		d := startDaemon(b)
		before = heap()
		d.fill(b, 1, n+1)
		whole := (heap() - before) / n
		runtime.KeepAlive(e)

		b.ReportMetric(bare, "engine-B/route")
		b.ReportMetric(whole, "daemon-B/fip")
		b.ReportMetric(whole/bare, "daemon/engine")
		b.ReportMetric(0, "ns/op")
	}
}

// BenchmarkAssociate measures one change at a time, with 1000 and 100 000
// floating IPs present and with one and eight neighbors: how long Associate
// takes, and how long after its return the UPDATE has reached every router.
func BenchmarkAssociate(b *testing.B) {
	for _, bench := range []struct{ present, neighbors int }{{1000, 1}, {100_000, 1}, {1000, 8}} {
		b.Run(fmt.Sprintf("present=%d/neighbors=%d", bench.present, bench.neighbors), func(b *testing.B) {
			var routers []*sink
			var settings []neighbor.Settings
			for n := range bench.neighbors {
				router := newSink(b, n)
				routers = append(routers, router)
				settings = append(settings, neighbor.Settings{
					Name: fmt.Sprintf("mx%d", n), Address: router.addr.Addr(), Port: router.addr.Port(), AS: benchAS,
					Families: neighbor.NewFamilies(neighbor.InetVPN),
				})
			}
			reached := func(addr netip.Addr) (last time.Time) {
				for _, r := range routers {
					if at := r.wait(b, addr); at.After(last) {
						last = at
					}
				}
				return last
			}
			d := startDaemon(b, settings...)
			d.fill(b, 1, bench.present+1)
			reached(fipAddr(bench.present))
			var commits, after []time.Duration
			i := bench.present
			for b.Loop() {
				i++
				d.must(b, inventory.Allocate{Name: fipName(i), Network: benchNetwork, Address: fipAddr(i)})
				start := time.Now()
				d.must(b, associate(i))
				returned := time.Now()
				seen := reached(fipAddr(i))
				commits = append(commits, returned.Sub(start))
				after = append(after, max(seen.Sub(returned), 0))
			}
			for name, list := range map[string][]time.Duration{"associate": commits, "after": after} {
				slices.Sort(list)
				b.ReportMetric(float64(list[len(list)/2].Microseconds()), name+"-p50-µs")
				b.ReportMetric(float64(list[len(list)*99/100].Microseconds()), name+"-p99-µs")
			}
		})
	}
}

// sink is a router that takes UPDATEs and notes when each prefix arrived, and when it was
// withdrawn.
type sink struct {
	addr netip.AddrPort

	mu    sync.Mutex
	cond  *sync.Cond
	seen  map[netip.Addr]time.Time
	gone  map[netip.Addr]time.Time
	ended error
}

func newSink(b *testing.B, n int) *sink {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.%d:0", 2+n))
	if err != nil {
		b.Fatal(err)
	}
	s := &sink{addr: l.Addr().(*net.TCPAddr).AddrPort(), seen: map[netip.Addr]time.Time{}, gone: map[netip.Addr]time.Time{}}
	s.cond = sync.NewCond(&s.mu)
	b.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err == nil {
			err = s.receive(conn)
		}
		s.mu.Lock()
		s.ended = err
		s.cond.Broadcast()
		s.mu.Unlock()
	}()
	return s
}

func (s *sink) receive(conn net.Conn) error {
	defer conn.Close()
	config := lab.GatewayConfig{AS: benchAS, RouterID: netip.MustParseAddr("10.0.0.1"), Families: []lab.Family{lab.VPNv4}}
	if err := lab.SendMessage(conn, lab.OpenMessage(config)); err != nil {
		return err
	}
	for {
		m, err := lab.ReadMessage(conn)
		if err != nil {
			return err
		}
		switch body := m.Body.(type) {
		case *bgp.BGPUpdate:
			s.note(body, time.Now())
		case *bgp.BGPOpen, *bgp.BGPKeepAlive: // answered, so the hold time never ends
			if err := lab.SendMessage(conn, bgp.NewBGPKeepAliveMessage()); err != nil {
				return err
			}
		}
	}
}

func (s *sink) note(update *bgp.BGPUpdate, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	note := func(in map[netip.Addr]time.Time, list []bgp.AddrPrefixInterface) {
		for _, nlri := range list {
			if vpn, ok := nlri.(*bgp.LabeledVPNIPAddrPrefix); ok {
				addr, _ := netip.AddrFromSlice(vpn.Prefix.To4())
				in[addr] = now
			}
		}
	}
	for _, attr := range update.PathAttributes {
		switch attr := attr.(type) {
		case *bgp.PathAttributeMpReachNLRI:
			note(s.seen, attr.Value)
		case *bgp.PathAttributeMpUnreachNLRI:
			note(s.gone, attr.Value)
		}
	}
	s.cond.Broadcast()
}

// wait returns when a prefix arrived.
func (s *sink) wait(b *testing.B, addr netip.Addr) time.Time { return s.waitIn(b, s.seen, addr) }

func (s *sink) waitIn(b *testing.B, in map[netip.Addr]time.Time, addr netip.Addr) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if at, ok := in[addr]; ok {
			return at
		}
		if s.ended != nil {
			b.Fatal(s.ended)
		}
		s.cond.Wait()
	}
}
