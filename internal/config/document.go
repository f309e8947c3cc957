package config

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is a file whose keys and kinds of values are known to be right. The
// values are still text.
type document struct {
	name     string
	tree     map[string]any        // what viper takes: maps, []any, string
	nodes    map[string]*yaml.Node // what stands at a path
	refused  map[string]bool       // the paths where a problem is already known
	problems []problem
}

// parseDocument reads data as t, a struct, which stands at path.
func parseDocument(name string, data []byte, t reflect.Type, path string) (*document, error) {
	d := &document{name: name, tree: map[string]any{}, nodes: map[string]*yaml.Node{}, refused: map[string]bool{}}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case err == io.EOF:
		return d, nil
	case err != nil:
		return nil, d.syntax(err)
	}
	if tree, ok := d.walk(doc.Content[0], t, path).(map[string]any); ok {
		d.tree = tree
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		d.refuse(&second, "---", "%sexpected one YAML document, got another one", prefix(path))
	case err != io.EOF:
		return nil, d.syntax(err)
	}
	return d, nil
}

var yamlError = regexp.MustCompile(`^(?:line (\d+): )?(.*)`)

// syntax moves the line of the YAML library's error to the front. The library
// names the line where the broken construct begins, at times the one before,
// and none at all in the first line.
func (d *document) syntax(err error) error {
	m := yamlError.FindStringSubmatch(strings.TrimPrefix(err.Error(), "yaml: "))
	line, _ := strconv.Atoi(m[1])
	return problem{d.place(line, 0), m[2]}
}

func (d *document) place(line, column int) place {
	text := d.name
	if line > 0 {
		text += ":" + strconv.Itoa(line)
	}
	return place{fromFile, line, column, text}
}

// refuse notes a problem. It returns nil so that a walk can end with it.
func (d *document) refuse(n *yaml.Node, path, format string, args ...any) any {
	d.refused[path] = true
	d.problems = append(d.problems, problem{d.place(n.Line, n.Column), fmt.Sprintf(format, args...)})
	return nil
}

// walk returns what stands at n as t's kind: a map, a list or text. It returns
// nil where nothing stands, or nothing of use.
func (d *document) walk(n *yaml.Node, t reflect.Type, path string) any {
	d.nodes[path] = n
	optional := t.Kind() == reflect.Struct || t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct
	switch kind := kindOf(n); {
	case kind == isNothing && optional && !strings.HasSuffix(path, "]"):
		return nil // a section, or the neighbors, with everything in comments
	case kind == isMapping && t.Kind() == reflect.Struct:
		return d.mapping(n, t, path)
	case kind == isMapping && t == reflect.TypeFor[pool]():
		return flow(d.mapping(n, reflect.TypeFor[poolParts](), path))
	case kind == isList && t.Kind() == reflect.Slice:
		return d.list(n, t.Elem(), path)
	case kind == isValue && t.Kind() == reflect.String:
		return n.Value
	}
	return d.refuse(n, path, "%sexpected %s, got %s", prefix(path), wanted(t), got(n))
}

func (d *document) mapping(n *yaml.Node, t reflect.Type, path string) map[string]any {
	types, names := fields(t, path)
	lines := map[string]int{}
	m := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := under(path, show(k.Value))
		elem, known := types[name]
		if kindOf(k) != isValue || !known {
			d.refuse(k, name, "unknown key %s%s", name, didYouMean(name, names))
			continue
		}
		if first, ok := lines[name]; ok {
			d.refuse(k, name, "duplicate key %s%s", name, d.theFirst(first))
			continue
		}
		lines[name] = k.Line
		if value := d.walk(v, elem, name); value != nil {
			m[k.Value] = value
		}
	}
	return m
}

// theFirst says in which line of the file the first of two is. The lines of a
// text from elsewhere are nothing to look up.
func (d *document) theFirst(line int) string {
	if d.name == "" {
		return ""
	}
	return fmt.Sprintf(", the first is in line %d", line)
}

func (d *document) list(n *yaml.Node, elem reflect.Type, path string) any {
	list := []any{}
	for i, item := range n.Content {
		value := d.walk(item, elem, fmt.Sprintf("%s[%d]", path, i))
		if value == nil {
			// Keeps the others at their index.
			value = reflect.Zero(elem).Interface()
			if elem.Kind() == reflect.Struct {
				value = map[string]any{}
			}
		}
		list = append(list, value)
	}
	return list
}

// fields returns the keys of a struct by their full paths.
func fields(t reflect.Type, path string) (types map[string]reflect.Type, names []string) {
	types = map[string]reflect.Type{}
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		types[under(path, tag)] = t.Field(i).Type
		names = append(names, under(path, tag))
	}
	return types, names
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func prefix(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

type nodeKind uint8

const (
	isOther nodeKind = iota
	isNothing
	isValue
	isList
	isMapping
)

// kindOf looks at the tag, too: !!binary is not text, !!set is not a mapping.
func kindOf(n *yaml.Node) nodeKind {
	switch tag := n.ShortTag(); {
	case n.Kind == yaml.ScalarNode && tag == "!!null":
		return isNothing
	case n.Kind == yaml.ScalarNode && (tag == "!!str" || tag == "!!int" || tag == "!!float" || tag == "!!bool" || tag == "!!timestamp"):
		return isValue
	case n.Kind == yaml.SequenceNode && tag == "!!seq":
		return isList
	case n.Kind == yaml.MappingNode && tag == "!!map":
		return isMapping
	}
	return isOther
}

func wanted(t reflect.Type) string {
	if t == reflect.TypeFor[pool]() {
		return "a single value or " + wanted(reflect.TypeFor[poolParts]())
	}
	switch t.Kind() {
	case reflect.Struct:
		_, names := fields(t, "")
		return "a mapping with " + strings.Join(names, ", ")
	case reflect.Slice:
		return "a list"
	}
	return "a single value"
}

func got(n *yaml.Node) string {
	switch kindOf(n) {
	case isNothing:
		return "nothing"
	case isValue:
		return fmt.Sprintf("%q", n.Value)
	case isList:
		return "a list"
	case isMapping:
		return "a mapping"
	}
	if n.Kind == yaml.AliasNode {
		return "an alias"
	}
	return "a value of type " + show(n.ShortTag())
}
