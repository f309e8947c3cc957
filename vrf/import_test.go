package vrf

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/routetarget"
)

// tableText returns what is in a VRF's table.
func tableText(tables Tables, vrf uint16) string {
	var parts []string
	for prefix, paths := range tables.All(vrf, netip.Prefix{}) {
		var labels []string
		for _, r := range slices.Concat(paths.Best, paths.Backup, paths.Unusable) {
			labels = append(labels, fmt.Sprint(r.Label))
		}
		parts = append(parts, prefix.String()+"="+strings.Join(labels, "+"))
	}
	return strings.Join(parts, " ")
}

func none(func(*Received) bool) {}

func TestImport(t *testing.T) {
	mx1, mx2 := source("10.0.0.1"), source("10.0.0.2")
	red, blue := targets(t, "64512:1"), targets(t, "64512:2")
	carrying := func(s *Source, prefix string, label Label, set routetarget.Set) *Received {
		r := heard(t, s, "10.0.0.1:1", prefix, func(a *Attributes) { a.Targets = set })
		r.Label = label
		return r
	}
	i := NewImport()
	check := func(what, vrf1, vrf2 string) {
		t.Helper()
		if a, b := tableText(i.Tables(), 1), tableText(i.Tables(), 2); a != vrf1 || b != vrf2 {
			t.Errorf("%s:\n got %q and %q\nwant %q and %q", what, a, b, vrf1, vrf2)
		}
	}
	i.Retarget(map[uint16]routetarget.Set{1: red, 2: blue}, none)
	route := carrying(mx1, "0.0.0.0/0", 100, red)
	i.Replace(nil, route)
	nobody := carrying(mx1, "192.0.2.0/24", 101, targets(t, "64512:9"))
	i.Replace(nil, nobody)
	check("one target", "0.0.0.0/0=100", "")

	other := carrying(mx2, "0.0.0.0/0", 200, red.Union(blue))
	i.Replace(nil, other)
	check("another route, with both targets", "0.0.0.0/0=100+200", "0.0.0.0/0=200")

	moved := carrying(mx1, "0.0.0.0/0", 102, blue)
	i.Replace(route, moved)
	check("its target and label changed", "0.0.0.0/0=200", "0.0.0.0/0=102+200")

	all := slices.Values([]*Received{moved, nobody, other})
	i.Touched()
	i.Retarget(map[uint16]routetarget.Set{2: targets(t, "64512:9", "64512:10")}, all)
	check("a VRF imports something else", "0.0.0.0/0=200", "192.0.2.0/24=101")
	want := []Destination{{2, netip.MustParsePrefix("0.0.0.0/0")}, {2, netip.MustParsePrefix("192.0.2.0/24")}}
	got := i.Touched()
	slices.SortFunc(got, func(a, b Destination) int { return Key{Prefix: a.Prefix}.Compare(Key{Prefix: b.Prefix}) })
	if !slices.Equal(got, want) || len(i.Touched()) > 0 {
		t.Errorf("touched %v, want %v", got, want)
	}

	looked := func(yield func(*Received) bool) { t.Error("every route was looked at"); all(yield) }
	i.Retarget(map[uint16]routetarget.Set{3: targets(t, "64512:77")}, looked)
	i.Replace(other, nil)
	check("withdrawn", "", "192.0.2.0/24=101")
	i.Retarget(map[uint16]routetarget.Set{2: {}}, slices.Values([]*Received{moved, nobody}))
	check("a VRF is gone", "", "")
	i.Replace(moved, nil)
	i.Replace(nobody, nil)
	if len(i.sets)+len(i.bearers) > 0 || i.Tables().Len() > 0 {
		t.Errorf("something is left: %v %v", i.sets, i.bearers)
	}
}

