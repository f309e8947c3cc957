package inventory

import (
	"fmt"
	"slices"

	"github.com/buoynet/buoy/internal/ipam"
)

// Pool is a part of a network's addresses that projects may draw from.
type Pool struct {
	Name   string       `json:"name"`
	Ranges []ipam.Range `json:"ranges,omitempty"` // none: all subnets of the network
	// SharedWith are the projects that may draw from it beside its own, or
	// AllProjects.
	SharedWith []string `json:"shared_with,omitempty"`
	Automatic  bool     `json:"automatic,omitempty"` // made by an external network

	Version Version `json:"-"`
	Etag    Etag    `json:"-"`

	usable ipam.Ranges // see Usable; worked out when the state takes pool or network over
}

// AllProjects stands for every project.
const AllProjects = "*"

// Network returns the network that the pool belongs to.
func (p *Pool) Network() string { return networkOf(p.Name) }

// Usable returns the addresses that floating IPs can get from the pool.
func (p *Pool) Usable() ipam.Ranges { return p.usable }

// UsableBy reports whether a project may draw from the pool.
func (p *Pool) UsableBy(project string) bool {
	return ProjectOf(p.Name) == project || slices.Contains(p.SharedWith, project) || slices.Contains(p.SharedWith, AllProjects)
}

// ranges returns all addresses of the pool, also the reserved ones.
func (p *Pool) ranges(n *Network) ipam.Ranges {
	if len(p.Ranges) == 0 {
		return n.ranges()
	}
	return ipam.NewRanges(p.Ranges...)
}

// findUsable works out what Usable returns.
func (p *Pool) findUsable(n *Network) ipam.Ranges {
	if len(p.Ranges) == 0 {
		return n.usable
	}
	ranges := ipam.NewRanges(p.Ranges...)
	return ranges.Minus(ranges.Minus(n.usable))
}

// CreatePool adds a pool to a network.
type CreatePool struct {
	Pool Pool
}

func (c CreatePool) plan(s moment) ([]Mutation, error) {
	p := c.Pool
	p.Automatic = false // not the caller's to choose
	if err := checkName("name", p.Name, pools); err != nil {
		return nil, err
	}
	if _, ok := s.Pool(p.Name); ok {
		return nil, exists(ReasonExists, "name", p.Name, "%s exists", p.Name)
	}
	n, ok := s.Network(p.Network())
	if !ok {
		return nil, notFound("name", p.Network())
	}
	if err := checkPool(s.State, n, &p); err != nil {
		return nil, err
	}
	return []Mutation{
		put(poolPrefix+p.Name, Absent, p),
		check(networkPrefix+n.Name, n.Version),
		// No pool may have come into being where this one is.
		checkPrefix(poolsOf(n.Name), Version(s.revision)),
	}, nil
}

// UpdatePool changes a pool in place. What is nil stays as it is.
type UpdatePool struct {
	Name       string
	Ranges     *[]ipam.Range
	SharedWith *[]string
}

