package inventory

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// generator makes commands over small name spaces, so that they clash often.
// Mostly it names what there is.
type generator struct {
	*rand.Rand
	model *model
	ebb   bool // more goes than comes, so that also what others need can be deleted
}

func pick[T any](g generator, list ...T) T { return list[g.IntN(len(list))] }

// maybe is nil half of the time.
func maybe[T any](g generator, v T) *T {
	if g.IntN(2) == 0 {
		return nil
	}
	return &v
}

// oneOf returns one of the names that are there, or now and then another one.
func oneOf[V any](g generator, there map[string]V, other string) string {
	if len(there) == 0 || g.IntN(6) == 0 {
		return other
	}
	return pick(g, slices.Sorted(maps.Keys(there))...)
}

// here returns a floating IP that there is; associated, if wanted and possible.
func (g generator) here(associated bool) string {
	there := maps.Clone(g.model.floating)
	maps.DeleteFunc(there, func(_ string, f FloatingIP) bool { return len(f.Associations) > 0 != associated })
	return oneOf(g, there, g.floatingIP())
}

func (g generator) command() Command {
	switch n := g.IntN(50); {
	case !g.ebb && len(g.model.networks) < 2 && n < 15: // the flood
		return g.createNetwork()
	case !g.ebb && len(g.model.nodes) < 2 && n < 30:
		return g.createNode()
	case g.ebb && n < 35:
		return pick[Command](g, Disassociate{Name: g.here(true)}, Disassociate{Name: g.here(true)}, Release{g.here(false)}, Release{g.here(false)}, UnbindPool{g.binding()},
			DeletePool{g.pool()}, DeleteNetwork{g.network()}, DeleteComputeNode{g.node()})
	case n < 12:
		return g.resourceCommand()
	case n < 20:
		return g.poolCommand()
	default:
		return g.floatingCommand()
	}
}

func (g generator) resourceCommand() Command {
	switch g.IntN(15) {
	case 0, 1:
		return g.createNetwork()
	case 2, 3:
		r := g.reservations()
		return UpdateNetwork{
			Name: g.network(), Subnets: maybe(g, g.subnets()), Targets: maybe(g, g.targets()), ImportTargets: maybe(g, g.targets()),
			ExportTargets: maybe(g, g.targets()), Encapsulations: maybe(g, g.encapsulations()), External: maybe(g, g.IntN(3) == 0),
			Hosts: maybe(g, r.Hosts), Gateways: maybe(g, r.Gateways), DNS: maybe(g, r.DNS)}
	case 4: // now and then, so that there is something to work with
		if g.IntN(4) > 0 {
			return UpdateNetwork{Name: g.network(), Targets: ptr(g.targets())}
		}
		return DeleteNetwork{g.network()}
	case 5:
		return g.createNode()
	case 6:
		return UpdateComputeNode{
			Name: g.node(), Address: maybe(g, g.nodeAddress()), RouterID: maybe(g, g.routerID()), Encapsulations: maybe(g, g.encapsulations()),
			Labels: maybe(g, g.labels()), LabelHoldDown: maybe(g, g.holdDown()), Liveness: maybe(g, g.liveness().Mode), HoldTime: maybe(g, g.liveness().HoldTime),
			StaleTime: maybe(g, g.liveness().StaleTime), Drained: maybe(g, g.IntN(2) == 0)}
	case 7:
		if g.IntN(8) > 0 {
			return UpdateComputeNode{Name: g.node(), Labels: ptr(g.labels()), LabelHoldDown: ptr(g.holdDown())}
		}
		return DeleteComputeNode{g.node()}
	case 8:
		s := settings(pick(g, "mx1", "mx2", "mx3", "static", "MX"), "10.0.0.1")
		s.Address, s.AS = g.peerAddress(), pick[uint32](g, 0, 1, 64512, 64512)
		s.Encapsulations, s.MaxAdvertised, s.MaxReceived = g.encapsulations(), pick[uint32](g, 0, 0, 1, 100), pick[uint32](g, 0, 0, 1, 100)
		s.AcceptPrefixes, s.AcceptTargets, s.MaxReceivedAction = g.accepted(), g.targets(), pick(g, neighbor.MaxReceivedWarn, neighbor.MaxReceivedStop)
		return CreateNeighbor{s}
	case 9:
		return UpdateNeighbor{
			Name: g.peer(), Address: maybe(g, g.peerAddress()), AS: maybe(g, pick[uint32](g, 0, 1, 64512)), Passive: maybe(g, g.IntN(2) == 0),
			Encapsulations: maybe(g, g.encapsulations()), MaxAdvertised: maybe(g, pick[uint32](g, 0, 1, 100)), MaxReceived: maybe(g, pick[uint32](g, 0, 1, 100)),
			AcceptPrefixes: maybe(g, g.accepted()), AcceptTargets: maybe(g, g.targets()), MaxReceivedAction: maybe(g, pick(g, neighbor.MaxReceivedWarn, neighbor.MaxReceivedStop))}
	case 10:
		return DeleteNeighbor{g.peer()}
	case 11, 12:
		return g.drainCommand()
	default:
		return SetGlobal{pick[uint32](g, 0, 23456, 64512, 64512, 64513, 64513, 70000)}
	}
}

