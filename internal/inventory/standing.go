package inventory

import (
	"cmp"
	"fmt"

	"github.com/buoynet/buoy/vrf"
)

// Standing is what becomes of an association.
type Standing struct {
	Withheld  string // why there is no route; empty when there is one
	Cause     Cause  // of what Withheld says
	Preferred bool
	Draining  bool
}

// Cause classifies why there is no route. It decides what to do about it.
type Cause uint8

// The causes.
const (
	NotWithheld         Cause = iota
	NodeIsMissing             // there is no such compute node
	NodeIsDrained             // it is out of service
	NodeIsDown                // it has no stream, and must have one
	InterfaceUnreported       // the compute node must report it, and has not
	InterfaceIsDown           // as the compute node says
	InterfaceIsSick           // likewise: it is up, and the workload does not answer
	InterfaceFlaps            // it counts as down for a while
)

// OfInterface reports whether the interface is at fault, and not the compute node.
func (c Cause) OfInterface() bool { return c >= InterfaceUnreported }

// Standing says how an association stands. A nil Living vouches for all that has
// not been drained.
func (s *State) Standing(a *Association, living Living) Standing {
	node, ok := s.ComputeNode(a.ComputeNode)
	if !ok {
		return Standing{Withheld: a.ComputeNode + " does not exist", Cause: NodeIsMissing}
	}
	standing := Standing{Preferred: a.Preferred, Draining: node.Drain.State == Draining}
	if node.Drain.State == Drained {
		standing.Cause, standing.Withheld = NodeIsDrained, node.Name+" is drained"
	} else if living != nil {
		standing.live(node, a, living)
	}
	return standing
}

// live lets the compute node have its say.
func (s *Standing) live(node *ComputeNode, a *Association, living Living) {
	life, own := living.Node(node.Name), living.Interface(node.Name, a.Interface)
	switch own.Preference {
	case Preferred:
		s.Preferred = true
	case Backup:
		s.Preferred = false
	}
	vouched := node.Liveness.Mode == Vouched
	switch {
	case !vouched && life.State == NodeDown:
		s.Cause, s.Withheld = NodeIsDown, fmt.Sprintf("%s is down: %s", node.Name, cmp.Or(life.Reason, "it has had no stream"))
	case !vouched && own.State == InterfaceUnknown:
		s.Cause, s.Withheld = InterfaceUnreported, fmt.Sprintf("%s has not reported %s", node.Name, a.Interface)
	case own.State == InterfaceDown:
		s.Cause, s.Withheld = InterfaceIsDown, fmt.Sprintf("%s of %s is down%s", a.Interface, node.Name, because(own.Reason))
	case own.State == InterfaceUnhealthy:
		s.Cause, s.Withheld = InterfaceIsSick, fmt.Sprintf("%s of %s is unhealthy%s", a.Interface, node.Name, because(own.Reason))
	case !own.DampedUntil.IsZero():
		s.Cause, s.Withheld = InterfaceFlaps, fmt.Sprintf("%s of %s has flapped %d times; it counts as down until %s", a.Interface, node.Name, own.Flaps,
			own.DampedUntil.UTC().Format("15:04:05Z"))
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// RoutesOf returns the routes that make a floating IP reachable, as if
// everything lived.
func (s *State) RoutesOf(f *FloatingIP) []vrf.Route { return s.LiveRoutesOf(f, nil) }

// LiveRoutesOf returns those for which compute node and interface live.
func (s *State) LiveRoutesOf(f *FloatingIP, living Living) []vrf.Route {
	network, ok := s.Network(f.Network)
	if !ok || s.global == nil {
		return nil
	}
	endpoints := make([]vrf.Endpoint, 0, len(f.Associations))
	for i := range f.Associations {
		a := &f.Associations[i]
		standing := s.Standing(a, living)
		node, ok := s.ComputeNode(a.ComputeNode)
		if !ok || standing.Withheld != "" {
			continue
		}
		endpoints = append(endpoints, vrf.Endpoint{
			Address:        f.Address,
			NextHop:        node.Address,
			RouterID:       node.RouterID,
			Label:          a.Label,
			Preferred:      standing.Preferred,
			Draining:       standing.Draining,
			Encapsulations: node.Encapsulations,
		})
	}
	return network.VRF(s.global.AS).RoutesOf(endpoints)
}
