package inventory

import (
	"cmp"
	"net/netip"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/vrf"
)

// State is the content of the store in memory. One owner feeds it with Apply;
// everybody else reads snapshots. What its methods return is shared and must
// not be changed.
type State struct {
	static   Static
	copying  sync.Mutex // held by Snapshot: the copy of a tree marks the original, too
	revision uint64
	global   *Global

	networks    btree.Map[string, *Network]
	pools       btree.Map[string, *Pool]
	bindings    btree.Map[string, *Binding]
	hidden      *Binding // the store's global one, while the configuration has another
	nodes       btree.Map[string, *ComputeNode]
	neighbors   btree.Map[string, *Neighbor]
	floatingIPs btree.Map[string, *FloatingIP]
	interfaces  btree.Map[string, *interfaceUse] // by key of the store
	resting     btree.Map[string, *restingLabel] // by key of the store
	cursors     btree.Map[string, *cursor]       // by pool or network
	answers     btree.Map[string, *answer]       // by key of the store

	// Indexes, derived from the resources above.
	networkIDs     btree.Map[uint16, *Network]
	nodeAddrs      addrIndex[*ComputeNode]
	routerIDs      addrIndex[*ComputeNode]
	neighborAddrs  addrIndex[*Neighbor]
	addresses      *btree.BTreeG[addressItem]
	byNode         *btree.BTreeG[nodeItem]
	byPlace        *btree.BTreeG[placeItem]
	labels         *btree.BTreeG[*interfaceUse]
	byRelease      *btree.BTreeG[*restingLabel]
	answersByTime  *btree.BTreeG[*answer]
	answersByScope *btree.BTreeG[*answer]
	answered       btree.Map[string, int]  // resources in answers, by scope
	taken          *ipam.Addresses[string] // by network
	labelRuns      *ipam.Runs[string]      // by compute node; used and resting ones
}

