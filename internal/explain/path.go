package explain

import (
	"fmt"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// path goes from an association of a floating IP to the neighbors.
func (a *answer) path(n *inventory.Network, f *inventory.FloatingIP, i int) Path {
	as := &f.Associations[i]
	p := Path{ComputeNode: as.ComputeNode, Interface: as.Interface}
	c := (*chain)(&p.Steps)
	a.place(c, as)
	if !c.broken() {
		p.Route = a.route(c, n, f, i)
	}
	c.skipTo(ComputeNode, Accepted)
	if c.broken() {
		return p
	}
	for peer := range a.State.Neighbors() {
		if a.q.Neighbor == "" || a.q.Neighbor == peer.ResourceName() {
			p.Hops = append(p.Hops, a.hop(peer, p.Route))
		}
	}
	if len(p.Hops) == 0 {
		a.nobody(c)
	}
	return p
}

// nobody says that there is no neighbor, and who would like to be one.
func (a *answer) nobody(c *chain) {
	next := "buoyctl create neighbor NAME --address ADDRESS --as AS"
	if a.Refused.Count > 0 {
		next = fmt.Sprintf("buoyctl create neighbor NAME --address %s --as AS, if it is the router that connects from there", a.Refused.Address)
	}
	c.fail(Configured, NoNeighbor, next)
}

// place looks at the compute node and the interface.
func (a *answer) place(c *chain, as *inventory.Association) {
	standing := a.State.Standing(as, a.Living)
	short := inventory.ShortName(as.ComputeNode)
	node, ok := a.State.ComputeNode(as.ComputeNode)
	if !ok || standing.Withheld != "" && !standing.Cause.OfInterface() {
		c.fail(ComputeNode, standing.Withheld, Revive(standing.Cause, short))
		return
	}
	var life inventory.NodeLife
	var own inventory.InterfaceLife
	if a.Living != nil {
		life, own = a.Living.Node(node.Name), a.Living.Interface(node.Name, as.Interface)
	}
	vouched := node.Liveness.Mode == inventory.Vouched
	switch {
	case standing.Draining:
		c.warn(ComputeNode, fmt.Sprintf("%s is draining: gateways choose other routes if there are any, and its own are withdrawn at %s",
			node.Name, clock(node.Drain.Until)), "buoyctl undrain computenode "+short+", if it is to stay in service")
	case life.State == inventory.NodeStale && !vouched:
		c.warn(ComputeNode, fmt.Sprintf("%s has lost its stream (%s); its routes are kept until %s", node.Name, life.Reason, clock(life.Until)),
			Reconnect(short))
	case life.State == inventory.NodeUp:
		c.ok(ComputeNode, fmt.Sprintf("%s, %s; its stream is there", node.Name, node.Address), life.Since)
	default:
		c.ok(ComputeNode, fmt.Sprintf("%s, %s; in service", node.Name, node.Address), time.Time{})
	}
	switch {
	case standing.Withheld != "":
		c.fail(Interface, standing.Withheld, Revive(standing.Cause, short))
	case own.State == inventory.InterfaceUp:
		c.ok(Interface, as.Interface+" is up, as the compute node says", own.Since)
	default: // with liveness session it would be withheld
		c.ok(Interface, as.Interface+"; whoever associated it vouches for it (liveness none)", time.Time{})
	}
}

// Revive says how a compute node or an interface comes back.
func Revive(cause inventory.Cause, node string) string {
	switch cause {
	case inventory.NodeIsMissing:
		return "buoyctl create computenode " + node + " --address ADDRESS"
	case inventory.NodeIsDrained:
		return "buoyctl undrain computenode " + node
	case inventory.NodeIsDown:
		return "look at the agent of " + node + " and its way to Buoy; without one: buoyctl set computenode " + node + " --liveness none"
	case inventory.InterfaceUnreported:
		return "look at the agent of " + node + ": the workload may not run there, or the interface may have another name"
	case inventory.InterfaceIsDown:
		return "look at the workload on " + node + ": it may not run, or its link may be down"
	case inventory.InterfaceIsSick:
		return "look at the workload on " + node + ": its link is up, and it does not answer"
	case inventory.InterfaceFlaps:
		return "look at the workload on " + node + ": its link comes and goes; it is advertised again when it stays"
	}
	return ""
}

// Reconnect says how a compute node that has lost its stream gets one again.
func Reconnect(node string) string {
	return "look at the agent of " + node + ": buoyctl describe computenode " + node
}

// route works out the route of an association, and looks at what the speaker has.
func (a *answer) route(c *chain, n *inventory.Network, f *inventory.FloatingIP, i int) *vrf.Route {
	alone := *f
	alone.Associations = f.Associations[i : i+1]
	routes := a.State.LiveRoutesOf(&alone, a.Living)
	if n == nil || len(routes) == 0 { // what it is made from is not there yet
		c.fail(Targets, "the AS is not known yet", "ask again in a moment")
		return nil
	}
	want := &routes[0]
	c.ok(Targets, strings.Join(want.Targets.Strings(), " "), time.Time{})
	c.ok(Built, described(want), time.Time{})
	if err := a.Table.Failure(want.Key); err != nil {
		c.fail(Accepted, Refusal(want.Key, err), RefusalNext)
	} else if have, since, ok := a.Table.Get(want.Key); !ok || have != *want {
		c.fail(Accepted, BeingGiven(a.Table, f.Name, want.Key), "ask again in a moment")
	} else {
		c.ok(Accepted, "the speaker has it", since)
	}
	return want
}

// described writes a route whole.
func described(r *vrf.Route) string {
	text := fmt.Sprintf("%s next hop %s label %d LOCAL_PREF %d %s encapsulation %s", r.Key, r.NextHop, r.Label, r.LocalPref,
		strings.Join(r.Targets.Strings(), " "), strings.Join(r.Encapsulations.Strings(), ","))
	if r.GracefulShutdown {
		text += " graceful-shutdown"
	}
	return text
}

// clock writes a time as the reasons of floating IPs do.
func clock(t time.Time) string { return t.UTC().Format("15:04:05Z") }
