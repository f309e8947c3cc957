package api

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/routetarget"
)

// document describes a resource that there is.
func (v view) document(viewer viewer, state *inventory.State, name string) (*buoyv1.Document, bool) {
	resource := v.resource(viewer, state, name)
	if resource == nil {
		return nil, false
	}
	return buoyv1.NewDocument(resource)
}

// resource returns a resource without what is observed of it, or nil.
func (v view) resource(viewer viewer, state *inventory.State, name string) proto.Message {
	if n, ok := state.Network(name); ok {
		return networkToProto(state, n)
	}
	if p, ok := state.Pool(name); ok {
		return poolToProto(viewer, state, p)
	}
	if b, ok := state.Binding(name); ok {
		return bindingToProto(viewer, state, b)
	}
	if n, ok := state.ComputeNode(name); ok {
		return computeNodeToProto(n)
	}
	if n, ok := state.Neighbor(name); ok {
		return v.neighborToProto(n, nil)
	}
	if f, ok := state.FloatingIP(name); ok {
		return settledToProto(f)
	}
	if g, ok := state.Global(); ok && name == inventory.GlobalName {
		return v.globalToProto(g)
	}
	return nil
}

// wanted reads a document. What only the operator may choose is refused to
// others by the plan.
func (s *configurationService) wanted(v viewer, d *buoyv1.Document) (inventory.Wanted, error) {
	if d.Described() == nil {
		return nil, invalid("", errors.New("expected a resource, got an empty document"))
	}
	w, err := s.read(v, d)
	if err == nil && w.ResourceName() == "" {
		err = missing("name", "")
	}
	return w, err
}

func (s *configurationService) read(v viewer, d *buoyv1.Document) (inventory.Wanted, error) {
	var f fields
	switch d := d.Resource.(type) {
	case *buoyv1.Document_Global:
		f.globalName(d.Global.GetName())
		return inventory.PutGlobal{AS: d.Global.GetAs()}, f.err
	case *buoyv1.Document_Network:
		n, err := networkFromProto(d.Network)
		n.ID = f.networkID("id", d.Network.GetId())
		return inventory.PutNetwork{Network: n, AnyID: v == ""}, errors.Join(err, f.err)
	case *buoyv1.Document_Pool:
		return inventory.PutPool{Pool: f.pool(d.Pool)}, f.err
	case *buoyv1.Document_PoolBinding:
		return inventory.PutBinding{Name: d.PoolBinding.GetName(), Pool: d.PoolBinding.GetPool()}, nil
	case *buoyv1.Document_ComputeNode:
		n, err := computeNodeFromProto(d.ComputeNode)
		return inventory.PutComputeNode{ComputeNode: n, Drained: d.ComputeNode.Drained}, err
	case *buoyv1.Document_Neighbor:
		settings, err := settingsFromProto(d.Neighbor)
		return inventory.PutNeighbor{Settings: settings.WithDefaults(s.Families)}, err
	default:
		return f.floatingIP(d.(*buoyv1.Document_FloatingIp).FloatingIp, v == ""), f.err
	}
}

func (f *fields) networkID(field string, id uint32) uint16 {
	if id > routetarget.MaxNetworkID {
		f.fail(field, fmt.Errorf("expected 1..%d, got %d", routetarget.MaxNetworkID, id))
	}
	return uint16(id)
}

func (f *fields) floatingIP(p *buoyv1.FloatingIP, operator bool) inventory.PutFloatingIP {
	c := inventory.PutFloatingIP{AnyPool: operator, FloatingIP: inventory.FloatingIP{
		Name:         p.GetName(),
		Network:      p.GetNetwork(),
		Pool:         p.GetPool(),
		Address:      f.addr("address", p.GetAddress()),
		Namespace:    p.GetNamespace(),
		Direction:    enum(f, "direction", directionFromProto, p.GetDirection()),
		PortMappings: f.portMappings("port_mappings", p.GetPortMappings()),
	}}
	if p.GetScope() != buoyv1.FloatingIP_SCOPE_UNSPECIFIED {
		scope := enum(f, "scope", scopeFromProto, p.GetScope())
		c.Scope = &scope
	}
	for i, a := range p.GetAssociations() {
		var in fields
		c.FloatingIP.Associations = append(c.FloatingIP.Associations, in.association(a))
		if in.err != nil && f.err == nil {
			f.err = inventory.Inside(fmt.Sprintf("associations[%d]", i), in.err)
		}
	}
	return c
}