// Static is what the configuration file says. It belongs to every state and is
// read-only.
type Static struct {
	Neighbors    []*Neighbor
	GlobalPool   string // the pool of the global binding; may be empty
	ExternalPool string // what external networks call their pool; empty = "public"
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

// placeItem finds those that are associated with one of its interfaces: of
// thousands at a compute node, the few that an interface takes along.
type placeItem struct {
	Place
	fip string
}

// NewState returns an empty state that already holds what the configuration
// file defines.
func NewState(static Static) *State {
	static.ExternalPool = cmp.Or(static.ExternalPool, "public")
	unlocked := btree.Options{NoLocks: true} // one owner writes, snapshots are copies
	s := &State{
		static:    static,
		taken:     ipam.NewAddresses[string](),
		labelRuns: ipam.NewRuns[string](),
		byRelease: btree.NewBTreeGOptions(func(a, b *restingLabel) bool {
			return cmp.Or(cmp.Compare(a.node, b.node), cmp.Compare(a.Released, b.Released), cmp.Compare(a.label, b.label)) < 0
		}, unlocked),
		answersByTime: btree.NewBTreeGOptions(func(a, b *answer) bool {
			return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.key, b.key)) < 0
		}, unlocked),
		answersByScope: btree.NewBTreeGOptions(func(a, b *answer) bool {
			return cmp.Or(cmp.Compare(a.scope, b.scope), cmp.Compare(a.Time, b.Time), cmp.Compare(a.key, b.key)) < 0
		}, unlocked),
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
		byPlace: btree.NewBTreeGOptions(func(a, b placeItem) bool {
			if a.ComputeNode != b.ComputeNode {
				return a.ComputeNode < b.ComputeNode
			}
			if a.Interface != b.Interface {
				return a.Interface < b.Interface
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
	for _, fromFile := range static.Neighbors {
		n := *fromFile // another state may be read that has it, too
		n.ReadOnly = true
		s.neighbors.Set(n.ResourceName(), &n)
		s.neighborAddrs.set(n.Address, &n)
	}
	if static.GlobalPool != "" {
		s.bindings.Set(GlobalBindingName, &Binding{Name: GlobalBindingName, Pool: static.GlobalPool, ReadOnly: true})
	}
	return s
}

// Snapshot returns a copy that later changes do not touch. It takes constant
// time: the copies share what is equal in both. It may be taken while others read
// the state or take copies of it, but not while the state changes.
func (s *State) Snapshot() *State {
	s.copying.Lock()
	defer s.copying.Unlock()
	return &State{
		static:         s.static,
		revision:       s.revision,
		global:         s.global,
		networks:       *s.networks.Copy(),
		pools:          *s.pools.Copy(),
		bindings:       *s.bindings.Copy(),
		hidden:         s.hidden,
		nodes:          *s.nodes.Copy(),
		neighbors:      *s.neighbors.Copy(),
		floatingIPs:    *s.floatingIPs.Copy(),
		interfaces:     *s.interfaces.Copy(),
		resting:        *s.resting.Copy(),
		cursors:        *s.cursors.Copy(),
		answers:        *s.answers.Copy(),
		networkIDs:     *s.networkIDs.Copy(),
		nodeAddrs:      s.nodeAddrs.copy(),
		routerIDs:      s.routerIDs.copy(),
		neighborAddrs:  s.neighborAddrs.copy(),
		addresses:      s.addresses.Copy(),
		byNode:         s.byNode.Copy(),
		byPlace:        s.byPlace.Copy(),
		labels:         s.labels.Copy(),
		byRelease:      s.byRelease.Copy(),
		answersByTime:  s.answersByTime.Copy(),
		answersByScope: s.answersByScope.Copy(),
		answered:       *s.answered.Copy(),
		taken:          s.taken.Copy(),
		labelRuns:      s.labelRuns.Copy(),
	}
}

// Revision returns the revision of the store that the state shows.
func (s *State) Revision() uint64 { return s.revision }

// Global returns what holds for all. It reports false before the first start
// has written it.
func (s *State) Global() (*Global, bool) { return s.global, s.global != nil }

// Network returns a network by its resource name.
func (s *State) Network(name string) (*Network, bool) { return s.networks.Get(name) }

// Pool returns a pool by its resource name.
func (s *State) Pool(name string) (*Pool, bool) { return s.pools.Get(name) }

// Binding returns a pool binding by its resource name.
func (s *State) Binding(name string) (*Binding, bool) { return s.bindings.Get(name) }

// Overridden returns the store's global binding while the configuration has
// another one.
func (s *State) Overridden() (*Binding, bool) { return s.hidden, s.hidden != nil }

// ComputeNode returns a compute node by its resource name.
func (s *State) ComputeNode(name string) (*ComputeNode, bool) { return s.nodes.Get(name) }

// Neighbor returns a neighbor by its resource name.
func (s *State) Neighbor(name string) (*Neighbor, bool) { return s.neighbors.Get(name) }

// FloatingIP returns a floating IP by its resource name.
func (s *State) FloatingIP(name string) (*FloatingIP, bool) { return s.floatingIPs.Get(name) }

// NetworkByID returns the network that has an id.
func (s *State) NetworkByID(id uint16) (*Network, bool) { return s.networkIDs.Get(id) }

// Holder returns the floating IP that has an address in a network.
func (s *State) Holder(network string, addr netip.Addr) (*FloatingIP, bool) {
	item, ok := s.addresses.Get(addressItem{network: network, addr: addr})
	return item.fip, ok
}

// labelOwner returns the interface that a compute node uses a label for.
func (s *State) labelOwner(node string, label vrf.Label) (*interfaceUse, bool) {
	return s.labels.Get(&interfaceUse{node: node, Label: label})
}

// LabelOwner returns the name of the interface that a compute node uses a label for.
func (s *State) LabelOwner(node string, label vrf.Label) (name string, ok bool) {
	if use, taken := s.labelOwner(node, label); taken {
		return use.name, true
	}
	return "", false
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
