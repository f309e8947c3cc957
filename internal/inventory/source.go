package inventory

import (
	"fmt"
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

// source finds where an address comes from. A pool that is named, by whomever,
// and cannot be used is an error: never is another one taken in its place.
func (s moment) source(c Allocate) (*source, error) {
	project := ProjectOf(c.Name)
	if c.Namespace != "" {
		if err := CheckID(c.Namespace); err != nil {
			return nil, invalid(ReasonInvalid, "namespace", "%v", err)
		}
	}
	if err := c.checkScope(); err != nil {
		return nil, err
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
		case !c.AnyPool && ProjectOf(c.Pool) != project && (!ok || !p.UsableBy(project)):
			// One answer for both, or the answer would tell what is there.
			return nil, denied(ReasonNotShared, "pool", "%s is not shared with project %s, or does not exist", c.Pool, project)
		case !ok:
			return nil, notFound("pool", c.Pool)
		}
		scope := ScopeRequest
		if c.Scope != nil {
			scope = *c.Scope
		}
		return s.ofPool("pool", p, scope)
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

// checkScope checks the scope of a floating IP that comes back.
func (c Allocate) checkScope() error {
	if c.Scope == nil {
		return nil
	}
	switch {
	case int(*c.Scope) >= len(scopes):
		return invalid(ReasonInvalid, "scope", "the enumeration has no value %d", *c.Scope)
	case !c.Address.IsValid():
		return invalid(ReasonInvalid, "scope", "expected an address to go with it")
	case *c.Scope == ScopeNetwork && (c.Network == "" || c.Pool != ""):
		return invalid(ReasonInvalid, "scope", "%s goes with a network, and with no pool", *c.Scope)
	case *c.Scope != ScopeNetwork && c.Pool == "":
		return invalid(ReasonInvalid, "scope", "%s goes with a pool", *c.Scope)
	case *c.Scope == ScopeNamespace && c.Namespace == "":
		return invalid(ReasonInvalid, "scope", "%s goes with a namespace", *c.Scope)
	}
	return nil
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
