package inventory

import (
	"maps"
	"net/netip"
	"slices"
)

func (m *model) doPool(c Command, out *outcome) (broken reasons) {
	switch c := c.(type) {
	case CreatePool:
		p := c.Pool
		broken.add(networkRule(p.Name) == "", ReasonInvalid)
		broken.add(m.pools[p.Name].Name != "", ReasonExists)
		n, ok := m.networks[networkRule(p.Name)]
		broken.add(!ok, ReasonNotFound)
		if broken = append(broken, m.poolRules(p, n)...); broken == nil && out != nil {
			m.pools[p.Name] = p
			delete(m.released, n.Name)
		}
	case UpdatePool:
		p, ok := m.pools[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		set(&p.Ranges, c.Ranges)
		set(&p.SharedWith, c.SharedWith)
		n := m.networks[networkRule(p.Name)]
		inside := addressesOfPool(p, n)
		for _, f := range m.floating {
			_, ok := inside[f.Address]
			broken.add(f.Pool == p.Name && !ok, ReasonInUse)
		}
		if broken = append(broken, m.poolRules(p, n)...); broken == nil && out != nil {
			m.pools[p.Name] = p
			delete(m.released, n.Name)
		}
	case DeletePool:
		broken.add(m.pools[c.Name].Name == "", ReasonNotFound)
		broken.add(m.pools[c.Name].Automatic || m.isUsed(c.Name), ReasonInUse)
		if broken == nil && out != nil {
			delete(m.pools, c.Name)
			delete(m.released, networkRule(c.Name))
		}
	case BindPool:
		broken.add(!nameRule.MatchString(c.Name) || networkRule(c.Pool) == "", ReasonInvalid)
		broken.add(m.pools[c.Pool].Name == "", ReasonNotFound)
		broken.add(m.ofFile(c.Name), ReasonReadOnly)
		if broken == nil && out != nil {
			m.bindings[c.Name] = Binding{Name: c.Name, Pool: c.Pool}
		}
	case UnbindPool:
		broken.add(!nameRule.MatchString(c.Name), ReasonInvalid)
		broken.add(m.bound(c.Name) == "", ReasonNotFound)
		broken.add(m.ofFile(c.Name), ReasonReadOnly)
		if broken == nil && out != nil {
			delete(m.bindings, c.Name)
		}
	}
	return broken
}

func (m *model) poolRules(p Pool, n Network) (broken reasons) {
	for _, project := range p.SharedWith {
		broken.add(project != "*" && (project < "a" || project > "z"), ReasonInvalid)
	}
	all := addressesIn(n)
	for i, r := range p.Ranges {
		broken.add(!r.First.IsValid(), ReasonInvalid)
		for a := r.First; a.IsValid() && !r.Last.Less(a); a = a.Next() {
			_, inside := all[a]
			broken.add(!inside, ReasonOutsideNetwork)
		}
		for _, q := range p.Ranges[:i] {
			broken.add(q.Contains(r.First) || r.Contains(q.First), ReasonPoolsOverlap)
		}
	}
	broken.add(m.overlaps(p, n), ReasonPoolsOverlap)
	return broken
}

// overlaps reports whether a pool has an address in common with another one.
func (m *model) overlaps(p Pool, n Network) bool {
	mine := addressesOfPool(p, n)
	for _, other := range m.poolsOf(n.Name) {
		if other.Name == p.Name {
			continue
		}
		if len(p.Ranges)+len(other.Ranges) == 0 {
			return true
		}
		for a := range addressesOfPool(other, n) {
			if _, ok := mine[a]; ok {
				return true
			}
		}
	}
	return false
}

// addressesOfPool is addressesIn for a pool.
func addressesOfPool(p Pool, n Network) map[netip.Addr]string {
	all := addressesIn(n)
	maps.DeleteFunc(all, func(a netip.Addr, _ string) bool {
		for _, r := range p.Ranges {
			if !a.Less(r.First) && !r.Last.Less(a) {
				return false
			}
		}
		return len(p.Ranges) > 0
	})
	return all
}

// usableOf returns what can be given out of a pool, or of a network outside
// its pools.
func (m *model) usableOf(n Network, pool string) map[netip.Addr]string {
	usable := addressesIn(n)
	if pool != "" {
		usable = addressesOfPool(m.pools[pool], n)
	}
	maps.DeleteFunc(usable, func(_ netip.Addr, use string) bool { return use != "" })
	for _, p := range m.poolsOf(n.Name) {
		for a := range addressesOfPool(p, n) {
			if pool == "" {
				delete(usable, a)
			}
		}
	}
	return usable
}

func (m *model) poolsOf(network string) (pools []Pool) {
	for name, p := range m.pools {
		if network != "" && networkRule(name) == network {
			pools = append(pools, p)
		}
	}
	return pools
}

func (m *model) ofFile(binding string) bool {
	return binding == "global/poolBinding" && m.filePool != ""
}

// bound returns the pool of a binding.
func (m *model) bound(binding string) string {
	if m.ofFile(binding) {
		return m.filePool
	}
	return m.bindings[binding].Pool
}

// isBound reports whether a binding names a pool, also one of the store that
// that of the file overrides.
func (m *model) isBound(pool string) bool {
	for _, b := range m.bindings {
		if b.Pool == pool {
			return true
		}
	}
	return m.filePool == pool
}

func (m *model) isUsed(pool string) bool {
	for _, f := range m.floating {
		if f.Pool == pool {
			return true
		}
	}
	return m.isBound(pool)
}

func (m *model) mayUse(project, pool string) bool {
	shared := m.pools[pool].SharedWith
	return m.pools[pool].Name != "" && (projectRule(pool) == project || slices.Contains(shared, project) || slices.Contains(shared, "*"))
}
