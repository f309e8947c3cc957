package main

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

const neighbors = 8 // of manySent

// manySent runs a daemon with 100 000 floating IPs that 8 neighbors were sent, and 1000 other
// networks.
func manySent(b *testing.B) *daemon {
	const networks = 1000
	cfg := provisioned(b, scale)
	for i := range neighbors {
		cfg.Neighbors = append(cfg.Neighbors, neighbor.Settings{
			Name: fmt.Sprintf("mx%d", i), Address: netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}), Port: 179, AS: benchAS,
			Families: neighbor.NewFamilies(neighbor.InetVPN), Passive: true,
		})
	}
	d, err := open(b.Context(), cfg, startup{}, quiet)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	for i := range networks {
		d.must(b, inventory.CreateNetwork{Network: inventory.Network{Name: fmt.Sprintf("projects/p%d/networks/n", i),
			Subnets: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{30, byte(i >> 8), byte(i), 0}), 24)}}})
	}
	for _, n := range cfg.Neighbors {
		router := lab.NewSink(benchAS, netip.AddrFrom4([4]byte{10, 0, 1, n.Address.As4()[3]}), scale)
		go insist(ctx, router, n.Address, d.speaker.Addrs()[0])
		<-router.Full
	}
	return d
}

// BenchmarkExplain asks about one of 100 000 floating IPs that 8 neighbors were sent,
// and about an address that no network has, among 1000 networks.
func BenchmarkExplain(b *testing.B) {
	d := manySent(b)
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
