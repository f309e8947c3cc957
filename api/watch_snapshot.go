package api

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/vrf"
)

// everything sends all destinations: those with routes of our own, which are in one
// table for all networks, and then the others, network by network.
func (w *watcher) everything() error {
	for from := (netip.Prefix{}); ; {
		from = w.own(from)
		if !from.IsValid() {
			break
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Values(w.names)) {
		for from := (netip.Prefix{}); ; {
			from = w.imported(name, from)
			if !from.IsValid() {
				break
			}
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return w.flush()
}

// own adds the destinations with routes of our own from a prefix on, until the
// batch is full. It returns where to go on; what is not valid is the end.
func (w *watcher) own(from netip.Prefix) (next netip.Prefix) {
	s := w.now()
	prefix, done := netip.Prefix{}, map[uint16]bool{}
	for l := range s.own(vrf.Key{Prefix: from}) {
		if l.own.Prefix != prefix {
			if w.full() {
				return l.own.Prefix
			}
			prefix = l.own.Prefix
			clear(done)
		}
		id := vrf.NetworkID(l.own.RD)
		n, ok := s.state.NetworkByID(id)
		if done[id] || !ok || !w.sees(n.Name, s.state) {
			continue
		}
		done[id], w.names[id] = true, n.Name
		if own := s.ownAt(n, prefix); len(own) > 0 {
			w.add(n.Name, prefix, ranked(own, s.imports.Routes(id, prefix)))
		}
	}
	return netip.Prefix{}
}

// imported adds the destinations of a network's table that have no routes of our
// own.
func (w *watcher) imported(network string, from netip.Prefix) (next netip.Prefix) {
	s := w.now()
	n, ok := s.state.Network(network)
	if !ok {
		return netip.Prefix{}
	}
	for prefix, paths := range s.imports.All(n.ID, from) {
		if w.full() {
			return prefix
		}
		if len(s.ownAt(n, prefix)) == 0 {
			w.add(n.Name, prefix, ranked(nil, paths))
		}
	}
	return netip.Prefix{}
}
