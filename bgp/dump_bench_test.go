package bgp

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// sink is a router that waits for whoever dials it.
type sink struct {
	*lab.Sink
	addr netip.AddrPort
}

func newSink(b *testing.B, n, want int, more ...lab.Family) *sink {
	s, l := listenSink(b, n, want, more...)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		b.Cleanup(func() { conn.Close() })
		s.Run(conn) // until whoever dialed is done
	}()
	return s
}

func listenSink(b *testing.B, n, want int, more ...lab.Family) (*sink, net.Listener) {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.%d:0", 2+n))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	id := netip.AddrFrom4([4]byte{10, 0, 0, byte(2 + n)})
	return &sink{lab.NewSink(as, id, want, more...), l.Addr().(*net.TCPAddr).AddrPort()}, l
}

var keepalive = append(slices.Repeat([]byte{0xff}, 16), 0, 19, 4)

func many(n int) []vrf.Route {
	target, _ := routetarget.ParseTarget("target:64512:10003")
	set := routetarget.NewSet(target, routetarget.Automatic(as, 1))
	routes := make([]vrf.Route, n)
	for i := range routes {
		node := netip.AddrFrom4([4]byte{10, 0, 1, byte(i % 100)})
		addr := netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
		routes[i] = vrf.Route{
			Key:   vrf.Key{RD: routetarget.IPv4Distinguisher(node, 1), Prefix: netip.PrefixFrom(addr, 32)},
			Label: vrf.Label(16 + i%100_000), LocalPref: 100, NextHop: node, Targets: set, Encapsulations: vrf.NewEncapsulations(vrf.GRE),
		}
	}
	return routes
}

// BenchmarkDump measures from the first call to the last NLRI at the last
// router: Buoy's speaker, a bare GoBGP, and a loop that encodes and writes packed
// UPDATEs and keeps nothing, which is the limit.
func BenchmarkDump(b *testing.B) {
	for _, n := range []int{100_000, 500_000} {
		routes := many(n)
		for _, sinks := range []int{1, 2, 8} {
			b.Run(fmt.Sprintf("routes=%d/routers=%d", n, sinks), func(b *testing.B) {
				for range b.N {
					ours := dumpOurs(b, routes, sinks)
					packed := dumpPacked(b, routes, sinks)
					b.ReportMetric(ours.Seconds(), "buoy-s")
					b.ReportMetric(packed.Seconds(), "packed-s")
					b.ReportMetric(ours.Seconds()/packed.Seconds(), "buoy/packed")
					if n == 100_000 { // it takes two minutes with more
						bare := dumpBare(b, routes, sinks)
						b.ReportMetric(bare.Seconds(), "gobgp-s")
						b.ReportMetric(bare.Seconds()/ours.Seconds(), "gobgp/buoy")
					}
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func sinksFor(b *testing.B, n, want int) (list []*sink) {
	for i := range n {
		list = append(list, newSink(b, i, want))
	}
	return list
}

// last returns when every router had everything.
func last(b *testing.B, sinks []*sink, start time.Time) time.Duration {
	var latest time.Time
	for _, s := range sinks {
		select {
		case at := <-s.Full:
			if at.After(latest) {
				latest = at
			}
		case <-time.After(5 * time.Minute):
			b.Fatal("a router does not get everything")
		}
	}
	return latest.Sub(start)
}

func dumpOurs(b *testing.B, routes []vrf.Route, n int) time.Duration {
	sinks := sinksFor(b, n, len(routes))
	s := run(b, "127.0.0.1:0", speakerID)
	var list []neighbor.Settings
	for i, sink := range sinks {
		list = append(list, settingsOf(fmt.Sprint("mx", i), sink.addr))
	}
	tell(b, s, list...)
	defer tell(b, s) // the next one has the machine for itself
	for _, sink := range sinks {
		<-sink.Up
	}
	begin := time.Now()
	for chunk := range slices.Chunk(routes, 1000) { // as the reconcile loop does
		if err := s.Advertise(b.Context(), chunk); err != nil {
			b.Fatal(err)
		}
	}
	return last(b, sinks, begin)
}

func dumpBare(b *testing.B, routes []vrf.Route, n int) time.Duration {
	sinks := sinksFor(b, n, len(routes))
	e, err := lab.StartBareEngine(b.Context(), as, netip.MustParseAddr(speakerID))
	if err != nil {
		b.Fatal(err)
	}
	defer e.Stop(b.Context())
	for _, sink := range sinks {
		if err := e.AddNeighbor(b.Context(), sink.addr, as); err != nil {
			b.Fatal(err)
		}
		<-sink.Up
	}
	begin := time.Now()
	if err := e.Advertise(b.Context(), routes); err != nil {
		b.Fatal(err)
	}
	return last(b, sinks, begin)
}

// dumpPacked has no table and keeps nothing: it encodes each UPDATE once, and
// writes it to every router. The clock runs from the first route on.
func dumpPacked(b *testing.B, routes []vrf.Route, n int) time.Duration {
	sinks := sinksFor(b, n, len(routes))
	var queues []chan []byte // with room for all
	for _, sink := range sinks {
		conn, err := net.Dial("tcp4", sink.addr.String())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(keepalive); err != nil {
			b.Fatal(err)
		}
		<-sink.Up
		queue := make(chan []byte, len(routes))
		queues = append(queues, queue)
		go func() {
			for messages := range queue {
				conn.Write(messages)
			}
		}()
	}
	begin := time.Now()
	lab.Pack(routes, 0, func(messages []byte) {
		for _, queue := range queues {
			queue <- messages
		}
	})
	for _, queue := range queues {
		close(queue)
	}
	return last(b, sinks, begin)
}
