package inventory

import (
	"net/netip"

	"github.com/buoynet/buoy/vrf"
)

// CreateComputeNode adds a compute node. Without a router id it takes its
// IPv4 address as one.
type CreateComputeNode struct {
	ComputeNode ComputeNode
}

func (c CreateComputeNode) plan(s moment) ([]Mutation, error) {
	n := c.ComputeNode
	if err := checkName("name", n.Name, computeNodes); err != nil {
		return nil, err
	}
	if _, ok := s.ComputeNode(n.Name); ok {
		return nil, exists(ReasonExists, "name", n.Name, "%s exists", n.Name)
	}
	n.identify()
	if err := checkComputeNode(s.State, &n); err != nil {
		return nil, err
	}
	return []Mutation{
		put(nodePrefix+n.Name, Absent, n),
		claim(nodeAddrPrefix+n.Address.String(), n.Name),
		claim(routerIDPrefix+n.RouterID.String(), n.Name),
	}, nil
}

// identify makes the address the router id, if there is no other.
func (n *ComputeNode) identify() {
	if !n.RouterID.IsValid() && n.Address.Is4() {
		n.RouterID = n.Address
	}
}

// UpdateComputeNode changes a compute node in place; its routes follow. What
// is nil stays as it is.
type UpdateComputeNode struct {
	Name           string
	Address        *netip.Addr
	RouterID       *netip.Addr
	Encapsulations *vrf.Encapsulations
	Labels         *LabelRange
	LabelHoldDown  *uint32
	Liveness       *LivenessMode
	HoldTime       *uint32
	StaleTime      *uint32
	// Drained drains at once what is not yet draining; DrainComputeNode gives
	// gateways time.
	Drained *bool
}

func (c UpdateComputeNode) plan(s moment) ([]Mutation, error) {
	old, ok := s.ComputeNode(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	n := *old
	set(&n.Address, c.Address)
	set(&n.RouterID, c.RouterID)
	set(&n.Encapsulations, c.Encapsulations)
	set(&n.Labels, c.Labels)
	set(&n.LabelHoldDown, c.LabelHoldDown)
	set(&n.Liveness.Mode, c.Liveness)
	set(&n.Liveness.HoldTime, c.HoldTime)
	set(&n.Liveness.StaleTime, c.StaleTime)
	if c.Drained != nil {
		n.Drain = n.Drain.wanted(*c.Drained)
	}
	if err := checkComputeNode(s.State, &n); err != nil {
		return nil, err
	}
	mutations := []Mutation{put(nodePrefix+n.Name, old.Version, n)}
	if n.Address != old.Address {
		mutations = append(mutations, free(nodeAddrPrefix+old.Address.String()), claim(nodeAddrPrefix+n.Address.String(), n.Name))
	}
	if n.RouterID != old.RouterID {
		mutations = append(mutations, free(routerIDPrefix+old.RouterID.String()), claim(routerIDPrefix+n.RouterID.String(), n.Name))
	}
	return mutations, nil
}

// DeleteComputeNode removes a compute node without associations.
type DeleteComputeNode struct {
	Name string
}

func (c DeleteComputeNode) plan(s moment) ([]Mutation, error) {
	n, ok := s.ComputeNode(c.Name)
	if !ok {
		return nil, notFound("name", c.Name)
	}
	var users []string
	for f := range s.FloatingIPsAt(n.Name) {
		users = append(users, f.Name)
	}
	if len(users) > 0 {
		return nil, inUse(n.Name, users)
	}
	mutations := []Mutation{
		remove(nodePrefix+n.Name, n.Version),
		free(nodeAddrPrefix + n.Address.String()),
		free(routerIDPrefix + n.RouterID.String()),
		checkPrefix(interfacesOf(n.Name), Version(s.revision)),
		checkPrefix(restingOf(n.Name), Version(s.revision)),
	}
	for r := range s.restingAt(n.Name) {
		mutations = append(mutations, remove(restingKey(n.Name, r.label), r.version))
	}
	return mutations, nil
}

func checkComputeNode(s *State, n *ComputeNode) error {
	if err := checkUnicast("address", n.Address, "10.0.0.11"); err != nil {
		return err
	}
	if !n.RouterID.IsValid() {
		return invalid(ReasonInvalid, "router_id", "a compute node with an IPv6 address needs one: expected an IPv4 address that no other compute node has")
	}
	if !n.RouterID.Is4() || n.RouterID.IsUnspecified() {
		return invalid(ReasonInvalid, "router_id", "expected an IPv4 address, for example 10.0.0.11, got %s", n.RouterID)
	}
	if err := checkLabels(n); err != nil {
		return err
	}
	if err := n.Liveness.check(); err != nil {
		return err
	}
	if held, ok := s.nodeAddrs.get(n.Address); ok && held.Name != n.Name {
		return exists(ReasonAddressTaken, "address", held.Name, "%s is the address of %s", n.Address, held.Name)
	}
	if held, ok := s.routerIDs.get(n.RouterID); ok && held.Name != n.Name {
		return exists(ReasonRouterIDTaken, "router_id", held.Name, "%s is the router id of %s; equal ones would make two routes one", n.RouterID, held.Name)
	}
	return nil
}

func checkUnicast(field string, addr netip.Addr, example string) *Error {
	switch {
	case !addr.IsValid():
		return invalid(ReasonInvalid, field, "expected an IPv4 or IPv6 address, for example %s", example)
	case addr.IsUnspecified() || addr.IsMulticast() || addr.Is4In6() || addr.Zone() != "" ||
		addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return invalid(ReasonInvalid, field, "expected a unicast address without a zone, for example %s, got %s", example, addr)
	}
	return nil
}
