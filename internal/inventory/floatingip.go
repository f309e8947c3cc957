package inventory

// UpdateFloatingIP changes what the compute node does with the traffic. What
// is nil stays as it is.
type UpdateFloatingIP struct {
	Name         string
	Direction    *Direction
	PortMappings *[]PortMapping
}

func (c UpdateFloatingIP) plan(s moment) ([]Mutation, error) {
	old, ok := s.FloatingIP(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	f := *old
	set(&f.Direction, c.Direction)
	set(&f.PortMappings, c.PortMappings)
	if err := checkTraffic(f.Direction, f.PortMappings); err != nil {
		return nil, err
	}
	return []Mutation{put(floatingIPPrefix+f.Name, old.Version, f)}, nil
}

// Release gives the address of a floating IP back. It must not be associated.
type Release struct {
	Name string
}

func (c Release) plan(s moment) ([]Mutation, error) {
	f, ok := s.FloatingIP(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	if len(f.Associations) > 0 {
		return nil, precondition(ReasonInUse, "name", f.Name, "%s is associated %s; disassociate it first", f.Name, places(f))
	}
	mutations := []Mutation{remove(floatingIPPrefix+f.Name, f.Version)}
	if network, ok := s.Network(f.Network); ok {
		mutations = append(mutations, free(addressKey(network.ID, f.Address)))
		mutations = append(mutations, s.rest(f, network)...)
	}
	return mutations, nil
}
