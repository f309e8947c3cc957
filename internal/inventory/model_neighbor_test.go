package inventory

import "github.com/buoynet/buoy/internal/neighbor"

func (m *model) doNeighbor(c Command, out *outcome) (broken reasons) {
	switch c := c.(type) {
	case CreateNeighbor:
		name := "neighbors/" + c.Settings.Name
		broken.add(!nameRule.MatchString(name), ReasonInvalid)
		broken.add(m.peers[name].Name != "", ReasonExists)
		if broken = append(broken, m.peerRules(c.Settings)...); broken == nil && out != nil {
			m.peers[name] = c.Settings
		}
	case UpdateNeighbor:
		s, ok := m.peers[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		set(&s.Address, c.Address)
		set(&s.AS, c.AS)
		set(&s.Passive, c.Passive)
		set(&s.Encapsulations, c.Encapsulations)
		set(&s.MaxAdvertised, c.MaxAdvertised)
		set(&s.MaxReceived, c.MaxReceived)
		set(&s.AcceptPrefixes, c.AcceptPrefixes)
		set(&s.AcceptTargets, c.AcceptTargets)
		set(&s.MaxReceivedAction, c.MaxReceivedAction)
		broken.add(c.Name == static, ReasonReadOnly)
		if broken = append(broken, m.peerRules(s)...); broken == nil && out != nil {
			m.peers[c.Name] = s
		}
	case DeleteNeighbor:
		broken.add(m.peers[c.Name].Name == "", ReasonNotFound)
		broken.add(c.Name == static, ReasonReadOnly)
		if broken == nil && out != nil {
			delete(m.peers, c.Name)
		}
	}
	return broken
}

func (m *model) peerRules(s neighbor.Settings) (broken reasons) {
	broken.add(!s.Address.IsValid() || s.Address.IsMulticast() || s.AS == 0, ReasonInvalid)
	for _, other := range m.peers {
		broken.add(other.Name != s.Name && other.Address == s.Address, ReasonAddressTaken)
	}
	return broken
}
