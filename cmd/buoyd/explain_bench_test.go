package main

import (
	"testing"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// BenchmarkExplain asks about one of 100 000 floating IPs that 8 neighbors were sent,
// and about an address that no network has, among 1000 networks.
func BenchmarkExplain(b *testing.B) {
	const neighbors = 8
	d := crowded(b, neighbors)
	client := buoyv1.NewExplanationsClient(dial(b, d.listeners[0].Addr().String()))
	for _, tt := range []struct {
		name, address string
		healthy       bool
	}{{"sent to 8", "20.0.0.77", true}, {"in no network", "203.0.113.5", false}} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				e, err := client.Explain(b.Context(), &buoyv1.ExplainRequest{Address: tt.address})
				if err != nil || e.Healthy != tt.healthy || tt.healthy && len(e.Paths[0].Neighbors) != neighbors {
					b.Fatalf("got %v, %v", e, err)
				}
			}
		})
	}
}
