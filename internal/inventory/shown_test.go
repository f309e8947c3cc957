package inventory

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/ipam"
)

// show carries out commands, and says what looks different after the last one.
func (w *world) show(commands ...Command) string {
	w.Helper()
	w.do(commands[:len(commands)-1]...)
	mutations, err := Plan(w.state, w.now, commands[len(commands)-1])
	if err != nil {
		w.Fatalf("%T: %v", commands[len(commands)-1], err)
	}
	changes, _ := w.store.commit(mutations)
	_, shown, err := w.state.ApplyShown(w.store.revision, changes)
	if err != nil {
		w.Fatal(err)
	}
	var words []string
	for _, s := range shown {
		words = append(words, strings.TrimSuffix(fmt.Sprintf("%s %v", s.Name, s.Seers), " []"))
	}
	slices.Sort(words)
	return strings.Join(slices.Compact(words), ", ")
}

// What is shown is what was changed, and what tells something of it.
func TestApplyShown(t *testing.T) {
	const pool, foreign = public + "/pools/a", "projects/q/floatingIps/guest"
	w := newWorld(t)
	ranges := func(texts ...string) (list []ipam.Range) {
		for _, text := range texts {
			r, err := ipam.ParseRange(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, r)
		}
		return list
	}
	for _, tt := range []struct {
		what     string
		commands []Command
		want     string
	}{
		{"a network", []Command{CreateNetwork{Network{Name: public, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}}, public},
		{"a pool", []Command{CreatePool{Pool{Name: pool, Ranges: ranges("203.0.113.0/28"), SharedWith: []string{"q"}}}}, pool},
		{"a binding", []Command{BindPool{"namespaces/dev/poolBinding", pool}}, "namespaces/dev/poolBinding"},
		{"a shared pool, and what is bound to it", []Command{UpdatePool{Name: pool, SharedWith: &[]string{"q", "r"}}}, "namespaces/dev/poolBinding, " + pool + " [q]"},
		{"pools of a changed network", []Command{UpdateNetwork{Name: public, Hosts: ptr(ReserveLast)}}, public + ", " + pool},
		{"an address of a pool", []Command{Allocate{Name: foreign, Pool: pool, Address: netip.MustParseAddr("203.0.113.5")}}, pool + ", " + foreign},
		{"an address outside pools", []Command{Allocate{Name: web, Network: public, Address: netip.MustParseAddr("203.0.113.99")}}, web},
		{"an association", []Command{
			CreateComputeNode{ComputeNode{Name: cmp1, Address: netip.MustParseAddr("10.0.0.11")}},
			Associate{foreign, Association{ComputeNode: cmp1, Interface: "tap0", FixedIP: netip.MustParseAddr("10.47.0.1")}}}, foreign + " [p]"},
		{"a drain, and who has no routes", []Command{DrainComputeNode{Name: cmp1}}, cmp1 + ", " + foreign},
		{"a compute node that stays drained", []Command{UpdateComputeNode{Name: cmp1, LabelHoldDown: ptr(uint32(7))}}, cmp1},
		{"a release", []Command{Disassociate{Name: foreign}, Release{foreign}}, pool + ", " + foreign + " [p]"},
		{"another AS", []Command{SetGlobal{64513}}, "global/bgp, " + public},
		{"a pool that goes", []Command{UnbindPool{"namespaces/dev/poolBinding"}, DeletePool{pool}}, pool + " [q r]"},
	} {
		if got := w.show(tt.commands...); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.what, got, tt.want)
		}
	}
}

// What looks as before has not changed, whatever was written.
func TestChanged(t *testing.T) {
	w := labelled(t, 100, 109)
	w.do(associate(fip(0), cmp1, "tap0", 0))
	at := w.store.revision
	same := Move{Name: fip(0), Association: associate(fip(0), cmp1, "tap0", 0).Association}
	if got := w.show(same); got != "" {
		t.Errorf("a move to where it is: got %s", got)
	}
	f, _ := w.state.FloatingIP(fip(0))
	if f.Version <= Version(at) || f.Changed != Version(at) {
		t.Errorf("a move to where it is: got version %d, changed %d, want more than %d, and that", f.Version, f.Changed, at)
	}
	same.Association.Preferred = true
	if got := w.show(same); got != fip(0) {
		t.Errorf("preferred: got %s", got)
	}
	if f, _ := w.state.FloatingIP(fip(0)); f.Changed != f.Version {
		t.Errorf("preferred: got version %d, changed %d", f.Version, f.Changed)
	}
}
