package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// message reads fields into a message of the API. It is strict: what has no
// place there, or not this type, is an error. What Buoy computes is left out, so
// that what it has shown can be read.
func (d *document) message(n *yaml.Node, m protoreflect.Message, path string) error {
	if n.Kind != yaml.MappingNode {
		return d.refuse(n.Line, path, "expected fields like %s: …, got %s", m.Descriptor().Fields().Get(0).Name(), inWordsOf(n))
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if err := d.plain(key, path); err != nil {
			return err
		}
		if key.Kind != yaml.ScalarNode {
			return d.refuse(key.Line, path, "expected the name of a field, got %s", inWordsOf(key))
		}
		name := key.Value
		if line, twice := seen[name]; twice {
			return d.refuse(key.Line, inside(path, name), "it is there twice, also in line %d", line)
		}
		seen[name] = key.Line
		if path == "" && name == kindField {
			continue
		}
		f := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if f == nil {
			return d.unknownField(key, m.Descriptor(), path)
		}
		if buoyv1.IsComputed(f) {
			continue
		}
		if err := d.field(value, m, f, inside(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func inside(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (d *document) unknownField(key *yaml.Node, in protoreflect.MessageDescriptor, path string) error {
	var known []string
	for i := range in.Fields().Len() {
		if f := in.Fields().Get(i); !buoyv1.IsComputed(f) {
			known = append(known, string(f.Name()))
		}
	}
	text := fmt.Sprintf("%s has no such field", in.Name())
	if near := nearest(key.Value, known); near != "" {
		text += ", did you mean " + near + "?"
	} else {
		slices.Sort(known)
		text += "; expected some of " + strings.Join(known, ", ")
	}
	return d.refuse(key.Line, inside(path, clip(key.Value)), "%s", text)
}

// field reads the value of a field. One without a value is one that is not there.
func (d *document) field(n *yaml.Node, m protoreflect.Message, f protoreflect.FieldDescriptor, path string) error {
	if err := d.plain(n, path); err != nil {
		return err
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil
	case !f.IsList() && f.Message() != nil:
		return d.message(n, m.Mutable(f).Message(), path)
	case !f.IsList():
		v, err := d.scalar(n, f, path)
		if err == nil {
			m.Set(f, v)
		}
		return err
	case n.Kind != yaml.SequenceNode:
		return d.refuse(n.Line, path, "expected a list, each value after a dash or all in [ ], got %s", inWordsOf(n))
	}
	list := m.Mutable(f).List()
	for i, item := range n.Content {
		path := fmt.Sprintf("%s[%d]", path, i)
		if err := d.plain(item, path); err != nil {
			return err
		}
		if f.Message() != nil {
			if err := d.message(item, list.AppendMutable().Message(), path); err != nil {
				return err
			}
			continue
		}
		v, err := d.scalar(item, f, path)
		if err != nil {
			return err
		}
		list.Append(v)
	}
	return nil
}

// scalar reads a single value.
func (d *document) scalar(n *yaml.Node, f protoreflect.FieldDescriptor, path string) (v protoreflect.Value, err error) {
	wrong := func(expected string) error {
		return d.refuse(n.Line, path, "expected %s, got %s", expected, inWordsOf(n))
	}
	tag := n.Tag
	if n.Kind != yaml.ScalarNode {
		tag = ""
	}
	switch f.Kind() {
	case protoreflect.StringKind:
		switch tag {
		case "!!str":
			return protoreflect.ValueOfString(n.Value), nil
		case "":
			return v, wrong("a text")
		default:
			return v, wrong(fmt.Sprintf("a text, in quotes if it looks like something else: %q", clip(n.Value)))
		}
	case protoreflect.BoolKind:
		if tag != "!!bool" {
			return v, wrong("true or false")
		}
		return protoreflect.ValueOfBool(strings.EqualFold(n.Value, "true")), nil
	case protoreflect.EnumKind:
		value := f.Enum().Values().ByName(protoreflect.Name(n.Value))
		if tag != "!!str" || value == nil {
			return v, wrong(oneOfValues(f.Enum()))
		}
		return protoreflect.ValueOfEnum(value.Number()), nil
	case protoreflect.Uint32Kind:
		number, err := strconv.ParseUint(n.Value, 10, 32)
		if tag != "!!int" || err != nil {
			return v, wrong("a number 0..4294967295")
		}
		return protoreflect.ValueOfUint32(uint32(number)), nil
	}
	return v, wrong("nothing: this version of buoyctl cannot read it")
}

func oneOfValues(e protoreflect.EnumDescriptor) string {
	var names []string
	for i := range e.Values().Len() {
		if v := e.Values().Get(i); v.Number() != 0 {
			names = append(names, string(v.Name()))
		}
	}
	return "one of " + strings.Join(names, ", ")
}

// plain refuses what can stand for something else, and so for any amount of it.
func (d *document) plain(n *yaml.Node, path string) error {
	switch {
	case n.Kind == yaml.AliasNode:
		return d.refuse(n.Line, path, "an alias, *%s, is not supported; write the value out", clip(n.Value))
	case n.Anchor != "":
		return d.refuse(n.Line, path, "an anchor, &%s, is not supported", clip(n.Anchor))
	case n.Style&yaml.TaggedStyle != 0:
		return d.refuse(n.Line, path, "a tag, %s, is not supported", clip(n.Tag))
	}
	return nil
}

// inWordsOf says what stands at a place.
func inWordsOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "fields"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!str":
		return fmt.Sprintf("the text %q", clip(n.Value))
	default:
		return clip(n.Value)
	}
}

// clip shortens what a file says, for an error.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
