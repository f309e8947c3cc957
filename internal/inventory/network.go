package inventory

import (
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// CreateNetwork adds a network. Its id is given by the plan.
type CreateNetwork struct {
	Network Network
}

func (c CreateNetwork) plan(s *State) ([]Mutation, error) {
	n := c.Network
	if err := checkName("name", n.Name, networks); err != nil {
		return nil, err
	}
	if _, ok := s.Network(n.Name); ok {
		return nil, exists(ReasonExists, "name", n.Name, "%s exists", n.Name)
	}
	if err := checkNetwork(s, &n); err != nil {
		return nil, err
	}
	g, ok := s.Global()
	if !ok {
		return nil, precondition(ReasonASDiffers, "", "", "the AS is not known yet")
	}
	id, ok := s.freeNetworkID()
	if !ok {
		return nil, precondition(ReasonExhausted, "", "", "all %d network ids are in use; delete a network first", routetarget.MaxNetworkID)
	}
	n.ID = id
	next := *g
	next.NextNetworkID = id%routetarget.MaxNetworkID + 1
	return []Mutation{
		put(networkPrefix+n.Name, Absent, n),
		claim(networkIDKey(id), n.Name),
		put(globalKey, g.Version, next),
	}, nil
}

// freeNetworkID returns the first free id at or after the cursor, wrapping, so
// that an id rests for as long as possible before it is used again.
func (s *State) freeNetworkID() (uint16, bool) {
	id := max(s.global.NextNetworkID, 1)
	for range routetarget.MaxNetworkID {
		if _, taken := s.NetworkByID(id); !taken {
			return id, true
		}
		id = id%routetarget.MaxNetworkID + 1
	}
	return 0, false
}

// UpdateNetwork changes a network in place. What is nil stays as it is.
type UpdateNetwork struct {
	Name           string
	Subnets        *[]netip.Prefix
	Targets        *routetarget.Set
	ImportTargets  *routetarget.Set
	ExportTargets  *routetarget.Set
	Encapsulations *vrf.Encapsulations
}

func (c UpdateNetwork) plan(s *State) ([]Mutation, error) {
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
	if err := checkNetwork(s, &n); err != nil {
		return nil, err
	}
	mutations := []Mutation{put(networkPrefix+n.Name, old.Version, n)}
	if c.Subnets == nil {
		return mutations, nil
	}
	var names, outside []string
	for f := range s.FloatingIPsIn(n.Name) {
		if err := n.checkAddress("subnets", f.Address); err != nil {
			names = append(names, f.Name)
			outside = append(outside, f.Name+" ("+f.Address.String()+")")
		}
	}
	if len(outside) > 0 {
		err := inUse("an address that would no longer be in the subnets of "+n.Name, outside)
		err.Field, err.Resource = "subnets", names[0]
		return nil, err
	}
	// No floating IP may have been allocated since this state.
	return append(mutations, checkPrefix(addressesOf(n.ID), Version(s.revision))), nil
}

// DeleteNetwork removes a network without floating IPs.
type DeleteNetwork struct {
	Name string
}

func (c DeleteNetwork) plan(s *State) ([]Mutation, error) {
	n, ok := s.Network(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	var users []string
	for f := range s.FloatingIPsIn(n.Name) {
		users = append(users, f.Name)
	}
	if len(users) > 0 {
		return nil, inUse(n.Name, users)
	}
	return []Mutation{
		remove(networkPrefix+n.Name, n.Version),
		free(networkIDKey(n.ID)),
		checkPrefix(addressesOf(n.ID), Absent),
	}, nil
}

// The limits of a network. All targets of a route must fit into one UPDATE of
// 4096 bytes, each with eight.
const (
	maxSubnets = 256
	maxTargets = 256
)

// checkNetwork checks what a user configures.
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
	if s.global == nil {
		return nil
	}
	return firstError(
		checkTargets("route_targets", n.Targets, s.global.AS),
		checkTargets("import_targets", n.ImportTargets, s.global.AS),
		checkTargets("export_targets", n.ExportTargets, s.global.AS),
	)
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

// checkAddress checks that an address can be given to a floating IP: inside a
// subnet, and not one of its reserved addresses.
func (n *Network) checkAddress(field string, addr netip.Addr) *Error {
	i := slices.IndexFunc(n.Subnets, func(p netip.Prefix) bool { return p.Contains(addr) })
	if i < 0 {
		return invalid(ReasonOutsideSubnets, field, "%s is outside the subnets of %s: %v", addr, n.Name, n.Subnets)
	}
	if p := n.Subnets[i]; reserved(p, addr) {
		return invalid(ReasonReserved, field, "%s is the network or broadcast address of %s", addr, p)
	}
	return nil
}

// reserved reports whether an address is the network or broadcast address of
// an IPv4 subnet, or the subnet-router anycast address of an IPv6 one (RFC
// 4291 §2.6.1). A /31, /32, /127 or /128 has none (RFC 3021, RFC 6164).
func reserved(p netip.Prefix, addr netip.Addr) bool {
	if p.Bits() >= addr.BitLen()-1 {
		return false
	}
	if addr == p.Addr() {
		return true
	}
	return addr.Is4() && !p.Contains(addr.Next())
}
