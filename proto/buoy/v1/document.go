package buoyv1

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// computed are the fields of resources that Buoy fills in. In a document they
// say nothing.
var computed = map[protoreflect.FullName]bool{
	"buoy.v1.Global.session_as":          true,
	"buoy.v1.Global.etag":                true,
	"buoy.v1.Network.automatic_target":   true,
	"buoy.v1.Network.reserved_addresses": true,
	"buoy.v1.Network.shared_targets":     true,
	"buoy.v1.Network.etag":               true,
	"buoy.v1.Pool.automatic":             true,
	"buoy.v1.Pool.used":                  true,
	"buoy.v1.Pool.total":                 true,
	"buoy.v1.Pool.etag":                  true,
	"buoy.v1.PoolBinding.read_only":      true,
	"buoy.v1.PoolBinding.etag":           true,
	"buoy.v1.ComputeNode.state":          true,
	"buoy.v1.ComputeNode.state_reason":   true,
	"buoy.v1.ComputeNode.state_since":    true,
	"buoy.v1.ComputeNode.stream_address": true,
	"buoy.v1.ComputeNode.agent_version":  true,
	"buoy.v1.ComputeNode.drain":          true,
	"buoy.v1.ComputeNode.drain_until":    true,
	"buoy.v1.ComputeNode.routes":         true,
	"buoy.v1.ComputeNode.interfaces":     true,
	"buoy.v1.ComputeNode.etag":           true,
	"buoy.v1.Neighbor.read_only":         true,
	"buoy.v1.Neighbor.state":             true,
	"buoy.v1.Neighbor.state_reason":      true,
	"buoy.v1.Neighbor.session":           true,
	"buoy.v1.Neighbor.next_step":         true,
	"buoy.v1.Neighbor.etag":              true,
	"buoy.v1.FloatingIP.state":           true,
	"buoy.v1.FloatingIP.state_reason":    true,
	"buoy.v1.FloatingIP.etag":            true,
}

// IsComputed reports whether Buoy fills in a field of a resource.
func IsComputed(f protoreflect.FieldDescriptor) bool { return computed[f.FullName()] }

// DocumentKinds returns the fields of a Document, one for each kind of resource.
// The message of a field is named as the kind.
func DocumentKinds() protoreflect.FieldDescriptors {
	return (*Document)(nil).ProtoReflect().Descriptor().Fields()
}

// NewDocument describes a resource. It takes the message over, without its
// computed fields; there is no document of other messages.
func NewDocument(resource proto.Message) (*Document, bool) {
	m := resource.ProtoReflect()
	kinds := DocumentKinds()
	for i := range kinds.Len() {
		if kinds.Get(i).Message() != m.Descriptor() {
			continue
		}
		fields := m.Descriptor().Fields()
		for j := range fields.Len() {
			if f := fields.Get(j); IsComputed(f) {
				m.Clear(f)
			}
		}
		d := &Document{}
		d.ProtoReflect().Set(kinds.Get(i), protoreflect.ValueOfMessage(m))
		return d, true
	}
	return nil, false
}

// Described returns the resource that a document describes, or nil for an empty
// one.
func (d *Document) Described() proto.Message {
	m := d.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("resource"))
	if field == nil {
		return nil
	}
	return m.Get(field).Message().Interface()
}
