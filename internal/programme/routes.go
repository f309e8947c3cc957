package programme

import (
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// tellAll makes the whole table of a network be told, from its beginning on.
func (f *Follower) tellAll(n *network) {
	if i := slices.Index(f.tables, n); i > 0 {
		return
	} else if i == 0 {
		f.from = netip.Prefix{}
		return
	}
	f.tables = append(f.tables, n)
}

// tellTable tells a part of the first table. What changes behind it is in the log.
func (f *Follower) tellTable(p *inventory.Programme) {
	n := f.tables[0]
	for prefix, list := range f.routes.Tables().AllUnranked(n.id, f.from) {
		if len(p.Routes) == partSize {
			f.from = prefix
			return
		}
		if r, ok := f.shared.route(n, f.allowed, prefix, list); ok {
			p.Routes = append(p.Routes, r)
		}
	}
	f.tables, f.from = f.tables[1:], netip.Prefix{}
	if len(f.tables) == 0 {
		f.tables = nil
	}
}

// tellChanges tells what has changed in the tables. It reports whether there was
// anything new in the log.
func (f *Follower) tellChanges(p *inventory.Programme) (moved bool) {
	changed, end, _, ok := f.routes.Behind(f.place.at, partSize, f.follows)
	if !ok {
		f.forget()
		return true
	}
	if moved = end != f.place.at; !moved {
		return false
	}
	tables := f.routes.Tables() // they show at least what the log has
	var list []*vrf.Received
	for _, d := range changed {
		n := f.byID[d.VRF]
		if n == nil || !d.Prefix.IsValid() { // the end of a network, which is told by its floating IPs
			continue
		}
		list = tables.Unranked(d.VRF, d.Prefix, list[:0])
		if r, ok := f.shared.route(n, f.allowed, d.Prefix, list); ok {
			p.Routes = append(p.Routes, r)
		} else {
			p.Withdrawn = append(p.Withdrawn, inventory.NetworkPrefix{Network: n.name, Prefix: d.Prefix})
		}
	}
	f.place.at = end
	return true
}

func (f *Follower) follows(vrf uint16) bool { return f.byID[vrf] != nil }
