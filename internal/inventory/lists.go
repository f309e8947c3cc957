package inventory

import (
	"iter"
	"math"
	"strings"

	"github.com/tidwall/btree"
)

// Networks yields the networks in the order of their names.
func (s *State) Networks() iter.Seq[*Network] { return from(&s.networks, "") }

// Pools yields the pools in the order of their names.
func (s *State) Pools() iter.Seq[*Pool] { return from(&s.pools, "") }

// Bindings yields the pool bindings in the order of their names.
func (s *State) Bindings() iter.Seq[*Binding] { return from(&s.bindings, "") }

// ComputeNodes yields the compute nodes in the order of their names.
func (s *State) ComputeNodes() iter.Seq[*ComputeNode] { return from(&s.nodes, "") }

// Neighbors yields the neighbors in the order of their names.
func (s *State) Neighbors() iter.Seq[*Neighbor] { return from(&s.neighbors, "") }

// FloatingIPs yields the floating IPs in the order of their names, from a
// name on.
func (s *State) FloatingIPs(name string) iter.Seq[*FloatingIP] { return from(&s.floatingIPs, name) }

// PoolsOf yields the pools of a network in the order of their names.
func (s *State) PoolsOf(network string) iter.Seq[*Pool] {
	prefix := PoolName(network, "")
	return func(yield func(*Pool) bool) {
		s.pools.Ascend(prefix, func(name string, p *Pool) bool { return strings.HasPrefix(name, prefix) && yield(p) })
	}
}

// restingAt yields the resting labels of a compute node, the longest first.
func (s *State) restingAt(node string) iter.Seq[*restingLabel] {
	return func(yield func(*restingLabel) bool) {
		s.byRelease.Ascend(&restingLabel{node: node, Released: math.MinInt64}, func(r *restingLabel) bool { return r.node == node && yield(r) })
	}
}

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

// CountAt returns how many floating IPs are associated with a compute node.
func (s *State) CountAt(node string) (n int) {
	s.byNode.Ascend(nodeItem{node: node}, func(item nodeItem) bool {
		if item.node == node {
			n++
		}
		return item.node == node
	})
	return n
}

// FloatingIPsOn yields the floating IPs that are associated with a place in the
// order of their names.
func (s *State) FloatingIPsOn(place Place) iter.Seq[*FloatingIP] {
	if place.Interface == "" {
		return s.FloatingIPsAt(place.ComputeNode)
	}
	return func(yield func(*FloatingIP) bool) {
		s.byPlace.Ascend(placeItem{Place: place}, func(item placeItem) bool {
			if item.Place != place {
				return false
			}
			fip, ok := s.floatingIPs.Get(item.fip)
			return !ok || yield(fip)
		})
	}
}

// Names yields the names of all resources.
func (s *State) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s.global != nil && !yield(GlobalName) {
			return
		}
		more := scanKeys(&s.networks, yield) && scanKeys(&s.pools, yield) && scanKeys(&s.bindings, yield) && scanKeys(&s.nodes, yield) && scanKeys(&s.neighbors, yield)
		if more {
			scanKeys(&s.floatingIPs, yield)
		}
	}
}

func from[V any](m *btree.Map[string, V], name string) iter.Seq[V] {
	return func(yield func(V) bool) {
		m.Ascend(name, func(_ string, v V) bool { return yield(v) })
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
