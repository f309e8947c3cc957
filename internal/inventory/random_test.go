package inventory

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

var seed = flag.Uint64("seed", 0, "of the random test; 0 takes a new one")

// TestRandom carries out random commands against the model. A part of them is
// planned on an outdated state: those must conflict, or still be right.
func TestRandom(t *testing.T) {
	for *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("go test -run TestRandom -seed %d", *seed)
	g := generator{rand.New(rand.NewPCG(*seed, 1))}
	w := newWorld(t, &Neighbor{Settings: modelStatic})
	m := newModel()
	var old []*State // the newest is last
	count := map[string]int{}

	for step := range 10_000 {
		c := g.command()
		t := &stepLog{t, fmt.Sprintf("step %d: %T%+v", step, c, c)}
		state, stale := w.state, g.IntN(4) == 0 && len(old) > 0
		if stale {
			state = old[max(0, len(old)-1-g.IntN(g.IntN(len(old))+1))]
		}
		mutations, err := Plan(state, c)
		var refusal *Error
		switch {
		case err != nil && !errors.As(err, &refusal):
			t.Fatalf("the error is %T: %v", err, err)
		case err != nil && stale:
			count["stale, refused"]++
		case err != nil:
			count["refused: "+refusal.Reason]++
			if broken := m.do(c); !slices.Contains(broken, refusal.Reason) {
				t.Fatalf("refused by %s (%s); the model says %q", refusal.Reason, refusal, broken)
			}
		default:
			changes, conflict := w.store.commit(mutations)
			if conflict != "" {
				if !stale {
					t.Fatalf("planned on the newest state and in conflict on %s", conflict)
				}
				count["stale, conflict"]++
				break
			}
			if stale && state.Revision() < w.state.Revision() {
				count["stale, carried out"]++
			}
			count[fmt.Sprintf("%T", c)]++
			if broken := m.do(c); broken != nil {
				t.Fatalf("carried out (stale: %t); the model says %q", stale, broken)
			}
			if _, err := w.state.Apply(w.store.revision, changes); err != nil {
				t.Fatal(err)
			}
			compare(t, w, m)
			old = append(old[max(0, len(old)-15):], w.state.Snapshot())
		}
		if step%250 == 0 {
			if got, want := dump(w.restarted()), dump(w.state); got != want {
				t.Fatalf("after a restart:\n got %s\nwant %s", got, want)
			}
		}
	}
	// Nothing was left out.
	for _, event := range []string{
		"stale, refused", "stale, conflict", "stale, carried out",
		"inventory.CreateNetwork", "inventory.UpdateNetwork", "inventory.DeleteNetwork", "inventory.CreateComputeNode",
		"inventory.UpdateComputeNode", "inventory.DeleteComputeNode", "inventory.CreateNeighbor", "inventory.UpdateNeighbor",
		"inventory.DeleteNeighbor", "inventory.Allocate", "inventory.Associate", "inventory.Disassociate", "inventory.Release",
		ReasonInvalid, ReasonNotFound, ReasonExists, ReasonAddressTaken, ReasonOutsideSubnets, ReasonReserved, ReasonRouterIDTaken,
		ReasonAutomatic, ReasonOverlap, ReasonLabelTaken, ReasonLabelDiffers, ReasonAssociated, ReasonNotAssociated,
		ReasonFamilyMismatch, ReasonInUse, ReasonReadOnly,
	} {
		if count[event]+count["refused: "+event] == 0 {
			t.Errorf("%s has not happened", event)
		}
	}
	t.Logf("%d revisions: %v", w.store.revision, count)
}

// stepLog says which step a failure belongs to.
type stepLog struct {
	testing.TB
	step string
}

func (s *stepLog) Fatalf(format string, args ...any) {
	s.Helper()
	s.TB.Fatalf(s.step+"\n"+format, args...)
}

// generator makes commands over small name spaces, so that they clash often.
type generator struct{ *rand.Rand }

func pick[T any](g generator, list ...T) T { return list[g.IntN(len(list))] }

// maybe is nil half of the time.
func maybe[T any](g generator, v T) *T {
	if g.IntN(2) == 0 {
		return nil
	}
	return &v
}

