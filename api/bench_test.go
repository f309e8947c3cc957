package api

import (
	"io"
	"testing"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// One request after the other, over gRPC and HTTP, and several at once.
func BenchmarkGet(b *testing.B) {
	l := newLab(b).furnish(b)
	req := &buoyv1.GetNetworkRequest{Name: public}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			call(b, l.networks.GetNetwork, req)
		}
	})
	b.Run("http", func(b *testing.B) {
		client := overHTTP(b, l.socket)
		for b.Loop() {
			resp, err := client.Get("http://buoy/v1/" + public)
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
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
