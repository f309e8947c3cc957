package inventory

import (
	"cmp"
	"fmt"

	"github.com/buoynet/buoy/vrf"
)

// Standing is what becomes of an association.
type Standing struct {
	Withheld  string // why there is no route; empty when there is one
	Preferred bool
	Draining  bool
}

// Standing says how an association stands. A nil Living vouches for all that has
// not been drained.
func (s *State) Standing(a *Association, living Living) Standing {
	node, ok := s.ComputeNode(a.ComputeNode)
	if !ok {
		return Standing{Withheld: a.ComputeNode + " does not exist"}
	}
	standing := Standing{Preferred: a.Preferred, Draining: node.Drain.State == Draining}
	if node.Drain.State == Drained {
		standing.Withheld = node.Name + " is drained"
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
		s.Withheld = fmt.Sprintf("%s is down: %s", node.Name, cmp.Or(life.Reason, "it has had no stream"))
	case !vouched && own.State == InterfaceUnknown:
		s.Withheld = fmt.Sprintf("%s has not reported %s", node.Name, a.Interface)
	case own.State == InterfaceDown:
		s.Withheld = fmt.Sprintf("%s of %s is down%s", a.Interface, node.Name, because(own.Reason))
	case own.State == InterfaceUnhealthy:
		s.Withheld = fmt.Sprintf("%s of %s is unhealthy%s", a.Interface, node.Name, because(own.Reason))
	case !own.DampedUntil.IsZero():
		s.Withheld = fmt.Sprintf("%s of %s has flapped %d times; it counts as down until %s", a.Interface, node.Name, own.Flaps,
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
