package explain

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// later is what to do about what happens by itself.
const later = "ask again in a moment"

// hop goes with a route to a neighbor.
func (a *answer) hop(n *inventory.Neighbor, r *vrf.Route) Hop {
	h := Hop{Neighbor: n.ResourceName()}
	c := (*chain)(&h.Steps)
	if a.session(c, n, neighbor.VPNFamily(r.Prefix.Addr())) {
		a.delivery(c, n, r)
	}
	c.skipTo(Configured, Sent)
	return h
}

// session looks at the session with a neighbor, and reports whether it is there.
func (a *answer) session(c *chain, n *inventory.Neighbor, family neighbor.Family) bool {
	if !n.Families.Contains(family) {
		c.fail(Configured, fmt.Sprintf("%s is not configured for %s", n.Name, family),
			fmt.Sprintf("buoyctl set neighbor %s --families %s", n.Name, n.Families|neighbor.NewFamilies(family)))
		return false
	}
	c.ok(Configured, fmt.Sprintf("%s port %d, AS %d, %s", n.Address, n.Port, n.AS, n.Families), time.Time{})
	s := a.Sessions[n.Name]
	if s == nil {
		c.fail(Reachable, Absence(n.Name, nil), later)
		return false
	}
	established := s.State == neighbor.Established
	next := s.Advice(a.Local)
	if next == "" {
		next = "buoyctl describe neighbor " + n.Name + " shows what was seen last"
	}
	if !established && s.State < neighbor.OpenSent && !s.Cause.Answered() {
		c.fail(Reachable, Absence(n.Name, s), next)
		return false
	}
	text := "it answers"
	if established && s.RemoteAddress.IsValid() {
		text = fmt.Sprintf("%s, from %s", s.RemoteAddress, s.LocalAddress)
	}
	c.ok(Reachable, text, time.Time{})
	if !established {
		c.fail(Established, Absence(n.Name, s), next)
		return false
	}
	c.ok(Established, "the session is up", s.Since)
	return true
}

// delivery looks at what became of a route for a neighbor with a session.
func (a *answer) delivery(c *chain, n *inventory.Neighbor, r *vrf.Route) {
	d := a.Routers.Delivery(n.Address, r.Key)
	failed := stepOf(d)
	if failed == Established { // it was lost while this was written
		(*c)[len(*c)-1] = Step{ID: Established, Status: Failed, Text: n.Name + " " + d.Reason, Next: later}
		return
	}
	s := a.Sessions[n.Name]
	family := neighbor.VPNFamily(r.Prefix.Addr())
	passed := map[ID]string{
		Family:   family.String() + " was negotiated",
		Exported: "nothing keeps it back",
		Wanted:   "without route-target the neighbor is sent all routes",
		Sent:     "it was sent, and not withdrawn since",
	}
	if n.Policy.Encapsulations != 0 {
		passed[Exported] = "with the neighbor's own encapsulations, " + strings.Join(n.Policy.Encapsulations.Strings(), ",")
	}
	if s.Negotiated().Contains(neighbor.RouteTarget) {
		passed[Wanted] = "the neighbor asked for one of the targets"
	}
	for id := Family; id <= Sent; id++ {
		if id == failed {
			c.fail(id, n.Name+" "+d.Reason, Remedy(d.Check, n, s, r))
			return
		}
		c.ok(id, passed[id], time.Time{})
	}
	(*c)[len(*c)-1].Time = d.At
}

// stepOf returns the step at which a delivery failed; None if it did not.
func stepOf(d neighbor.Delivery) ID {
	if d.Reason == "" {
		return None
	}
	switch d.Check {
	case neighbor.CheckSession:
		return Established
	case neighbor.CheckFamily:
		return Family
	case neighbor.CheckNextHop, neighbor.CheckMaximum:
		return Exported
	case neighbor.CheckMembership:
		return Wanted
	default:
		return Sent
	}
}

// Remedy says how a neighbor with a session comes to have a route.
func Remedy(check neighbor.Check, n *inventory.Neighbor, s *neighbor.Status, r *vrf.Route) string {
	switch check {
	case neighbor.CheckFamily:
		_, next := s.Lacks()
		return cmp.Or(next, "enable "+neighbor.VPNFamily(r.Prefix.Addr()).String()+" for this session on the router")
	case neighbor.CheckNextHop:
		return "enable IPv6 next hops for inet-vpn on the router (extended next hop), or give the compute node an IPv4 address"
	case neighbor.CheckMembership:
		if s.Negotiated().Contains(neighbor.RouteTarget) {
			return fmt.Sprintf("let a VRF of the router import one of %s; buoyctl gateway-config --vendor VENDOR --neighbor %s writes it",
				strings.Join(r.Targets.Strings(), ", "), n.Name)
		}
	case neighbor.CheckMaximum:
		return fmt.Sprintf("buoyctl set neighbor %s --max-advertised N, with a higher N", n.Name)
	}
	return later
}
