package dataplane

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// A random change of a random node: the steps make one of the other, in an order in which
// nothing stands on what is not there, and touch nothing that stays.
func TestDiffRandom(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		found, _ := Build(randomProgramme(r), node, up, nil)
		wanted, _ := Build(randomProgramme(r), node, up, found.Zones())
		model := maps.Clone(found)
		removing := false
		for _, s := range Diff(found, wanted) {
			switch {
			case s.New == nil:
				removing = true
				if wanted[s.Old.Key()] != nil || model[s.Old.Key()] == nil {
					t.Fatalf("seed %d: %s", seed, s)
				}
				delete(model, s.Old.Key())
			case removing:
				t.Fatalf("seed %d: %s comes after something was removed", seed, s)
			default:
				if old := model[s.New.Key()]; (old == nil) != (s.Old == nil) || old != nil && old.String() == s.New.String() {
					t.Fatalf("seed %d: %s, and there is %v", seed, s, old)
				}
				model.add(s.New)
			}
			standing(t, seed, model, s)
		}
		if model.String() != wanted.String() {
			t.Fatalf("seed %d: got\n%s\nwant\n%s", seed, model, wanted)
		}
		if again := Diff(model, wanted); len(again) > 0 {
			t.Fatalf("seed %d: there is still something to do: %v", seed, again)
		}
	}
}

// standing checks that what is there has what it stands on.
func standing(t *testing.T, seed uint64, model Plan, s Step) {
	t.Helper()
	for _, i := range model {
		var needs []string
		switch i := i.(type) {
		case GatewayRoute:
			for _, h := range i.Hops {
				needs = append(needs, Tunnel{Name: h.Tunnel}.Key())
			}
		case Label:
			needs = append(needs, Pair{}.Key(), Ruleset{}.Key())
		case Element:
			needs = append(needs, Ruleset{}.Key())
		}
		for _, key := range needs {
			if model[key] == nil {
				t.Fatalf("seed %d: after %q there is %s without %s", seed, s, i, key)
			}
		}
	}
}

func randomProgramme(r *rand.Rand) (p Programme) {
	for n := range r.IntN(8) {
		f := web(fmt.Sprintf("fip%d", n), fmt.Sprintf("203.0.113.%d", r.IntN(9)+1), fmt.Sprintf("10.47.0.%d", r.IntN(3)+1), "tap0", uint32(100+r.IntN(3)))
		if f.Label > 100 {
			f.Interface = "tap1"
		}
		f.Network = []string{"red", "blue"}[r.IntN(2)]
		f.Direction = []Direction{"", Both, Ingress, Egress}[r.IntN(4)]
		if r.IntN(3) == 0 {
			f.Ports = []PortMapping{{"tcp", uint16(r.IntN(3) + 80), 8080}}
		}
		p.FloatingIPs = append(p.FloatingIPs, f)
	}
	for n := range r.IntN(6) {
		hops := []NextHop{hop("10.0.0.1", uint32(16+r.IntN(3)), GRE), hop("10.0.0.2", 17, UDP, GRE), hop("10.0.0.3", 18)}
		r.Shuffle(len(hops), func(i, j int) { hops[i], hops[j] = hops[j], hops[i] })
		p.Routes = append(p.Routes, Route{Network: []string{"red", "blue"}[r.IntN(2)],
			Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n)}), 16), NextHops: hops[:1+r.IntN(3)]})
	}
	return p
}

// What an earlier run has left behind stays until it may go; what this run has made goes.
func TestKeep(t *testing.T) {
	earlier, made, stays := Label(100), Label(101), Label(102)
	found, before, wanted := PlanOf(earlier, made, stays), PlanOf(made, stays), PlanOf(stays)
	steps := Diff(found, Keep(found, before, wanted))
	if len(steps) != 1 || steps[0].String() != "- label 101 pop" {
		t.Errorf("got %v", steps)
	}
	steps = Diff(found, wanted)
	var text []string
	for _, s := range steps {
		text = append(text, s.String())
	}
	if want := []string{"- label 101 pop", "- label 100 pop"}; !slices.Equal(text, want) {
		t.Errorf("got %v", text)
	}
}

func TestStepString(t *testing.T) {
	old, new := GatewayRoute{Table: 1, Prefix: netip.MustParsePrefix("10.0.0.0/8"), Hops: []Hop{{"buoy-g1", 16}}}, GatewayRoute{Table: 1, Prefix: netip.MustParsePrefix("10.0.0.0/8"), Hops: []Hop{{"buoy-g1", 17}}}
	const want = "~ route table 0x1 10.0.0.0/8 label 17 dev buoy-g1, was: label 16 dev buoy-g1"
	if got := (Step{old, new}).String(); got != want {
		t.Errorf("got %s", got)
	}
}
