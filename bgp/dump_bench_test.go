package bgp

import (
	"encoding/binary"
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

func newSink(b *testing.B, n, want int) *sink {
	s, l := listenSink(b, n, want)
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

func listenSink(b *testing.B, n, want int) (*sink, net.Listener) {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.%d:0", 2+n))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	id := netip.AddrFrom4([4]byte{10, 0, 0, byte(2 + n)})
	return &sink{lab.NewSink(as, id, want), l.Addr().(*net.TCPAddr).AddrPort()}, l
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
	pack(routes, func(messages []byte) {
		for _, queue := range queues {
			queue <- messages
		}
	})
	for _, queue := range queues {
		close(queue)
	}
	return last(b, sinks, begin)
}

// pack encodes VPNv4 routes with IPv4 next hops, those with equal attributes
// together, and hands over whole UPDATEs, some at a time.
func pack(routes []vrf.Route, emit func(messages []byte)) {
	type attributes struct {
		nextHop        netip.Addr
		localPref      uint32
		targets        routetarget.Set
		encapsulations vrf.Encapsulations
	}
	groups := map[attributes][]int{}
	for i := range routes {
		r := &routes[i]
		a := attributes{r.NextHop, r.LocalPref, r.Targets, r.Encapsulations}
		groups[a] = append(groups[a], i)
	}
	var messages []byte
	for a, group := range groups {
		trailing := []byte{0x40, 1, 1, 2, 0x40, 2, 0, 0x40, 5, 4} // INCOMPLETE, empty, LOCAL_PREF
		trailing = binary.BigEndian.AppendUint32(trailing, a.localPref)
		trailing = append(trailing, 0xc0, 16, byte(8*(a.targets.Len()+len(a.encapsulations.Slice()))))
		for t := range a.targets.All() {
			bytes := t.Bytes()
			trailing = append(trailing, bytes[:]...)
		}
		for _, e := range a.encapsulations.Slice() {
			trailing = append(trailing, 0x03, 0x0c, 0, 0, 0, 0, 0, byte(e))
		}
		const nlri, reach = 16, 4 + 3 + 13 + 1 // header, family, next hop, reserved
		room := (4096 - 19 - 4 - reach - len(trailing)) / nlri
		hop := a.nextHop.As4()
		for some := range slices.Chunk(group, room) {
			messages = append(messages, keepalive[:16]...)
			messages = binary.BigEndian.AppendUint16(messages, uint16(19+4+reach+nlri*len(some)+len(trailing)))
			messages = append(messages, 2, 0, 0)
			messages = binary.BigEndian.AppendUint16(messages, uint16(reach+nlri*len(some)+len(trailing)))
			messages = binary.BigEndian.AppendUint16(append(messages, 0x90, 14), uint16(reach-4+nlri*len(some)))
			messages = append(append(append(messages, 0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0), hop[:]...), 0)
			for _, i := range some {
				rd, addr, label := routes[i].RD.Bytes(), routes[i].Prefix.Addr().As4(), uint32(routes[i].Label)<<4|1
				messages = append(messages, 120, byte(label>>16), byte(label>>8), byte(label))
				messages = append(append(messages, rd[:]...), addr[:]...)
			}
			messages = append(messages, trailing...)
			if len(messages) >= 1<<16 {
				emit(messages)
				messages = nil
			}
		}
	}
	emit(messages)
}
