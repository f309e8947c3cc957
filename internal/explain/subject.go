package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
)

// subject finds out what has the address. It returns the floating IP if the asking
// project may see it.
func (a *answer) subject() (*inventory.Network, *inventory.FloatingIP, error) {
	c := (*chain)(&a.Steps)
	defer c.skipTo(Known, Associated)
	network, addr, err := a.network()
	if err != nil || network == nil {
		return nil, nil, err
	}
	a.Network = network.Name
	text := network.Name
	for _, subnet := range network.Subnets {
		if subnet.Contains(addr) && a.State.Visible(a.q.Project, network.Name) {
			text = fmt.Sprintf("%s of %s", subnet, network.Name)
		}
	}
	c.ok(Known, text, time.Time{})
	holder, taken := a.State.Holder(network.Name, addr)
	a.pool(c, network, addr, holder)
	switch {
	case c.broken():
		return network, nil, nil
	case !taken:
		a.free(c, network, addr)
		return network, nil, nil
	case !a.State.Visible(a.q.Project, holder.Name):
		c.fail(Allocated, fmt.Sprintf("%s is taken", addr), "")
		return network, nil, nil
	}
	a.FloatingIP = holder.Name
	c.ok(Allocated, holder.Name, time.Time{})
	if len(holder.Associations) == 0 {
		c.fail(Associated, fmt.Sprintf("%s is not associated with a compute node", holder.Name),
			fmt.Sprintf("buoyctl associate floatingip %s --computenode NODE --interface INTERFACE --fixed-ip ADDRESS", holder.Name))
		return network, holder, nil
	}
	var nodes []string
	for i := range holder.Associations {
		nodes = append(nodes, inventory.ShortName(holder.Associations[i].ComputeNode))
	}
	c.ok(Associated, "with "+listed(nodes, ", "), time.Time{})
	return network, holder, nil
}

// network finds the network that is meant. It returns nil, and a step that failed,
// if there is none.
func (a *answer) network() (*inventory.Network, netip.Addr, error) {
	c := (*chain)(&a.Steps)
	if f, ok := a.State.FloatingIP(a.q.FloatingIP); ok {
		n, _ := a.State.Network(f.Network)
		return n, f.Address, nil
	}
	addr := a.q.Address
	var found, holding []*inventory.Network
	for n := range a.State.Networks() {
		if (a.q.Network != "" && n.Name != a.q.Network) || !a.mayUse(n, addr) {
			continue
		}
		found = append(found, n)
		if f, ok := a.State.Holder(n.Name, addr); ok && a.State.Visible(a.q.Project, f.Name) {
			holding = append(holding, n)
		}
	}
	if len(holding) == 1 { // who else could be meant has it not in use
		found = holding
	}
	switch len(found) {
	case 0:
		a.unknown(c, addr)
		return nil, addr, nil
	case 1:
		return found[0], addr, nil
	}
	return nil, addr, a.ambiguous(found, addr)
}

// mayUse reports whether a network has an address, and the asking project may know.
func (a *answer) mayUse(n *inventory.Network, addr netip.Addr) bool {
	for _, subnet := range n.Subnets {
		if !subnet.Contains(addr) {
			continue
		}
		if a.State.Visible(a.q.Project, n.Name) {
			return true
		}
		for p := range a.State.PoolsOf(n.Name) {
			if p.UsableBy(a.q.Project) && p.Usable().Contains(addr) {
				return true
			}
		}
	}
	return false
}

// ambiguous asks which of several networks is meant.
func (a *answer) ambiguous(found []*inventory.Network, addr netip.Addr) error {
	var names []string
	for _, n := range found {
		name := n.Name
		if f, ok := a.State.Holder(n.Name, addr); ok && a.State.Visible(a.q.Project, f.Name) {
			name += " (" + f.Name + ")"
		}
		names = append(names, name)
	}
	return &inventory.Error{Code: inventory.InvalidArgument, Reason: inventory.ReasonInvalid, Field: "network", Resource: found[0].Name,
		Message: fmt.Sprintf("%s is in several networks; name one of %s", addr, listed(names, ", "))}
}

