package bgp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/buoynet/buoy/bgp/ribout"
	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// sink is a router that only counts: it takes UPDATEs as fast as it can.
type sink struct {
	addr netip.AddrPort
	up   chan struct{} // closed when the session is established
	want int
	full chan time.Time // when the last of want VPNv4 NLRIs was there
}

// newSink waits for a session from whoever dials it.
func newSink(b *testing.B, n, want int) *sink {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.%d:0", 2+n))
	if err != nil {
		b.Fatal(err)
	}
	s := &sink{addr: l.Addr().(*net.TCPAddr).AddrPort(), up: make(chan struct{}), want: want, full: make(chan time.Time, 1)}
	b.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		b.Cleanup(func() { conn.Close() })
		s.run(conn) // until whoever dialed is done
	}()
	return s
}

func (s *sink) run(conn net.Conn) error {
	config := lab.GatewayConfig{AS: as, RouterID: netip.AddrFrom4([4]byte{10, 0, 0, byte(s.addr.Port())}), Families: []lab.Family{lab.VPNv4}}
	if err := lab.SendMessage(conn, lab.OpenMessage(config)); err != nil {
		return err
	}
	r := bufio.NewReaderSize(conn, 1<<20)
	count, established := 0, false
	for header := make([]byte, 19); ; {
		if _, err := io.ReadFull(r, header); err != nil {
			return err
		}
		body := make([]byte, int(binary.BigEndian.Uint16(header[16:]))-len(header))
		if _, err := io.ReadFull(r, body); err != nil {
			return err
		}
		switch header[18] {
		case 1, 4: // OPEN, KEEPALIVE: the answer to either is a KEEPALIVE
			if _, err := conn.Write(keepalive); err != nil {
				return err
			}
			if header[18] == 4 && !established {
				established = true
				close(s.up)
			}
		case 2:
			if count += countNLRIs(body); count >= s.want {
				s.full <- time.Now()
				count = -1 << 30
			}
		}
	}
}

var keepalive = append(slices.Repeat([]byte{0xff}, 16), 0, 19, 4)

// countNLRIs counts the VPNv4 NLRIs of an UPDATE with an IPv4 next hop.
func countNLRIs(body []byte) int {
	for attrs := body[4:]; len(attrs) >= 3; {
		header, size := 3, int(attrs[2])
		if attrs[0]&0x10 != 0 {
			header, size = 4, int(binary.BigEndian.Uint16(attrs[2:]))
		}
		if attrs[1] == 14 {
			return (size - 17) / 16 // AFI, SAFI, next hop, reserved
		}
		attrs = attrs[header+size:]
	}
	return 0
}

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
// router: Buoy's speaker, a bare GoBGP, and a loop that only writes packed
// UPDATEs that are ready, which is the limit.
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
		case at := <-s.full:
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
	s := run(b, "127.0.0.1:0", "10.0.0.2")
	var list []neighbor.Settings
	for i, sink := range sinks {
		list = append(list, settingsOf(fmt.Sprint("mx", i), sink.addr))
	}
	tell(b, s, list...)
	defer tell(b, s) // the next one has the machine for itself
	for _, sink := range sinks {
		<-sink.up
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
	e, err := lab.StartBareEngine(b.Context(), as, netip.MustParseAddr("10.0.0.2"))
	if err != nil {
		b.Fatal(err)
	}
	defer e.Stop(b.Context())
	for _, sink := range sinks {
		if err := e.AddNeighbor(b.Context(), sink.addr, as); err != nil {
			b.Fatal(err)
		}
		<-sink.up
	}
	begin := time.Now()
	if err := e.Advertise(b.Context(), routes); err != nil {
		b.Fatal(err)
	}
	return last(b, sinks, begin)
}

func dumpPacked(b *testing.B, routes []vrf.Route, n int) time.Duration {
	table := ribout.NewTable()
	if err := table.Advertise(routes); err != nil {
		b.Fatal(err)
	}
	out := table.Open(ribout.Session{LocalAS: as, PeerAS: as, Families: neighbor.NewFamilies(neighbor.InetVPN), MaxMessage: 4096}, neighbor.Policy{})
	var messages []byte
	for more := true; more; {
		messages, more = out.Next(messages, time.Now())
	}
	sinks := sinksFor(b, n, len(routes))
	var conns []net.Conn
	for _, sink := range sinks {
		conn, err := net.Dial("tcp4", sink.addr.String())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(keepalive); err != nil {
			b.Fatal(err)
		}
		<-sink.up
		conns = append(conns, conn)
	}
	begin := time.Now()
	for _, conn := range conns {
		go conn.Write(messages)
	}
	return last(b, sinks, begin)
}
