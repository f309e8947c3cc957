package ribout

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// many returns routes of 100 compute nodes.
func many(n int) []vrf.Route {
	set := targets("64512:1", "64512:8000001")
	routes := make([]vrf.Route, n)
	for i := range routes {
		routes[i] = route(i%100, address4(i), vrf.Label(16+i%100_000), set)
	}
	return routes
}

// BenchmarkDump measures Advertise and all that Next returns for so many
// neighbors, without a socket.
func BenchmarkDump(b *testing.B) {
	for _, n := range []int{100_000, 500_000} {
		routes := many(n)
		for _, neighbors := range []int{1, 2, 8} {
			b.Run(fmt.Sprintf("routes=%d/neighbors=%d", n, neighbors), func(b *testing.B) {
				for b.Loop() {
					table := NewTable()
					var outs []*Out
					for range neighbors {
						outs = append(outs, table.Open(internal(vpn), neighbor.Policy{}))
					}
					for i := 0; i < n; i += 1000 {
						table.Advertise(routes[i : i+1000])
					}
					var buffer []byte
					for more := true; more; { // in turn, as routers that are equally fast
						for _, o := range outs {
							buffer, more = o.Next(buffer[:0], time.Unix(1, 0))
						}
					}
				}
			})
		}
	}
}

// BenchmarkMemory measures the heap for a route with one neighbor, and for one
// neighbor more.
func BenchmarkMemory(b *testing.B) {
	const n = 500_000
	routes := many(n)
	heap := func() float64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	for range b.N {
		before := heap()
		table := NewTable()
		table.Advertise(routes)
		drain := func() *Out {
			o := table.Open(internal(vpn), neighbor.Policy{})
			for more := true; more; {
				_, more = o.Next(nil, time.Unix(1, 0))
			}
			return o
		}
		first := drain()
		one := heap()
		second := drain()
		two := heap()
		b.ReportMetric((one-before)/n, "B/route")
		b.ReportMetric((two-one)/n, "B/route-and-neighbor")
		runtime.KeepAlive([]any{table, first, second, routes})
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCommitted sends 1000 changed routes of 100 000 to eight neighbors, which come
// from no commit or from one of their own.
func BenchmarkCommitted(b *testing.B) {
	const routes, changed, neighbors = 100_000, 1000, 8
	for _, committed := range []bool{false, true} {
		b.Run(fmt.Sprintf("committed=%t", committed), func(b *testing.B) {
			table := NewTable()
			all := make([]vrf.Route, routes)
			for i := range all {
				all[i] = route(11, fmt.Sprintf("20.%d.%d.%d", i>>16, i>>8&0xff, i&0xff), vrf.Label(16+i), targets("64512:1"))
			}
			table.Advertise(all)
			var outs []*Out
			for range neighbors {
				outs = append(outs, table.Open(internal(vpn), neighbor.Policy{}))
			}
			var buffer []byte
			send := func() (commits int) {
				for _, o := range outs {
					for more := true; more; {
						buffer, more = o.Next(buffer[:0], time.Unix(1, 0))
						commits += len(o.Commits())
					}
				}
				return commits
			}
			send()
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				batch := all[n%100*changed:][:changed]
				for i := range batch {
					batch[i].Label ^= 1 << 18
				}
				if committed {
					table.SetCommitted(time.Now())
				}
				table.Advertise(batch)
				if got := send(); committed != (got > 0) {
					b.Fatalf("%d commits", got)
				}
			}
		})
	}
}
