package inventory

import (
	"encoding/json"
	"fmt"
)

// Decode reads some fields of a resource, as they are in the store. What is left out is
// at its default. It returns a pointer to the resource.
func Decode(name string, text []byte) (any, error) {
	var err error
	read := func(into any, own *string) any {
		if err = json.Unmarshal(text, into); own != nil {
			*own = name
		}
		return into
	}
	var resource any
	switch KindOf(name) {
	case KindGlobal:
		resource = read(new(Global), nil)
	case KindNetwork:
		n := new(Network)
		resource = read(n, &n.Name)
	case KindPool:
		p := new(Pool)
		resource = read(p, &p.Name)
	case KindBinding:
		b := new(Binding)
		resource = read(b, &b.Name)
	case KindComputeNode:
		n := new(ComputeNode)
		resource = read(n, &n.Name)
	case KindNeighbor:
		n := new(Neighbor)
		if resource = read(n, nil); n.Name == "" {
			n.Name = ShortName(name)
		}
	case KindFloatingIP:
		f := new(FloatingIP)
		resource = read(f, &f.Name)
	default:
		return nil, fmt.Errorf("decode %s: it is no resource", name)
	}
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", name, err)
	}
	return resource, nil
}
