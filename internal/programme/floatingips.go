package programme

import (
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/internal/inventory"
)

// readInventory finds the floating IPs that may be others at the node than was told. It
// reports whether there is anything to look at, or everything is to be told anew.
func (f *Follower) readInventory() (again bool) {
	shown, state, _, ok := f.inventory.ShownSince(f.place.revision)
	if !ok {
		f.forget()
		return true
	}
	for _, s := range shown {
		switch inventory.KindOf(s.Name) {
		case inventory.KindFloatingIP:
			if _, told := f.told[s.Name]; told || f.placement(state, s.Name).FloatingIP != nil {
				f.looking = append(f.looking, s.Name)
			}
		case inventory.KindNetwork:
			if n, ok := state.Network(s.Name); ok {
				f.renew(n)
			}
		case inventory.KindComputeNode:
			if now := allowedBy(state, f.node); s.Name == f.node && now != f.allowed {
				f.allowed = now
				for _, n := range f.networks {
					f.tellAll(n)
				}
			}
		}
	}
	f.place.revision = state.Revision()
	slices.Sort(f.looking)
	f.looking = slices.Compact(f.looking)
	again = len(f.looking)+len(f.tables) > 0
	f.owed = f.owed || again
	return again
}

// placement returns a floating IP as it is at the node; none if it is not there.
func (f *Follower) placement(state *inventory.State, name string) inventory.Placement {
	if fip, ok := state.FloatingIP(name); ok {
		for _, a := range fip.Associations {
			if a.ComputeNode == f.node {
				return inventory.Placement{FloatingIP: fip, Association: a}
			}
		}
	}
	return inventory.Placement{}
}

// tellFloatingIPs tells those that were found. Behind the last one, networks without any
// go.
func (f *Follower) tellFloatingIPs(p *inventory.Programme) {
	state := f.inventory.State()
	n := min(len(f.looking), partSize)
	for _, name := range f.looking[:n] {
		f.tellFloatingIP(p, state, name)
	}
	if f.looking = f.looking[n:]; len(f.looking) > 0 {
		return
	}
	f.looking, f.known = nil, nil
	for _, n := range f.networks {
		if n.floatingIPs == 0 {
			f.removeNetwork(n)
			p.RemovedNetworks = append(p.RemovedNetworks, n.name)
		}
	}
	slices.Sort(p.RemovedNetworks)
	if f.stage == placing {
		f.stage, p.EndOfFloatingIPs = routing, true
	}
}

func (f *Follower) tellFloatingIP(p *inventory.Programme, state *inventory.State, name string) {
	was := f.told[name]
	here := f.placement(state, name)
	if was != nil {
		was.floatingIPs--
		delete(f.told, name)
	}
	if here.FloatingIP == nil {
		if was != nil {
			p.RemovedFloatingIPs = append(p.RemovedFloatingIPs, name)
		}
		return
	}
	in, ok := state.Network(here.Network)
	if !ok {
		return // a network outlives its floating IPs
	}
	now := f.networks[in.Name]
	if now != nil && now.id != in.ID { // another one has the name by now
		f.removeNetwork(now)
		p.RemovedNetworks = append(p.RemovedNetworks, now.name)
		now = nil
	}
	if now == nil {
		now = &network{name: in.Name, id: in.ID, encapsulations: in.Encapsulations}
		f.addNetwork(now)
		f.tellAll(now)
	}
	f.renew(in)
	now.floatingIPs++
	f.told[here.Name] = now // the name is the state's
	if !f.known[name] {
		p.FloatingIPs = append(p.FloatingIPs, here)
	}
}

// renew takes over what routes of a network depend on. Then all are told.
func (f *Follower) renew(in *inventory.Network) {
	n := f.networks[in.Name]
	if n != nil && n.id == in.ID && n.encapsulations != in.Encapsulations {
		n.encapsulations = in.Encapsulations
		f.tellAll(n)
	}
}

func (f *Follower) addNetwork(n *network) {
	f.networks[n.name] = n
	if n.id != 0 {
		f.byID[n.id] = n
		f.enterNetwork(n.id, f)
	}
}

func (f *Follower) removeNetwork(n *network) {
	delete(f.networks, n.name)
	if n.id != 0 {
		delete(f.byID, n.id)
		f.leaveNetwork(n.id, f)
	}
	for i, other := range f.tables {
		if other == n {
			f.tables = slices.Delete(f.tables, i, i+1)
			if i == 0 {
				f.from = netip.Prefix{}
			}
			break
		}
	}
}