// unknown says that no network has an address.
func (a *answer) unknown(c *chain, addr netip.Addr) {
	next := "a network has to have it: buoyctl set network NAME --subnet …, or create network NAME --subnet …"
	if near := a.near(addr); len(near) > 0 {
		next = "look at the address again: the nearest subnets are " + strings.Join(near, ", ")
	}
	switch {
	case a.q.Network != "":
		c.fail(Known, fmt.Sprintf("%s does not have %s", a.q.Network, addr), next)
	case a.q.Project != "" && len(a.pools(addr)) > 0:
		c.fail(Known, fmt.Sprintf("%s is outside what is shared with project %s: %s", addr, a.q.Project, listed(a.pools(addr), "; ")),
			"take an address of the pool; or whoever has the pool gives it more: buoyctl set pool NETWORK/POOL --range …")
	case a.q.Project != "":
		c.fail(Known, fmt.Sprintf("no network of project %s has %s, and no pool that is shared with it", a.q.Project, addr),
			next+"; or whoever has it shares a pool: buoyctl set pool NETWORK/POOL --share-with "+a.q.Project)
	default:
		c.fail(Known, fmt.Sprintf("no network has %s", addr), next)
	}
}

// pools returns the pools that the asking project may use of networks that have an
// address, with their addresses.
func (a *answer) pools(addr netip.Addr) (texts []string) {
	for p := range a.State.Pools() {
		n, ok := a.State.Network(p.Network())
		if !ok || !p.UsableBy(a.q.Project) || !slices.ContainsFunc(n.Subnets, func(s netip.Prefix) bool { return s.Contains(addr) }) {
			continue
		}
		var ranges []string
		for r := range p.Usable().All() {
			ranges = append(ranges, r.String())
		}
		texts = append(texts, p.Name+" has "+listed(ranges, ", "))
	}
	return texts
}

// pool says whether an address can be given to a floating IP.
func (a *answer) pool(c *chain, n *inventory.Network, addr netip.Addr, holder *inventory.FloatingIP) {
	if holder != nil {
		switch p, ok := a.State.Pool(holder.Pool); {
		case holder.Pool == "":
			c.ok(InPool, "outside the pools of the network", time.Time{})
		case ok && !p.UsableBy(inventory.ProjectOf(holder.Name)):
			c.ok(InPool, holder.Pool+", which is no longer shared with the project; what was allocated stays", time.Time{})
		default:
			c.ok(InPool, holder.Pool, time.Time{})
		}
		return
	}
	if err := n.CheckAddress(addr); err != nil {
		c.fail(InPool, err.Error(), "no floating IP can have it, unless --reserved-hosts, --gateway or --dns-server of the network say otherwise")
		return
	}
	if p := a.poolWith(n, addr); p != nil {
		c.ok(InPool, p.Name, time.Time{})
		return
	}
	c.ok(InPool, "in none; only project "+inventory.ProjectOf(n.Name)+" can take it", time.Time{})
}

func (a *answer) poolWith(n *inventory.Network, addr netip.Addr) *inventory.Pool {
	for p := range a.State.PoolsOf(n.Name) {
		if p.Usable().Contains(addr) {
			return p
		}
	}
	return nil
}

// free says how a floating IP gets an address that is nobody's.
func (a *answer) free(c *chain, n *inventory.Network, addr netip.Addr) {
	p := a.poolWith(n, addr)
	if p == nil {
		c.fail(Allocated, fmt.Sprintf("no floating IP has %s", addr),
			fmt.Sprintf("buoyctl allocate floatingip NAME --network %s --address %s", n.Name, addr))
		return
	}
	text := fmt.Sprintf("no floating IP has %s", addr)
	if own := inventory.ProjectOf(p.Name); a.q.Project == "" && len(p.SharedWith) == 0 {
		text += fmt.Sprintf(", and the pool is not shared: only project %s can take it", own)
	}
	c.fail(Allocated, text, fmt.Sprintf("buoyctl allocate floatingip NAME --pool %s --address %s", p.Name, addr))
}
