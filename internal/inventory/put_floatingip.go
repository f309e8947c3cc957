package inventory

import (
	"fmt"
	"slices"
)

// PutFloatingIP makes a floating IP as it should be: allocated, with these
// associations and no others. Where its address is from cannot change; what is
// left out of that is whatever it is.
type PutFloatingIP struct {
	FloatingIP FloatingIP
	// Scope is what decided where the address is from, if it is known: then the
	// floating IP is a former one that comes back.
	Scope *Scope
	// AnyPool lets one come back whose pool is no longer shared with its project.
	AnyPool bool
}

// ResourceName implements Wanted.
func (c PutFloatingIP) ResourceName() string { return c.FloatingIP.Name }

func (c PutFloatingIP) steps() []step {
	at := stageFloatingIPs
	if !c.FloatingIP.Address.IsValid() {
		at = stageNewFloatingIPs
	}
	wanted := c.FloatingIP.Associations
	steps := []step{{at, c}, {stageLeave, leave{c.FloatingIP.Name, wanted}}}
	labelled := 0
	for _, a := range wanted {
		if a.Label != 0 {
			labelled++
		}
	}
	if labelled > 0 {
		steps = append(steps, step{stageJoin, join{c.FloatingIP.Name, wanted, true}})
	}
	if labelled < len(wanted) {
		steps = append(steps, step{stageNewLabels, join{c.FloatingIP.Name, wanted, false}})
	}
	return steps
}

// plan does all but the associations.
func (c PutFloatingIP) plan(s moment) ([]Mutation, error) {
	f := c.FloatingIP
	if f.Pool != "" && f.Network != "" && networkOf(f.Pool) != f.Network {
		return nil, invalid(ReasonInvalid, "network", "expected that of the pool %s, got %s", f.Pool, f.Network)
	}
	old, ok := s.FloatingIP(f.Name)
	if !ok {
		a := Allocate{Name: f.Name, Pool: f.Pool, Network: f.Network, Namespace: f.Namespace, Address: f.Address,
			Direction: f.Direction, PortMappings: f.PortMappings}
		if f.Pool != "" {
			a.Network = ""
		}
		if f.Address.IsValid() {
			a.Scope, a.AnyPool = c.Scope, c.AnyPool
		}
		return a.plan(s)
	}
	if err := c.checkKept(old); err != nil {
		return nil, err
	}
	u := UpdateFloatingIP{
		Name:         f.Name,
		Direction:    differing(f.Direction == old.Direction, f.Direction),
		PortMappings: differing(slices.Equal(f.PortMappings, old.PortMappings), f.PortMappings),
	}
	if u == (UpdateFloatingIP{Name: f.Name}) {
		return nil, nil
	}
	return u.plan(s)
}

// checkKept refuses to change where an address is from.
func (c PutFloatingIP) checkKept(old *FloatingIP) error {
	f := c.FloatingIP
	const instead = "release it first, or describe a floating IP of another name"
	switch {
	case f.Network != "" && f.Network != old.Network:
		return immutable("network", old.Name, old.Network, instead)
	case f.Pool != "" && f.Pool != old.Pool && old.Pool == "":
		return immutable("pool", old.Name, "an address outside the pools", instead)
	case f.Pool != "" && f.Pool != old.Pool:
		return immutable("pool", old.Name, old.Pool, instead)
	case f.Address.IsValid() && f.Address != old.Address:
		return immutable("address", old.Name, old.Address, instead)
	case f.Namespace != "" && f.Namespace != old.Namespace:
		return immutable("namespace", old.Name, fmt.Sprintf("namespace %q", old.Namespace), instead)
	case f.Address.IsValid() && c.Scope != nil && *c.Scope != old.Scope:
		return immutable("scope", old.Name, fmt.Sprintf("scope %s", old.Scope), "leave the scope out")
	}
	return nil
}

// leave ends the associations that are not among those wanted.
type leave struct {
	name   string
	wanted []Association
}

func (c leave) plan(s moment) ([]Mutation, error) {
	old, ok := s.FloatingIP(c.name)
	if !ok {
		return nil, notFound("name", c.name)
	}
	f := *old
	f.Associations = nil
	mutations := []Mutation{{}} // for the floating IP, once it is known
	for _, a := range old.Associations {
		if slices.ContainsFunc(c.wanted, a.continuedBy) {
			f.Associations = append(f.Associations, a)
			continue
		}
		mutations = append(mutations, s.releaseLabel(a)...)
	}
	if len(f.Associations) == len(old.Associations) {
		return nil, nil
	}
	mutations[0] = put(floatingIPPrefix+f.Name, old.Version, f)
	return mutations, nil
}

// continuedBy reports whether another association can take the place of one
// without another label.
func (a Association) continuedBy(b Association) bool {
	return a.ComputeNode == b.ComputeNode && a.Interface == b.Interface && (b.Label == 0 || a.Label == b.Label)
}

// join makes the associations those that are wanted; what is there already is
// among them. Those without a label wait for those with one, which must not be
// given to others.
type join struct {
	name     string
	wanted   []Association
	labelled bool // only those with a label
}

func (c join) plan(s moment) ([]Mutation, error) {
	old, ok := s.FloatingIP(c.name)
	if !ok {
		return nil, notFound("name", c.name)
	}
	f := *old
	f.Associations = nil
	mutations := []Mutation{{}}
	for i, a := range c.wanted {
		at := slices.IndexFunc(old.Associations, func(has Association) bool { return has.continuedBy(a) })
		if a.Label == 0 && c.labelled {
			if at >= 0 {
				f.Associations = append(f.Associations, old.Associations[at])
			}
			continue
		}
		bound, err := s.joinAt(&f, &a, at >= 0)
		if err != nil {
			return nil, Inside(fmt.Sprintf("associations[%d]", i), err)
		}
		if at >= 0 {
			a.Label = old.Associations[at].Label
		}
		f.Associations = append(f.Associations, a)
		mutations = append(mutations, bound...)
	}
	if sameSet(f.Associations, old.Associations) {
		return nil, nil
	}
	mutations[0] = put(floatingIPPrefix+f.Name, old.Version, f)
	return mutations, nil
}

// joinAt checks an association, and binds its label unless it is there.
func (s moment) joinAt(f *FloatingIP, a *Association, there bool) ([]Mutation, error) {
	if err := checkName("compute_node", a.ComputeNode, computeNodes); err != nil {
		return nil, err
	}
	node, ok := s.ComputeNode(a.ComputeNode)
	if !ok {
		return nil, notFound("compute_node", a.ComputeNode)
	}
	if err := checkAssociation(f, *a); err != nil {
		return nil, err
	}
	conditions := []Mutation{check(nodePrefix+node.Name, node.Version)}
	if there {
		return conditions, nil
	}
	bound, err := s.bindLabel(node, a)
	return append(bound, conditions...), err
}