// TestLookup: the longest prefix with a route that can be used.
func TestLookup(t *testing.T) {
	set := targets(t, "64512:1")
	i := NewImport()
	i.Retarget(map[uint16]routetarget.Set{7: set}, none)
	for n, prefix := range []string{"0.0.0.0/0", "198.51.100.0/24", "198.51.100.0/25", "198.51.100.7/32", "::/0", "2001:db8::/32"} {
		r := heard(t, source("10.0.0.1"), "1:1", prefix, func(a *Attributes) { a.Targets = set })
		if n == 2 {
			r.Label = 3 // it cannot be used
		}
		i.Replace(nil, r)
	}
	for addr, want := range map[string]string{
		"198.51.100.7": "198.51.100.7/32", "198.51.100.8": "198.51.100.0/24", "192.0.2.1": "0.0.0.0/0",
		"2001:db8::1": "2001:db8::/32", "2001:db9::1": "::/0",
	} {
		if got, paths := i.Tables().Lookup(7, netip.MustParseAddr(addr)); got.String() != want || len(paths.Best) != 1 {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
	if got, paths := i.Tables().Lookup(8, netip.MustParseAddr("192.0.2.1")); got.IsValid() || paths.Len() > 0 {
		t.Errorf("in another VRF: got %s", got)
	}
}

// TestImportRandom compares the tables with a search of every route, whatever
// changes in whatever order; what has changed is always told.
func TestImportRandom(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	var all []routetarget.Target
	for n := range 6 {
		all = append(all, targets(t, fmt.Sprintf("64512:%d", n+1)).Slice()...)
	}
	some := func(max int) routetarget.Set {
		var list []routetarget.Target
		for range rnd.IntN(max + 1) {
			list = append(list, all[rnd.IntN(len(all))])
		}
		return routetarget.NewSet(list...)
	}
	sources := []*Source{source("10.0.0.1"), source("10.0.0.2")}
	type id struct {
		source *Source
		key    Key
	}
	routes, imports := map[id]*Received{}, map[uint16]routetarget.Set{}
	values := func(yield func(*Received) bool) {
		for _, r := range routes {
			if !yield(r) {
				return
			}
		}
	}
	i := NewImport()
	const vrfs = 5
	before := map[uint16]string{}
	for step := range 5000 {
		switch rnd.IntN(4) {
		case 0:
			changed := map[uint16]routetarget.Set{}
			for range 1 + rnd.IntN(2) {
				changed[uint16(rnd.IntN(vrfs))] = some(3)
			}
			for v, set := range changed {
				imports[v] = set
			}
			i.Retarget(changed, values)
		default:
			r := heard(t, sources[rnd.IntN(2)], fmt.Sprintf("1:%d", rnd.IntN(2)), fmt.Sprintf("10.%d.0.0/16", rnd.IntN(4)),
				func(a *Attributes) { a.Targets = some(3) })
			r.Label = Label(16 + step)
			at := id{r.Source, r.Key}
			if rnd.IntN(3) == 0 {
				r = nil
			}
			if routes[at] != nil || r != nil {
				i.Replace(routes[at], r)
			}
			if routes[at] = r; r == nil {
				delete(routes, at)
			}
		}
		touched := i.Touched()
		tables := i.Tables()
		for v := range uint16(vrfs) {
			want := searched(values, v, imports[v])
			if got := tableText(tables, v); got != want {
				t.Fatalf("step %d, VRF %d:\n got %s\nwant %s", step, v, got, want)
			}
			rows := 0
			for _, paths := range tables.All(v, netip.Prefix{}) {
				rows += paths.Len()
			}
			if n := tables.LenOf(v); n != rows {
				t.Fatalf("step %d, VRF %d: %d routes, counted are %d", step, v, rows, n)
			}
			if want != before[v] && !slices.ContainsFunc(touched, func(d Destination) bool { return d.VRF == v }) {
				t.Fatalf("step %d, VRF %d: nobody was told", step, v)
			}
			before[v] = want
		}
	}
}

// searched returns what is in a VRF's table, the slow way.
func searched(routes iter.Seq[*Received], vrf uint16, imports routetarget.Set) string {
	byPrefix := map[netip.Prefix][]*Received{}
	for r := range routes {
		if r.Attributes.Value().Targets.Intersects(imports) {
			byPrefix[r.Prefix] = append(byPrefix[r.Prefix], r)
		}
	}
	var parts []string
	for prefix, list := range byPrefix {
		var labels []string
		for _, r := range Rank(list).Best {
			labels = append(labels, fmt.Sprint(r.Label))
		}
		parts = append(parts, prefix.String()+"="+strings.Join(labels, "+"))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}
