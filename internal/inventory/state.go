package inventory

import (
	"iter"
	"net/netip"
	"strings"

	"github.com/tidwall/btree"

	"github.com/buoynet/buoy/vrf"
)

// State is the content of the store in memory. One owner feeds it with Apply;
// everybody else reads snapshots. What its methods return is shared and must
// not be changed.
type State struct {
	revision uint64
	global   *Global

	networks    btree.Map[string, *Network]
	nodes       btree.Map[string, *ComputeNode]
	neighbors   btree.Map[string, *Neighbor]
	floatingIPs btree.Map[string, *FloatingIP]
	interfaces  btree.Map[string, *interfaceUse] // by key of the store

	// Indexes, derived from the resources above.
	networkIDs    btree.Map[uint16, *Network]
	nodeAddrs     addrIndex[*ComputeNode]
	routerIDs     addrIndex[*ComputeNode]
	neighborAddrs addrIndex[*Neighbor]
	addresses     *btree.BTreeG[addressItem]
	byNode        *btree.BTreeG[nodeItem]
	labels        *btree.BTreeG[*interfaceUse]
}

// addressItem finds the floating IPs of a network, and the holder of an
// address in it.
type addressItem struct {
	network string
	addr    netip.Addr
	fip     *FloatingIP
}

// nodeItem finds the floating IPs that are associated with a compute node.
type nodeItem struct {
	node, fip string
}

// NewState returns an empty state that already holds the neighbors of the
// configuration file. They are read-only.
func NewState(fromFile []*Neighbor) *State {
	unlocked := btree.Options{NoLocks: true} // one owner writes, snapshots are copies
	s := &State{
		addresses: btree.NewBTreeGOptions(func(a, b addressItem) bool {
			if a.network != b.network {
				return a.network < b.network
			}
			return a.addr.Less(b.addr)
		}, unlocked),
		byNode: btree.NewBTreeGOptions(func(a, b nodeItem) bool {
			if a.node != b.node {
				return a.node < b.node
			}
			return a.fip < b.fip
		}, unlocked),
		labels: btree.NewBTreeGOptions(func(a, b *interfaceUse) bool {
			if a.node != b.node {
				return a.node < b.node
			}
			return a.Label < b.Label
		}, unlocked),
	}
	for _, n := range fromFile {
		n.ReadOnly = true
		s.neighbors.Set(n.ResourceName(), n)
		s.neighborAddrs.set(n.Address, n)
	}
	return s
}

// Snapshot returns a copy that later changes do not touch. It takes constant
// time: the copies share what is equal in both.
func (s *State) Snapshot() *State {
	return &State{
		revision:      s.revision,
		global:        s.global,
		networks:      *s.networks.Copy(),
		nodes:         *s.nodes.Copy(),
		neighbors:     *s.neighbors.Copy(),
		floatingIPs:   *s.floatingIPs.Copy(),
		interfaces:    *s.interfaces.Copy(),
		networkIDs:    *s.networkIDs.Copy(),
		nodeAddrs:     s.nodeAddrs.copy(),
		routerIDs:     s.routerIDs.copy(),
		neighborAddrs: s.neighborAddrs.copy(),
		addresses:     s.addresses.Copy(),
		byNode:        s.byNode.Copy(),
		labels:        s.labels.Copy(),
	}
}

// Revision returns the revision of the store that the state shows.
func (s *State) Revision() uint64 { return s.revision }

// Global returns what holds for all. It reports false before the first start
// has written it.
func (s *State) Global() (*Global, bool) { return s.global, s.global != nil }

// Network returns a network by its resource name.
func (s *State) Network(name string) (*Network, bool) { return s.networks.Get(name) }

// ComputeNode returns a compute node by its resource name.
func (s *State) ComputeNode(name string) (*ComputeNode, bool) { return s.nodes.Get(name) }

// Neighbor returns a neighbor by its resource name.
func (s *State) Neighbor(name string) (*Neighbor, bool) { return s.neighbors.Get(name) }

// FloatingIP returns a floating IP by its resource name.
func (s *State) FloatingIP(name string) (*FloatingIP, bool) { return s.floatingIPs.Get(name) }

// Networks yields the networks in the order of their names.
func (s *State) Networks() iter.Seq[*Network] { return values(&s.networks) }

// ComputeNodes yields the compute nodes in the order of their names.
func (s *State) ComputeNodes() iter.Seq[*ComputeNode] { return values(&s.nodes) }

