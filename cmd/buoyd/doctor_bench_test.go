package main

import (
	"fmt"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// BenchmarkExamine looks at everything with 100 000 floating IPs, which 8 neighbors were sent,
// which nobody wants as their compute nodes are drained, or while others write.
func BenchmarkExamine(b *testing.B) {
	d := crowded(b, 8)
	client := buoyv1.NewExaminationsClient(dial(b, d.listeners[0].Addr().String()))
	examine := func(b *testing.B, healthy bool) {
		e, err := client.Examine(b.Context(), &buoyv1.ExamineRequest{})
		if err != nil || e.Healthy != healthy || len(e.Findings) > 40 {
			b.Fatalf("got %v, %v", e, err)
		}
	}
	b.Run("sent to 8", func(b *testing.B) {
		for b.Loop() {
			examine(b, true)
		}
	})
	write := func(b *testing.B, i int) {
		d.must(b, inventory.CreateNetwork{Network: inventory.Network{Name: fmt.Sprintf("projects/w%d/networks/n", i)}})
		d.must(b, inventory.DeleteNetwork{Name: fmt.Sprintf("projects/w%d/networks/n", i)})
	}
	b.Run("two changes alone", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			write(b, i)
		}
	})
	b.Run("two changes beside it", func(b *testing.B) {
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
					client.Examine(b.Context(), &buoyv1.ExamineRequest{})
				}
			}
		}()
		for i := 0; b.Loop(); i++ {
			write(b, i)
		}
		close(stop)
		<-done
	})
	b.Run("all withheld", func(b *testing.B) {
		for n := range d.follower.State().ComputeNodes() {
			d.must(b, inventory.DrainComputeNode{Name: n.Name})
		}
		for b.Loop() {
			examine(b, false)
		}
	})
}
