package inventory

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"testing"

	"github.com/buoynet/buoy/vrf"
)

// sizes are how many floating IPs are there already.
var sizes = []int{1000, 10_000, 100_000}

// perNode is how many floating IPs a compute node has, and perNetwork a
// network.
const (
	perNode    = 200
	perNetwork = 20_000
)

// filled returns a store with n associated floating IPs, and one that is not.
func filled(n int) (changes []Change, free string) {
	add := func(m Mutation) { changes = append(changes, Change{Key: m.Key, Value: m.Value, Version: 1}) }
	add(put(globalKey, Absent, Global{AS: 64512, NextNetworkID: 1}))
	for i := range n/perNetwork + 1 {
		add(put(networkPrefix+benchNetwork(i), Absent, Network{
			Name: benchNetwork(i), ID: uint16(i + 1), Subnets: []netip.Prefix{netip.PrefixFrom(benchAddr(i, 0), 12)}, Targets: targets(fmt.Sprintf("64512:%d", i))}))
	}
	for i := range n/perNode + 1 {
		address := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		add(put(nodePrefix+benchNode(i), Absent, ComputeNode{Name: benchNode(i), Address: address, RouterID: address}))
	}
	for i := range n {
		f, iface := benchFloatingIP(i), benchInterface(i)
		add(put(floatingIPPrefix+f.Name, Absent, f))
		add(claim(addressKey(uint16(i/perNetwork+1), f.Address), f.Name))
		add(put(interfaceKey(benchNode(i/perNode), iface), Absent, interfaceUse{Label: f.Associations[0].Label, Users: 1}))
		add(claim(labelKey(benchNode(i/perNode), f.Associations[0].Label), iface))
	}
	f := FloatingIP{Name: FloatingIPName("default", "free"), Network: benchNetwork(0), Address: benchAddr(0, perNetwork+1)}
	add(put(floatingIPPrefix+f.Name, Absent, f))
	return changes, f.Name
}

func benchNetwork(i int) string { return NetworkName("default", fmt.Sprint("vn-public-", i)) }
func benchNode(i int) string    { return ComputeNodeName(fmt.Sprintf("rack%d-cmp%d", i/40, i)) }
func benchInterface(i int) string {
	return fmt.Sprintf("tap%08x-%02x", i*2654435761&0xffffffff, i&0xff)
}

func benchAddr(network, i int) netip.Addr {
	return netip.AddrFrom4([4]byte{100, byte(network << 4), byte(i >> 8), byte(i)})
}

func benchFloatingIP(i int) FloatingIP {
	return FloatingIP{
		Name: FloatingIPName("default", fmt.Sprintf("web-%06d", i)), Network: benchNetwork(i / perNetwork), Address: benchAddr(i/perNetwork, 1+i%perNetwork),
		Associations: []Association{{
			ComputeNode: benchNode(i / perNode), Interface: benchInterface(i), FixedIP: netip.AddrFrom4([4]byte{10, 47, byte(i >> 8), byte(i)}), Label: vrf.Label(16 + i%perNode)}},
	}
}

func apply(b *testing.B, s *State, changes []Change) {
	b.Helper()
	if _, err := s.Apply(s.revision+1, changes); err != nil {
		b.Fatal(err)
	}
}

func eachSize(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) { run(b, n) })
	}
}

// BenchmarkPlanAssociate plans the association of a floating IP.
func BenchmarkPlanAssociate(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		changes, free := filled(n)
		s := NewState(Static{})
		apply(b, s, changes)
		c := associate(free, benchNode(0), "tap-new", 1000)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Plan(s, now, c); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPlanAllocateNext plans the allocation of the next free address, in a
// network where many are taken in a row, and the cursor is at the beginning.
func BenchmarkPlanAllocateNext(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			s := crowded(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Plan(s, now, Allocate{Name: fip("next"), Pool: poolA}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDraftAllocate carries out 500 allocations of the next free address
// in one draft, as the store does when many wait.
func BenchmarkDraftAllocate(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("%dk", n/1000), func(b *testing.B) {
			s := crowded(b, n)
			var commands []Command
			for i := range 500 {
				commands = append(commands, Allocate{Name: fip(fmt.Sprint("next", i)), Pool: poolA})
			}
			b.ReportAllocs()
			for b.Loop() {
				d := NewDraft(s, now)
				for _, c := range commands {
					if err := d.Do(c); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/500, "µs/allocation")
		})
	}
}

// crowded returns a state with a pool of which the first n addresses are taken.
func crowded(b *testing.B, n int) *State {
	w := newWorld(b)
	w.do(network(public, "10.0.0.0/8"), pool(poolA, "10.64.0.0/10"))
	var changes []Change
	address := addr("10.64.0.0")
	for i := range n {
		f := FloatingIP{Name: fip(i), Network: public, Pool: poolA, Address: address, Scope: ScopeRequest}
		changes = append(changes, Change{Key: floatingIPPrefix + f.Name, Value: put("", 0, f).Value, Version: 4})
		address = address.Next()
	}
	apply(b, w.state, changes)
	return w.state
}

// BenchmarkApplySnapshot takes over the change of one floating IP, and takes a
// snapshot, as the follower does for every commit.
func BenchmarkApplySnapshot(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		changes, _ := filled(n)
		s := NewState(Static{})
		apply(b, s, changes)
		var commits [][]Change
		for range 256 {
			i := rand.IntN(n)
			f, node := benchFloatingIP(i), benchNode(i/perNode)
			f.Associations[0].Preferred = rand.IntN(2) == 0
			var commit []Change
			for _, m := range []Mutation{
				put(floatingIPPrefix+f.Name, AnyVersion, f),
				put(interfaceKey(node, f.Associations[0].Interface), AnyVersion, interfaceUse{Label: f.Associations[0].Label, Users: 1 + rand.IntN(2)}),
			} {
				commit = append(commit, Change{Key: m.Key, Value: m.Value, Version: 2})
			}
			commits = append(commits, commit)
		}
		var snapshot *State
		i := 0
		b.ReportAllocs()
		for b.Loop() {
			apply(b, s, commits[i%len(commits)])
			snapshot = s.Snapshot()
			i++
		}
		runtime.KeepAlive(snapshot)
	})
}

// BenchmarkRestart builds a state from the content of the store. It reports
// the heap that a floating IP takes.
func BenchmarkRestart(b *testing.B) {
	for _, order := range []string{"sorted", "shuffled"} { // as the store reports them; as they came in over time
		b.Run(order, func(b *testing.B) {
			eachSize(b, func(b *testing.B, n int) {
				changes, _ := filled(n)
				m := memory{keys: map[string]entry{}}
				for _, c := range changes {
					m.keys[c.Key] = entry{string(c.Value), c.Version, c.Version}
				}
				changes = m.content()
				m.keys = nil
				if order == "shuffled" {
					rand.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
				}
				var s *State
				before := heap()
				b.ReportAllocs()
				for b.Loop() {
					s = NewState(Static{})
					for _, c := range changes {
						c.Key = strings.Clone(c.Key) // the store's keys are fresh, too
						apply(b, s, []Change{c})
					}
				}
				b.ReportMetric(float64(heap()-before)/float64(n), "B/fip")
				runtime.KeepAlive(s)
				runtime.KeepAlive(changes)
			})
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
