package ribin

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
)

// BenchmarkReceived takes 100 000 routes of UPDATEs that have been decoded; all
// are taken out at once at the end.
func BenchmarkReceived(b *testing.B) {
	const n = 100_000
	var nlris []bgp.AddrPrefixInterface
	for i := range n { // routes of one attribute set are spread over the table
		j := i%1000*100 + i/1000
		nlris = append(nlris, nlri(fmt.Sprintf("20.%d.%d.%d/32", j>>16, j>>8&0xff, j&0xff), uint32(16+i)))
	}
	for _, most := range []int{200, 1} {
		var updates []*bgp.BGPUpdate
		for chunk := range slices.Chunk(nlris, most) {
			updates = append(updates, announce(b, 100, chunk...))
		}
		b.Run(fmt.Sprintf("nlris=%d", most), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table := NewTable(us)
				in := table.Open(neighbor.Policy{MaxReceived: n}, func() {})
				for _, u := range updates {
					in.Received(u, false, now)
				}
				table.Take()
			}
			b.ReportMetric(float64(b.Elapsed())/float64(time.Duration(b.N)*n), "ns/route")
		})
	}
}
