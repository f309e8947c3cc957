package inventory

import (
	"fmt"
	"net/netip"
	"slices"
)

// source decides where an address comes from: the most specific scope, and no
// other.
func (m *model) source(c Allocate) (network, pool string, scope Scope, broken reasons) {
	project := projectRule(c.Name)
	broken.add(c.Namespace == "Dev", ReasonInvalid)
	broken.add(c.Pool != "" && c.Network != "", ReasonInvalid)
	switch {
	case c.Pool != "":
		broken.add(networkRule(c.Pool) == "", ReasonInvalid)
		if project == projectRule(c.Pool) {
			broken.add(m.pools[c.Pool].Name == "", ReasonNotFound)
		} else {
			broken.add(!m.mayUse(project, c.Pool), ReasonNotShared)
		}
		return networkRule(c.Pool), c.Pool, ScopeRequest, broken
	case c.Network != "":
		broken.add(!nameRule.MatchString(c.Network), ReasonInvalid)
		broken.add(project != projectRule(c.Network), ReasonOtherProject)
		broken.add(m.networks[c.Network].Name == "", ReasonNotFound)
		return c.Network, "", ScopeNetwork, broken
	}
	pool, scope = m.bound("namespaces/"+c.Namespace+"/poolBinding"), ScopeNamespace
	if pool == "" {
		pool, scope = m.bound("global/poolBinding"), ScopeGlobal
	}
	broken.add(pool == "", ReasonNoPool)
	broken.add(pool != "" && !m.mayUse(project, pool), ReasonBoundPool)
	return networkRule(pool), pool, scope, broken
}

func (m *model) allocate(c Allocate, out *outcome) (broken reasons) {
	network, pool, scope, broken := m.source(c)
	broken.add(!nameRule.MatchString(c.Name), ReasonInvalid)
	broken.add(m.floating[c.Name].Name != "", ReasonExists)
	broken = append(broken, trafficRules(c.Direction, c.PortMappings)...)
	n := m.networks[network]
	taken := map[netip.Addr]bool{}
	for _, f := range m.floating {
		taken[f.Address] = taken[f.Address] || f.Network == network
	}
	usable := m.usableOf(n, pool)
	address := c.Address
	if c.Address.IsValid() {
		use, inside := addressesIn(n)[c.Address]
		broken.add(c.Address.IsMulticast() || c.Address.IsUnspecified(), ReasonInvalid)
		broken.add(c.Family != AnyFamily && c.Address.Is4() != (c.Family == IPv4), ReasonFamilyMismatch)
		broken.add(!inside, ReasonOutsideSubnets)
		broken.add(use != "", ReasonReserved)
		broken.add(taken[c.Address], ReasonAddressTaken)
		if _, ok := usable[c.Address]; inside && use == "" && !ok && pool == "" {
			broken.add(true, ReasonInPool)
		}
		if _, ok := addressesOfPool(m.pools[pool], n)[c.Address]; pool != "" && !ok {
			broken.add(true, ReasonOutsidePool)
		}
	} else {
		free := freeOf(usable, taken, c.Family)
		exhausted := ReasonNetExhausted
		if pool != "" {
			exhausted = ReasonPoolExhausted
		}
		ofFamily := freeOf(usable, nil, c.Family)
		broken.add(len(free) == 0 && (len(ofFamily) > 0 || len(usable) == 0), exhausted)
		broken.add(len(ofFamily) == 0 && len(usable) > 0, ReasonFamilyMismatch)
		if out != nil {
			address = out.fip.Address
			if out.stale && c.Family == AnyFamily { // pools may have gone, and left IPv4 behind
				free = append(freeOf(usable, taken, IPv4), freeOf(usable, taken, IPv6)...)
			}
			broken.add(!slices.Contains(free, address), fmt.Sprintf("%s is not one of %v", address, free))
			if last := m.released[network]; !out.stale && len(free) > 1 && slices.Contains(free, last) {
				m.rested++
				broken.add(last == address, fmt.Sprintf("%s was just released, and %v are free", address, free))
			}
		}
	}
	if broken == nil && out != nil {
		delete(m.released, network)
		m.floating[c.Name] = FloatingIP{
			Name: c.Name, Network: network, Pool: pool, Address: address, Scope: scope, Namespace: c.Namespace,
			Direction: c.Direction, PortMappings: c.PortMappings}
	}
	return broken
}

// freeOf returns the free addresses of a family: of IPv4 where there is any.
func freeOf(usable map[netip.Addr]string, taken map[netip.Addr]bool, family Family) (free []netip.Addr) {
	if family == AnyFamily {
		family = IPv6
		for a := range usable {
			if a.Is4() {
				family = IPv4
			}
		}
	}
	for a := range usable {
		if a.Is4() == (family == IPv4) && !taken[a] {
			free = append(free, a)
		}
	}
	return free
}

func (m *model) doFloating(c Command, out *outcome) (broken reasons) {
	switch c := c.(type) {
	case UpdateFloatingIP:
		f, ok := m.floating[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		set(&f.Direction, c.Direction)
		set(&f.PortMappings, c.PortMappings)
		if broken = trafficRules(f.Direction, f.PortMappings); broken == nil && out != nil {
			m.floating[c.Name] = f
		}
	case Release:
		f := m.floating[c.Name]
		broken.add(f.Name == "", ReasonNotFound)
		broken.add(len(f.Associations) > 0, ReasonInUse)
		if broken == nil && out != nil {
			delete(m.floating, c.Name)
			if delete(m.released, f.Network); !out.stale {
				m.released[f.Network] = f.Address
			}
		}
	case Associate:
		f, ok := m.floating[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		if broken = m.associate(f, c.Association, out); out != nil {
			broken = append(broken, m.wake(out)...)
		}
	case Disassociate:
		f, ok := m.floating[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		left := slices.DeleteFunc(slices.Clone(f.Associations), func(a Association) bool {
			return (c.Interface == "" || a.Interface == c.Interface) && (c.ComputeNode == "" || a.ComputeNode == c.ComputeNode)
		})
		if broken.add(len(left) == len(f.Associations), ReasonNotAssociated); broken == nil && out != nil {
			m.leave(f, left)
			broken = m.wake(out)
		}
	case Move:
		return m.move(c, out)
	}
	return broken
}
