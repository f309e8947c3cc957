package reconcile

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

var seed = flag.Uint64("seed", 0, "of the random test; 0 takes a new one")

// TestRandom changes the inventory, and what lives, at random while the speaker fails at
// random, and takes parts of what it refuses. When the speaker has recovered,
// it holds what the inventory wants, and the table says so.
func TestRandom(t *testing.T) {
	for *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("go test -run TestRandom -seed %d", *seed)
	g := rand.New(rand.NewPCG(*seed, 2))
	moods := rand.New(rand.NewPCG(*seed, 3)) // of the speaker, guarded by its mutex
	run(t, func(w *world) {
		synctest.Wait()
		w.speaker.taken = func(n int) int { return moods.IntN(n + 1) }
		for round := range 150 {
			reliable := g.IntN(4) // of four calls; sometimes all, sometimes none
			w.speaker.refusing(func(call string, _ []vrf.Route) error {
				if moods.IntN(3) >= reliable {
					return fmt.Errorf("%s in round %d: %w", call, round, errRefused)
				}
				return nil
			})
			for range 1 + g.IntN(6) {
				for range 1 + g.IntN(8) {
					if g.IntN(3) == 0 {
						w.lives.change(g)
					}
					if g.IntN(8) == 0 {
						w.lives.has(fmt.Sprint("computeNodes/cmp", 1+g.IntN(3)), w.now().Revision()-uint64(g.IntN(2)))
					}
					c := command(g)
					if err := w.try(c); err == nil && g.IntN(3) == 0 {
						w.do() // the loop sees what there is so far
					}
				}
				w.do()
				w.explained()
				time.Sleep(time.Duration(g.IntN(1000)) * time.Millisecond)
				synctest.Wait()
			}
			if round%10 == 9 {
				w.speaker.refusing(nil)
				time.Sleep(2 * maxBackOff)
				synctest.Wait()
				w.settled()
				w.speaker.said()
			}
			if w.T.Failed() {
				w.T.Fatalf("in round %d", round)
			}
		}
	})
}

// explained checks that whatever differs between the table and the speaker is
// known to have been refused.
func (w *world) explained() {
	w.T.Helper()
	synctest.Wait()
	table := w.loop.Table()
	state := w.now()
	routes, _, _ := w.speaker.holds()
	for r := range table.All() {
		if held := routes[r.Key]; held != r && table.Failure(r.Key) == nil {
			w.T.Errorf("the table says %s, the speaker holds %s", routeText(r), routeText(held))
		}
	}
	counts := map[uint16]int{}
	for r := range table.All() {
		counts[vrf.NetworkID(r.RD)]++
	}
	for id := range uint16(100) {
		if n := table.LenOf(id); n != counts[id] {
			w.T.Errorf("network %d has %d routes, counted are %d", id, counts[id], n)
		}
	}
	for key, held := range routes {
		if r, _, _ := table.Get(key); held != r && table.Failure(key) == nil {
			w.T.Errorf("the speaker holds %s, the table says %s", routeText(held), routeText(r))
		}
	}
	for f := range state.FloatingIPs("") {
		if _, _, ok := table.Awaits(f.Name); ok {
			continue
		}
		for _, want := range state.LiveRoutesOf(f, w.lives) {
			if r, _, _ := table.Get(want.Key); r != want && table.Failure(want.Key) == nil {
				w.T.Errorf("%s is wanted, not advertised and not refused", routeText(want))
			}
		}
	}
}

// command makes a command over small name spaces. Many of them are refused.
func command(g *rand.Rand) inventory.Command {
	node := fmt.Sprint("computeNodes/cmp", 1+g.IntN(3))
	network := fmt.Sprint("projects/p/networks/n", g.IntN(2))
	name := fmt.Sprint("projects/p/floatingIps/f", g.IntN(8))
	imports := targets(fmt.Sprint("64512:", 1+g.IntN(3)))
	encapsulations := vrf.Encapsulations(g.IntN(4))
	switch g.IntN(24) {
	case 0:
		return createNetwork(network, fmt.Sprint("64512:", 1+g.IntN(3)))
	case 1:
		return inventory.UpdateNetwork{Name: network, ImportTargets: &imports, Encapsulations: &encapsulations}
	case 2:
		return inventory.UpdateNetwork{Name: network, Targets: &imports}
	case 3:
		return inventory.DeleteNetwork{Name: network}
	case 4:
		c := createNode(node, fmt.Sprint("10.0.0.", 1+g.IntN(4))).(inventory.CreateComputeNode)
		c.ComputeNode.Liveness.Mode = inventory.LivenessMode(g.IntN(2))
		return c
	case 5:
		return inventory.UpdateComputeNode{Name: node, Address: ptr(addr(fmt.Sprint("10.0.1.", 1+g.IntN(9))))}
	case 6:
		return inventory.UpdateComputeNode{Name: node, RouterID: ptr(addr(fmt.Sprint("10.0.0.", 1+g.IntN(9)))), Encapsulations: &encapsulations}
	case 7:
		return inventory.DeleteComputeNode{Name: node}
	case 8:
		return createNeighbor(fmt.Sprint("mx", g.IntN(3)), fmt.Sprint("10.0.2.", g.IntN(3)))
	case 9:
		return inventory.DeleteNeighbor{Name: fmt.Sprint("neighbors/mx", g.IntN(3))}
	case 10, 11:
		return inventory.Allocate{Name: name, Network: network, Address: addr(fmt.Sprint("203.0.113.", 1+g.IntN(8)))}
	case 12, 13, 14:
		c := associate(name, node, vrf.Label(16+g.IntN(6)))
		c.Association.Preferred = g.IntN(2) == 0
		return c
	case 15, 16:
		return inventory.Disassociate{Name: name}
	case 17: // the labels are Buoy's
		c := associate(name, node, 0)
		return inventory.Move{Name: name, Association: c.Association}
	case 18:
		return inventory.SetGlobal{AS: 64512 + uint32(g.IntN(2))}
	case 19, 20:
		return inventory.DrainComputeNode{Name: node, Wait: time.Duration(g.IntN(3)) * time.Minute}
	case 21:
		return inventory.UndrainComputeNode{Name: node}
	default:
		return inventory.Release{Name: name}
	}
}
