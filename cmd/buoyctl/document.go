package main

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// document is one document of a file, and where it stands.
type document struct {
	file   string
	number int        // in the file, from 1 on
	node   *yaml.Node // its fields

	described *buoyv1.Document
}

// kindField says in a document what it describes.
const kindField = "kind"

// kinds of documents, by name.
func documentKinds() (names []string, fields map[string]protoreflect.FieldDescriptor) {
	fields = map[string]protoreflect.FieldDescriptor{}
	list := buoyv1.DocumentKinds()
	for i := range list.Len() {
		name := string(list.Get(i).Message().Name())
		names, fields[name] = append(names, name), list.Get(i)
	}
	return names, fields
}

// kindOf returns the kind of a resource, or "" for another message.
func kindOf(m proto.Message) string {
	name := string(m.ProtoReflect().Descriptor().Name())
	if _, fields := documentKinds(); fields[name] == nil || fields[name].Message() != m.ProtoReflect().Descriptor() {
		return ""
	}
	return name
}

// read takes the fields over.
func (d *document) read() error {
	if d.node.Kind != yaml.MappingNode {
		return d.refuse(d.node.Line, "", "expected fields like kind: Network, got %s", inWordsOf(d.node))
	}
	names, fields := documentKinds()
	node := member(d.node, kindField)
	if node == nil {
		return d.refuse(d.node.Line, kindField, "expected one of %s, got none", strings.Join(names, ", "))
	}
	if err := d.plain(node, kindField); err != nil {
		return err
	}
	field, ok := fields[node.Value]
	if !ok || node.Kind != yaml.ScalarNode {
		hint := ""
		if near := nearest(node.Value, lower(names)); near != "" {
			hint = ", did you mean " + names[indexOf(lower(names), near)] + "?"
		}
		return d.refuse(node.Line, kindField, "expected one of %s, got %s%s", strings.Join(names, ", "), inWordsOf(node), hint)
	}
	d.described = &buoyv1.Document{}
	return d.message(d.node, d.described.ProtoReflect().Mutable(field).Message(), "")
}

func lower(names []string) (list []string) {
	for _, n := range names {
		list = append(list, strings.ToLower(n))
	}
	return list
}

func indexOf(list []string, text string) int {
	for i, t := range list {
		if t == text {
			return i
		}
	}
	return -1
}

// refuse says what is wrong in a document, and where.
func (d *document) refuse(line int, path, format string, args ...any) error {
	return d.refuseAs(codes.InvalidArgument, line, path, fmt.Sprintf(format, args...))
}

// refuseAs is refuse with a code that decides the exit status.
func (d *document) refuseAs(code codes.Code, line int, path, text string) error {
	if path != "" {
		text = path + ": " + text
	}
	return status.Error(code, fmt.Sprintf("%s: %s", d.place(line), text))
}

func (d *document) place(line int) string {
	return fmt.Sprintf("%s: document %d, line %d", d.file, d.number, line)
}

// name returns the full name of what is described.
func (d *document) name() string {
	return d.described.Described().(interface{ GetName() string }).GetName()
}

// member returns the value of a field, or nil.
func member(n *yaml.Node, field string) *yaml.Node {
	_, value := pair(n, field)
	return value
}

// pair returns a field and its value, or nil.
func pair(n *yaml.Node, field string) (key, value *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == field {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}

// line returns where a field stands, like associations[1].label; or what it
// would be in, if it is not there.
func (d *document) line(path string) int {
	at, line := d.node, d.node.Line
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		var key *yaml.Node
		if at.Kind == yaml.SequenceNode {
			var i int
			if _, err := fmt.Sscanf(step, "%d", &i); err != nil || i < 0 || i >= len(at.Content) {
				return line
			}
			key, at = at.Content[i], at.Content[i]
		} else if key, at = pair(at, step); key == nil {
			return line
		}
		line = key.Line
	}
	return line
}
