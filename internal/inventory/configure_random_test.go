package inventory

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestConfigureRandom: whatever a state is like, its description makes it anew
// from nothing, in whatever order, and changes nothing where it holds already.
func TestConfigureRandom(t *testing.T) {
	for *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("go test -run TestConfigureRandom -seed %d", *seed)
	r := random{
		TB:        t,
		world:     newWorld(t, &Neighbor{Settings: modelStatic}),
		model:     newModel(),
		generator: generator{Rand: rand.New(rand.NewPCG(*seed, 2))},
		count:     map[string]int{},
	}
	r.generator.model = r.model
	for step := range 1500 {
		r.tick()
		r.generator.ebb = step%500 > 475
		commands := []Command{r.command()}
		r.step(&stepLog{t, func() string { return fmt.Sprintf("step %d: %s", step, describe(commands)) }}, commands)
		if step%20 > 0 {
			continue
		}
		list := described(r.world.state)
		w := newWorld(t, &Neighbor{Settings: modelStatic})
		for range 2 {
			w.do(configure(list...))
			if got, want := content(w.state), content(r.world.state); got != want {
				t.Fatalf("after step %d\n got %s\nwant %s", step, got, want)
			}
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			w.planned("again", configure(list...))
			if got, want := dump(w.state), dump(w.restarted()); got != want {
				t.Fatalf("after step %d: the state:\n got %s\nwant %s", step, got, want)
			}
			w = newWorld(t, &Neighbor{Settings: modelStatic})
		}
		r.world.planned("where it holds", configure(list...))
	}
}

// described returns a state as descriptions.
func described(s *State) (list []Wanted) {
	list = append(list, PutGlobal{s.global.AS})
	for n := range s.Networks() {
		list = append(list, PutNetwork{*n, true})
	}
	for p := range s.Pools() {
		list = append(list, PutPool{*p})
	}
	for b := range s.Bindings() {
		if !b.ReadOnly {
			list = append(list, PutBinding{b.Name, b.Pool})
		}
	}
	for n := range s.ComputeNodes() {
		list = append(list, PutComputeNode{*n, ptr(n.Drain.Begun())})
	}
	for n := range s.Neighbors() {
		list = append(list, PutNeighbor{n.Settings})
	}
	for f := range s.FloatingIPs("") {
		list = append(list, PutFloatingIP{*f, &f.Scope, true})
	}
	return list
}

// content shows what a description is to bring back.
func content(s *State) string {
	lines := map[string]string{GlobalName: fmt.Sprint(s.global.AS)}
	etag := func(name string) {
		e, _ := s.EtagOf(name)
		lines[name] = e.String()
	}
	for n := range s.Networks() {
		etag(n.Name)
	}
	for p := range s.Pools() {
		etag(p.Name)
	}
	for b := range s.Bindings() {
		if !b.ReadOnly {
			etag(b.Name)
		}
	}
	for n := range s.ComputeNodes() {
		lines[n.Name] = fmt.Sprint(n.Address, n.RouterID, n.Encapsulations, n.LabelRange(), n.HoldDown(), n.Liveness.Mode, n.Liveness.Hold(), n.Liveness.StaleTime, n.Drain.Begun())
	}
	for n := range s.Neighbors() {
		lines[n.ResourceName()] = fmt.Sprintf("%+v", n.Canonical())
	}
	for f := range s.FloatingIPs("") {
		etag(f.Name)
	}
	for u := range from(&s.interfaces, "") {
		lines["interface "+u.node+"/"+u.name] = fmt.Sprint(u.Label, u.Users)
	}
	var text []string
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		text = append(text, name+" "+lines[name])
	}
	return strings.Join(text, "\n")
}
