package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/vrf"
)

// BenchmarkImport measures from the first byte of a router's UPDATEs until all
// of its routes are in a VRF's table; beside it a bare GoBGP that is sent the
// same bytes, until they are in its global table. It has no VRF.
func BenchmarkImport(b *testing.B) {
	routes := foreign(scale)
	for _, most := range []int{200, 1} {
		messages := packed(routes, most)
		b.Run(fmt.Sprintf("nlris=%d", most), func(b *testing.B) {
			for range b.N {
				ours, bare := importOurs(b, messages, len(routes)), importBare(b, messages, routes)
				b.ReportMetric(ours.wall.Seconds(), "buoy-s")
				b.ReportMetric(bare.wall.Seconds(), "gobgp-s")
				b.ReportMetric(bare.wall.Seconds()/ours.wall.Seconds(), "gobgp/buoy")
				b.ReportMetric(ours.cpu.Seconds(), "buoy-cpu-s")
				b.ReportMetric(bare.cpu.Seconds(), "gobgp-cpu-s")
				b.ReportMetric(bare.cpu.Seconds()/ours.cpu.Seconds(), "gobgp/buoy-cpu")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// elapsed is what something took, on the wall and of the processors' time, which
// other programs on the machine disturb less. It includes the router.
type elapsed struct{ wall, cpu time.Duration }

type instant struct {
	time.Time
	cpu time.Duration
}

func now() instant {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail
	return instant{time.Now(), time.Duration(u.Utime.Nano() + u.Stime.Nano())}
}

func since(begin instant) elapsed {
	end := now()
	return elapsed{end.Sub(begin.Time), end.cpu - begin.cpu}
}

func importOurs(b *testing.B, messages [][]byte, n int) elapsed {
	router := newSource(b)
	d := importer(b, router, 1)
	defer func() { d.stop(); <-d.settled }()
	runtime.GC()
	begin := now()
	router.send(b, messages)
	d.imported(b, n)
	return since(begin)
}

func importBare(b *testing.B, messages [][]byte, routes []vrf.Route) elapsed {
	router := newSource(b)
	e := bareImporter(b, router)
	defer e.Stop(b.Context())
	runtime.GC()
	begin := now()
	router.send(b, messages)
	received(b, e, routes)
	took := since(begin)
	if n, err := e.Count(b.Context()); err != nil || n != len(routes) {
		b.Fatalf("%d routes: %v", n, err)
	}
	return took
}

// BenchmarkImportHeap measures the heap that a received route costs in the whole
// daemon, imported into one VRF and into two, and in a bare GoBGP. What the
// router sends is there before and after.
func BenchmarkImportHeap(b *testing.B) {
	routes := foreign(scale)
	messages := packed(routes, 200)
	perRoute := func(router *source, wait func()) float64 {
		before := heap()
		router.send(b, messages)
		wait()
		return (heap() - before) / scale
	}
	router := newSource(b)
	e := bareImporter(b, router)
	bare := perRoute(router, func() { received(b, e, routes) })
	b.ReportMetric(bare, "gobgp-B/route")
	for networks := 1; networks <= 2; networks++ {
		router := newSource(b)
		d := importer(b, router, networks)
		ours := perRoute(router, func() { d.imported(b, networks*scale) })
		b.ReportMetric(ours, fmt.Sprintf("buoy-B/route-%d", networks))
		b.ReportMetric(bare/ours, fmt.Sprintf("gobgp/buoy-%d", networks))
		runtime.KeepAlive(d)
	}
	runtime.KeepAlive(e)
	runtime.KeepAlive(messages)
	b.ReportMetric(0, "ns/op")
}

// BenchmarkImportChange measures from a router's UPDATE that changes the label of
// one of many routes until a watcher has it: one of Buoy's VRF tables, in the
// process and over gRPC, and one of a bare GoBGP, in the process, of what it
// receives or of the best routes.
func BenchmarkImportChange(b *testing.B) {
	for _, n := range []int{1000, scale} {
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			routes := foreign(n)
			for range b.N {
				buoy := changesOurs(b, routes, watchHere)
				report(b, "buoy", buoy, nil)
				report(b, "buoy-grpc", changesOurs(b, routes, watchRemote), buoy)
				report(b, "gobgp-adjin", changesBare(b, routes, true), buoy)
				report(b, "gobgp-best", changesBare(b, routes, false), buoy)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// report reports times, and how many times as long as ours they are.
func report(b *testing.B, name string, times, ours []time.Duration) {
	for _, p := range []int{50, 99} {
		took := times[len(times)*p/100]
		b.ReportMetric(float64(took)/float64(time.Microsecond), fmt.Sprintf("%s-p%d-µs", name, p))
		if ours != nil {
			b.ReportMetric(float64(took)/float64(ours[len(ours)*p/100]), fmt.Sprintf("%s/buoy-p%d", name, p))
		}
	}
}

// relabel makes changes one after the other: each route gets a label that none
// had before. It returns their times, the shortest first.
func relabel(b *testing.B, router *source, routes []vrf.Route, seen <-chan seenLabel) (times []time.Duration) {
	runtime.GC() // what it took to fill is not the changes' cost
	for i := range 2000 {
		r := routes[(i+1)*7919%len(routes)] // a prime: the next one is elsewhere in the table
		r.Label = vrf.Label(200_000 + i)
		message := packed([]vrf.Route{r}, 1)
		begin := time.Now()
		router.send(b, message)
		for s := range seen {
			if s.label == r.Label {
				times = append(times, s.at.Sub(begin))
				break
			}
		}
	}
	slices.Sort(times)
	return times
}

func changesOurs(b *testing.B, routes []vrf.Route, watch func(context.Context, *testing.B, *daemon, chan<- seenLabel)) []time.Duration {
	router := newSource(b)
	d := importer(b, router, 1)
	defer func() { d.stop(); <-d.settled }()
	router.send(b, packed(routes, 200))
	d.imported(b, len(routes))
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	seen := make(chan seenLabel, 1)
	watch(ctx, b, d, seen)
	return relabel(b, router, routes, seen)
}

func changesBare(b *testing.B, routes []vrf.Route, adjIn bool) []time.Duration {
	router := newSource(b)
	e := bareImporter(b, router)
	defer e.Stop(b.Context())
	router.send(b, packed(routes, 200))
	received(b, e, routes)
	event := lab.BareBest
	if adjIn {
		event = lab.BareAdjIn
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	seen := make(chan seenLabel, 1)
	if err := e.Watch(ctx, event, func(label vrf.Label) { seen <- seenLabel{label, time.Now()} }); err != nil {
		b.Fatal(err)
	}
	return relabel(b, router, routes, seen)
}
