package inventory

import (
	"slices"

	"github.com/buoynet/buoy/internal/neighbor"
)

// PutNetwork makes a network as it should be. Without an id it keeps the one
// that it has, or gets a free one.
type PutNetwork struct {
	Network Network
	// AnyID lets a new one have its id: that tells which ids others have not.
	AnyID bool
}

// ResourceName implements Wanted.
func (c PutNetwork) ResourceName() string { return c.Network.Name }

func (c PutNetwork) steps() []step {
	if c.Network.ID == 0 {
		return []step{{stageNewNetworks, c}}
	}
	return []step{{stageNetworks, c}}
}

func (c PutNetwork) plan(s moment) ([]Mutation, error) {
	n := c.Network
	old, ok := s.Network(n.Name)
	if !ok && n.ID != 0 && !c.AnyID {
		return nil, denied(ReasonOperatorsOnly, "id", "only the operator may choose the id of a network; leave it out")
	}
	if !ok {
		return CreateNetwork{n}.plan(s)
	}
	if n.ID != 0 && n.ID != old.ID {
		return nil, immutable("id", n.Name, old.ID, "leave the id out, or describe a network of another name")
	}
	n.shortenTargets()
	u := UpdateNetwork{
		Name:           n.Name,
		Subnets:        differing(slices.Equal(n.Subnets, old.Subnets), n.Subnets),
		Targets:        differing(n.Targets == old.Targets, n.Targets),
		ImportTargets:  differing(n.ImportTargets == old.ImportTargets, n.ImportTargets),
		ExportTargets:  differing(n.ExportTargets == old.ExportTargets, n.ExportTargets),
		Encapsulations: differing(n.Encapsulations == old.Encapsulations, n.Encapsulations),
		External:       differing(n.External == old.External, n.External),
		Hosts:          differing(n.Hosts == old.Hosts, n.Hosts),
		Gateways:       differing(slices.Equal(n.Gateways, old.Gateways), n.Gateways),
		DNS:            differing(slices.Equal(n.DNS, old.DNS), n.DNS),
	}
	if u == (UpdateNetwork{Name: n.Name}) {
		return nil, nil
	}
	return u.plan(s)
}

// PutPool makes a pool as it should be.
type PutPool struct{ Pool Pool }

// ResourceName implements Wanted.
func (c PutPool) ResourceName() string { return c.Pool.Name }

func (c PutPool) steps() []step { return []step{{stagePools, c}} }

func (c PutPool) plan(s moment) ([]Mutation, error) {
	p := c.Pool
	old, ok := s.Pool(p.Name)
	if !ok {
		return CreatePool{p}.plan(s)
	}
	u := UpdatePool{
		Name:       p.Name,
		Ranges:     differing(slices.Equal(p.Ranges, old.Ranges), p.Ranges),
		SharedWith: differing(slices.Equal(p.SharedWith, old.SharedWith), p.SharedWith),
	}
	if u == (UpdatePool{Name: p.Name}) {
		return nil, nil
	}
	return u.plan(s)
}

// PutBinding makes a binding as it should be.
type PutBinding struct{ Name, Pool string }

// ResourceName implements Wanted.
func (c PutBinding) ResourceName() string { return c.Name }

func (c PutBinding) steps() []step { return []step{{stageBindings, c}} }

func (c PutBinding) plan(s moment) ([]Mutation, error) {
	if old, ok := s.Binding(c.Name); ok && old.Pool == c.Pool {
		return nil, nil
	}
	return BindPool(c).plan(s)
}

// PutComputeNode makes a compute node as it should be, but for its drain: that is
// a part of its life, and changes only when Drained says so.
type PutComputeNode struct {
	ComputeNode ComputeNode
	Drained     *bool
}

// ResourceName implements Wanted.
func (c PutComputeNode) ResourceName() string { return c.ComputeNode.Name }

func (c PutComputeNode) steps() []step { return []step{{stageComputeNodes, c}} }

func (c PutComputeNode) plan(s moment) ([]Mutation, error) {
	n := c.ComputeNode
	if n.Labels == DefaultLabels {
		n.Labels = LabelRange{}
	}
	if n.LabelHoldDown == DefaultLabelHoldDown {
		n.LabelHoldDown = 0
	}
	if n.Liveness.HoldTime == DefaultHoldTime {
		n.Liveness.HoldTime = 0
	}
	old, ok := s.ComputeNode(n.Name)
	if !ok {
		n.Drain = Drain{}.wanted(c.Drained != nil && *c.Drained)
		return CreateComputeNode{n}.plan(s)
	}
	n.identify()
	u := UpdateComputeNode{
		Name:           n.Name,
		Address:        differing(n.Address == old.Address, n.Address),
		RouterID:       differing(n.RouterID == old.RouterID, n.RouterID),
		Encapsulations: differing(n.Encapsulations == old.Encapsulations, n.Encapsulations),
		Labels:         differing(n.LabelRange() == old.LabelRange(), n.Labels),
		LabelHoldDown:  differing(n.HoldDown() == old.HoldDown(), n.LabelHoldDown),
		Liveness:       differing(n.Liveness.Mode == old.Liveness.Mode, n.Liveness.Mode),
		HoldTime:       differing(n.Liveness.Hold() == old.Liveness.Hold(), n.Liveness.HoldTime),
		StaleTime:      differing(n.Liveness.StaleTime == old.Liveness.StaleTime, n.Liveness.StaleTime),
	}
	if c.Drained != nil && *c.Drained != old.Drain.Begun() {
		u.Drained = c.Drained
	}
	if u == (UpdateComputeNode{Name: n.Name}) {
		return nil, nil
	}
	return u.plan(s)
}

// PutNeighbor makes a neighbor as it should be. The settings are complete:
// defaults are filled in by the caller.
type PutNeighbor struct{ Settings neighbor.Settings }

// ResourceName implements Wanted.
func (c PutNeighbor) ResourceName() string { return NeighborName(c.Settings.Name) }

func (c PutNeighbor) steps() []step { return []step{{stageNeighbors, c}} }

func (c PutNeighbor) plan(s moment) ([]Mutation, error) {
	settings := c.Settings.Canonical()
	held, ok := s.Neighbor(c.ResourceName())
	if !ok {
		return CreateNeighbor{settings}.plan(s)
	}
	if held.Canonical() == settings {
		return nil, nil
	}
	old, err := storedNeighbor(s.State, c.ResourceName())
	if err != nil {
		return nil, err
	}
	n := *old
	n.Settings = settings
	return s.replaceNeighbor(old, n)
}
