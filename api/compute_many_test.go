package api

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// BenchmarkRouteToNodes changes a gateway's route that the network of a thousand compute
// nodes imports, and waits until each has it: 50 nodes on each connection, as no real
// ones are. The nodes are in the same process.
func BenchmarkRouteToNodes(b *testing.B) {
	const nodes = 1000
	l := newNodeLab(b).furnishNodes(b, nodes)
	close(l.complete)
	l.gateway.announce(99, everywhere)
	var label vrf.Label
	var mu sync.Mutex
	var took []time.Duration
	var began time.Time
	got := make(chan struct{}, nodes)
	l.follow(b, nodes, 50, func(c *buoyv1.Changes) {
		at := time.Now()
		for _, r := range c.GetRoutes() {
			mu.Lock()
			if r.NextHops[0].Label == uint32(label) {
				took = append(took, at.Sub(began))
				got <- struct{}{}
			}
			mu.Unlock()
		}
	})
	b.ResetTimer()
	for i := range b.N {
		time.Sleep(20 * time.Millisecond) // a change that comes after quiet
		mu.Lock()
		label, began = vrf.Label(100+i%1_000_000), time.Now()
		mu.Unlock()
		l.gateway.announce(label, everywhere)
		for range nodes {
			<-got
		}
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
}

// BenchmarkNodeMemory is what a connected compute node costs that has nothing to say: each
// has a connection of its own, and the node's end of it is in the same process.
func BenchmarkNodeMemory(b *testing.B) {
	const nodes = 1000
	l := newNodeLab(b).furnishNodes(b, nodes)
	close(l.complete)
	heap, stacks := benchMemory()
	goroutines := runtime.NumGoroutine()
	l.follow(b, nodes, 1, func(*buoyv1.Changes) {})
	heapAfter, stacksAfter := benchMemory() // once, however often it is asked for
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(int64(heapAfter-heap)+int64(stacksAfter-stacks))/nodes/1024, "KiB/node")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/nodes, "goroutines/node")
}

// follow connects compute nodes, some on each connection, and returns when all have their
// snapshot. Then it tells what comes.
func (l *nodeLab) follow(b *testing.B, nodes, each int, changes func(*buoyv1.Changes)) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	var conn *grpc.ClientConn
	ready := make(chan error, nodes)
	for i := range nodes {
		if i%each == 0 {
			conn = l.dial(b, nil)
		}
		client := buoyv1.NewComputeStreamsClient(conn)
		go func() {
			ready <- func() error {
				stream, err := client.Attach(ctx)
				if err == nil {
					err = stream.Send(&buoyv1.AttachRequest{Message: &buoyv1.AttachRequest_Hello{Hello: &buoyv1.Hello{ComputeNode: nodeName(i)}}})
				}
				if err != nil {
					return err
				}
				for {
					m, err := stream.Recv()
					if err != nil {
						return fmt.Errorf("%s: %w", nodeName(i), err)
					}
					if m.GetEndOfSnapshot().GetPart() == buoyv1.EndOfSnapshot_ROUTES {
						break
					}
				}
				go func() {
					for {
						m, err := stream.Recv()
						if err != nil {
							return
						}
						changes(m.GetChanges())
					}
				}()
				return nil
			}()
		}()
	}
	for range nodes {
		if err := <-ready; err != nil {
			b.Fatal(err)
		}
	}
}
