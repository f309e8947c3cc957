package inventory

import "net/netip"

// Shown names a resource that looks different after a change: it was changed
// itself, or it shows something of what was.
type Shown struct {
	Name string
	// Seers are the projects beside its own that could see it before the change,
	// or AllProjects. Who sees what belongs to no project is not in it.
	Seers []string
}

// ApplyShown is Apply of one commit, for those who follow what resources look
// like. A resource may be named more than once.
func (s *State) ApplyShown(revision uint64, changes []Change) (touched []string, shown []Shown, err error) {
	v := showing{state: s, more: map[string]bool{}}
	var before []looks
	for _, c := range changes {
		if name := resourceOf(c.Key); name != "" {
			before = append(before, v.before(name))
		}
	}
	touched, err = s.Apply(revision, changes)
	if err != nil {
		return touched, nil, err
	}
	for _, old := range before {
		// Plans write some resources only to make sure that nobody else does.
		if etag, exists := s.EtagOf(old.Name); exists != old.existed || etag != old.etag {
			shown = append(shown, old.Shown)
			v.after(old)
		}
	}
	for name := range v.more {
		shown = append(shown, Shown{Name: name})
	}
	return touched, shown, nil
}

// looks is what a resource looked like before a change.
type looks struct {
	Shown
	existed  bool
	etag     Etag
	floating *FloatingIP // if it is one
	drain    Drain       // of a compute node
}

// showing finds what shows something of a change.
type showing struct {
	state *State
	more  map[string]bool // names that were not changed themselves
}

// before looks at a resource that is about to change.
func (v *showing) before(name string) looks {
	shown := looks{Shown: Shown{Name: name}}
	shown.etag, shown.existed = v.state.EtagOf(name)
	switch KindOf(name) {
	case KindPool:
		if p, ok := v.state.Pool(name); ok {
			shown.Seers = p.SharedWith
		}
	case KindComputeNode:
		if n, ok := v.state.ComputeNode(name); ok {
			shown.drain = n.Drain
		}
	case KindFloatingIP:
		if f, ok := v.state.FloatingIP(name); ok {
			shown.floating = f
			if owner := ProjectOf(f.Network); owner != ProjectOf(name) {
				shown.Seers = []string{owner}
			}
		}
	}
	return shown
}

// after looks at a resource that has changed.
func (v *showing) after(old looks) {
	name := old.Name
	switch KindOf(name) {
	case KindGlobal: // each network has another automatic target
		scanKeys(&v.state.networks, v.add)
	case KindNetwork: // pools tell how many addresses they have
		for p := range v.state.PoolsOf(name) {
			v.add(p.Name)
		}
	case KindPool: // who may not see the pool does not see it in a binding
		for b := range v.state.Bindings() {
			if b.Pool == name {
				v.add(b.Name)
			}
		}
	case KindComputeNode: // floating IPs tell why they have no routes
		if n, ok := v.state.ComputeNode(name); ok && n.Drain != old.drain {
			for f := range v.state.FloatingIPsAt(name) {
				v.add(f.Name)
			}
		}
	case KindFloatingIP: // pools tell how many addresses are taken
		was := old.floating
		is, _ := v.state.FloatingIP(name)
		if was != nil && is != nil && was.Network == is.Network && was.Address == is.Address {
			return
		}
		for _, f := range []*FloatingIP{was, is} {
			if f == nil {
				continue
			}
			if pool := v.state.poolAt(f.Network, f.Address); pool != nil {
				v.add(pool.Name)
			}
		}
	}
}

func (v *showing) add(name string) bool {
	v.more[name] = true
	return true
}

// poolAt returns the pool of a network that counts an address, or nil. Pools of
// one network do not overlap.
func (s *State) poolAt(network string, address netip.Addr) *Pool {
	for p := range s.PoolsOf(network) {
		if p.Usable().Contains(address) {
			return p
		}
	}
	return nil
}
