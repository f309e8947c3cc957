package api

import (
	"slices"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// Life is what is known of the streams of compute nodes.
type Life interface {
	Living() inventory.Living
	// Interfaces returns what is known of the interfaces of a compute node, in the
	// order of their names.
	Interfaces(node string) []inventory.InterfaceLife
	// Changed counts what has looked different. The channel is closed at the next
	// time.
	Changed() (count uint64, next <-chan struct{})
}

// living returns what lives; nil vouches for everything.
func (v view) living() inventory.Living {
	if v.Life == nil {
		return nil
	}
	return v.Life.Living()
}

// nodeStanding is what a compute node is sent again for.
type nodeStanding struct {
	state                         buoyv1.ComputeNode_State
	reason, since, address, agent string
}

// standNode says how the stream of a compute node is. One that needs none, and never
// had any, has no state: it is not down.
func standNode(n *inventory.ComputeNode, living inventory.Living) nodeStanding {
	if living == nil {
		return nodeStanding{}
	}
	const vouched = "whoever associates vouches"
	life, needed := living.Node(n.Name), n.Liveness.Mode == inventory.Session
	if life.Since.IsZero() {
		if needed {
			return nodeStanding{state: buoyv1.ComputeNode_DOWN, reason: "it has had no stream"}
		}
		return nodeStanding{reason: "no stream; " + vouched}
	}
	s := nodeStanding{nodeStateToProto[life.State], life.Reason, rfc3339(life.Since), life.Address, life.Agent}
	switch {
	case life.State == inventory.NodeStale:
		s.reason += "; what it has reported holds until " + rfc3339(life.Until)
	case life.State == inventory.NodeDown && !needed:
		s.reason += "; " + vouched
	}
	return s
}

// nodeToProto shows a compute node and its stream.
func nodeToProto(n *inventory.ComputeNode, living inventory.Living) *buoyv1.ComputeNode {
	p, s := computeNodeToProto(n), standNode(n, living)
	p.State, p.StateReason, p.StateSince, p.StreamAddress, p.AgentVersion = s.state, s.reason, s.since, s.address, s.agent
	return p
}

// interfacesAt shows what a compute node has reported, and the interfaces of
// associations that it has not, if it should have.
func (v view) interfacesAt(state *inventory.State, node string) (list []*buoyv1.ComputeInterface) {
	n, ok := state.ComputeNode(node)
	living := v.living()
	if living == nil || !ok {
		return nil
	}
	known := map[string]bool{}
	for _, i := range v.Life.Interfaces(node) {
		known[i.Name] = true
		list = append(list, interfaceToProto(i))
	}
	if n.Liveness.Mode == inventory.Vouched && living.Node(node).State != inventory.NodeUp {
		return list
	}
	for f := range state.FloatingIPsAt(node) {
		for _, a := range f.Associations {
			if a.ComputeNode == node && !known[a.Interface] {
				known[a.Interface] = true
				list = append(list, &buoyv1.ComputeInterface{Name: a.Interface})
			}
		}
	}
	slices.SortFunc(list, func(a, b *buoyv1.ComputeInterface) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// lingers reports whether there is still a route for an association that is withheld:
// that is about to go, unless it comes to life before.
func (o *observed) lingers(f *inventory.FloatingIP, live []vrf.Route) bool {
	for _, r := range o.state.RoutesOf(f) {
		if _, _, ok := o.table.Get(r.Key); ok && !slices.ContainsFunc(live, func(l vrf.Route) bool { return l.Key == r.Key }) {
			return true
		}
	}
	return false
}

func interfaceToProto(i inventory.InterfaceLife) *buoyv1.ComputeInterface {
	return &buoyv1.ComputeInterface{
		Name:        i.Name,
		State:       interfaceStateToProto[i.State],
		Reason:      i.Reason,
		Preference:  preferenceToProto[i.Preference],
		Since:       rfc3339(i.Since),
		DampedUntil: rfc3339(i.DampedUntil),
		Flaps:       uint32(i.Flaps),
	}
}

// rfc3339 returns nothing for the zero time.
func rfc3339(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

var nodeStateToProto = map[inventory.NodeState]buoyv1.ComputeNode_State{
	inventory.NodeDown:  buoyv1.ComputeNode_DOWN,
	inventory.NodeStale: buoyv1.ComputeNode_STALE,
	inventory.NodeUp:    buoyv1.ComputeNode_UP,
}

var interfaceStateToProto = map[inventory.InterfaceState]buoyv1.ComputeInterface_State{
	inventory.InterfaceUnknown:   buoyv1.ComputeInterface_STATE_UNSPECIFIED,
	inventory.InterfaceUp:        buoyv1.ComputeInterface_UP,
	inventory.InterfaceDown:      buoyv1.ComputeInterface_DOWN,
	inventory.InterfaceUnhealthy: buoyv1.ComputeInterface_UNHEALTHY,
}

var preferenceToProto = map[inventory.Preference]buoyv1.ComputeInterface_Preference{
	inventory.AsAssociated: buoyv1.ComputeInterface_PREFERENCE_UNSPECIFIED,
	inventory.Preferred:    buoyv1.ComputeInterface_PREFERRED,
	inventory.Backup:       buoyv1.ComputeInterface_BACKUP,
}
