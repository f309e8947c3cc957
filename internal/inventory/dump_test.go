package inventory

import (
	"fmt"
	"strings"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/vrf"
)

// dump shows everything that a state knows of what is stored, indexes included.
func dump(s *State) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("revision %d, global %+v", s.revision, s.global)
	for n := range s.Networks() {
		line("%+v uses %d", *n, s.taken.Used(n.Name, n.Usable()))
	}
	for p := range s.Pools() {
		line("%+v uses %d", *p, s.Used(p))
	}
	for v := range s.Bindings() {
		line("%+v", *v)
	}
	for n := range s.ComputeNodes() {
		line("%+v has %d labels", *n, s.labelRuns.Count(n.Name, ipam.Number{}, ipam.Number{Lo: uint64(vrf.MaxLabel)}))
	}
	for n := range s.Neighbors() {
		line("%+v", *n)
	}
	for f := range s.FloatingIPs("") {
		stored := *f
		stored.Changed = 0 // what was before is not in the store
		line("%+v taken %t %v", stored, s.taken.Contains(f.Network, f.Address), s.RoutesOf(f))
	}
	s.interfaces.Scan(func(key string, use *interfaceUse) bool {
		line("%s: %+v", key, *use)
		return true
	})
	s.resting.Scan(func(key string, r *restingLabel) bool {
		line("%s: %+v", key, *r)
		return true
	})
	s.cursors.Scan(func(source string, c *cursor) bool {
		line("cursor of %s: %+v", source, *c)
		return true
	})
	s.answersByTime.Scan(func(a *answer) bool {
		line("%s: %+v", a.key, *a)
		return true
	})
	s.answered.Scan(func(scope string, n int) bool {
		line("%d in answers of %q, %d of all", n, scope, s.answersByScope.Len())
		return true
	})
	dumpIndexes(s, line)
	return b.String()
}

func dumpIndexes(s *State, line func(string, ...any)) {
	s.networkIDs.Scan(func(id uint16, n *Network) bool {
		line("id %d: %+v", id, *n)
		return true
	})
	s.nodeAddrs.m.Scan(func(a string, n *ComputeNode) bool {
		line("%s: %s", a, n.Name)
		return true
	})
	s.routerIDs.m.Scan(func(id string, n *ComputeNode) bool {
		line("router id %s: %s", id, n.Name)
		return true
	})
	s.neighborAddrs.m.Scan(func(a string, n *Neighbor) bool {
		line("%s: %s", a, n.Name)
		return true
	})
	s.addresses.Scan(func(item addressItem) bool {
		line("%s in %s: %s", item.addr, item.network, item.fip.Name)
		return true
	})
	s.byNode.Scan(func(item nodeItem) bool {
		line("%s: %s", item.node, item.fip)
		return true
	})
	s.byPlace.Scan(func(item placeItem) bool {
		line("%s on %s: %s", item.ComputeNode, item.Interface, item.fip)
		return true
	})
	s.labels.Scan(func(use *interfaceUse) bool {
		line("label %d of %s: %s, taken %t", use.Label, use.node, use.name, s.labelRuns.Contains(use.node, ipam.Number{Lo: uint64(use.Label)}))
		return true
	})
	s.byRelease.Scan(func(r *restingLabel) bool {
		line("label %d of %s rests, taken %t", r.label, r.node, s.labelRuns.Contains(r.node, ipam.Number{Lo: uint64(r.label)}))
		return true
	})
}