func (g generator) command() Command {
	switch g.IntN(24) {
	case 0:
		return CreateNetwork{Network{
			Name: g.network(), Subnets: g.subnets(), Targets: g.targets(), ImportTargets: g.targets(), ExportTargets: g.targets(), Encapsulations: g.encapsulations()}}
	case 1, 2:
		return UpdateNetwork{
			g.network(), maybe(g, g.subnets()), maybe(g, g.targets()), maybe(g, g.targets()), maybe(g, g.targets()), maybe(g, g.encapsulations())}
	case 3: // now and then, so that there is something to work with
		if g.IntN(3) > 0 {
			return UpdateNetwork{Name: g.network(), Targets: ptr(g.targets())}
		}
		return DeleteNetwork{g.network()}
	case 4:
		return CreateComputeNode{ComputeNode{Name: g.node(), Address: g.nodeAddress(), RouterID: g.routerID(), Encapsulations: g.encapsulations()}}
	case 5:
		return UpdateComputeNode{g.node(), maybe(g, g.nodeAddress()), maybe(g, g.routerID()), maybe(g, g.encapsulations())}
	case 6:
		if g.IntN(2) > 0 {
			return UpdateComputeNode{Name: g.node(), Encapsulations: ptr(g.encapsulations())}
		}
		return DeleteComputeNode{g.node()}
	case 7:
		s := settings(pick(g, "mx1", "mx2", "mx3", "static", "MX"), "10.0.0.1")
		s.Address, s.AS = g.peerAddress(), pick[uint32](g, 0, 1, 64512, 64512)
		return CreateNeighbor{s}
	case 8:
		return UpdateNeighbor{
			Name: g.peer(), Address: maybe(g, g.peerAddress()), AS: maybe(g, pick[uint32](g, 0, 1, 64512)), Passive: maybe(g, g.IntN(2) == 0)}
	case 9:
		return DeleteNeighbor{g.peer()}
	case 10, 11, 12, 13:
		return Allocate{g.floatingIP(), g.network(), g.address()}
	case 14, 15, 16, 17, 18, 19, 20:
		return Associate{g.floatingIP(), Association{
			ComputeNode: g.node(),
			Interface:   pick(g, "tap0", "tap0", "tap0", "tap1", "tap1", "tap1", "tap2", "tap2", "tap/"),
			FixedIP:     pick(g, addr("10.47.0.1"), addr("10.47.0.2"), addr("10.47.0.3"), addr("fd00::1"), addr("fd00::2"), netip.Addr{}),
			Label:       pick[vrf.Label](g, 15, 16, 16, 16, 17, 17, 17, 18, 18),
			Preferred:   g.IntN(2) == 0,
		}}
	case 21, 22:
		return Disassociate{g.floatingIP(), pick(g, "", "", "tap0", "tap1"), pick(g, "", "", g.node())}
	default:
		return Release{g.floatingIP()}
	}
}

func (g generator) network() string {
	if g.IntN(15) == 0 {
		return pick(g, "projects/p/networks/none", "projects/p/networks/", "projects/P/networks/x")
	}
	return pick(g, public, private, "projects/q/networks/public")
}

func (g generator) node() string {
	if g.IntN(15) == 0 {
		return pick(g, "computeNodes/none", "computeNodes/")
	}
	return pick(g, cmp1, cmp2, "computeNodes/cmp3")
}

func (g generator) peer() string { return pick(g, mx1, mx2, "neighbors/mx3", static) }

func (g generator) floatingIP() string {
	if g.IntN(30) == 0 {
		return "projects/p/floatingIps/"
	}
	return FloatingIPName(pick(g, "p", "q"), pick(g, "a", "b", "c", "d"))
}

func (g generator) subnets() []netip.Prefix {
	return pick(g,
		prefixes("203.0.113.0/29"), prefixes("203.0.113.0/29", "2001:db8::/126"), prefixes("203.0.113.0/29", "2001:db8::/126"),
		prefixes("203.0.113.0/30", "203.0.113.4/30"), prefixes("203.0.113.4/31", "203.0.113.1/32", "2001:db8::2/127"),
		nil, prefixes("203.0.113.1/29"), prefixes("203.0.113.4/30", "203.0.113.0/29"))
}

func (g generator) address() netip.Addr {
	switch g.IntN(12) {
	case 0:
		return pick(g, netip.Addr{}, addr("224.0.0.1"), addr("::"))
	case 1, 2, 3:
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(g.IntN(5))})
	default:
		return netip.AddrFrom4([4]byte{203, 0, 113, byte(g.IntN(9))})
	}
}

func (g generator) targets() routetarget.Set {
	return pick(g, targets(), targets(), targets("64512:1"), targets("64512:1", "64512:2"), targets("64512:2", "64512:3"),
		targets("64513:8000001"), targets("10.0.0.1:1"), targets(pick(g, "64512:9", "64512:8000001", "64512:8057535", "64512:8000000", "64512:8057536")))
}

func (g generator) encapsulations() vrf.Encapsulations {
	return pick(g, vrf.NewEncapsulations(), vrf.NewEncapsulations(vrf.GRE), vrf.NewEncapsulations(vrf.MPLSInUDP), vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP))
}

func (g generator) nodeAddress() netip.Addr {
	return pick(g, addr("10.0.0.11"), addr("10.0.0.12"), addr("10.0.0.13"), addr("2001:db8:f::11"), addr("2001:db8:f::12"), addr("0.0.0.0"), netip.Addr{})
}

func (g generator) routerID() netip.Addr {
	return pick(g, netip.Addr{}, netip.Addr{}, addr("10.0.0.11"), addr("10.0.0.12"), addr("10.0.0.13"), addr("2001:db8:f::11"))
}

func (g generator) peerAddress() netip.Addr {
	return pick(g, addr("10.0.0.1"), addr("10.0.0.2"), addr("2001:db8:e::1"), modelStatic.Address, addr("224.0.0.1"), netip.Addr{})
}
