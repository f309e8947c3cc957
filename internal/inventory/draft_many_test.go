package inventory

import (
	"errors"
	"testing"
)

// TestDraftOfMany takes many addresses and labels at once.
func TestDraftOfMany(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/24", "198.51.100.0/24", "2001:db8::/64"), pool(poolA, "203.0.113.0/24", "198.51.100.0/25"), BindPool{GlobalBindingName, poolA},
		CreateComputeNode{ComputeNode{Name: cmp1, Address: addr("10.0.0.11"), Labels: LabelRange{1000, 1299}}})
	before := dump(w.state)
	const many = 300
	d := NewDraft(w.state, w.now)
	for i := range many {
		if err := d.Do(Allocate{Name: fip(i)}); err != nil {
			t.Fatal(err)
		}
		if err := d.Do(associate(fip(i), cmp1, "tap"+fip(i)[len("projects/p/floatingIps/"):], 0)); err != nil {
			t.Fatal(err)
		}
	}
	var refused *Error
	if err := d.Do(associate(fip(0), cmp1, "tapx", 0)); !errors.As(err, &refused) || refused.Reason != ReasonAssociated {
		t.Errorf("got %v", err)
	}
	keys := map[string]bool{}
	for _, m := range d.Mutations() {
		if keys[m.Key] {
			t.Errorf("%s is there twice", m.Key)
		}
		keys[m.Key] = true
		if m.Expect != AnyVersion && m.Expect > Version(w.store.revision) {
			t.Errorf("%s expects a version that the store does not have", m.Key)
		}
	}
	if got := dump(w.state); got != before {
		t.Errorf("the draft has changed the state:\n got %s\nwant %s", got, before)
	}
	revision := w.store.revision
	w.commit(d.Mutations())
	if w.store.revision != revision+1 {
		t.Errorf("revision %d, want %d", w.store.revision, revision+1)
	}
	addresses, labels := map[string]bool{}, map[int]bool{}
	p, _ := w.state.Pool(poolA)
	for f := range w.state.FloatingIPs("") {
		addresses[f.Address.String()], labels[int(f.Associations[0].Label)] = true, true
		if !p.Usable().Contains(f.Address) {
			t.Errorf("%s has %s", f.Name, f.Address)
		}
	}
	if len(addresses) != many || len(labels) != many || w.state.Used(p) != many {
		t.Errorf("%d addresses, %d labels and %d used, want %d", len(addresses), len(labels), w.state.Used(p), many)
	}
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
}

// TestDraftNext plans several commits ahead of the store.
func TestDraftNext(t *testing.T) {
	w := floating(t)
	d := NewDraft(w.state, w.now)
	before := dump(w.state)
	var planned [][]Mutation
	for _, commands := range [][]Command{
		{allocate(fip("x"), public, "203.0.113.9"), pool(poolA, "203.0.113.16/28")},
		{SeedGlobal{64512}}, // nothing
		{Release{fip("x")}, Allocate{Name: fip("y"), Pool: poolA}, associate(fip("y"), cmp1, "tap0", 0)},
		{UpdatePool{Name: poolA, Ranges: ptr(ranges("203.0.113.16/29"))}, Move{Name: fip("y"), Association: associate(fip("y"), cmp2, "tap0", 0).Association}},
		{Disassociate{Name: fip("y")}, Release{fip("y")}, DeletePool{poolA}, SetGlobal{65000}},
		{UpdateNetwork{Name: public, Subnets: ptr(prefixes("203.0.113.0/28"))}, DeleteComputeNode{cmp1}, DeleteNetwork{private}},
	} {
		for _, c := range commands {
			if err := d.Do(c); err != nil {
				t.Fatalf("%T: %v", c, err)
			}
		}
		planned = append(planned, d.Mutations())
		want := w.store.revision + uint64(len(planned))
		if len(planned) > 1 {
			want-- // that of the one that does nothing
		}
		if got := d.Revision(); got != want {
			t.Errorf("%d planned: revision %d, want %d", len(planned), got, want)
		}
		var err error
		if d, err = d.Next(w.now); err != nil {
			t.Fatal(err)
		}
	}
	if got := dump(w.state); got != before {
		t.Errorf("a draft has changed the state:\n got %s\nwant %s", got, before)
	}
	for _, mutations := range planned {
		w.commit(mutations)
	}
	last, err := d.State()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
	if got, want := dump(last), dump(w.state); got != want {
		t.Errorf("the draft:\n got %s\nwant %s", got, want)
	}
}
