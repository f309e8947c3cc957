package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
)

// pool names a pool, in one of the forms that parts reads. In the file it can
// also be a mapping, which the document turns into text.
type pool string

// poolParts is a pool as the reference system's configuration has it.
type poolParts struct {
	Domain  string `yaml:"domain"` // may be left out, and is dropped: Buoy has no domains
	Project string `yaml:"project"`
	Network string `yaml:"network"`
	Name    string `yaml:"name"`
}

// flow returns a mapping as the environment would have it.
func flow(parts map[string]any) string {
	var items []string
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		// In ASCII, what Go quotes is a double-quoted text of YAML.
		items = append(items, fmt.Sprintf("%s: %+q", name, parts[name]))
	}
	return "{" + strings.Join(items, ", ") + "}"
}

// pool returns the resource name of the pool at path, or nothing if no source
// names one.
func (v *validation) pool(path string, text pool) string {
	if !v.present(path) {
		return ""
	}
	parts := v.parts(path, string(text))
	project, network, name := v.part(path, "project", parts), v.part(path, "network", parts), v.part(path, "name", parts)
	return inventory.PoolName(inventory.NetworkName(project, network), name)
}

// parts splits a resource name, a fully qualified name of the reference
// system, or its mapping, in braces as Python prints it.
func (v *validation) parts(path, text string) map[string]any {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return v.braces(path, text)
	}
	if s := strings.Split(text, "/"); len(s) == 6 && s[0] == "projects" && s[2] == "networks" && s[4] == "pools" {
		return map[string]any{"project": s[1], "network": s[3], "name": s[5]}
	}
	if s := strings.Split(text, ":"); len(s) == 4 {
		return map[string]any{"domain": s[0], "project": s[1], "network": s[2], "name": s[3]}
	}
	v.refuse(path, expected("projects/PROJECT/networks/NETWORK/pools/NAME, DOMAIN:PROJECT:NETWORK:NAME or "+wanted(reflect.TypeFor[poolParts]()), text))
	return nil
}

// braces reads a mapping in text: Python's form is one of YAML's, too.
func (v *validation) braces(path, text string) map[string]any {
	d, err := parseDocument("", []byte(text), reflect.TypeFor[poolParts](), path)
	if err != nil {
		v.refuse(path, expected(wanted(reflect.TypeFor[poolParts]()), text))
		return nil
	}
	for _, p := range d.problems {
		v.problems = append(v.problems, problem{v.place(path), p.text})
	}
	maps.Copy(v.document.refused, d.refused)
	return d.tree
}

// part returns one of the parts.
func (v *validation) part(path, name string, parts map[string]any) string {
	path += "." + name
	text, ok := parts[name].(string)
	id, err := parseName(text)
	if !ok {
		err = missing(err, path)
	}
	if err != nil {
		v.refuse(path, err)
	}
	return id
}
