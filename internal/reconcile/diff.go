package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// dirty returns the names of the floating IPs whose routes may differ between
// the last state and this one, and notes what else has changed.
func (l *Loop) dirty(state *inventory.State, touched []string) map[string]struct{} {
	dirty := map[string]struct{}{}
	networks := map[string]struct{}{} // once each, since membership counts them
	mark := func(f *inventory.FloatingIP) { dirty[f.Name] = struct{}{} }
	for _, name := range touched {
		switch inventory.KindOf(name) {
		case inventory.KindFloatingIP:
			dirty[name] = struct{}{}
		case inventory.KindNetwork:
			networks[name] = struct{}{}
		case inventory.KindComputeNode:
			for f := range state.FloatingIPsAt(name) {
				mark(f)
			}
		case inventory.KindNeighbor:
			l.neighbors = true
		case inventory.KindGlobal:
			if asOf(l.last) == asOf(state) {
				continue
			}
			for n := range state.Networks() { // every automatic target is another one
				networks[n.Name] = struct{}{}
			}
		}
	}
	l.networks = l.networks || len(networks) > 0
	for name := range networks {
		l.membership.replace(importsOf(l.last, name), importsOf(state, name))
		for f := range state.FloatingIPsIn(name) {
			mark(f)
		}
	}
	return dirty
}

// diff compares the routes of the dirty floating IPs with what is advertised.
// What was refused before is in the difference whatever is wanted by now: a
// part of the refused batch may have been taken. Old keys are those of earlier states that
// were kept until now.
func (l *Loop) diff(state *inventory.State, dirty map[string]struct{}, old []vrf.Key) (diff vrf.Diff) {
	table := l.Table() // a snapshot: readers need not wait meanwhile
	wanted := map[vrf.Key]*vrf.Route{}
	for f := range table.failed.Scan {
		wanted[f.route.Key] = f.want()
	}
	for _, key := range old {
		wanted[key] = nil
	}
	for name := range dirty {
		if old, ok := l.last.FloatingIP(name); ok {
			for _, r := range l.last.RoutesOf(old) { // also those of what did not live
				wanted[r.Key] = nil
			}
		}
	}
	for name := range dirty {
		if f, ok := state.FloatingIP(name); ok {
			for _, r := range state.LiveRoutesOf(f, l.living) {
				wanted[r.Key] = &r
			}
		}
	}
	for key, want := range wanted {
		var have *vrf.Route
		if r, _, ok := table.Get(key); ok {
			have = &r
		}
		if f, ok := table.failed.Get(failureOf(key)); ok {
			switch {
			case want != nil:
				have = nil
			case have == nil:
				have = &f.route
			}
		}
		diff.Add(have, want)
	}
	byKey := func(a, b vrf.Route) int { return a.Key.Compare(b.Key) }
	slices.SortFunc(diff.Advertise, byKey)
	slices.SortFunc(diff.Withdraw, byKey)
	return diff
}

func asOf(state *inventory.State) uint32 {
	if g, ok := state.Global(); ok {
		return g.AS
	}
	return 0
}

func importsOf(state *inventory.State, network string) routetarget.Set {
	n, ok := state.Network(network)
	if !ok || asOf(state) == 0 {
		return routetarget.Set{}
	}
	return n.VRF(asOf(state)).Import
}

// membership is the union of the networks' import targets: what Buoy tells its
// neighbors that it wants (RFC 4684).
type membership struct {
	networks map[routetarget.Target]int // how many networks import it
	changed  bool                       // since the speaker was told
}

func newMembership() membership {
	return membership{networks: map[routetarget.Target]int{}, changed: true}
}

// replace counts the changed imports of one network.
func (m *membership) replace(old, new routetarget.Set) {
	if old == new {
		return
	}
	for t := range new.All() {
		m.networks[t]++
		m.changed = m.changed || m.networks[t] == 1
	}
	for t := range old.All() {
		m.networks[t]--
		if m.networks[t] == 0 {
			delete(m.networks, t)
			m.changed = true
		}
	}
}

// tell gives the speaker the membership if it has changed.
func (m *membership) tell(ctx context.Context, s Speaker) error {
	if !m.changed {
		return nil
	}
	targets := make([]routetarget.Target, 0, len(m.networks))
	for t := range m.networks {
		targets = append(targets, t)
	}
	if err := s.SetMembership(ctx, routetarget.NewSet(targets...)); err != nil {
		return fmt.Errorf("announce route target membership: %w", err)
	}
	m.changed = false
	return nil
}
