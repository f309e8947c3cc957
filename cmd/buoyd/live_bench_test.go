package main

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/computenode"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

// BenchmarkInterfaceDown measures how long it takes from a report that an interface is down
// until the router has read the withdrawal, with 100 000 floating IPs at 100 compute nodes;
// and by turns, from a call of Disassociate, which is on disk first.
func BenchmarkInterfaceDown(b *testing.B) {
	const nodes, each = 100, 1000
	router := newSink(b, 0)
	d := startDaemon(b, neighbor.Settings{Name: "mx", Address: router.addr.Addr(), Port: router.addr.Port(), AS: benchAS,
		Families: neighbor.NewFamilies(neighbor.InetVPN)})
	var streams []*computenode.Session
	for n := range nodes {
		streams = append(streams, d.living(b, n, n*each+1, each))
	}
	router.wait(b, fipAddr(nodes*each))
	var down, disassociated []time.Duration
	i := 0
	for b.Loop() { // of each pair of floating IPs one way and the other
		i += 2
		if i > nodes*each {
			b.Fatal("too many rounds")
		}
		begin := time.Now()
		if err := streams[(i-1)/each].Report([]inventory.InterfaceReport{{Name: fmt.Sprint("tap", i), State: inventory.InterfaceDown}}, false); err != nil {
			b.Fatal(err)
		}
		down = append(down, router.waitIn(b, router.gone, fipAddr(i)).Sub(begin))
		begin = time.Now()
		d.must(b, inventory.Disassociate{Name: fipName(i - 1)})
		disassociated = append(disassociated, router.waitIn(b, router.gone, fipAddr(i-1)).Sub(begin))
	}
	for name, list := range map[string][]time.Duration{"down": down, "disassociate": disassociated} {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds()), name+"-p50-µs")
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds()), name+"-p99-µs")
	}
}

// living makes a compute node with floating IPs from one on, whose stream has reported all
// interfaces as up.
func (d *daemon) living(b *testing.B, n, from, count int) *computenode.Session {
	name := fmt.Sprint("computeNodes/live", n)
	d.must(b, inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: name, Address: netip.AddrFrom4([4]byte{10, 1, 0, byte(n + 1)}),
		Liveness: inventory.Liveness{Mode: inventory.Session, HoldTime: 3600}}})
	var all inventory.Batch
	var up []inventory.InterfaceReport
	for i := from; i < from+count; i++ {
		tap := fmt.Sprint("tap", i)
		all = append(all, inventory.Allocate{Name: fipName(i), Network: benchNetwork, Address: fipAddr(i)},
			inventory.Associate{Name: fipName(i), Association: inventory.Association{ComputeNode: name, Interface: tap, FixedIP: netip.MustParseAddr("10.47.0.1")}})
		up = append(up, inventory.InterfaceReport{Name: tap, State: inventory.InterfaceUp})
	}
	d.must(b, all)
	s, err := d.nodes.Open(name, "bench", "bench")
	if err == nil {
		err = s.Report(up, true)
	}
	if err != nil {
		b.Fatal(err)
	}
	return s
}