func (c UpdatePool) plan(s moment) ([]Mutation, error) {
	old, ok := s.Pool(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	n, ok := s.Network(old.Network())
	if !ok {
		return nil, notFound("name", old.Network())
	}
	p := *old
	set(&p.Ranges, c.Ranges)
	set(&p.SharedWith, c.SharedWith)
	if err := checkPool(s.State, n, &p); err != nil {
		return nil, err
	}
	mutations := []Mutation{
		put(poolPrefix+p.Name, old.Version, p),
		check(networkPrefix+n.Name, n.Version),
	}
	if c.Ranges == nil {
		return mutations, nil
	}
	ranges := p.ranges(n)
	var outside stranded
	for f := range s.FloatingIPsIn(n.Name) {
		if f.Pool == p.Name && !ranges.Contains(f.Address) {
			outside.add(f)
		}
	}
	if err := outside.refuse("ranges", "an address that would no longer be in the pool "+p.Name); err != nil {
		return nil, err
	}
	return append(mutations,
		checkPrefix(poolsOf(n.Name), Version(s.revision)),
		checkPrefix(addressesOf(n.ID), Version(s.revision))), nil
}

// DeletePool removes a pool that nothing was drawn from and that nothing is
// bound to.
type DeletePool struct {
	Name string
}

func (c DeletePool) plan(s moment) ([]Mutation, error) {
	p, ok := s.Pool(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	if p.Automatic {
		return nil, precondition(ReasonInUse, "name", p.Network(), "%s belongs to the external network %s; it goes when the network is no longer external", p.Name, p.Network())
	}
	return s.removePool(p)
}

// removePool removes a pool that is not in use.
func (s moment) removePool(p *Pool) ([]Mutation, error) {
	if users := s.usersOf(p); len(users) > 0 {
		return nil, inUse(p.Name, users)
	}
	mutations := []Mutation{
		remove(poolPrefix+p.Name, p.Version),
		free(cursorPrefix + p.Name),
		checkPrefix(bindingPrefix, Version(s.revision)),
	}
	if n, ok := s.Network(p.Network()); ok {
		mutations = append(mutations, checkPrefix(addressesOf(n.ID), Version(s.revision)))
	}
	return mutations, nil
}

// usersOf returns who needs a pool: its floating IPs, and what is bound to it.
func (s *State) usersOf(p *Pool) []string {
	users := s.bindingsOf(p)
	for f := range s.FloatingIPsIn(p.Network()) {
		if f.Pool == p.Name {
			users = append(users, f.Name)
		}
	}
	return users
}

// bindingsOf returns what is bound to a pool.
func (s *State) bindingsOf(p *Pool) (names []string) {
	for b := range s.Bindings() {
		if b.Pool == p.Name {
			names = append(names, b.Name)
		}
	}
	if s.hidden != nil && s.hidden.Pool == p.Name {
		names = append(names, s.hidden.Name+" (overridden by pools.global)")
	}
	return names
}

// The limits of a pool.
const (
	maxRanges     = 256
	maxSharedWith = 1000
)

// checkPool checks what a user configures.
func checkPool(s *State, n *Network, p *Pool) error {
	if len(p.Ranges) > maxRanges {
		return invalid(ReasonInvalid, "ranges", "expected at most %d, got %d", maxRanges, len(p.Ranges))
	}
	if len(p.SharedWith) > maxSharedWith {
		return invalid(ReasonInvalid, "shared_with", "expected at most %d projects, got %d; %q stands for all", maxSharedWith, len(p.SharedWith), AllProjects)
	}
	for _, project := range p.SharedWith {
		if err := CheckID(project); err != nil && project != AllProjects {
			return invalid(ReasonInvalid, "shared_with", "project: %v; %q stands for all", err, AllProjects)
		}
	}
	subnets := n.ranges()
	for i, r := range p.Ranges {
		switch {
		case !r.IsValid():
			return invalid(ReasonInvalid, "ranges", "expected a range like 203.0.113.10-203.0.113.99 or a prefix like 203.0.113.0/25, got %s", r)
		case !subnets.Covers(ipam.NewRanges(r)):
			return invalid(ReasonOutsideNetwork, "ranges", "%s is not inside the subnets of %s: %v", r, n.Name, n.Subnets)
		}
		for _, earlier := range p.Ranges[:i] {
			if r.Overlaps(earlier) {
				return invalid(ReasonPoolsOverlap, "ranges", "%s overlaps %s", r, earlier)
			}
		}
	}
	return firstError(checkOverlap(s, n, p))
}

// maxPools is how many pools a network has at most: each is compared with all
// others.
const maxPools = 1000

// checkOverlap checks that no two pools of a network have an address in
// common.
func checkOverlap(s *State, n *Network, p *Pool) *Error {
	ranges, count := p.ranges(n), 0
	for other := range s.PoolsOf(n.Name) {
		if count++; count > maxPools || count == maxPools && p.Version == Absent {
			return exhausted(ReasonPoolsExhausted, "name", n.Name, "%s has %d pools, as many as there may be", n.Name, maxPools)
		}
		common, overlap := ranges.Overlap(other.ranges(n))
		// Two pools of a whole network overlap even before it has subnets.
		if other.Name != p.Name && (overlap || len(p.Ranges)+len(other.Ranges) == 0) {
			where := "both stand for the whole network"
			if overlap {
				where = fmt.Sprintf("both hold %s", common)
			}
			return exists(ReasonPoolsOverlap, "ranges", other.Name, "%s and %s would overlap: %s", p.Name, other.Name, where)
		}
	}
	return nil
}

// stranded are floating IPs whose address a change would leave outside.
type stranded struct {
	names, texts []string
}

func (s *stranded) add(f *FloatingIP) {
	s.names = append(s.names, f.Name)
	s.texts = append(s.texts, f.Name+" ("+f.Address.String()+")")
}

func (s *stranded) refuse(field, what string) error {
	if len(s.names) == 0 {
		return nil
	}
	err := inUse(what, s.texts)
	err.Field, err.Resource = field, s.names[0]
	return err
}
