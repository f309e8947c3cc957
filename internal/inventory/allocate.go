package inventory

import (
	"fmt"
	"net/netip"

	"github.com/buoynet/buoy/internal/ipam"
)

// Allocate takes an address for a new floating IP. The first of these that
// there is decides where from: the pool, the network (outside its pools), the
// binding of the namespace, the global binding.
type Allocate struct {
	Name      string // of the floating IP
	Pool      string
	Network   string
	Namespace string
	Address   netip.Addr // empty: the next free one
	Family    Family     // of the next free one

	Direction    Direction
	PortMappings []PortMapping

	// Scope lets a floating IP come back that had the Address already: the pool,
	// or the network, is the one that this scope chose then.
	Scope *Scope
	// AnyPool lets it come back to a pool that is no longer shared.
	AnyPool bool
}

// Family is an address family.
type Family uint8

// The families.
const (
	AnyFamily Family = iota // IPv4 where there is any, else IPv6
	IPv4
	IPv6
)

func (c Allocate) plan(s moment) ([]Mutation, error) {
	if err := checkName("name", c.Name, floatingIPs); err != nil {
		return nil, err
	}
	if held, ok := s.FloatingIP(c.Name); ok {
		return nil, exists(ReasonExists, "name", c.Name, "%s exists with address %s", c.Name, held.Address)
	}
	if err := checkTraffic(c.Direction, c.PortMappings); err != nil {
		return nil, err
	}
	from, err := s.source(c)
	if err != nil {
		return nil, err
	}
	f := FloatingIP{
		Name: c.Name, Network: from.network.Name, Scope: from.scope, Namespace: c.Namespace,
		Direction: c.Direction, PortMappings: c.PortMappings,
	}
	mutations := append([]Mutation{{}, {}, check(networkPrefix+from.network.Name, from.network.Version)}, from.conditions...)
	if from.pool != nil {
		f.Pool = from.pool.Name
		mutations = append(mutations, check(poolPrefix+f.Pool, from.pool.Version))
	}
	if c.Address == (netip.Addr{}) {
		addr, err := s.nextFree(from, c.Family)
		if err != nil {
			return nil, err
		}
		f.Address = addr
		mutations = append(mutations, s.moveCursor(from.name(), addr))
	} else {
		if err := s.checkRequested(c, from); err != nil {
			return nil, err
		}
		f.Address = c.Address
	}
	mutations[0] = put(floatingIPPrefix+f.Name, Absent, f)
	mutations[1] = claim(addressKey(from.network.ID, f.Address), f.Name)
	return mutations, nil
}

// usable returns the addresses of a source, taken or not.
func (s *State) usable(o *source) ipam.Ranges {
	if o.pool != nil {
		return o.pool.Usable()
	}
	usable := o.network.Usable()
	for p := range s.PoolsOf(o.network.Name) {
		usable = usable.Minus(p.Usable())
	}
	return usable
}

// nextFree returns the address that a source gives next.
func (s moment) nextFree(o *source, family Family) (netip.Addr, error) {
	usable := s.usable(o)
	ipv6 := family == IPv6 || family == AnyFamily && usable.Family(false).IsEmpty()
	in := usable.Family(ipv6)
	if family != AnyFamily && in.IsEmpty() && !usable.IsEmpty() {
		return netip.Addr{}, invalid(ReasonFamilyMismatch, "family", "all addresses of %s are of the other family", o.name())
	}
	var at netip.Addr
	if cursor, ok := s.cursors.Get(o.name()); ok {
		at = cursor.of(ipv6)
	}
	if addr, ok := s.taken.NextFree(o.network.Name, in, at); ok {
		return addr, nil
	}
	reason := ReasonPoolExhausted
	if o.pool == nil {
		reason = ReasonNetExhausted
	}
	return netip.Addr{}, exhausted(reason, o.field, o.name(), "%s has no free address: %s", o.name(), s.usage(o.network.Name, in))
}

// usage says how much of each range is taken.
func (s *State) usage(network string, in ipam.Ranges) string {
	if in.IsEmpty() {
		return "it holds none that can be given out"
	}
	var texts []string
	for r := range in.All() {
		texts = append(texts, fmt.Sprintf("%d of %d used in %s", s.taken.Used(network, ipam.NewRanges(r)), r.Size(), r))
	}
	return listed(texts, "; ")
}

// Used returns how many of the addresses of a pool are taken.
func (s *State) Used(p *Pool) uint64 { return s.taken.Used(p.Network(), p.Usable()) }

// checkRequested checks an address that the caller has chosen.
func (s moment) checkRequested(c Allocate, from *source) error {
	if err := checkUnicast("address", c.Address, "203.0.113.5"); err != nil {
		return err
	}
	if c.Family == IPv4 && c.Address.Is6() || c.Family == IPv6 && c.Address.Is4() {
		return invalid(ReasonFamilyMismatch, "family", "the address %s is of the other family", c.Address)
	}
	if p := from.pool; p != nil {
		if !p.ranges(from.network).Contains(c.Address) {
			return invalid(ReasonOutsidePool, "address", "%s is outside %s: %s", c.Address, p.Name, summary(p.ranges(from.network)))
		}
	}
	if err := from.network.checkAddress("address", c.Address); err != nil {
		return err
	}
	if from.pool == nil && c.Scope == nil { // a pool may have come into being around one that comes back
		for p := range s.PoolsOf(from.network.Name) {
			if p.Usable().Contains(c.Address) {
				return invalid(ReasonInPool, "address", "%s belongs to %s; name that pool", c.Address, p.Name)
			}
		}
	}
	if held, ok := s.Holder(from.network.Name, c.Address); ok {
		// Whoever may not see the holder does not learn its name.
		if s.Visible(ProjectOf(c.Name), held.Name) {
			return exists(ReasonAddressTaken, "address", held.Name, "%s is taken by %s", c.Address, held.Name)
		}
		return exists(ReasonAddressTaken, "address", "", "%s is taken", c.Address)
	}
	return nil
}

// summary lists ranges, the first ones.
func summary(ranges ipam.Ranges) string {
	var texts []string
	for r := range ranges.All() {
		texts = append(texts, r.String())
	}
	return listed(texts, ", ")
}
