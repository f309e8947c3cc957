package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// obliging takes everything at once.
type obliging struct{}

func (obliging) SetCommitted(time.Time)                                        {}
func (obliging) SetNetworks(context.Context, map[uint16]routetarget.Set) error { return nil }
func (obliging) Advertise(context.Context, []vrf.Route) error                  { return nil }
func (obliging) Withdraw(context.Context, []vrf.Route) error                   { return nil }
func (obliging) SetMembership(context.Context, routetarget.Set) error          { return nil }
func (obliging) SetNeighbors(context.Context, []neighbor.Settings) error       { return nil }

// perNode is how many floating IPs a compute node has.
const perNode = 200

// filled returns an inventory with n associated floating IPs of one network.
func filled(b *testing.B, n int) *inventory.State {
	var changes []inventory.Change
	add := func(key string, v any) { changes = append(changes, change(key, v)) }
	add("global", inventory.Global{AS: 64512, NextNetworkID: 2})
	add("network/"+public, inventory.Network{Name: public, ID: 1, Subnets: []netip.Prefix{netip.MustParsePrefix("100.64.0.0/10")}, Targets: targets("64512:10003")})
	for i := range n/perNode + 1 {
		address := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		add("node/"+nodeName(i), inventory.ComputeNode{Name: nodeName(i), Address: address, RouterID: address})
	}
	for i := range n {
		f := floatingIP(i, 16)
		add("fip/"+f.Name, f)
	}
	state := inventory.NewState(inventory.Static{})
	if _, err := state.Apply(1, changes); err != nil {
		b.Fatal(err)
	}
	return state
}

func nodeName(i int) string { return fmt.Sprint("computeNodes/cmp", i) }

func floatingIP(i int, label vrf.Label) inventory.FloatingIP {
	return inventory.FloatingIP{
		Name: fmt.Sprintf("projects/default/floatingIps/web-%06d", i), Network: public, Address: netip.AddrFrom4([4]byte{100, byte(64 + i>>16), byte(i >> 8), byte(i)}),
		Associations: []inventory.Association{{
			ComputeNode: nodeName(i / perNode), Interface: fmt.Sprint("tap", i), FixedIP: addr("10.47.0.1"), Label: label + vrf.Label(i%perNode)}},
	}
}

func change(key string, v any) inventory.Change {
	value, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return inventory.Change{Key: key, Value: value, Version: 1}
}

// started returns a loop that has done its first pass.
func started(b *testing.B, state *inventory.State) *Loop {
	l := New(nil, nil, obliging{}, NewChanges(), slog.New(slog.DiscardHandler))
	var names []string
	for name := range state.Names() {
		names = append(names, name)
	}
	if !l.pass(b.Context(), state.Snapshot(), names) {
		b.Fatal("the first pass was refused")
	}
	return l
}

// BenchmarkDiff changes the label of one floating IP.
func BenchmarkDiff(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			state := filled(b, n)
			l := started(b, state)
			type step struct {
				state   *inventory.State
				touched []string
			}
			var steps []step
			for i := range 256 {
				f := floatingIP(rand.IntN(n), vrf.Label(1000+i))
				if _, err := state.Apply(uint64(2+i), []inventory.Change{change("fip/"+f.Name, f)}); err != nil {
					b.Fatal(err)
				}
				steps = append(steps, step{state.Snapshot(), []string{f.Name}})
			}
			l.last = steps[len(steps)-1].state
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				s := steps[i%len(steps)]
				d := l.diff(s.state, l.dirty(s.state, s.touched), nil)
				l.advertised(d.Advertise, nil)
				l.last = s.state
				l.Table()
				i++
			}
		})
	}
}

// BenchmarkFirstPass hands over everything. It reports the heap that a
// floating IP takes in the table.
func BenchmarkFirstPass(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			state := filled(b, n)
			var l *Loop
			before := heap()
			b.ReportAllocs()
			for b.Loop() {
				l = started(b, state)
			}
			b.ReportMetric(float64(heap()-before)/float64(n), "B/fip")
			if got := l.Table().Len(); got != n {
				b.Fatalf("%d routes, want %d", got, n)
			}
			runtime.KeepAlive(state)
		})
	}
}

// heap returns the bytes that are in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