func (g generator) createNetwork() Command {
	return CreateNetwork{Network{
		Name: pick(g, g.network(), public, private, "projects/q/networks/public"), Subnets: g.subnets(), Targets: g.targets(), ImportTargets: g.targets(), ExportTargets: g.targets(),
		Encapsulations: g.encapsulations(), External: g.IntN(4) == 0, Reservations: g.reservations()}}
}

func (g generator) createNode() Command {
	return CreateComputeNode{ComputeNode{Name: pick(g, g.node(), cmp1, cmp2, "computeNodes/cmp3"), Address: g.nodeAddress(), RouterID: g.routerID(), Encapsulations: g.encapsulations(),
		Labels: g.labels(), LabelHoldDown: g.holdDown(), Liveness: g.liveness(), Drain: pick(g, Drain{}, Drain{}, Drain{State: Drained})}}
}

func (g generator) drainCommand() Command {
	switch node := g.node(); g.IntN(4) {
	case 0, 1:
		return DrainComputeNode{node, pick(g, 0, time.Second, 1500*time.Millisecond, time.Minute, time.Minute, 86400*time.Second, 86401*time.Second, -time.Second)}
	case 2:
		return UndrainComputeNode{node}
	default:
		until := g.model.nodes[node].Drain.Until
		return FinishDrain{node, pick(g, until, until, until.Add(time.Second))}
	}
}

func (g generator) poolCommand() Command {
	switch g.IntN(9) {
	case 0, 1, 2:
		return CreatePool{Pool{Name: g.pool(), Ranges: g.ranges(), SharedWith: g.projects()}}
	case 3, 4:
		return UpdatePool{Name: g.pool(), Ranges: maybe(g, g.ranges()), SharedWith: maybe(g, g.projects())}
	case 5:
		return DeletePool{g.pool()}
	case 6, 7:
		return BindPool{g.binding(), g.pool()}
	default:
		return UnbindPool{g.binding()}
	}
}

func (g generator) floatingCommand() Command {
	switch g.IntN(22) {
	case 0, 1, 2, 3, 4, 5, 6:
		c := Allocate{Name: g.newName(), Namespace: pick(g, "", "", "dev", "prod", "Dev"), Family: pick(g, AnyFamily, AnyFamily, IPv4, IPv6),
			Direction: g.direction(), PortMappings: g.portMappings()}
		switch g.IntN(8) {
		case 0, 1, 2:
			c.Network = g.network()
		case 3, 4, 5:
			c.Pool = g.pool()
		}
		if g.IntN(30) == 0 {
			c.Network, c.Pool = g.network(), g.pool()
		}
		if g.IntN(3) == 0 {
			c.Address = g.address()
		}
		return c
	case 7, 8, 9, 10, 11, 12:
		name := g.here(g.IntN(3) == 0)
		return Associate{name, g.association(name)}
	case 13, 14, 15:
		return Disassociate{g.here(true), pick(g, "", "", "tap0", "tap1"), pick(g, "", "", g.node())}
	case 16, 17, 18:
		name := g.here(true)
		return Move{name, pick(g, "", g.node()), g.association(name)}
	case 19:
		return UpdateFloatingIP{g.here(g.IntN(2) == 0), maybe(g, g.direction()), maybe(g, g.portMappings())}
	default:
		return Release{g.here(g.IntN(5) == 0)}
	}
}

func (g generator) association(name string) Association {
	fixed := pick(g, addr("10.47.0.1"), addr("10.47.0.2"), addr("fd00::1"), netip.Addr{})
	if f, ok := g.model.floating[name]; ok && g.IntN(10) > 0 {
		fixed = pick(g, addr("10.47.0.1"), addr("10.47.0.2"))
		if f.Address.Is6() {
			fixed = addr("fd00::1")
		}
	}
	return Association{
		ComputeNode: g.node(),
		Interface:   pick(g, "tap0", "tap0", "tap0", "tap1", "tap1", "tap1", "tap2", "tap2", "tap3", "tap/"),
		FixedIP:     fixed,
		Label:       pick[vrf.Label](g, 0, 0, 0, 0, 0, 0, 15, 16, 16, 17, 18),
		Preferred:   g.IntN(2) == 0,
	}
}
