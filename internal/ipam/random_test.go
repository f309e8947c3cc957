package ipam

import (
	"flag"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

var seed = flag.Uint64("seed", 0, "of the random tests; 0 takes a new one")

func random(t *testing.T) *rand.Rand {
	t.Helper()
	n := *seed
	for n == 0 {
		n = rand.Uint64() // a new one for each round of -count, too
	}
	t.Logf("go test -run %s -seed %d", t.Name(), n)
	return rand.New(rand.NewPCG(n, 1))
}

// member is a number of a space.
type member struct {
	space string
	n     Number
}

// world is a set and the model that it must agree with.
type world struct {
	runs  *Runs[string]
	model map[member]bool
}

// windows are where the random numbers are: at both ends and at a carry. They
// are wide enough for a tree of several levels.
var windows = []Number{{}, {6, most - 200}, {most, most - 399}}

func randomNumber(g *rand.Rand) Number {
	n := windows[g.IntN(len(windows))]
	for range g.IntN(400) {
		n = n.next()
	}
	return n
}

// check compares the whole set with the model.
func (w world) check(t testing.TB) {
	t.Helper()
	members := 0
	for _, x := range dump(t, w.runs) {
		for n := x.first; ; n = n.next() {
			if !w.model[member{x.space, n}] {
				t.Fatalf("%v of %s is in the set, but not in the model", n, x.space)
			}
			if members++; n == x.last {
				break
			}
		}
	}
	if members != len(w.model) {
		t.Fatalf("%d numbers are in the set, %d in the model", members, len(w.model))
	}
}

// query compares the answers about a part of a space.
func (w world) query(t testing.TB, space string, first, last Number) {
	t.Helper()
	count := uint64(0)
	for m := range w.model {
		if m.space == space && !m.n.less(first) && !last.less(m.n) {
			count++
		}
	}
	if got := w.runs.Count(space, first, last); got != count {
		t.Fatalf("Count(%s, %v, %v) = %d, want %d", space, first, last, got, count)
	}
	want, found := first, !last.less(first)
	for found && w.model[member{space, want}] {
		if want == last {
			want, found = Number{}, false
			break
		}
		want = want.next()
	}
	got, ok := w.runs.NextAbsent(space, first, last)
	if ok != found || ok && got != want {
		t.Fatalf("NextAbsent(%s, %v, %v) = %v, %t, want %v, %t", space, first, last, got, ok, want, found)
	}
}

// TestRandomRuns carries out random operations on sets and on copies of them.
func TestRandomRuns(t *testing.T) {
	g := random(t)
	spaces := []string{"", "a", "b"}
	worlds := []world{{NewRuns[string](), map[member]bool{}}}
	largest := 0
	for step := range 6000 {
		w := worlds[g.IntN(len(worlds))]
		m := member{spaces[g.IntN(len(spaces))], randomNumber(g)}
		adds := 40 - 30*(step/1500%2) // of 50: fills up, and empties again
		switch op := g.IntN(60); {
		case op < adds:
			if got := w.runs.Add(m.space, m.n); got == w.model[m] {
				t.Fatalf("step %d: Add(%v) = %t", step, m, got)
			}
			w.model[m] = true
		case op < 50:
			if got := w.runs.Remove(m.space, m.n); got != w.model[m] {
				t.Fatalf("step %d: Remove(%v) = %t", step, m, got)
			}
			delete(w.model, m)
		case op < 52:
			c := world{w.runs.Copy(), maps.Clone(w.model)}
			if len(worlds) < 4 {
				worlds = append(worlds, c)
			} else {
				worlds[g.IntN(len(worlds))] = c
			}
		default:
			w.query(t, m.space, m.n, randomNumber(g))
		}
		if got := w.runs.Contains(m.space, m.n); got != w.model[m] {
			t.Fatalf("step %d: Contains(%v) = %t", step, m, got)
		}
		dump(t, w.runs) // its invariants
		if step%200 == 0 {
			for _, w := range worlds {
				w.check(t)
				w.query(t, m.space, Number{}, maxNumber)
			}
		}
		largest = max(largest, w.runs.Len())
	}
	if largest < 100 {
		t.Errorf("there were never more than %d runs: too few for a tree", largest)
	}
}

// universe is some addresses at every edge. The random ranges begin and end
// at one of them, so that what lies between two of them is all in or all out.
func universe() (list []netip.Addr) {
	for _, s := range []string{
		"0.0.0.0-0.0.0.5", "10.0.255.253-10.1.0.2", "255.255.255.250-255.255.255.255",
		"::-::5", "::fffe:ffff:fffc-::fffe:ffff:ffff", "::1:0:0:0-::1:0:0:3", "2001:db8::ffff:ffff:ffff:fffd-2001:db8:0:1::2",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffa-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	} {
		r, err := ParseRange(s)
		if err != nil {
			panic(err)
		}
		for a := r.First; a != r.Last; a = a.Next() {
			list = append(list, a)
		}
		list = append(list, r.Last)
	}
	return list
}

// randomRanges returns a set and which of the addresses are in it.
func randomRanges(g *rand.Rand, all []netip.Addr) (Ranges, map[netip.Addr]bool) {
	var list []Range
	in := map[netip.Addr]bool{}
	for range g.IntN(8) {
		i := g.IntN(len(all))
		j := min(len(all)-1, i+g.IntN(9))
		r := Range{all[i], all[j]}
		if !r.IsValid() {
			continue // of two families
		}
		list = append(list, r)
		for _, a := range all[i : j+1] {
			in[a] = true
		}
	}
	return NewRanges(list...), in
}

func checkRanges(t testing.TB, name string, r Ranges, all []netip.Addr, want func(netip.Addr) bool) {
	t.Helper()
	for _, a := range all {
		if got := r.Contains(a); got != want(a) {
			t.Fatalf("%s = %s: contains %s: %t", name, r, a, got)
		}
	}
	for i, x := range r.list {
		if !x.IsValid() {
			t.Fatalf("%s has the invalid range %v", name, x)
		}
		if i > 0 && (!r.list[i-1].Last.Less(x.First) || r.list[i-1].Last.Next() == x.First) {
			t.Fatalf("%s = %s: %s is not sorted, or could be joined", name, r, x)
		}
	}
}

func TestRandomRanges(t *testing.T) {
	g, all := random(t), universe()
	overlaps, covers := 0, 0
	for range 1500 {
		a, inA := randomRanges(g, all)
		b, inB := randomRanges(g, all)
		if g.IntN(4) == 0 { // else it would be rare that one covers the other
			b = b.Minus(b.Minus(a))
			maps.DeleteFunc(inB, func(x netip.Addr, _ bool) bool { return !inA[x] })
		}
		checkRanges(t, "a", a, all, func(x netip.Addr) bool { return inA[x] })
		checkRanges(t, "b", b, all, func(x netip.Addr) bool { return inB[x] })
		checkRanges(t, "a ∪ b", a.Union(b), all, func(x netip.Addr) bool { return inA[x] || inB[x] })
		checkRanges(t, "a − b", a.Minus(b), all, func(x netip.Addr) bool { return inA[x] && !inB[x] })
		checkRanges(t, "IPv4 of a", a.Family(false), all, func(x netip.Addr) bool { return inA[x] && x.Is4() })
		checkRanges(t, "IPv6 of a", a.Family(true), all, func(x netip.Addr) bool { return inA[x] && x.Is6() })
		if !a.Minus(b).Union(b).Equal(a.Union(b)) || !a.Union(b).Minus(b).Equal(a.Minus(b)) {
			t.Fatalf("a = %s, b = %s: union and difference do not fit", a, b)
		}
		// Every part of a set ends at an address of the universe, so that its
		// addresses answer for the rest.
		i := slices.IndexFunc(all, func(x netip.Addr) bool { return inA[x] && inB[x] })
		common, ok := a.Overlap(b)
		if ok != (i >= 0) || ok && common.First != all[i] || ok && !(a.Covers(NewRanges(common)) && b.Covers(NewRanges(common))) {
			t.Fatalf("%s overlaps %s at %s, %t", a, b, common, ok)
		}
		if want := b.Minus(a).IsEmpty(); a.Covers(b) != want {
			t.Fatalf("%s covers %s: got %t", a, b, !want)
		} else if want {
			covers++
		}
		if ok {
			overlaps++
		}
	}
	if overlaps < 100 || covers < 100 {
		t.Errorf("only %d overlaps and %d covers", overlaps, covers)
	}
}

// TestRandomAddresses compares with a walk through all addresses.
func TestRandomAddresses(t *testing.T) {
	g, all := random(t), universe()
	s, model := NewAddresses[string](), map[string]map[netip.Addr]bool{"n": {}, "m": {}}
	full := 0
	for step := range 5000 {
		space := []string{"n", "m"}[g.IntN(2)]
		a := all[g.IntN(len(all))]
		if g.IntN(10) < 5+3*(step/1000%2) {
			if got := s.Add(space, a); got == model[space][a] {
				t.Fatalf("Add(%s) = %t", a, got)
			}
			model[space][a] = true
		} else {
			if got := s.Remove(space, a); got != model[space][a] {
				t.Fatalf("Remove(%s) = %t", a, got)
			}
			delete(model[space], a)
		}
		dump(t, s.runs)

		// Only addresses of the universe, so that the walk is short.
		var pool []netip.Addr
		for i := g.IntN(len(all)); i < len(all) && len(pool) < 12; i += 1 + g.IntN(2)*g.IntN(8) {
			pool = append(pool, all[i])
		}
		var list []Range
		used, free := uint64(0), []netip.Addr{}
		for _, a := range pool {
			list = append(list, Range{a, a})
			if model[space][a] {
				used++
			} else {
				free = append(free, a)
			}
		}
		in := NewRanges(list...)
		if got := s.Used(space, in); got != used {
			t.Fatalf("%d of %s are used, want %d", got, in, used)
		}
		var cursor, want netip.Addr
		if g.IntN(10) > 0 {
			cursor = all[g.IntN(len(all))]
		}
		if len(free) > 0 {
			want = free[0]
			if i := slices.IndexFunc(free, func(a netip.Addr) bool { return !a.Less(cursor) }); i >= 0 {
				want = free[i]
			}
		} else {
			full++
		}
		if got, ok := s.NextFree(space, in, cursor); got != want || ok != want.IsValid() {
			t.Fatalf("in %s from %s: got %s, %t, want %s", in, cursor, got, ok, want)
		}
	}
	if full == 0 {
		t.Error("no pool was ever full")
	}
}
