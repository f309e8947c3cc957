package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/metrics"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"google.golang.org/protobuf/proto"
)

// crowded runs a daemon with 100 000 floating IPs that so many routers have, and 1000
// more networks. More neighbors may be given that come by themselves.
func crowded(b *testing.B, routers int, more ...neighbor.Settings) *daemon {
	const networks = 1000
	cfg := provisioned(b, scale)
	for i := range routers {
		cfg.Neighbors = append(cfg.Neighbors, neighbor.Settings{
			Name: fmt.Sprintf("mx%d", i), Address: netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}), Port: 179, AS: benchAS,
			Families: neighbor.NewFamilies(neighbor.InetVPN), Passive: true,
		})
	}
	passive := cfg.Neighbors
	cfg.Neighbors = append(slices.Clone(passive), more...)
	d, err := open(b.Context(), cfg, startup{}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	ctx := keepRunning(b, d)
	for i := range networks {
		d.must(b, inventory.CreateNetwork{Network: inventory.Network{Name: fmt.Sprintf("projects/p%d/networks/n", i),
			Subnets: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{30, byte(i >> 8), byte(i), 0}), 24)}}})
	}
	for _, n := range passive {
		router := lab.NewSink(benchAS, netip.AddrFrom4([4]byte{10, 0, 1, n.Address.As4()[3]}), scale)
		go insist(ctx, router, n.Address, d.speaker.Addrs()[0])
		<-router.Full
	}
	return d
}

// reader asks what an operator asks.
type reader struct {
	routes    buoyv1.RoutesClient
	neighbors buoyv1.NeighborsClient
	explain   buoyv1.ExplanationsClient
}

func (d *daemon) reader(b *testing.B) reader {
	conn := dial(b, d.listeners[0].Addr().String())
	return reader{buoyv1.NewRoutesClient(conn), buoyv1.NewNeighborsClient(conn), buoyv1.NewExplanationsClient(conn)}
}

var toMX1 = &buoyv1.ListRoutesRequest{Neighbor: "neighbors/mx1", Direction: buoyv1.ListRoutesRequest_ADVERTISED}

// page asks for the first page of a list of routes, or the one after it.
func (r reader) page(ctx context.Context, request *buoyv1.ListRoutesRequest, second bool) error {
	answer, err := r.routes.ListRoutes(ctx, request)
	if err == nil && second {
		next := proto.Clone(request).(*buoyv1.ListRoutesRequest)
		next.PageToken = answer.NextPageToken
		answer, err = r.routes.ListRoutes(ctx, next)
	}
	if err == nil && len(answer.Routes) != 1000 {
		err = fmt.Errorf("%d routes", len(answer.Routes))
	}
	return err
}

func (r reader) list(ctx context.Context) error {
	answer, err := r.neighbors.ListNeighbors(ctx, &buoyv1.ListNeighborsRequest{})
	if err == nil && len(answer.Neighbors) < 8 {
		err = fmt.Errorf("%d neighbors", len(answer.Neighbors))
	}
	return err
}

func (r reader) why(ctx context.Context) error {
	answer, err := r.explain.Explain(ctx, &buoyv1.ExplainRequest{Address: "20.0.0.77"})
	if err == nil && !answer.Healthy {
		err = fmt.Errorf("not healthy: %v", answer)
	}
	return err
}

// BenchmarkReads asks, with 100 000 floating IPs that 8 neighbors have, for the neighbors,
// for first pages of routes, for the reasons of one, and for the metrics; the look at all
// of them that the metrics count beside the scrape is here for itself.
func BenchmarkReads(b *testing.B) {
	d := crowded(b, 8)
	r := d.reader(b)
	d.census = metrics.NewCensus(d.countFloatingIPs)
	ctx, cancel := context.WithCancel(b.Context())
	counting := make(chan error, 1)
	go func() { counting <- d.census.Run(ctx, func(err error) { b.Error(err) }) }()
	b.Cleanup(func() { cancel(); <-counting })
	handler := metrics.Handler(d.metrics.Registry(d.metricsSource()), quiet)
	for _, read := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"neighbors", r.list},
		{"routes", func(ctx context.Context) error { return r.page(ctx, &buoyv1.ListRoutesRequest{}, false) }},
		{"network", func(ctx context.Context) error {
			return r.page(ctx, &buoyv1.ListRoutesRequest{Network: benchNetwork}, false)
		}},
		{"advertised", func(ctx context.Context) error { return r.page(ctx, toMX1, false) }},
		{"advertised, two pages", func(ctx context.Context) error { return r.page(ctx, toMX1, true) }},
		{"explain", r.why},
		{"scrape", func(context.Context) error {
			w := httptest.NewRecorder()
			if handler.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil)); w.Code != http.StatusOK {
				return fmt.Errorf("status %d", w.Code)
			}
			return nil
		}},
		{"look at all", func(context.Context) error {
			n, err := d.server.CountFloatingIPs()
			if err == nil && n.Advertised != scale {
				err = fmt.Errorf("%+v", n)
			}
			return err
		}},
	} {
		b.Run(read.name, func(b *testing.B) {
			for b.Loop() {
				if err := read.do(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCommitToWire changes one of 100 000 floating IPs that 8 neighbors have, one after
// another, and measures from the return of the command until a router has read its new
// route; by turns when nobody reads, and while a client asks for explanations, first pages
// and looks at all floating IPs in a loop.
func BenchmarkCommitToWire(b *testing.B) {
	router := newSink(b, 100)
	d := crowded(b, 7, neighbor.Settings{Name: "mx7", Address: router.addr.Addr(), Port: router.addr.Port(), AS: benchAS,
		Families: neighbor.NewFamilies(neighbor.InetVPN)})
	router.wait(b, fipAddr(scale))
	r := d.reader(b)
	label := scale + 16
	took := map[string][]time.Duration{}
	change := func(how string, i int) {
		label++
		c := associate(i)
		c.Association.Label, c.Association.Interface = 0, fmt.Sprint("other", label)
		d.must(b, inventory.Disassociate{Name: fipName(i)})
		router.waitIn(b, router.gone, fipAddr(i))
		router.forget(fipAddr(i))
		d.must(b, c)
		returned := time.Now()
		took[how] = append(took[how], max(router.wait(b, fipAddr(i)).Sub(returned), 0))
	}
	const turn = 50 // changes
	looks, i := 0, 0
	for b.Loop() {
		for range turn {
			i++
			change("quiet", 1+i%scale)
		}
		ctx, cancel := context.WithCancel(b.Context())
		var reading sync.WaitGroup
		reading.Go(func() {
			for ctx.Err() == nil {
				for _, read := range []func(context.Context) error{r.why, r.list,
					func(ctx context.Context) error { return r.page(ctx, &buoyv1.ListRoutesRequest{}, false) },
					func(ctx context.Context) error { return r.page(ctx, toMX1, false) },
					func(context.Context) error { _, err := d.server.CountFloatingIPs(); return err },
				} {
					if err := read(ctx); err != nil && ctx.Err() == nil {
						b.Error(err)
					}
				}
				looks++
			}
		})
		for range turn {
			i++
			change("read", 1+i%scale)
		}
		cancel()
		reading.Wait()
	}
	b.ReportMetric(float64(looks), "rounds-read")
	for how, list := range took {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds()), how+"-p50-µs")
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds()), how+"-p99-µs")
	}
}

// forget makes wait wait for a prefix anew.
func (s *sink) forget(addr netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen, addr)
	delete(s.gone, addr)
}
