package inventory

import (
	"slices"
	"strings"

	"github.com/buoynet/buoy/vrf"
)

// Associate makes a floating IP reachable at a compute node. Without a label
// the association gets the one of its interface, or a new one.
type Associate struct {
	Name        string // of the floating IP
	Association Association
}

func (c Associate) plan(s moment) ([]Mutation, error) {
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
	bound, err := s.bindLabel(node, &a)
	if err != nil {
		return nil, err
	}
	f := *old
	f.Associations = append(slices.Clone(old.Associations), a)
	return append(bound,
		put(floatingIPPrefix+f.Name, old.Version, f),
		check(nodePrefix+node.Name, node.Version)), nil
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
	if _, err := vrf.NewLabel(uint32(a.Label)); err != nil && a.Label != 0 {
		return invalid(ReasonInvalid, "label", "%v", err)
	}
	for _, other := range f.Associations {
		if other.ComputeNode == a.ComputeNode {
			return exists(ReasonAssociated, "compute_node", f.Name, "%s is associated with %s already, interface %s; disassociate it, or move it", f.Name, a.ComputeNode, other.Interface)
		}
	}
	return nil
}

// Disassociate ends associations of a floating IP: those that match the
// interface and the compute node; an empty one matches all.
type Disassociate struct {
	Name        string // of the floating IP
	Interface   string
	ComputeNode string
}

func (c Disassociate) plan(s moment) ([]Mutation, error) {
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
		return nil, precondition(ReasonNotAssociated, field, c.Name, "%s is not associated with %s, but %s", c.Name, value, places(old))
	}
	mutations[0] = put(floatingIPPrefix+f.Name, old.Version, f)
	return mutations, nil
}

// Move puts another association in the place of one, in one step: the gateways
// learn the new route before the old one goes.
type Move struct {
	Name        string // of the floating IP
	From        string // compute node; may be empty when there is one association
	Association Association
}

func (c Move) plan(s moment) ([]Mutation, error) {
	f, ok := s.FloatingIP(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	from := c.From
	switch {
	case len(f.Associations) == 0:
		return nil, precondition(ReasonNotAssociated, "name", c.Name, "%s is not associated with a compute node; associate it", c.Name)
	case from == "" && len(f.Associations) > 1:
		return nil, precondition(ReasonAmbiguous, "from", c.Name, "%s is associated %s; name the compute node to leave", c.Name, places(f))
	case from == "":
		from = f.Associations[0].ComputeNode
	case !slices.ContainsFunc(f.Associations, func(a Association) bool { return a.ComputeNode == from }):
		return nil, precondition(ReasonNotAssociated, "from", c.Name, "%s is not associated with %s, but %s", c.Name, from, places(f))
	}
	d := NewDraft(s.State, s.now)
	if err := d.Do(Disassociate{Name: c.Name, ComputeNode: from}); err != nil {
		return nil, err
	}
	if err := d.Do(Associate{Name: c.Name, Association: c.Association}); err != nil {
		return nil, err
	}
	return d.Mutations(), nil
}

// places says where a floating IP is.
func places(f *FloatingIP) string {
	var at []string
	for _, a := range f.Associations {
		at = append(at, "interface "+a.Interface+" of "+a.ComputeNode)
	}
	return "with " + strings.Join(at, ", ")
}
