package inventory

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// in returns the floating IPs of a network in the order of their addresses.
func (m *model) in(network string) (names []string) {
	for name, f := range m.floating {
		if f.Network == network {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return m.floating[a].Address.Compare(m.floating[b].Address) })
	return names
}

// at returns the floating IPs of a compute node in the order of their names.
func (m *model) at(node string) (names []string) { return m.on(Place{ComputeNode: node}) }

// on lists the floating IPs that are associated with a place.
func (m *model) on(place Place) (names []string) {
	for name, f := range m.floating {
		for _, a := range f.Associations {
			if a.ComputeNode == place.ComputeNode && (place.Interface == "" || a.Interface == place.Interface) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// places lists where floating IPs are.
func (m *model) places() map[Place]bool {
	places := map[Place]bool{{ComputeNode: cmp1, Interface: "none"}: true}
	for _, f := range m.floating {
		for _, a := range f.Associations {
			places[Place{a.ComputeNode, a.Interface}] = true
		}
	}
	return places
}

// uses counts the associations of each interface, and knows its label.
func (m *model) uses() map[[2]string]interfaceUse {
	uses := map[[2]string]interfaceUse{}
	for _, f := range m.floating {
		for _, a := range f.Associations {
			key := [2]string{strings.TrimPrefix(a.ComputeNode, "computeNodes/"), a.Interface}
			use := uses[key]
			uses[key] = interfaceUse{Label: a.Label, Users: use.Users + 1}
		}
	}
	return uses
}

// keys returns everything that the store should hold.
func (m *model) keys() map[string]string {
	keys := map[string]string{"global": fmt.Sprintf(`{"as":%d,"next_network_id":%d}`, m.as, m.next)}
	resource := func(key string, v any) {
		value, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		keys[key] = string(value)
	}
	for name, n := range m.networks {
		resource("network/"+name, n)
		keys[fmt.Sprintf("netid/%d", n.ID)] = name
	}
	for name, p := range m.pools {
		resource("pool/"+name, p)
	}
	for name, b := range m.bindings {
		resource("binding/"+name, b)
	}
	for k, r := range m.resting {
		resource(fmt.Sprintf("resting/%s/%d", strings.TrimPrefix(k.node, "computeNodes/"), k.label), r)
	}
	for name, n := range m.nodes {
		resource("node/"+name, n)
		keys["nodeaddr/"+n.Address.String()] = name
		keys["routerid/"+n.RouterID.String()] = name
	}
	for name, s := range m.peers {
		if name != static {
			resource("neighbor/"+name, s)
			keys["neighboraddr/"+s.Address.String()] = name
		}
	}
	for name, f := range m.floating {
		resource("fip/"+name, f)
		keys[fmt.Sprintf("addr/%d/%s", m.networks[f.Network].ID, f.Address)] = name
	}
	for key, use := range m.uses() {
		keys["iface/"+key[0]+"/"+key[1]] = fmt.Sprintf(`{"label":%d,"users":%d}`, use.Label, use.Users)
		keys[fmt.Sprintf("label/%s/%d", key[0], use.Label)] = key[1]
	}
	return keys
}