// Neighbors yields the neighbors in the order of their names.
func (s *State) Neighbors() iter.Seq[*Neighbor] { return values(&s.neighbors) }

// FloatingIPs yields the floating IPs in the order of their names.
func (s *State) FloatingIPs() iter.Seq[*FloatingIP] { return values(&s.floatingIPs) }

// FloatingIPsIn yields the floating IPs of a network in the order of their
// addresses.
func (s *State) FloatingIPsIn(network string) iter.Seq[*FloatingIP] {
	return func(yield func(*FloatingIP) bool) {
		s.addresses.Ascend(addressItem{network: network}, func(item addressItem) bool {
			return item.network == network && yield(item.fip)
		})
	}
}

// FloatingIPsAt yields the floating IPs that are associated with a compute
// node in the order of their names.
func (s *State) FloatingIPsAt(node string) iter.Seq[*FloatingIP] {
	return func(yield func(*FloatingIP) bool) {
		s.byNode.Ascend(nodeItem{node: node}, func(item nodeItem) bool {
			if item.node != node {
				return false
			}
			fip, ok := s.floatingIPs.Get(item.fip)
			return !ok || yield(fip)
		})
	}
}

// NetworkByID returns the network that has an id.
func (s *State) NetworkByID(id uint16) (*Network, bool) { return s.networkIDs.Get(id) }

// RoutesOf returns the routes that make a floating IP reachable.
func (s *State) RoutesOf(f *FloatingIP) []vrf.Route {
	network, ok := s.Network(f.Network)
	if !ok || s.global == nil {
		return nil
	}
	endpoints := make([]vrf.Endpoint, 0, len(f.Associations))
	for _, a := range f.Associations {
		node, ok := s.ComputeNode(a.ComputeNode)
		if !ok {
			continue
		}
		endpoints = append(endpoints, vrf.Endpoint{
			Address:        f.Address,
			NextHop:        node.Address,
			RouterID:       node.RouterID,
			Label:          a.Label,
			Preferred:      a.Preferred,
			Encapsulations: node.Encapsulations,
		})
	}
	return network.VRF(s.global.AS).RoutesOf(endpoints)
}

// Holder returns the floating IP that has an address in a network.
func (s *State) Holder(network string, addr netip.Addr) (*FloatingIP, bool) {
	item, ok := s.addresses.Get(addressItem{network: network, addr: addr})
	return item.fip, ok
}

// labelOwner returns the interface that a compute node uses a label for.
func (s *State) labelOwner(node string, label vrf.Label) (*interfaceUse, bool) {
	return s.labels.Get(&interfaceUse{node: node, Label: label})
}

func values[V any](m *btree.Map[string, V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		m.Scan(func(_ string, v V) bool { return yield(v) })
	}
}

// scanKeys yields the keys of a map and reports whether more is wanted.
func scanKeys[V any](m *btree.Map[string, V], yield func(string) bool) bool {
	more := true
	m.Scan(func(k string, _ V) bool {
		more = yield(k)
		return more
	})
	return more
}

// addrIndex is a map by address. netip.Addr is not ordered by <, so the key is
// its text; there are few of each.
type addrIndex[V comparable] struct {
	m btree.Map[string, V]
}

func (x *addrIndex[V]) get(a netip.Addr) (V, bool) { return x.m.Get(a.String()) }
func (x *addrIndex[V]) set(a netip.Addr, v V)      { x.m.Set(a.String(), v) }
func (x *addrIndex[V]) copy() addrIndex[V]         { return addrIndex[V]{*x.m.Copy()} }

// remove forgets that v has the address. One commit may give it to another
// resource first.
func (x *addrIndex[V]) remove(a netip.Addr, v V) {
	if held, ok := x.get(a); ok && held == v {
		x.m.Delete(a.String())
	}
}

// segment returns what stands between a prefix and the next slash.
func segment(key, prefix string) (first, rest string) {
	first, rest, _ = strings.Cut(strings.TrimPrefix(key, prefix), "/")
	return first, rest
}

// Names yields the names of all resources.
func (s *State) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s.global != nil && !yield(GlobalName) {
			return
		}
		more := scanKeys(&s.networks, yield) && scanKeys(&s.nodes, yield) && scanKeys(&s.neighbors, yield)
		if more {
			scanKeys(&s.floatingIPs, yield)
		}
	}
}
