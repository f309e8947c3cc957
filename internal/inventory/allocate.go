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
}

// Family is an address family.
type Family uint8

// The families.
const (
	AnyFamily Family = iota // IPv4 where there is any, else IPv6
	IPv4
	IPv6
)

// source is where an address can come from.
type source struct {
	field   string // of the command, that named it
	network *Network
	pool    *Pool // nil: outside the pools
	scope   Scope

	conditions []Mutation // under which it is the source
}

// name returns the name of the pool or of the network.
func (o *source) name() string {
	if o.pool != nil {
		return o.pool.Name
	}
	return o.network.Name
}

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

// source finds where an address comes from. A pool that is named, by whomever,
// and cannot be used is an error: never is another one taken in its place.
func (s moment) source(c Allocate) (*source, error) {
	project := ProjectOf(c.Name)
	if c.Namespace != "" {
		if err := CheckID(c.Namespace); err != nil {
			return nil, invalid(ReasonInvalid, "namespace", "%v", err)
		}
	}
	switch {
	case c.Pool != "" && c.Network != "":
		return nil, invalid(ReasonInvalid, "network", "expected a pool or a network, got both")
	case c.Pool != "":
		if err := checkName("pool", c.Pool, pools); err != nil {
			return nil, err
		}
		p, ok := s.Pool(c.Pool)
		switch {
		case ProjectOf(c.Pool) != project && (!ok || !p.UsableBy(project)):
			// One answer for both, or the answer would tell what is there.
			return nil, denied(ReasonNotShared, "pool", "%s is not shared with project %s, or does not exist", c.Pool, project)
		case !ok:
			return nil, notFound("pool", c.Pool)
		}
		return s.ofPool("pool", p, ScopeRequest)
	case c.Network != "":
		if err := checkName("network", c.Network, networks); err != nil {
			return nil, err
		}
		if ProjectOf(c.Network) != project {
			return nil, denied(ReasonOtherProject, "network", "%s is not of project %s; of other projects' networks only shared pools can be used", c.Network, project)
		}
		n, ok := s.Network(c.Network)
		if !ok {
			return nil, notFound("network", c.Network)
		}
		// No pool may have come into being where the address is.
		outside := []Mutation{checkPrefix(poolsOf(n.Name), Version(s.revision))}
		return &source{field: "network", network: n, scope: ScopeNetwork, conditions: outside}, nil
	}
	var unbound []Mutation
	if c.Namespace != "" {
		name := BindingName(c.Namespace)
		if b, ok := s.Binding(name); ok {
			return s.ofBinding("namespace", b, project, ScopeNamespace, nil)
		}
		unbound = []Mutation{check(bindingPrefix+name, Absent)}
	}
	if b, ok := s.Binding(GlobalBindingName); ok {
		return s.ofBinding("pool", b, project, ScopeGlobal, unbound)
	}
	which := "the cluster is bound to none"
	if c.Namespace != "" {
		which = fmt.Sprintf("neither namespace %s nor the cluster is bound to one", c.Namespace)
	}
	return nil, precondition(ReasonNoPool, "pool", "", "expected a pool or a network: %s", which)
}

// ofBinding uses the pool that a binding names.
func (s moment) ofBinding(field string, b *Binding, project string, scope Scope, conditions []Mutation) (*source, error) {
	p, ok := s.Pool(b.Pool)
	if !ok || !p.UsableBy(project) {
		return nil, precondition(ReasonBoundPool, field, b.Name,
			"the pool of %s does not exist, or is not shared with project %s; no other pool takes its place", b.Name, project)
	}
	from, err := s.ofPool(field, p, scope)
	if err != nil {
		return nil, err
	}
	if !b.ReadOnly {
		conditions = append(conditions, check(bindingPrefix+b.Name, b.Version))
	}
	from.conditions = conditions
	return from, nil
}

func (s moment) ofPool(field string, p *Pool, scope Scope) (*source, error) {
	n, ok := s.Network(p.Network())
	if !ok {
		return nil, notFound(field, p.Network())
	}
	return &source{field: field, network: n, pool: p, scope: scope}, nil
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
	if from.pool == nil {
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
