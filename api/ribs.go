package api

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// ribs is a snapshot of all routes, for a viewer.
type ribs struct {
	view
	viewer  viewer
	state   *inventory.State
	table   RouteTable
	imports vrf.Tables
	holders *holders
	seen    *observed // once it is needed
}

func (v view) ribs(who viewer) *ribs {
	state := v.Inventory.State()
	return &ribs{view: v, viewer: who, state: state, table: v.Routes(), imports: v.Imports(), holders: &holders{state: state, viewer: who}}
}

// own lists our own routes: what the speaker has, and what it did not take.
func (s *ribs) own(from vrf.Key) iter.Seq[line] {
	return merge(
		func(from vrf.Key) iter.Seq[line] {
			return func(yield func(line) bool) {
				for r, since := range s.table.From(from) {
					if !yield(line{own: r, since: since, given: true}) {
						return
					}
				}
			}
		},
		func(from vrf.Key) iter.Seq[line] {
			return func(yield func(line) bool) {
				for r, err := range s.table.Failures(from) {
					if _, _, given := s.table.Get(r.Key); !given && !yield(line{own: r, failure: err}) {
						return
					}
				}
			}
		})(from)
}

// received lists what is taken of what a neighbor has announced.
func (s *ribs) received(neighbor netip.Addr) ordered {
	return func(from vrf.Key) iter.Seq[line] {
		return func(yield func(line) bool) {
			for r := range s.Sessions.AdjRIBIn(neighbor, from) {
				if !yield(line{received: r}) {
					return
				}
			}
		}
	}
}

// all lists what is in the VPN tables. What neighbors announce is the
// operator's, and of no floating IP.
func (s *ribs) all(f *routeFilter) ordered {
	lists := []ordered{s.own}
	if s.viewer == "" && f.holder == "" {
		for n := range s.state.Neighbors() {
			lists = append(lists, s.received(n.Address))
		}
	}
	return merge(lists...)
}

// network yields the prefixes of a network's table from one on, and their
// routes, ranked.
func (s *ribs) network(n *inventory.Network, from netip.Prefix) iter.Seq2[netip.Prefix, []line] {
	return func(yield func(netip.Prefix, []line) bool) {
		nextOwn, stopOwn := iter.Pull2(s.ownOf(n, from))
		defer stopOwn()
		nextImport, stopImport := iter.Pull2(s.imports.All(n.ID, from))
		defer stopImport()
		a, own, moreOwn := nextOwn()
		b, imported, moreImports := nextImport()
		for moreOwn || moreImports {
			order := comparePrefixes(a, b)
			if !moreImports || moreOwn && order < 0 {
				if !yield(a, ranked(own, vrf.Paths{})) {
					return
				}
				a, own, moreOwn = nextOwn()
				continue
			}
			prefix, lines := b, ranked(nil, imported)
			if moreOwn && order == 0 {
				lines = ranked(own, imported)
				a, own, moreOwn = nextOwn()
			}
			if !yield(prefix, lines) {
				return
			}
			b, imported, moreImports = nextImport()
		}
	}
}

// ownOf yields the prefixes of our own routes in a network's table from one on.
func (s *ribs) ownOf(n *inventory.Network, from netip.Prefix) iter.Seq2[netip.Prefix, []line] {
	return func(yield func(netip.Prefix, []line) bool) {
		var prefix netip.Prefix
		var lines []line
		for l := range s.own(vrf.Key{Prefix: from}) {
			if vrf.NetworkID(l.own.RD) != n.ID || !s.shows(l.own.Key) {
				continue
			}
			if len(lines) > 0 && l.own.Prefix != prefix {
				if !yield(prefix, lines) {
					return
				}
				lines = nil
			}
			prefix, lines = l.own.Prefix, append(lines, l)
		}
		if len(lines) > 0 {
			yield(prefix, lines)
		}
	}
}

// ownAt returns our own routes of a prefix in a network's table.
func (s *ribs) ownAt(n *inventory.Network, prefix netip.Prefix) (lines []line) {
	for l := range s.own(vrf.Key{Prefix: prefix}) {
		if l.own.Prefix != prefix {
			break
		}
		if vrf.NetworkID(l.own.RD) == n.ID && s.shows(l.own.Key) {
			lines = append(lines, l)
		}
	}
	return lines
}

// lookup finds the prefix by which packets to an address leave a network; an
// invalid one when there is none.
func (s *ribs) lookup(n *inventory.Network, addr netip.Addr) netip.Prefix {
	host := netip.PrefixFrom(addr, addr.BitLen())
	if len(s.ownAt(n, host)) > 0 {
		return host
	}
	prefix, _ := s.imports.Lookup(n.ID, addr)
	return prefix
}

// shows reports whether the viewer sees a route of our own: that of a floating IP
// that it sees. A route that is nobody's any more is the operator's.
func (s *ribs) shows(key vrf.Key) bool {
	if s.viewer == "" {
		return true
	}
	_, floatingIP := origin(s.state, key)
	return floatingIP != "" && s.viewer.sees(s.state, floatingIP)
}

// ranked puts the routes of a prefix in a network's table in their order. Our own
// originate here, and so come before all others.
func ranked(own []line, imported vrf.Paths) []line {
	lines := make([]line, 0, len(own)+imported.Len())
	lines = append(lines, own...)
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(b.own.LocalPref, a.own.LocalPref) })
	equal := len(imported.Best)
	if len(own) > 0 {
		equal = 0
		for equal < len(own) && lines[equal].own.LocalPref == lines[0].own.LocalPref {
			equal++
		}
	}
	for _, list := range [][]*vrf.Received{imported.Best, imported.Backup, imported.Unusable} {
		for _, r := range list {
			lines = append(lines, line{received: r})
		}
	}
	for i := range lines[:equal] {
		lines[i].best, lines[i].multipath = i == 0, equal > 1
	}
	return lines
}

func comparePrefixes(a, b netip.Prefix) int {
	return vrf.Key{Prefix: a}.Compare(vrf.Key{Prefix: b})
}
