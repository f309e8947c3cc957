package inventory

// Binding says which pool a namespace, or the whole cluster, draws from.
type Binding struct {
	Name     string `json:"name"` // namespaces/NAMESPACE/poolBinding or global/poolBinding
	Pool     string `json:"pool"`
	ReadOnly bool   `json:"-"` // defined in the configuration file, not in the store

	Version Version `json:"-"`
	Etag    Etag    `json:"-"`
}

// Scope says what decided which pool, or network, an address comes from.
type Scope uint8

// The scopes.
const (
	ScopeNetwork   Scope = iota // the request named a network, outside its pools
	ScopeRequest                // the request named the pool
	ScopeNamespace              // the binding of the request's namespace
	ScopeGlobal                 // the binding of the cluster
)

var scopes = names[Scope]{"network", "request", "namespace", "global"}

func (s Scope) String() string { return scopes.text(s) }

// MarshalText implements encoding.TextMarshaler.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Scope) UnmarshalText(text []byte) (err error) {
	*s, err = scopes.parse(string(text))
	return err
}

// BindPool binds a namespace, or the cluster, to a pool. An earlier binding is
// replaced.
type BindPool struct {
	Name string // of the binding
	Pool string
}

func (c BindPool) plan(s moment) ([]Mutation, error) {
	if err := firstError(checkName("name", c.Name, namespaces), checkName("pool", c.Pool, pools)); err != nil {
		return nil, err
	}
	p, ok := s.Pool(c.Pool)
	if !ok {
		return nil, notFound("pool", c.Pool)
	}
	old, ok := s.Binding(c.Name)
	expect := Absent
	if ok {
		if err := old.changeable(); err != nil {
			return nil, err
		}
		expect = old.Version
	}
	return []Mutation{
		put(bindingPrefix+c.Name, expect, Binding{Name: c.Name, Pool: c.Pool}),
		check(poolPrefix+p.Name, p.Version),
	}, nil
}

// UnbindPool removes a binding.
type UnbindPool struct {
	Name string // of the binding
}

func (c UnbindPool) plan(s moment) ([]Mutation, error) {
	if err := checkName("name", c.Name, namespaces); err != nil {
		return nil, err
	}
	b, ok := s.Binding(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	if err := b.changeable(); err != nil {
		return nil, err
	}
	return []Mutation{remove(bindingPrefix+b.Name, b.Version)}, nil
}

// changeable refuses to change what the configuration file says.
func (b *Binding) changeable() error {
	if b.ReadOnly {
		return precondition(ReasonReadOnly, "name", b.Name, "%s is set by the daemon's configuration, as pools.global; change it there", b.Name)
	}
	return nil
}
