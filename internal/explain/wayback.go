package explain

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// wayBack looks for a route to the world in the table of a network, or to the
// client that was named. A compute node may have a way of its own, so what is
// missing is a warning.
func (a *answer) wayBack(n *inventory.Network, f *inventory.FloatingIP) (c chain) {
	what, prefix := "a default route", defaultOf(f.Address)
	paths := a.Imports.Routes(n.ID, prefix)
	if a.q.Client.IsValid() {
		what = "a route to " + a.q.Client.String()
		prefix, paths = a.Imports.Lookup(n.ID, a.q.Client)
	}
	table := inventory.ShortName(n.Name) + map[bool]string{true: ".inet.0", false: ".inet6.0"}[f.Address.Is4()]
	switch {
	case len(paths.Best) > 0:
		a.foundWayBack(&c, prefix, paths)
	case len(paths.Unusable) > 0:
		r := paths.Unusable[0]
		c.warn(WayBack, fmt.Sprintf("%s%s cannot be followed: %s", prefix, a.by(r), r.Unusable()), "let the router announce it as a VPN route of its own")
	default:
		a.noWayBack(&c, n, what, table, defaultOf(f.Address))
	}
	return c
}

func (a *answer) foundWayBack(c *chain, prefix netip.Prefix, paths vrf.Paths) {
	best := paths.Best[0]
	text := fmt.Sprintf("%s%s, next hop %s label %d", prefix, a.by(best), best.Attributes.Value().NextHop, best.Label)
	if best.Stale {
		text += "; stale: the neighbor has yet to announce it again"
	}
	if a.q.Neighbor != "" {
		for _, list := range [][]*vrf.Received{paths.Best, paths.Backup} {
			for _, r := range list {
				if inventory.NeighborName(r.Source.Neighbor) == a.q.Neighbor {
					c.ok(WayBack, text, best.Since)
					return
				}
			}
		}
		c.warn(WayBack, text+"; "+inventory.ShortName(a.q.Neighbor)+" announces none", "answers take another gateway, which is well if that is meant")
		return
	}
	c.ok(WayBack, text, best.Since)
}

// noWayBack says why there is no route.
func (a *answer) noWayBack(c *chain, n *inventory.Network, what, table string, prefix netip.Prefix) {
	g, _ := a.State.Global()
	imports := n.VRF(g.AS).Import
	for peer := range a.State.Neighbors() {
		if a.q.Project != "" { // what neighbors announce is the operator's to know
			break
		}
		if !peer.Policy.AcceptPrefixes.Contains(prefix) && a.q.Neighbor == peer.ResourceName() {
			c.warn(WayBack, fmt.Sprintf("%s does not have %s: --accept-prefix of %s does not take %s", table, what, peer.Name, prefix),
				"buoyctl set neighbor "+peer.Name+" --accept-prefix …")
			return
		}
		for r := range a.Routers.AdjRIBIn(peer.Address, vrf.Key{Prefix: prefix}) {
			if r.Prefix != prefix {
				break
			}
			if targets := r.Attributes.Value().Targets; !targets.Intersects(imports) {
				c.warn(WayBack, fmt.Sprintf("%s announces %s with %s, which %s does not import", peer.Name, prefix,
					strings.Join(targets.Strings(), " "), inventory.ShortName(n.Name)),
					fmt.Sprintf("let the router export it with one of %s, or import it: buoyctl set network %s --import-target …",
						strings.Join(imports.Strings(), ", "), n.Name))
				return
			}
		}
	}
	text := fmt.Sprintf("%s does not have %s: answers have no way out, unless the compute node has one of its own", table, what)
	for other := range a.Imports.All(n.ID, prefix) {
		if other.Addr().Is4() == prefix.Addr().Is4() {
			text += fmt.Sprintf("; it has others, like %s (--from CLIENT looks for one client)", other)
		}
		break
	}
	c.warn(WayBack, text, fmt.Sprintf("let the VRF of the router announce a default route with one of %s", strings.Join(imports.Strings(), ", ")))
}

// by says who announces a route, if that may be told.
func (a *answer) by(r *vrf.Received) string {
	if a.q.Project != "" {
		return ""
	}
	return " from " + r.Source.Neighbor
}

// defaultOf returns the prefix that has all addresses of a family.
func defaultOf(addr netip.Addr) netip.Prefix {
	if addr.Is4() {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}
