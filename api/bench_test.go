package api

import (
	"testing"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// One request after the other, and as many at once as there are processors.
func BenchmarkGet(b *testing.B) {
	l := newLab(b).furnish(b)
	req := &buoyv1.GetNetworkRequest{Name: public}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			call(b, l.networks.GetNetwork, req)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				call(b, l.networks.GetNetwork, req)
			}
		})
	})
}
