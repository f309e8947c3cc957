package computenode

import (
	"fmt"
	"maps"
	"slices"

	"github.com/buoynet/buoy/internal/inventory"
)

// compare compares everything with the model, and what was told with what differs.
func (r *random) compare() {
	r.Helper()
	living, places := r.Take()
	for name, n := range r.model.nodes {
		if got := living.Node(name).State; got != n.state {
			r.Errorf("%s is %s, want %s", name, nodeStates[got], nodeStates[n.state])
		}
		if (n.session == nil) != (n.state != inventory.NodeUp) {
			r.Errorf("%s is %s with session %v", name, nodeStates[n.state], n.session)
		}
		for i := range randomInterfaces {
			tap := fmt.Sprint("tap", i)
			got, want := living.Interface(name, tap), r.model.Interface(name, tap)
			if got.State != want.State || got.Preference != want.Preference || got.DampedUntil.IsZero() != want.DampedUntil.IsZero() {
				r.Errorf("%s of %s is %+v, want %+v", tap, name, got, want)
			}
		}
	}
	told := map[inventory.Place]bool{}
	for _, p := range places {
		told[p] = true
	}
	now := r.stand()
	for _, p := range slices.Collect(maps.Keys(r.standing)) {
		before, here := r.standing[p], r.nodeIs(p)
		if here && told[p] != (before != now[p]) {
			r.Errorf("%v: %q, then %q; told: %t", p, before, now[p], told[p])
		}
	}
	r.standing = now
}

func (r *random) nodeIs(p inventory.Place) bool { return r.model.nodes[p.ComputeNode] != nil }

// stand says how an association with each place would stand, by the model.
func (r *random) stand() map[inventory.Place]string {
	all := map[inventory.Place]string{}
	for name := range r.model.nodes {
		maps.Copy(all, r.standOf(name))
	}
	return all
}

func (r *random) standOf(name string) map[inventory.Place]string {
	state := r.feed.state
	places := map[inventory.Place]string{}
	for i := range randomInterfaces {
		p := inventory.Place{ComputeNode: name, Interface: fmt.Sprint("tap", i)}
		s := state.Standing(&inventory.Association{ComputeNode: name, Interface: p.Interface}, &r.model)
		switch {
		case s.Withheld != "":
			places[p] = "withheld"
		case s.Preferred:
			places[p] = "preferred"
		default:
			places[p] = fmt.Sprint(r.model.Interface(name, p.Interface).Preference)
		}
	}
	return places
}
