package inventory

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/buoynet/buoy/vrf"
)

// Allocate takes an address of a network for a new floating IP.
type Allocate struct {
	Name    string // of the floating IP
	Network string
	Address netip.Addr
}

func (c Allocate) plan(s *State) ([]Mutation, error) {
	if err := checkName("name", c.Name, floatingIPs); err != nil {
		return nil, err
	}
	if held, ok := s.FloatingIP(c.Name); ok {
		return nil, exists(ReasonExists, "name", c.Name, "%s exists with address %s", c.Name, held.Address)
	}
	if err := checkName("network", c.Network, networks); err != nil {
		return nil, err
	}
	network, ok := s.Network(c.Network)
	if !ok {
		return nil, notFound("network", c.Network)
	}
	if err := checkUnicast("address", c.Address, "203.0.113.5"); err != nil {
		return nil, err
	}
	if err := network.checkAddress("address", c.Address); err != nil {
		return nil, err
	}
	if held, ok := s.Holder(c.Network, c.Address); ok {
		return nil, exists(ReasonAddressTaken, "address", held.Name, "%s is taken by %s", c.Address, held.Name)
	}
	return []Mutation{
		check(networkPrefix+network.Name, network.Version),
		put(floatingIPPrefix+c.Name, Absent, FloatingIP{Name: c.Name, Network: c.Network, Address: c.Address}),
		claim(addressKey(network.ID, c.Address), c.Name),
	}, nil
}

// Associate makes a floating IP reachable at a compute node.
type Associate struct {
	Name        string // of the floating IP
	Association Association
}

func (c Associate) plan(s *State) ([]Mutation, error) {
	old, ok := s.FloatingIP(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	a := c.Association
	if err := checkName("compute_node", a.ComputeNode, computeNodes); err != nil {
		return nil, err
	}
	node, ok := s.ComputeNode(a.ComputeNode)
	if !ok {
		return nil, notFound("compute_node", a.ComputeNode)
	}
	if err := checkAssociation(old, a); err != nil {
		return nil, err
	}
	f := *old
	f.Associations = append(slices.Clone(old.Associations), a)
	mutations := []Mutation{
		put(floatingIPPrefix+f.Name, old.Version, f),
		check(nodePrefix+node.Name, node.Version),
	}
	bound, err := s.bindLabel(a)
	return append(mutations, bound...), err
}

func checkAssociation(f *FloatingIP, a Association) error {
	if err := checkInterface("interface", a.Interface); err != nil {
		return err
	}
	if err := checkUnicast("fixed_ip", a.FixedIP, "10.47.255.249"); err != nil {
		return err
	}
	if a.FixedIP.Is4() != f.Address.Is4() {
		return invalid(ReasonFamilyMismatch, "fixed_ip", "%s and the floating IP %s are of different families", a.FixedIP, f.Address)
	}
	if _, err := vrf.NewLabel(uint32(a.Label)); err != nil {
		return invalid(ReasonInvalid, "label", "%v", err)
	}
	for _, other := range f.Associations {
		if other.ComputeNode == a.ComputeNode {
			return exists(ReasonAssociated, "compute_node", f.Name, "%s is associated with %s already, interface %s; disassociate it first", f.Name, a.ComputeNode, other.Interface)
		}
	}
	return nil
}

// bindLabel makes an association one more user of its interface's label. The
// compute node takes the label for the interface, so no other interface may
// have it, and the interface no other label.
func (s *State) bindLabel(a Association) ([]Mutation, error) {
	key := interfaceKey(a.ComputeNode, a.Interface)
	use, ok := s.interfaces.Get(key)
	if ok && use.Label != a.Label {
		return nil, precondition(ReasonLabelDiffers, "label", a.ComputeNode,
			"interface %s of %s has label %d; all its floating IPs share it", a.Interface, a.ComputeNode, use.Label)
	}
	if owner, taken := s.labelOwner(a.ComputeNode, a.Label); taken && owner.name != a.Interface {
		return nil, exists(ReasonLabelTaken, "label", a.ComputeNode,
			"%d is the label of interface %s of %s", a.Label, owner.name, a.ComputeNode)
	}
	if ok {
		return []Mutation{put(key, use.version, interfaceUse{Label: use.Label, Users: use.Users + 1})}, nil
	}
	return []Mutation{
		put(key, Absent, interfaceUse{Label: a.Label, Users: 1}),
		claim(labelKey(a.ComputeNode, a.Label), a.Interface),
	}, nil
}

// Disassociate ends associations of a floating IP: those that match the
// interface and the compute node; an empty one matches all.
type Disassociate struct {
	Name        string // of the floating IP
	Interface   string
	ComputeNode string
}

func (c Disassociate) plan(s *State) ([]Mutation, error) {
	old, ok := s.FloatingIP(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	if len(old.Associations) == 0 {
		return nil, precondition(ReasonNotAssociated, "name", c.Name, "%s is not associated with a compute node", c.Name)
	}
	f := *old
	f.Associations = nil
	mutations := []Mutation{{}} // for the floating IP, once it is known
	for _, a := range old.Associations {
		if c.Interface != "" && a.Interface != c.Interface || c.ComputeNode != "" && a.ComputeNode != c.ComputeNode {
			f.Associations = append(f.Associations, a)
			continue
		}
		mutations = append(mutations, s.releaseLabel(a)...)
	}
	if len(mutations) == 1 {
		field, value := "interface", c.Interface
		if value == "" {
			field, value = "compute_node", c.ComputeNode
		}
		var at []string
		for _, a := range old.Associations {
			at = append(at, "interface "+a.Interface+" of "+a.ComputeNode)
		}
		return nil, precondition(ReasonNotAssociated, field, c.Name,
			"%s is not associated with %s, but with %s", c.Name, value, strings.Join(at, ", "))
	}
	mutations[0] = put(floatingIPPrefix+f.Name, old.Version, f)
	return mutations, nil
}

// releaseLabel makes an association one user less of its interface's label.
func (s *State) releaseLabel(a Association) []Mutation {
	key := interfaceKey(a.ComputeNode, a.Interface)
	use, ok := s.interfaces.Get(key)
	switch {
	case !ok:
		return nil
	case use.Users > 1:
		return []Mutation{put(key, use.version, interfaceUse{Label: use.Label, Users: use.Users - 1})}
	default:
		return []Mutation{remove(key, use.version), free(labelKey(a.ComputeNode, use.Label))}
	}
}

// Release gives the address of a floating IP back. It must not be associated.
type Release struct {
	Name string
}

func (c Release) plan(s *State) ([]Mutation, error) {
	f, ok := s.FloatingIP(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	if len(f.Associations) > 0 {
		var users []string
		for _, a := range f.Associations {
			users = append(users, "interface "+a.Interface+" of "+a.ComputeNode)
		}
		err := inUse(f.Name, users)
		err.Message += "; disassociate it first"
		err.Resource = f.Name
		return nil, err
	}
	mutations := []Mutation{remove(floatingIPPrefix+f.Name, f.Version)}
	if network, ok := s.Network(f.Network); ok {
		mutations = append(mutations, free(addressKey(network.ID, f.Address)))
	}
	return mutations, nil
}
