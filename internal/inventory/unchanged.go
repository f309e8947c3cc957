package inventory

// IfUnchanged carries out a command only if a resource has a certain version:
// nobody has changed it since it was read.
type IfUnchanged struct {
	Name    string // of the resource
	Version Version
	Command Command
}

func (c IfUnchanged) plan(s moment) ([]Mutation, error) {
	version, ok := s.VersionOf(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	if version != c.Version {
		return nil, &Error{Code: Aborted, Reason: ReasonChanged, Field: "etag", Resource: c.Name,
			Message: c.Name + " has changed since it was read; read it again"}
	}
	mutations, err := c.Command.plan(s)
	if err != nil || len(mutations) == 0 {
		return mutations, err
	}
	return append(mutations, check(keyOf(c.Name), version)), nil
}

// VersionOf returns the version of a resource. What the configuration file
// defines has version 0.
func (s *State) VersionOf(name string) (v Version, ok bool) {
	switch KindOf(name) {
	case KindNetwork:
		return versionIn(s.Network, name, func(r *Network) Version { return r.Version })
	case KindPool:
		return versionIn(s.Pool, name, func(r *Pool) Version { return r.Version })
	case KindBinding:
		return versionIn(s.Binding, name, func(r *Binding) Version { return r.Version })
	case KindComputeNode:
		return versionIn(s.ComputeNode, name, func(r *ComputeNode) Version { return r.Version })
	case KindNeighbor:
		return versionIn(s.Neighbor, name, func(r *Neighbor) Version { return r.Version })
	case KindFloatingIP:
		return versionIn(s.FloatingIP, name, func(r *FloatingIP) Version { return r.Version })
	case KindGlobal:
		return versionIn(func(string) (*Global, bool) { return s.Global() }, name, func(r *Global) Version { return r.Version })
	}
	return 0, false
}

func versionIn[R any](get func(name string) (R, bool), name string, version func(R) Version) (Version, bool) {
	r, ok := get(name)
	if !ok {
		return 0, false
	}
	return version(r), true
}

// keyOf returns the key of the store that a resource is under.
func keyOf(name string) string {
	switch KindOf(name) {
	case KindNetwork:
		return networkPrefix + name
	case KindPool:
		return poolPrefix + name
	case KindBinding:
		return bindingPrefix + name
	case KindComputeNode:
		return nodePrefix + name
	case KindNeighbor:
		return neighborPrefix + name
	case KindFloatingIP:
		return floatingIPPrefix + name
	default:
		return globalKey
	}
}
