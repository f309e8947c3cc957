package programme

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// TestRandom: whatever changes in whatever order, and however slow a node reads, loses
// its stream or resumes it, and over restarts of the daemon: in the end it has what a
// snapshot has, and so has everybody else.
func TestRandom(t *testing.T) {
	resumed, unresumed := 0, 0
	for range 12 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			a, b := random(t, rand.New(rand.NewPCG(seed, 1)))
			resumed, unresumed = resumed+a, unresumed+b
		})
	}
	if resumed == 0 || unresumed == 0 {
		t.Errorf("%d streams were resumed, and %d not although there was a token; want some of both", resumed, unresumed)
	}
}

func random(t *testing.T, rnd *rand.Rand) (resumed, unresumed int) {
	w := newWorld(t).basics()
	nodes := []*mirror{newMirror(t, cmp1), newMirror(t, cmp2), newMirror(t, cmp1)}
	complete := false
	connect := func(m *mirror) {
		if token := m.token; m.connect(w.followers) {
			resumed++
		} else if token != "" {
			unresumed++
		}
	}
	for range 1000 {
		for range rnd.IntN(4) {
			w.change(rnd)
		}
		m := nodes[rnd.IntN(len(nodes))]
		switch n := rnd.IntN(100); {
		case n < 50 && m.follower != nil:
			m.read(1 + rnd.IntN(3))
		case n < 70 && m.follower != nil:
			m.read(-1)
			if got, want := m.text(), w.want(m.node); complete && !slices.Equal(got, want) {
				t.Fatalf("a node that has read everything has\n %s\nwant\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
			}
		case n < 80:
			connect(m)
		case n < 85:
			m.disconnect()
		case n < 93 && !complete:
			complete = true
			close(w.complete)
		case n == 99:
			for _, m := range nodes {
				m.disconnect()
			}
			w.restart()
			complete = false
		}
	}
	if !complete {
		close(w.complete)
	}
	for _, m := range nodes {
		if m.follower == nil {
			connect(m)
		}
		m.read(-1)
		if got, want := m.text(), w.want(m.node); !slices.Equal(got, want) {
			t.Errorf("in the end %s has\n %s\nwant\n %s", m.node, strings.Join(got, "\n "), strings.Join(want, "\n "))
		}
		for f := range w.State().FloatingIPsAt(m.node) {
			if uint64(f.Changed) > m.revision {
				t.Errorf("%s was told revision %d, and has %s of %d", m.node, m.revision, f.Name, f.Changed)
			}
		}
		m.disconnect()
	}
	if fs := w.followers; len(fs.all)+len(fs.byNode)+len(fs.byNetwork) > 0 {
		t.Errorf("followers that are gone are still there: %v %v %v", fs.all, fs.byNode, fs.byNetwork)
	}
	return resumed, unresumed
}

// change changes something; what cannot be done is left out.
func (w *world) change(rnd *rand.Rand) {
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	network, node := pick(red, blue), pick(cmp1, cmp2)
	ip := fmt.Sprint("projects/default/floatingIps/f", rnd.IntN(8))
	tunnels := []vrf.Encapsulations{0, vrf.NewEncapsulations(vrf.GRE), vrf.NewEncapsulations(vrf.MPLSInUDP), vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP)}
	tunnel := tunnels[rnd.IntN(len(tunnels))]
	prefix := fmt.Sprintf("198.51.%d.0/24", rnd.IntN(12))
	switch rnd.IntN(14) {
	case 0, 1:
		w.try(inventory.Allocate{Name: ip, Network: network})
	case 2, 3, 4:
		w.try(associate(ip, node))
	case 5:
		w.try(inventory.Disassociate{Name: ip})
	case 6:
		w.try(inventory.Disassociate{Name: ip})
		w.try(inventory.Release{Name: ip})
	case 7:
		w.try(inventory.Move{Name: ip, Association: inventory.Association{ComputeNode: node, Interface: "moved", FixedIP: addr("10.47.0.6")}})
	case 8:
		switch rnd.IntN(6) {
		case 0:
			w.try(inventory.UpdateNetwork{Name: network, Encapsulations: &tunnel})
		case 1:
			w.try(inventory.UpdateComputeNode{Name: node, Encapsulations: &tunnel})
		case 2: // another network with its name
			for f := range w.State().FloatingIPsIn(network) {
				w.try(inventory.Disassociate{Name: f.Name})
				w.try(inventory.Release{Name: f.Name})
			}
			w.try(inventory.DeleteNetwork{Name: network})
			w.try(createNetwork(network))
			w.try(inventory.Allocate{Name: ip, Network: network})
			w.try(associate(ip, node))
		}
	case 9:
		w.announce(prefix, 0)
	case 10: // one that packets cannot follow
		w.announce(prefix, 3)
	default:
		w.announce(prefix, vrf.Label(16+rnd.IntN(3)), func(a *vrf.Attributes) { a.Encapsulations = tunnel })
	}
}
