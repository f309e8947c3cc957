package bgp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// speaking is what is measured: Buoy's speaker or a bare GoBGP, the routers
// that it has a session with, and the routes that they all have.
type speaking struct {
	b         *testing.B
	advertise func(context.Context, []vrf.Route) error
	connect   func(netip.AddrPort)
	stop      func()
	routes    []vrf.Route
	watchers  []*watcher
	sinks     []*sink // the watchers'
	changes   int     // so far
}

func startOurs(b *testing.B, routes []vrf.Route, routers int) *speaking {
	s := run(b, "127.0.0.1:0", speakerID)
	var list []neighbor.Settings
	connect := func(addr netip.AddrPort) {
		list = append(list, settingsOf(fmt.Sprint("mx", len(list)), addr))
		tell(b, s, list...)
	}
	return fill(&speaking{b: b, advertise: s.Advertise, connect: connect, stop: func() { tell(b, s) }, routes: routes}, routers)
}

func startBare(b *testing.B, routes []vrf.Route, routers int) *speaking {
	e, err := lab.StartBareEngine(b.Context(), as, netip.MustParseAddr(speakerID))
	if err != nil {
		b.Fatal(err)
	}
	connect := func(addr netip.AddrPort) {
		if err := e.AddNeighbor(b.Context(), addr, as); err != nil {
			b.Fatal(err)
		}
	}
	stop := func() { e.Stop(b.Context()) }
	return fill(&speaking{b: b, advertise: e.Advertise, connect: connect, stop: stop, routes: routes}, routers)
}

// fill connects the routers and waits until each of them has the routes.
func fill(s *speaking, routers int) *speaking {
	for i := range routers {
		w := newWatcher(s.b, i, len(s.routes))
		s.connect(w.addr)
		<-w.Up
		s.watchers, s.sinks = append(s.watchers, w), append(s.sinks, w.sink)
	}
	for chunk := range slices.Chunk(s.routes, 1000) {
		if err := s.advertise(s.b.Context(), chunk); err != nil {
			s.b.Fatal(err)
		}
	}
	last(s.b, s.sinks, time.Now())
	runtime.GC() // what it took to fill is not the changes' cost
	return s
}

// change gives one route a label that none had before, and returns the time
// until the last router has read it.
func (s *speaking) change() time.Duration {
	s.changes++
	r := s.routes[s.changes*7919%len(s.routes)] // a prime: the next one is elsewhere in the table
	r.Label = vrf.Label(200_000 + s.changes)
	nlri := nlriOf(r)
	for _, w := range s.watchers {
		w.sought.Store(&nlri)
	}
	route := []vrf.Route{r}
	begin := time.Now()
	if err := s.advertise(s.b.Context(), route); err != nil {
		s.b.Fatal(err)
	}
	return last(s.b, s.sinks, begin)
}

// changeAll makes changes one after the other, and returns their times, the
// shortest first.
func (s *speaking) changeAll(n int) (times []time.Duration) {
	for range n {
		times = append(times, s.change())
	}
	slices.Sort(times)
	return times
}

// nlriOf is what a router reads of a VPNv4 route behind the length: label with
// bottom of stack, distinguisher, prefix (RFC 8277 §2.2, RFC 4364 §4.3.4).
func nlriOf(r vrf.Route) []byte {
	rd, label := r.RD.Bytes(), r.Label<<4|1
	b := append([]byte{byte(label >> 16), byte(label >> 8), byte(label)}, rd[:]...)
	return append(b, r.Prefix.Addr().AsSlice()...)
}

// watcher is a sink that, once it is full, says so again when it reads an NLRI
// that is looked for.
type watcher struct {
	*sink
	sought atomic.Pointer[[]byte] // nil: none is looked for
	read   atomic.Int64           // when anything was read, in Unix nanoseconds
}

func newWatcher(b *testing.B, n, want int) *watcher {
	s, l := listenSink(b, n, want)
	w := &watcher{sink: s}
	go func() {
		if conn, err := l.Accept(); err == nil {
			defer conn.Close()
			s.Run(&watched{Conn: conn, watcher: w})
		}
	}()
	return w
}

// watched is a watcher's connection. It looks before the sink does, so the sink
// need not know.
type watched struct {
	net.Conn
	*watcher
	tail []byte // an NLRI may be cut in two
}

func (c *watched) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	now := time.Now()
	c.read.Store(now.UnixNano())
	nlri := c.sought.Load()
	if nlri == nil {
		return n, err
	}
	c.tail = append(c.tail, p[:n]...)
	if bytes.Contains(c.tail, *nlri) {
		c.sought.Store(nil)
		c.Full <- now
	}
	c.tail = append(c.tail[:0], c.tail[max(0, len(c.tail)-len(*nlri)+1):]...)
	return n, err
}

// BenchmarkChange measures from the call that changes one route's label to the
// moment that the last router has read it, beside a bare GoBGP.
func BenchmarkChange(b *testing.B) {
	const changes = 2000
	for _, n := range []int{1000, 100_000} {
		routes := many(n)
		for _, routers := range []int{1, 8} {
			b.Run(fmt.Sprintf("routes=%d/routers=%d", n, routers), func(b *testing.B) {
				for range b.N {
					ours := startOurs(b, routes, routers)
					buoy := ours.changeAll(changes)
					ours.stop()
					bare := startBare(b, routes, routers)
					gobgp := bare.changeAll(changes)
					bare.stop()
					for _, p := range []int{50, 99} {
						o, g := buoy[changes*p/100], gobgp[changes*p/100]
						b.ReportMetric(micros(o), fmt.Sprintf("buoy-p%d-µs", p))
						b.ReportMetric(micros(g), fmt.Sprintf("gobgp-p%d-µs", p))
						b.ReportMetric(float64(g)/float64(o), fmt.Sprintf("gobgp/buoy-p%d", p))
					}
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// BenchmarkNewNeighbor measures how long a router that connects takes to have
// all routes, and how long changes take meanwhile to one that has them. Changes
// follow each other, so there are more of them while they are fast.
func BenchmarkNewNeighbor(b *testing.B) {
	for _, n := range []int{100_000, 500_000} {
		routes := many(n)
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			for range b.N {
				newNeighbor(b, startOurs(b, routes, 1), "")
				if n == 100_000 { // it takes a minute with more
					newNeighbor(b, startBare(b, routes, 1), "gobgp-")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func newNeighbor(b *testing.B, s *speaking, prefix string) {
	defer s.stop()
	quiet := s.changeAll(2000)
	newcomer := newWatcher(b, 1, len(s.routes))
	s.connect(newcomer.addr)
	<-newcomer.Up
	begin := time.Now()
	var times []time.Duration
	for len(newcomer.Full) == 0 {
		times = append(times, s.change())
	}
	slices.Sort(times)
	// What changed after it was sent was counted twice: the last NLRI is there
	// when nothing more comes.
	end := time.Unix(0, newcomer.read.Load())
	for time.Since(end) < 300*time.Millisecond {
		time.Sleep(10 * time.Millisecond)
		end = time.Unix(0, newcomer.read.Load())
	}
	b.ReportMetric(end.Sub(begin).Seconds(), prefix+"newcomer-s")
	b.ReportMetric(float64(len(times)), prefix+"watcher-changes")
	for what, times := range map[string][]time.Duration{"watcher": times, "quiet": quiet} {
		b.ReportMetric(micros(times[len(times)/2]), prefix+what+"-p50-µs")
		b.ReportMetric(micros(times[len(times)*99/100]), prefix+what+"-p99-µs")
		b.ReportMetric(micros(times[len(times)-1]), prefix+what+"-max-µs")
	}
}
