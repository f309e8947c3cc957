package vrf

import (
	"iter"
	"net/netip"

	"github.com/tidwall/btree"
)

// Tables is a snapshot of the VRFs' tables. Its methods may be called
// concurrently.
type Tables struct {
	rows  *btree.BTreeG[row]
	byVRF *btree.Map[uint16, int] // how many rows each VRF has
}

// Len returns the number of routes in all tables.
func (t Tables) Len() int { return t.rows.Len() }

// LenOf returns the number of routes in the table of a VRF.
func (t Tables) LenOf(vrf uint16) int {
	n, _ := t.byVRF.Get(vrf)
	return n
}

func (t Tables) copy() Tables { return Tables{t.rows.Copy(), t.byVRF.Copy()} }

func (t Tables) count(vrf uint16, more int) {
	n, _ := t.byVRF.Get(vrf)
	if n += more; n == 0 {
		t.byVRF.Delete(vrf)
	} else {
		t.byVRF.Set(vrf, n)
	}
}

// Routes returns the routes of a VRF for a prefix, ranked.
func (t Tables) Routes(vrf uint16, prefix netip.Prefix) Paths {
	return Rank(t.Unranked(vrf, prefix, nil))
}

// Unranked appends the routes of a VRF for a prefix to a list, in an order that
// depends on nothing else. With the same routes as before they rank as before.
func (t Tables) Unranked(vrf uint16, prefix netip.Prefix, list []*Received) []*Received {
	for r := range t.from(vrf, prefix) {
		if r.Prefix != prefix {
			break
		}
		list = append(list, r)
	}
	return list
}

// All yields the prefixes of a VRF's table from one on, in order, and their
// routes; from the zero prefix on all of them.
func (t Tables) All(vrf uint16, from netip.Prefix) iter.Seq2[netip.Prefix, Paths] {
	return func(yield func(netip.Prefix, Paths) bool) {
		for prefix, list := range t.AllUnranked(vrf, from) {
			if !yield(prefix, Rank(list)) {
				return
			}
		}
	}
}

// AllUnranked is All with the routes as Unranked has them. The list is the reader's
// until it goes on.
func (t Tables) AllUnranked(vrf uint16, from netip.Prefix) iter.Seq2[netip.Prefix, []*Received] {
	return func(yield func(netip.Prefix, []*Received) bool) {
		var list []*Received
		for r := range t.from(vrf, from) {
			if len(list) > 0 && r.Prefix != list[0].Prefix {
				if !yield(list[0].Prefix, list) {
					return
				}
				list = list[:0]
			}
			list = append(list, r)
		}
		if len(list) > 0 {
			yield(list[0].Prefix, list)
		}
	}
}

// from yields the routes of a VRF from a prefix on.
func (t Tables) from(vrf uint16, prefix netip.Prefix) iter.Seq[*Received] {
	return func(yield func(*Received) bool) {
		first := row{vrf, &Received{Key: Key{Prefix: prefix}, Source: &Source{}}}
		t.rows.Ascend(first, func(r row) bool { return r.vrf == vrf && yield(r.route) })
	}
}

// Lookup returns the longest prefix of a VRF that contains an address and has a
// route that can be used, and its routes; an invalid one when there is none.
func (t Tables) Lookup(vrf uint16, addr netip.Addr) (netip.Prefix, Paths) {
	for bits := addr.BitLen(); bits >= 0; bits-- {
		prefix, err := addr.Prefix(bits)
		if err != nil {
			break
		}
		if paths := t.Routes(vrf, prefix); len(paths.Best) > 0 {
			return prefix, paths
		}
	}
	return netip.Prefix{}, Paths{}
}

// Holds reports whether a route is in a VRF's table.
func (t Tables) Holds(vrf uint16, r *Received) bool {
	found, ok := t.rows.Get(row{vrf, r})
	return ok && found.route == r
}
