package main

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"github.com/buoynet/buoy/api/client"
	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// BenchmarkBatches allocates and associates 100 000 floating IPs, with addresses
// and labels that Buoy chooses: in batches of 10 000, and beside it in requests of
// one, by as many callers as a connection may have. The speaker takes the routes
// meanwhile.
func BenchmarkBatches(b *testing.B) {
	const many, size, callers, nodes = 100_000, 10_000, 64, 100
	request := func(i int) (*buoyv1.AllocateRequest, *buoyv1.AssociateRequest) {
		return &buoyv1.AllocateRequest{Name: fipName(i), Network: benchNetwork}, &buoyv1.AssociateRequest{Name: fipName(i), Association: &buoyv1.Association{
			ComputeNode: fmt.Sprint("computeNodes/n", i%nodes), Interface: fmt.Sprint("tap", i), FixedIp: "10.47.0.1"}}
	}
	prepared := func(b *testing.B) buoyv1.FloatingIPsClient {
		d := startDaemon(b)
		for i := range nodes {
			d.must(b, inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{
				Name: fmt.Sprint("computeNodes/n", i), Address: netip.AddrFrom4([4]byte{10, 0, 1, byte(i)})}})
		}
		c, err := client.Dial(d.listeners[0].Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		return c.FloatingIPs
	}
	b.Run("batches", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			fips := prepared(b)
			b.StartTimer()
			for first := 0; first < many; first += size {
				allocate, associate := &buoyv1.BatchAllocateRequest{}, &buoyv1.BatchAssociateRequest{}
				for i := first; i < first+size; i++ {
					one, two := request(i)
					allocate.Requests, associate.Requests = append(allocate.Requests, one), append(associate.Requests, two)
				}
				_, err := fips.BatchAllocate(b.Context(), allocate)
				if err == nil {
					_, err = fips.BatchAssociate(b.Context(), associate)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(many*float64(b.N)/b.Elapsed().Seconds(), "fips/s")
	})
	b.Run("ones", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			fips := prepared(b)
			b.StartTimer()
			var group sync.WaitGroup
			for n := range callers {
				group.Go(func() {
					for i := n; i < many; i += callers {
						one, two := request(i)
						_, err := fips.Allocate(b.Context(), one)
						if err == nil {
							_, err = fips.Associate(b.Context(), two)
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
		}
		b.ReportMetric(many*float64(b.N)/b.Elapsed().Seconds(), "fips/s")
	})
}
