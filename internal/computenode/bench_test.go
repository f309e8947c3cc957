package computenode

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
)

// full is so many compute nodes with so many interfaces, all up.
func full(b *testing.B, nodes, interfaces int) (*world, []*Session) {
	w := newWorld(b, nil)
	w.Nodes.log = slog.New(slog.DiscardHandler)
	var sessions []*Session
	list := make([]inventory.InterfaceReport, interfaces)
	for i := range list {
		list[i] = inventory.InterfaceReport{Name: fmt.Sprintf("tap%05d", i), State: inventory.InterfaceUp}
	}
	for i := range nodes {
		name := fmt.Sprintf("computeNodes/cmp-%04d", i)
		w.core.have(moment{}, name, session)
		s := w.open(name)
		if err := s.Report(list, true); err != nil {
			b.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	w.Take()
	return w, sessions
}

// BenchmarkDown reports an interface as down, or up, and takes what that comes to.
func BenchmarkDown(b *testing.B) {
	w, sessions := full(b, 1000, 100)
	defer w.flush()
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		r := inventory.InterfaceReport{Name: fmt.Sprintf("tap%05d", i/len(sessions)%100), State: inventory.InterfaceUp + inventory.InterfaceState(i/(100*len(sessions))+1)%2}
		if err := sessions[i%len(sessions)].Report([]inventory.InterfaceReport{r}, false); err != nil {
			b.Fatal(err)
		}
		if _, places := w.Take(); len(places) != 1 {
			b.Fatalf("%d places, want 1: %+v", len(places), r)
		}
		i++
	}
}

// BenchmarkAllDown reports every interface of all compute nodes as down, and up
// again.
func BenchmarkAllDown(b *testing.B) {
	w, sessions := full(b, 1000, 100)
	state := inventory.InterfaceUp
	b.ReportAllocs()
	for b.Loop() {
		state ^= inventory.InterfaceUp ^ inventory.InterfaceDown
		list := make([]inventory.InterfaceReport, 100)
		for i := range list {
			list[i] = inventory.InterfaceReport{Name: fmt.Sprintf("tap%05d", i), State: state}
		}
		for _, s := range sessions {
			if err := s.Report(list, false); err != nil {
				b.Fatal(err)
			}
		}
		w.Take()
	}
}

// BenchmarkTick looks at 2000 compute nodes of which none is due.
func BenchmarkTick(b *testing.B) {
	w, _ := full(b, 2000, 1)
	for b.Loop() {
		w.tick(0)
		w.next()
	}
}

// BenchmarkNotes writes the notes on everything, and reads them.
func BenchmarkNotes(b *testing.B) {
	w, _ := full(b, 1000, 100)
	for b.Loop() {
		for name := range w.core.nodes {
			w.core.unnoted[name] = struct{}{}
		}
		if err := w.flush(); err != nil {
			b.Fatal(err)
		}
	}
	size := 0
	for _, text := range w.disk.notes {
		size += len(text)
	}
	b.ReportMetric(float64(size)/100_000, "B/interface")
}
