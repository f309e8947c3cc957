package api

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/buoynet/buoy/internal/history"
	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// stateField is what a change of what was observed is called.
const stateField = "state"

// fieldChanges puts what an event tells into the words of the API.
func (v view) fieldChanges(to viewer, e *history.Event) (list []*buoyv1.FieldChange) {
	switch {
	case e.Before+e.After == "":
		return nil
	case e.Kind == history.Observed:
		return []*buoyv1.FieldChange{{Field: stateField, Before: e.Before, After: e.After}}
	}
	before, after := v.partOf(to, e.Subject, e.Before), v.partOf(to, e.Subject, e.After)
	if before == nil || after == nil { // of a later version: as it is in the store
		return []*buoyv1.FieldChange{{Before: e.Before, After: e.After}}
	}
	fields := before.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if buoyv1.IsComputed(f) && !strings.HasPrefix(string(f.Name()), "drain") || f.Name() == "name" || f.Name() == "drained" || before.Get(f).Equal(after.Get(f)) {
			continue
		}
		c := &buoyv1.FieldChange{Field: string(f.Name())}
		if e.Kind != history.Created { // before there were only defaults
			c.Before = fieldText(before, f)
		}
		if e.Kind != history.Deleted {
			c.After = fieldText(after, f)
		}
		list = append(list, c)
	}
	return list
}

// empty is what computed fields are computed from where they are left out.
var empty = inventory.NewState(inventory.Static{})

// partOf returns a resource of which some fields are known; nil if they cannot be read.
func (v view) partOf(to viewer, name, text string) protoreflect.Message {
	if text == "" {
		text = "{}"
	}
	resource, err := inventory.Decode(name, []byte(text))
	if err != nil {
		return nil
	}
	var p proto.Message
	switch r := resource.(type) {
	case *inventory.Global:
		p = v.globalToProto(r)
	case *inventory.Network:
		p = networkToProto(empty, r)
	case *inventory.Pool:
		p = poolToProto(to, empty, r)
	case *inventory.Binding:
		p = &buoyv1.PoolBinding{Name: r.Name, Pool: r.Pool} // also of a pool that is no more
	case *inventory.ComputeNode:
		p = computeNodeToProto(r)
	case *inventory.Neighbor:
		p = v.neighborToProto(r, nil)
	case *inventory.FloatingIP:
		p = settledToProto(r)
	}
	return p.ProtoReflect()
}

// fieldText writes a field; a list in brackets, and nothing if it is not set.
func fieldText(m protoreflect.Message, f protoreflect.FieldDescriptor) string {
	switch {
	case f.IsList():
		list := m.Get(f).List()
		if list.Len() == 0 {
			return ""
		}
		var texts []string
		for i := range list.Len() {
			texts = append(texts, buoyv1.FieldText(f, list.Get(i)))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case !m.Has(f) && f.Kind() != protoreflect.BoolKind:
		return ""
	}
	return buoyv1.FieldText(f, m.Get(f))
}
