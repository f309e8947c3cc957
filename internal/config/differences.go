package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Differences says what another configuration has otherwise, a text for each key in the
// order of the file: "bgp.as: 64512 → 64513". Neighbors are found by their names.
func (c Config) Differences(next Config) (list []string) {
	const none = "none"
	have, order := c.flat()
	want, more := next.flat()
	for _, key := range more {
		if _, ok := have[key]; !ok {
			order = append(order, key)
		}
	}
	whole := func(key string) bool { // of a neighbor that comes or goes
		name, _, ok := strings.Cut(key, "].")
		_, had := have[name+"].name"]
		_, has := want[name+"].name"]
		return ok && had != has && !strings.HasSuffix(key, "].name")
	}
	for _, key := range order {
		old, had := have[key]
		now, has := want[key]
		if !had {
			old = none
		}
		if !has {
			now = none
		}
		if old != now && !whole(key) {
			list = append(list, fmt.Sprintf("%s: %s → %s", strings.TrimSuffix(key, ".name"), old, now))
		}
	}
	return list
}

// flat returns the values of all keys, as the file would have them, and the keys in their
// order.
func (c Config) flat() (values map[string]string, order []string) {
	var doc yaml.Node
	if err := yaml.Unmarshal(c.YAML(), &doc); err != nil {
		panic(err) // what YAML writes can be read
	}
	values = map[string]string{}
	var walk func(path string, n *yaml.Node)
	walk = func(path string, n *yaml.Node) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i < len(n.Content); i += 2 {
				key := n.Content[i].Value
				if path != "" {
					key = path + "." + key
				}
				walk(key, n.Content[i+1])
			}
			return
		case yaml.SequenceNode:
			var items []string
			for _, item := range n.Content {
				if item.Kind == yaml.MappingNode { // a neighbor, with its name first
					walk(fmt.Sprintf("%s[%s]", path, item.Content[1].Value), item)
					continue
				}
				items = append(items, item.Value)
			}
			if len(items) == 0 { // as if it were left out
				return
			}
			values[path] = "[" + strings.Join(items, ", ") + "]"
		default:
			values[path] = n.Value
		}
		order = append(order, path)
	}
	walk("", doc.Content[0])
	return values, order
}
