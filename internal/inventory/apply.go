package inventory

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unique"

	"github.com/tidwall/btree"

	"github.com/buoynet/buoy/internal/ipam"
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
	if c.Key == globalKey {
		return GlobalName, s.applyGlobal(c)
	}
	kind := c.Key[:strings.IndexByte(c.Key, '/')+1]
	if apply, ok := resources[kind]; ok {
		name := c.Key[len(kind):]
		return name, apply(s, name, c)
	}
	if apply, ok := records[kind]; ok {
		return "", apply(s, c)
	}
	if slices.Contains(claimPrefixes, kind) {
		return "", nil // its holder tells the same
	}
	return "", fmt.Errorf("unknown kind of key; was it written by a later version of Buoy?")
}

// resourceOf returns the name of the resource that a key has, or nothing.
func resourceOf(key string) string {
	if key == globalKey {
		return GlobalName
	}
	kind := key[:strings.IndexByte(key, '/')+1]
	if _, ok := resources[kind]; ok {
		return key[len(kind):]
	}
	return ""
}

// resources take over what has a name of its own, by the prefix of its key.
var resources = map[string]func(s *State, name string, c Change) error{
	networkPrefix:    (*State).applyNetwork,
	nodePrefix:       (*State).applyComputeNode,
	neighborPrefix:   (*State).applyNeighbor,
	floatingIPPrefix: (*State).applyFloatingIP,
	poolPrefix:       (*State).applyPool,
	bindingPrefix:    (*State).applyBinding,
}

// records take over what only the plans need.
var records = map[string]func(s *State, c Change) error{
	interfacePrefix: (*State).applyInterface,
	restingPrefix:   (*State).applyResting,
	cursorPrefix:    (*State).applyCursor,
	answerPrefix:    (*State).applyAnswer,
}

func (s *State) applyGlobal(c Change) error {
	g, err := decode[Global](c)
	if err != nil {
		return err
	}
	if g != nil {
		g.Version, g.Etag = c.Version, Etag(g.AS)
	}
	old := s.global
	if s.global = g; g == nil || old != nil && old.AS == g.AS {
		return nil
	}
	for _, n := range slices.Collect(s.Networks()) { // each has another automatic target
		s.networks.Set(n.Name, s.prepared(*n))
	}
	return nil
}

// prepared fills in what follows from a network's settings, so that all who
// ask share it.
func (s *State) prepared(n Network) *Network {
	n.usable = n.findUsable()
	if s.global != nil {
		n.vrf, n.vrfAS = n.VRF(s.global.AS), s.global.AS
	}
	s.networkIDs.Set(n.ID, &n)
	return &n
}

func (s *State) applyNetwork(name string, c Change) error {
	n, err := decodeNamed(c, name, func(v *Network) string { return v.Name })
	if err != nil {
		return err
	}
	if n != nil {
		n.Version, n.Etag = c.Version, etagOf(c.Value)
		n.vrfAS = 0 // a network of a draft has that of the one it was
		n = s.prepared(*n)
	}
	if old := replace(&s.networks, name, n); old != nil {
		// One commit may have given the id to another network first. So for
		// everything unique below.
		if held, _ := s.networkIDs.Get(old.ID); held == old {
			s.networkIDs.Delete(old.ID)
		}
	}
	for _, p := range slices.Collect(s.PoolsOf(name)) { // what they can give depends on the subnets
		s.setPool(*p)
	}
	return nil
}

func (s *State) applyPool(name string, c Change) error {
	p, err := decodeNamed(c, name, func(v *Pool) string { return v.Name })
	if err != nil {
		return err
	}
	if p == nil {
		s.pools.Delete(name)
		return nil
	}
	p.Version, p.Etag = c.Version, etagOf(c.Value)
	s.setPool(*p)
	return nil
}

// setPool puts a pool in its place, with what it can give.
func (s *State) setPool(p Pool) {
	p.usable = ipam.Ranges{}
	if n, ok := s.Network(p.Network()); ok {
		p.usable = p.findUsable(n)
	}
	s.pools.Set(p.Name, &p)
}

func (s *State) applyBinding(name string, c Change) error {
	b, err := decodeNamed(c, name, func(v *Binding) string { return v.Name })
	if err != nil {
		return err
	}
	if b != nil {
		b.Version, b.Etag = c.Version, etagOf(c.Value)
	}
	if held, ok := s.bindings.Get(name); ok && held.ReadOnly {
		s.hidden = b // it comes to light again without the other
		return nil
	}
	replace(&s.bindings, name, b)
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
		n.Version, n.Etag = c.Version, etagOf(c.Value)
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
		n.Version, n.Etag = c.Version, etagOf(c.Value)
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
		f.Version, f.Changed, f.Etag = c.Version, c.Version, etagOf(c.Value)
		f.Network, f.Pool, f.Namespace = intern(f.Network), intern(f.Pool), intern(f.Namespace)
		if c.resource != nil { // a draft's shares them with the state that it began with
			f.Associations = slices.Clone(f.Associations)
		}
		for i := range f.Associations {
			f.Associations[i].ComputeNode = intern(f.Associations[i].ComputeNode)
		}
		name = f.Name // one string for the value and its keys
	}
	if old := replace(&s.floatingIPs, name, f); old != nil {
		if f != nil && f.Etag == old.Etag {
			f.Changed = old.Changed
		}
		if held, _ := s.Holder(old.Network, old.Address); held == old {
			s.addresses.Delete(addressItem{network: old.Network, addr: old.Address})
			s.taken.Remove(old.Network, old.Address)
		}
		for _, a := range old.Associations {
			s.byNode.Delete(nodeItem{a.ComputeNode, name})
			s.byPlace.Delete(placeItem{a.place(), name})
		}
	}
	if f != nil {
		s.addresses.Set(addressItem{f.Network, f.Address, f})
		s.taken.Add(f.Network, f.Address)
		for _, a := range f.Associations {
			s.byNode.Set(nodeItem{a.ComputeNode, name})
			s.byPlace.Set(placeItem{a.place(), name})
		}
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
	if resource, ok := c.resource.(T); ok {
		*v = resource
		return v, nil
	}
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
