package ipam

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// pool is a prefix of which some addresses are taken at random, and places
// where a search begins.
type pool struct {
	name        string
	in          Ranges
	full, empty *Addresses[string]
	cursors     []netip.Addr
}

const (
	benchSpace = "projects/default/networks/public"
	cursors    = 1 << 16
)

// pools are built once, because that takes seconds.
var pools = sync.OnceValue(func() []pool { return []pool{fullV4(), largeV6()} })

// fullV4 is 10.0.0.0/8, of which 99 % are taken: 16.6 million addresses, which
// are stored as runs, because it takes long to add each.
func fullV4() pool {
	p := pool{"10.0.0.0_8-99%", NewRanges(RangeOf(prefix("10.0.0.0/8"))), NewAddresses[string](), NewAddresses[string](), nil}
	g := rand.New(rand.NewPCG(1, 1))
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	free := make([]bool, 1<<24)
	var alone []Range
	for len(alone) < len(free)/100 {
		if i := g.IntN(len(free)); !free[i] {
			free[i] = true
			alone = append(alone, Range{at(i), at(i)})
		}
	}
	for r := range p.in.Minus(NewRanges(alone...)).All() {
		p.full.runs.tree.Load(run[string]{benchSpace, numberOf(r.First), numberOf(r.Last)})
	}
	for range cursors {
		p.cursors = append(p.cursors, at(g.IntN(len(free))))
	}
	return p
}

// largeV6 is 2001:db8::/64, of which one million is taken. As hardly any other
// address is, the searches begin at taken ones.
func largeV6() pool {
	p := pool{"2001:db8::_64-1M", NewRanges(RangeOf(prefix("2001:db8::/64"))), NewAddresses[string](), NewAddresses[string](), nil}
	g := rand.New(rand.NewPCG(2, 1))
	hosts := make([]uint64, 1_000_000)
	for i := range hosts {
		hosts[i] = g.Uint64()
		p.full.Add(benchSpace, addrOf(Number{0x20010db8 << 32, hosts[i]}))
	}
	for range cursors {
		p.cursors = append(p.cursors, addrOf(Number{0x20010db8 << 32, hosts[g.IntN(len(hosts))]}))
	}
	return p
}

// compare measures what is done at each cursor of a pool, and reports how much
// longer it takes than in an empty pool of the same size.
func compare(b *testing.B, do func(b *testing.B, p pool, taken *Addresses[string], cursor netip.Addr)) {
	for _, p := range pools() {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			full, empty := p.full.Copy(), p.empty.Copy()
			i := 0
			for b.Loop() {
				do(b, p, full, p.cursors[i%cursors])
				i++
			}
			inFull := b.Elapsed()
			start := time.Now()
			for i := range b.N {
				do(b, p, empty, p.cursors[i%cursors])
			}
			inEmpty := time.Since(start)
			b.ReportMetric(float64(inEmpty.Nanoseconds())/float64(b.N), "empty-ns/op")
			b.ReportMetric(float64(inFull)/float64(inEmpty), "full/empty")
			b.ReportMetric(float64(full.runs.Len()), "runs")
		})
	}
}

// BenchmarkNextFree finds the next free address.
func BenchmarkNextFree(b *testing.B) {
	compare(b, func(b *testing.B, p pool, taken *Addresses[string], cursor netip.Addr) {
		if _, ok := taken.NextFree(benchSpace, p.in, cursor); !ok {
			b.Fatal("nothing is free")
		}
	})
}

// BenchmarkAllocateRelease takes the next free address and frees it again.
func BenchmarkAllocateRelease(b *testing.B) {
	compare(b, func(b *testing.B, p pool, taken *Addresses[string], cursor netip.Addr) {
		a, ok := taken.NextFree(benchSpace, p.in, cursor)
		if !ok || !taken.Add(benchSpace, a) || !taken.Remove(benchSpace, a) {
			b.Fatal("nothing is free")
		}
	})
}

// BenchmarkCopyAllocateRelease does the same on a copy each time, as when every
// commit takes a snapshot.
func BenchmarkCopyAllocateRelease(b *testing.B) {
	compare(b, func(b *testing.B, p pool, taken *Addresses[string], cursor netip.Addr) {
		taken = taken.Copy()
		a, ok := taken.NextFree(benchSpace, p.in, cursor)
		if !ok || !taken.Add(benchSpace, a) || !taken.Remove(benchSpace, a) {
			b.Fatal("nothing is free")
		}
	})
}

// BenchmarkUsed counts the taken addresses, which looks at every run.
func BenchmarkUsed(b *testing.B) {
	for _, p := range pools() {
		b.Run(p.name, func(b *testing.B) {
			var used uint64
			for b.Loop() {
				used = p.full.Used(benchSpace, p.in)
			}
			b.ReportMetric(float64(used), "addresses")
		})
	}
}

// BenchmarkRanges asks for an address, and subtracts, in sets of many ranges.
func BenchmarkRanges(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		var even, odd []Range
		for i := range n {
			a := addrOf(Number{0x20010db8 << 32, uint64(4 * i)})
			even, odd = append(even, Range{a, a.Next()}), append(odd, Range{a.Next(), a.Next()})
		}
		r, cut := NewRanges(even...), NewRanges(odd...)
		b.Run(fmt.Sprintf("Contains-%dk", n/1000), func(b *testing.B) {
			i := 0
			for b.Loop() {
				if !r.Contains(even[i%n].Last) {
					b.Fatal("it is not there")
				}
				i += 7919
			}
		})
		b.Run(fmt.Sprintf("Minus-%dk", n/1000), func(b *testing.B) {
			for b.Loop() {
				if r.Minus(cut).Len() != n {
					b.Fatal("it is not subtracted")
				}
			}
		})
	}
}
