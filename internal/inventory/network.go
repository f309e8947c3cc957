package inventory

import (
	"net/netip"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// CreateNetwork adds a network. Without an id it gets a free one. An external one
// gets a pool of all its addresses.
type CreateNetwork struct {
	Network Network
}

func (c CreateNetwork) plan(s moment) ([]Mutation, error) {
	n := c.Network
	if err := checkName("name", n.Name, networks); err != nil {
		return nil, err
	}
	if _, ok := s.Network(n.Name); ok {
		return nil, exists(ReasonExists, "name", n.Name, "%s exists", n.Name)
	}
	if err := checkNetwork(s.State, &n); err != nil {
		return nil, err
	}
	g, ok := s.Global()
	if !ok {
		return nil, precondition(ReasonASDiffers, "", "", "the AS is not known yet")
	}
	next := *g
	if err := s.identify(&n, &next); err != nil {
		return nil, err
	}
	mutations := []Mutation{
		put(networkPrefix+n.Name, Absent, n),
		claim(networkIDKey(n.ID), n.Name),
		put(globalKey, g.Version, next),
	}
	if n.External {
		mutations = append(mutations, put(poolPrefix+s.externalPool(&n), Absent, Pool{Name: s.externalPool(&n), Automatic: true}))
	}
	return mutations, nil
}

// externalPool returns the name of the pool that an external network makes.
func (s *State) externalPool(n *Network) string { return PoolName(n.Name, s.static.ExternalPool) }

// automaticPool returns the pool that an external network has made.
func (s *State) automaticPool(network string) (*Pool, bool) {
	for p := range s.PoolsOf(network) {
		if p.Automatic {
			return p, true
		}
	}
	return nil, false
}

// UpdateNetwork changes a network in place. What is nil stays as it is.
type UpdateNetwork struct {
	Name           string
	Subnets        *[]netip.Prefix
	Targets        *routetarget.Set
	ImportTargets  *routetarget.Set
	ExportTargets  *routetarget.Set
	Encapsulations *vrf.Encapsulations
	External       *bool
	Hosts          *ReservedHosts
	Gateways       *[]netip.Addr
	DNS            *[]netip.Addr
}

func (c UpdateNetwork) plan(s moment) ([]Mutation, error) {
	old, ok := s.Network(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	n := *old
	set(&n.Subnets, c.Subnets)
	set(&n.Targets, c.Targets)
	set(&n.ImportTargets, c.ImportTargets)
	set(&n.ExportTargets, c.ExportTargets)
	set(&n.Encapsulations, c.Encapsulations)
	set(&n.External, c.External)
	set(&n.Hosts, c.Hosts)
	set(&n.Gateways, c.Gateways)
	set(&n.DNS, c.DNS)
	if err := checkNetwork(s.State, &n); err != nil {
		return nil, err
	}
	mutations := []Mutation{put(networkPrefix+n.Name, old.Version, n)}
	if s.global != nil && (c.Targets != nil || c.ImportTargets != nil || c.ExportTargets != nil) {
		mutations = append(mutations, check(globalKey, s.global.Version)) // none may have become automatic
	}
	pool, err := s.becomeExternal(old, &n)
	if err != nil {
		return nil, err
	}
	mutations = append(mutations, pool...)
	if c.Subnets == nil && c.Hosts == nil && c.Gateways == nil && c.DNS == nil {
		return mutations, nil
	}
	field := "reserved_hosts"
	switch {
	case c.Gateways != nil:
		field = "gateways"
	case c.DNS != nil:
		field = "dns_servers"
	}
	if err := s.checkStranded(field, &n); err != nil {
		return nil, err
	}
	// No floating IP may have been allocated since this state, and no pool made.
	return append(mutations,
		checkPrefix(addressesOf(n.ID), Version(s.revision)),
		checkPrefix(poolsOf(n.Name), Version(s.revision))), nil
}

// checkStranded checks that a changed network still holds its pools and the
// addresses of its floating IPs, and reserves none of them. The field is the
// one that reserves.
func (s *State) checkStranded(field string, n *Network) error {
	var outside, reserved stranded
	for f := range s.FloatingIPsIn(n.Name) {
		switch err := n.checkAddress("", f.Address); {
		case err == nil:
		case err.Reason == ReasonReserved:
			reserved.add(f)
		default:
			outside.add(f)
		}
	}
	if err := outside.refuse("subnets", "an address that would no longer be in the subnets of "+n.Name); err != nil {
		return err
	}
	if err := reserved.refuse("reserved_hosts", "an address that would be reserved in "+n.Name); err != nil {
		return err
	}
	ranges := n.ranges()
	for p := range s.PoolsOf(n.Name) {
		if p.Automatic && !n.External { // it goes
			continue
		}
		if pool := ipam.NewRanges(p.Ranges...); !ranges.Covers(pool) {
			err := inUse("a range that would no longer be in the subnets of "+n.Name, []string{p.Name + " (" + summary(pool.Minus(ranges)) + ")"})
			err.Field, err.Resource = "subnets", p.Name
			return err
		}
	}
	return nil
}

// becomeExternal makes or removes the pool when a network becomes external, or
// no longer is.
func (s moment) becomeExternal(old, n *Network) ([]Mutation, error) {
	if old.External == n.External {
		return nil, nil
	}
	if !n.External {
		if p, ok := s.automaticPool(n.Name); ok {
			return s.removePool(p)
		}
		return nil, nil
	}
	p := Pool{Name: s.externalPool(n), Automatic: true}
	if _, ok := s.Pool(p.Name); ok {
		return nil, exists(ReasonExists, "external", p.Name, "%s exists; an external network makes a pool of this name", p.Name)
	}
	if err := checkOverlap(s.State, n, &p); err != nil {
		err.Field = "external"
		return nil, err
	}
	return []Mutation{put(poolPrefix+p.Name, Absent, p), checkPrefix(poolsOf(n.Name), Version(s.revision))}, nil
}

// DeleteNetwork removes a network without floating IPs and pools. The pool
// that an external one made goes with it.
type DeleteNetwork struct {
	Name string
}

func (c DeleteNetwork) plan(s moment) ([]Mutation, error) {
	n, ok := s.Network(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	var users []string
	mutations := []Mutation{remove(networkPrefix+n.Name, n.Version), free(networkIDKey(n.ID)), free(cursorPrefix + n.Name)}
	for f := range s.FloatingIPsIn(n.Name) {
		users = append(users, f.Name)
	}
	for p := range s.PoolsOf(n.Name) {
		if !p.Automatic {
			users = append(users, p.Name)
			continue
		}
		users = append(users, s.bindingsOf(p)...)
		mutations = append(mutations, remove(poolPrefix+p.Name, p.Version), free(cursorPrefix+p.Name))
	}
	if len(users) > 0 {
		return nil, inUse(n.Name, users)
	}
	return append(mutations,
		checkPrefix(addressesOf(n.ID), Version(s.revision)),
		checkPrefix(poolsOf(n.Name), Version(s.revision)),
		checkPrefix(bindingPrefix, Version(s.revision))), nil
}

// The limits of a network. All targets of a route must fit into one UPDATE of
// 4096 bytes, each with eight.
const (
	maxSubnets = 256
	maxTargets = 256
)

// checkNetwork checks what a user configures, and brings the targets into
// their shortest form.
func checkNetwork(s *State, n *Network) error {
	if len(n.Subnets) > maxSubnets {
		return invalid(ReasonInvalid, "subnets", "expected at most %d, got %d", maxSubnets, len(n.Subnets))
	}
	both := n.Targets.Union(n.ExportTargets)
	if most := max(both.Len(), n.Targets.Union(n.ImportTargets).Len()); most > maxTargets {
		return invalid(ReasonInvalid, "route_targets", "expected at most %d targets to import or to export, got %d", maxTargets, most)
	}
	for i, p := range n.Subnets {
		switch {
		case !p.IsValid() || p.Addr().Is4In6() || p.Addr().IsMulticast():
			return invalid(ReasonInvalid, "subnets", "expected unicast prefixes like 203.0.113.0/24, got %s", p)
		case p.Addr().IsLoopback() || p.Bits() == 0:
			return invalid(ReasonInvalid, "subnets", "%s cannot hold public addresses", p)
		case p != p.Masked():
			return invalid(ReasonInvalid, "subnets", "%s has host bits set; the prefix is %s", p, p.Masked())
		}
		for _, q := range n.Subnets[:i] {
			if p.Overlaps(q) {
				return invalid(ReasonOverlap, "subnets", "%s overlaps %s; the subnets of a network must not overlap", p, q)
			}
		}
	}
	if err := n.check(n.ranges()); err != nil {
		return err
	}
	n.shortenTargets()
	if s.global == nil {
		return nil
	}
	return firstError(
		checkTargets("route_targets", n.Targets, s.global.AS),
		checkTargets("import_targets", n.ImportTargets, s.global.AS),
		checkTargets("export_targets", n.ExportTargets, s.global.AS),
	)
}

// shortenTargets puts what is in both lists into the one for both.
func (n *Network) shortenTargets() {
	inBoth := n.ImportTargets.Minus(n.ImportTargets.Minus(n.ExportTargets))
	n.Targets = n.Targets.Union(inBoth)
	n.ImportTargets, n.ExportTargets = n.ImportTargets.Minus(n.Targets), n.ExportTargets.Minus(n.Targets)
}

func checkTargets(field string, targets routetarget.Set, as uint32) *Error {
	for t := range targets.All() {
		if routetarget.IsAutomatic(t, as) {
			return invalid(ReasonAutomatic, field, "%s lies in the range of the automatic targets, %s to %s; choose a number outside", t,
				routetarget.Automatic(as, 1), routetarget.Automatic(as, routetarget.MaxNetworkID))
		}
	}
	return nil
}
