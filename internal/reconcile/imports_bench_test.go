package reconcile

import (
	"fmt"
	"net/netip"
	"testing"
	"unique"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

const carriedTarget = "64512:10003"

// announced is what a router has announced: routes of 100 compute nodes, one
// behind the other in the order of keys.
func announced(n int) vrf.RIB {
	rib, source := vrf.NewRIB(), &vrf.Source{Neighbor: "mx1", Address: addr("10.0.0.1")}
	for i := range n {
		rib.Load(announcedRoute(source, i, vrf.Label(16+i)))
	}
	return rib
}

func announcedRoute(source *vrf.Source, i int, label vrf.Label) *vrf.Received {
	node := netip.AddrFrom4([4]byte{10, 0, 1, byte(i % 100)})
	prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	return &vrf.Received{
		Key:    vrf.Key{RD: routetarget.IPv4Distinguisher(node, 1), Prefix: prefix},
		Source: source, Label: label,
		Attributes: unique.Make(vrf.Attributes{NextHop: node, LocalPref: vrf.LocalPrefDefault, Targets: targets(carriedTarget)}),
	}
}

// importer is a loop that has taken what a router has announced, and an inventory
// with one network.
type importer struct {
	*Imports
	b     *testing.B
	state *inventory.State
	next  inventory.Version
}

func newImporter(b *testing.B, rib vrf.RIB) *importer {
	i := &importer{NewImports(nil, nil, NewChanges()), b, inventory.NewState(inventory.Static{}), 0}
	i.Imports.retarget(i.apply("global", inventory.Global{AS: 64512, NextNetworkID: 2}), []string{inventory.GlobalName})
	i.take(vrf.Update{Of: "mx1", Routes: rib, All: true})
	i.publish()
	return i
}

func (i *importer) apply(key string, v any) *inventory.State {
	i.next++
	c := change(key, v)
	c.Version = i.next
	if _, err := i.state.Apply(uint64(i.next), []inventory.Change{c}); err != nil {
		i.b.Fatal(err)
	}
	return i.state.Snapshot()
}

// importing returns a state in which the network imports a target.
func (i *importer) importing(target string) *inventory.State {
	return i.apply("network/"+public, inventory.Network{Name: public, ID: 1, ImportTargets: targets(target)})
}

// retarget is from the inventory's new state to the tables that readers see.
func (i *importer) retarget(state *inventory.State) {
	i.Imports.retarget(state, []string{public})
	i.publish()
}

// BenchmarkRetarget makes a network import another target: one that all received
// routes carry, which brings them in; one that none carries, in place of that,
// which puts them out; and one that none carries in place of another such.
func BenchmarkRetarget(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		rib := announced(n)
		for _, bench := range []struct{ name, from, to string }{
			{"in", "64512:1", carriedTarget}, {"out", carriedTarget, "64512:1"}, {"unknown", "64512:1", "64512:2"},
		} {
			b.Run(fmt.Sprintf("%s/routes=%d", bench.name, n), func(b *testing.B) {
				l := newImporter(b, rib)
				from, to := l.importing(bench.from), l.importing(bench.to)
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					l.retarget(from)
					b.StartTimer()
					l.retarget(to)
				}
				if in := l.Tables().Len() == n; in != (bench.name == "in") {
					b.Fatalf("%d of %d routes are imported", l.Tables().Len(), n)
				}
			})
		}
	}
}

// BenchmarkTake takes one route with another label, with many imported.
func BenchmarkTake(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			rib := announced(n)
			l := newImporter(b, rib)
			l.retarget(l.importing(carriedTarget))
			i, source := 0, &vrf.Source{Neighbor: "mx1", Address: addr("10.0.0.1")}
			b.ReportAllocs()
			for b.Loop() {
				i++
				r := announcedRoute(source, i*7919%n, vrf.Label(200_000+i))
				rib.Set(r)
				l.take(vrf.Update{Of: "mx1", Routes: rib.Copy(), Keys: []vrf.Key{r.Key}})
				l.publish()
			}
		})
	}
}
