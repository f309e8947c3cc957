package inventory

import (
	"hash/fnv"
	"strconv"
)

// Etag stands for what is set in a resource: equal ones have equal contents. It
// does not tell how much else has changed, as a version does.
type Etag uint64

// etagOf returns the etag of a value of the store.
func etagOf(value []byte) Etag {
	h := fnv.New64a()
	h.Write(value)
	return Etag(h.Sum64())
}

// String returns what ParseEtag reads.
func (e Etag) String() string { return strconv.FormatUint(uint64(e), 36) }

// ParseEtag reads what String returns.
func ParseEtag(s string) (Etag, error) {
	n, err := strconv.ParseUint(s, 36, 64)
	return Etag(n), err
}

// IfUnchanged carries out a command only if a resource has a certain etag:
// nobody has changed it since it was read.
type IfUnchanged struct {
	Name    string // of the resource
	Etag    Etag
	Command Command
}

func (c IfUnchanged) plan(s moment) ([]Mutation, error) {
	held, ok := s.held(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	if held.etag != c.Etag {
		return nil, &Error{Code: Aborted, Reason: ReasonChanged, Field: "etag", Resource: c.Name,
			Message: c.Name + " has changed since it was read; read it again"}
	}
	mutations, err := c.Command.plan(s)
	if err != nil || len(mutations) == 0 {
		return mutations, err
	}
	return append(mutations, check(keyOf(c.Name), held.version)), nil
}

// held is a resource as the state has it. What the configuration file defines has
// version 0.
type held struct {
	resource any
	version  Version
	etag     Etag
}

// held returns a resource of any kind.
func (s *State) held(name string) (held, bool) {
	switch KindOf(name) {
	case KindNetwork:
		return hold(s.Network, name, func(r *Network) (Version, Etag) { return r.Version, r.Etag })
	case KindPool:
		return hold(s.Pool, name, func(r *Pool) (Version, Etag) { return r.Version, r.Etag })
	case KindBinding:
		return hold(s.Binding, name, func(r *Binding) (Version, Etag) { return r.Version, r.Etag })
	case KindComputeNode:
		return hold(s.ComputeNode, name, func(r *ComputeNode) (Version, Etag) { return r.Version, r.Etag })
	case KindNeighbor:
		return hold(s.Neighbor, name, func(r *Neighbor) (Version, Etag) { return r.Version, r.Etag })
	case KindFloatingIP:
		return hold(s.FloatingIP, name, func(r *FloatingIP) (Version, Etag) { return r.Version, r.Etag })
	case KindGlobal:
		return hold(func(string) (*Global, bool) { return s.Global() }, name, func(r *Global) (Version, Etag) { return r.Version, r.Etag })
	}
	return held{}, false
}

func hold[R any](get func(name string) (R, bool), name string, of func(R) (Version, Etag)) (held, bool) {
	r, ok := get(name)
	if !ok {
		return held{}, false
	}
	version, etag := of(r)
	return held{r, version, etag}, true
}

// EtagOf returns the etag of a resource.
func (s *State) EtagOf(name string) (Etag, bool) {
	h, ok := s.held(name)
	return h.etag, ok
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
