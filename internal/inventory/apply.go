package inventory

import (
	"encoding/json"
	"fmt"
	"strings"
	"unique"

	"github.com/tidwall/btree"
)

// Apply takes over the changes of one commit, or a whole snapshot of the
// store. It returns the names of the resources that changed or went. An error
// means that the store holds what this program cannot read; the state is then
// not usable.
func (s *State) Apply(revision uint64, changes []Change) (touched []string, err error) {
	for _, c := range changes {
		name, err := s.apply(c)
		if err != nil {
			return touched, fmt.Errorf("apply %s at revision %d: %w", c.Key, revision, err)
		}
		if name != "" {
			touched = append(touched, name)
		}
	}
	s.revision = revision
	return touched, nil
}

func (s *State) apply(c Change) (touched string, err error) {
	for prefix, apply := range appliers {
		if name, ok := strings.CutPrefix(c.Key, prefix); ok {
			return name, apply(s, name, c)
		}
	}
	switch {
	case c.Key == globalKey:
		return GlobalName, s.applyGlobal(c)
	case strings.HasPrefix(c.Key, interfacePrefix):
		return "", s.applyInterface(c)
	}
	for _, prefix := range claimPrefixes {
		if strings.HasPrefix(c.Key, prefix) {
			return "", nil // its holder tells the same
		}
	}
	return "", fmt.Errorf("unknown kind of key; was it written by a later version of Buoy?")
}

// appliers take over a resource of one kind, by the prefix of its key.
var appliers = map[string]func(s *State, name string, c Change) error{
	networkPrefix:    (*State).applyNetwork,
	nodePrefix:       (*State).applyComputeNode,
	neighborPrefix:   (*State).applyNeighbor,
	floatingIPPrefix: (*State).applyFloatingIP,
}

func (s *State) applyGlobal(c Change) error {
	g, err := decode[Global](c)
	if g != nil {
		g.Version = c.Version
	}
	s.global = g
	return err
}

func (s *State) applyNetwork(name string, c Change) error {
	n, err := decodeNamed(c, name, func(v *Network) string { return v.Name })
	if err != nil {
		return err
	}
	if old := replace(&s.networks, name, n); old != nil {
		// One commit may have given the id to another network first. So for
		// everything unique below.
		if held, _ := s.networkIDs.Get(old.ID); held == old {
			s.networkIDs.Delete(old.ID)
		}
	}
	if n != nil {
		n.Version = c.Version
		if s.global != nil {
			n.vrf, n.vrfAS = n.VRF(s.global.AS), s.global.AS
		}
		s.networkIDs.Set(n.ID, n)
	}
	return nil
}

func (s *State) applyComputeNode(name string, c Change) error {
	n, err := decodeNamed(c, name, func(v *ComputeNode) string { return v.Name })
	if err != nil {
		return err
	}
	if old := replace(&s.nodes, name, n); old != nil {
		s.nodeAddrs.remove(old.Address, old)
		s.routerIDs.remove(old.RouterID, old)
	}
	if n != nil {
		n.Version = c.Version
		s.nodeAddrs.set(n.Address, n)
		s.routerIDs.set(n.RouterID, n)
	}
	return nil
}

func (s *State) applyNeighbor(name string, c Change) error {
	n, err := decodeNamed(c, name, (*Neighbor).ResourceName)
	if err != nil {
		return err
	}
	if n != nil {
		if held, ok := s.neighbors.Get(name); ok && held.ReadOnly {
			return fmt.Errorf("neighbor %s is in the store and in the configuration file; rename it in the file", n.Name)
		}
		if held, ok := s.neighborAddrs.get(n.Address); ok && held.ReadOnly {
			return fmt.Errorf("neighbor %s of the store has the address %s, as has neighbor %s of the configuration file; remove it from the file", n.Name, n.Address, held.Name)
		}
	}
	if old := replace(&s.neighbors, name, n); old != nil {
		s.neighborAddrs.remove(old.Address, old)
	}
	if n != nil {
		n.Version = c.Version
		s.neighborAddrs.set(n.Address, n)
	}
	return nil
}

func (s *State) applyFloatingIP(name string, c Change) error {
	f, err := decodeNamed(c, name, func(v *FloatingIP) string { return v.Name })
	if err != nil {
		return err
	}
	if f != nil {
		f.Version = c.Version
		f.Network = intern(f.Network)
		for i := range f.Associations {
			f.Associations[i].ComputeNode = intern(f.Associations[i].ComputeNode)
		}
		name = f.Name // one string for the value and its keys
	}
	if old := replace(&s.floatingIPs, name, f); old != nil {
		if held, _ := s.Holder(old.Network, old.Address); held == old {
			s.addresses.Delete(addressItem{network: old.Network, addr: old.Address})
		}
		for _, a := range old.Associations {
			s.byNode.Delete(nodeItem{a.ComputeNode, name})
		}
	}
	if f != nil {
		s.addresses.Set(addressItem{f.Network, f.Address, f})
		for _, a := range f.Associations {
			s.byNode.Set(nodeItem{a.ComputeNode, name})
		}
	}
	return nil
}

func (s *State) applyInterface(c Change) error {
	use, err := decode[interfaceUse](c)
	if err != nil {
		return err
	}
	node, name := segment(c.Key, interfacePrefix)
	if old := replace(&s.interfaces, c.Key, use); old != nil {
		if held, _ := s.labels.Get(old); held == old {
			s.labels.Delete(old)
		}
	}
	if use != nil {
		use.node, use.name, use.version = intern(ComputeNodeName(node)), name, c.Version
		s.labels.Set(use)
	}
	return nil
}

// decodeNamed reads a resource. A value that calls itself otherwise than its
// key would be found under neither name.
func decodeNamed[T any](c Change, name string, nameOf func(*T) string) (*T, error) {
	v, err := decode[T](c)
	if v != nil && nameOf(v) != name {
		return nil, fmt.Errorf("the resource calls itself %q", nameOf(v))
	}
	return v, err
}

// decode reads the value of a key, or returns nil when the key was deleted.
func decode[T any](c Change) (*T, error) {
	if c.Value == nil {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(c.Value, v); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return v, nil
}

// replace puts a value, or removes the key when the value is nil. It returns
// the old value.
func replace[V any](m *btree.Map[string, *V], key string, v *V) *V {
	if v == nil {
		old, _ := m.Delete(key)
		return old
	}
	old, _ := m.Set(key, v)
	return old
}

// intern gives equal strings one backing. Many floating IPs name one network.
func intern(s string) string { return unique.Make(s).Value() }
