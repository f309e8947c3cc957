package inventory

import "net/netip"

// cursor is the record cursor/SOURCE: where the search for the next free
// address of a pool, or of a network outside its pools, begins. It moves on
// with each address that was found, and wraps, so that an address that was
// released rests while others are free.
type cursor struct {
	IPv4 netip.Addr `json:"ipv4,omitzero"`
	IPv6 netip.Addr `json:"ipv6,omitzero"`
}

func (c *cursor) of(ipv6 bool) netip.Addr {
	if ipv6 {
		return c.IPv6
	}
	return c.IPv4
}

// moveCursor leads a cursor behind an address. Any version will do: whoever
// writes last, the search begins behind an address that was given out.
func (s *State) moveCursor(source string, last netip.Addr) Mutation {
	var c cursor
	if old, ok := s.cursors.Get(source); ok {
		c = *old
	}
	if last.Is4() {
		c.IPv4 = last.Next() // not valid behind the last of all: from the beginning
	} else {
		c.IPv6 = last.Next()
	}
	return put(cursorPrefix+source, AnyVersion, c)
}

// rest moves the cursor on if the released address would be the next one.
func (s *State) rest(f *FloatingIP, n *Network) []Mutation {
	from := &source{network: n}
	for p := range s.PoolsOf(n.Name) { // which may be younger than the floating IP
		if p.Usable().Contains(f.Address) {
			from.pool = p
		}
	}
	ipv6 := f.Address.Is6()
	var at netip.Addr
	if c, ok := s.cursors.Get(from.name()); ok {
		at = c.of(ipv6)
	}
	next, ok := s.taken.NextFree(n.Name, s.usable(from).Family(ipv6), at)
	if ok && !isFirst(f.Address, next, at) {
		return nil
	}
	moved := []Mutation{s.moveCursor(from.name(), f.Address)}
	if from.pool != nil { // or its cursor would outlive it
		moved = append(moved, check(poolPrefix+from.pool.Name, from.pool.Version))
	}
	return moved
}

// isFirst reports whether a search that begins at an address, and wraps, meets
// a before b.
func isFirst(a, b, at netip.Addr) bool {
	if a.Less(at) != b.Less(at) {
		return b.Less(at)
	}
	return a.Less(b)
}
