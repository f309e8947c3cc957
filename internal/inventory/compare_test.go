package inventory

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/buoynet/buoy/vrf"
)

// compare checks the store's keys, the state's resources, its indexes and its
// routes against the model.
func compare(t *stepLog, w *world, m *model) {
	t.Helper()
	want := m.keys()
	for key, value := range want {
		if got := w.store.keys[key].value; got != value {
			t.Fatalf("%s = %s, want %s", key, got, value)
		}
	}
	for key, got := range w.store.keys {
		if _, ok := want[key]; !ok {
			t.Fatalf("%s = %s is left over", key, got.value)
		}
	}
	version := func(prefix, name string) Version { return w.store.keys[prefix+name].version }
	for name, n := range m.networks {
		n.Version = version(networkPrefix, name)
		n.vrf, n.vrfAS = n.VRF(w.state.global.AS), w.state.global.AS
		got, _ := w.state.Network(name)
		byID, _ := w.state.NetworkByID(n.ID)
		if !reflect.DeepEqual(got, &n) || byID != got {
			t.Fatalf("%s\n got %+v\nby id %+v\nwant %+v", name, got, byID, n)
		}
	}
	for name, n := range m.nodes {
		n.Version = version(nodePrefix, name)
		if got, _ := w.state.ComputeNode(name); !reflect.DeepEqual(got, &n) {
			t.Fatalf("%s\n got %+v\nwant %+v", name, got, n)
		}
		if got, want := slices.Collect(w.state.FloatingIPsAt(name)), m.at(name); !slices.EqualFunc(got, want, sameName) {
			t.Fatalf("at %s\n got %v\nwant %v", name, got, want)
		}
	}
	for name, s := range m.peers {
		want := Neighbor{s, name == static, version(neighborPrefix, name)}
		if got, _ := w.state.Neighbor(name); !reflect.DeepEqual(got, &want) {
			t.Fatalf("%s\n got %+v\nwant %+v", name, got, want)
		}
	}
	for name, f := range m.floating {
		f.Version = version(floatingIPPrefix, name)
		got, _ := w.state.FloatingIP(name)
		holder, _ := w.state.Holder(f.Network, f.Address)
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", &f) || holder != got {
			t.Fatalf("%s\n got %+v\nholder %+v\nwant %+v", name, got, holder, f)
		}
		if got, want := routeTexts(w.state.RoutesOf(got)), m.routes(f); !slices.Equal(got, want) {
			t.Fatalf("routes of %s\n got %q\nwant %q", name, got, want)
		}
	}
	for _, network := range slices.Sorted(maps.Keys(m.networks)) {
		if got, want := slices.Collect(w.state.FloatingIPsIn(network)), m.in(network); !slices.EqualFunc(got, want, sameName) {
			t.Fatalf("in %s\n got %v\nwant %v", network, got, want)
		}
	}
	names := slices.Concat(
		[]string{GlobalName},
		slices.Sorted(maps.Keys(m.networks)), slices.Sorted(maps.Keys(m.nodes)),
		slices.Sorted(maps.Keys(m.peers)), slices.Sorted(maps.Keys(m.floating)))
	if got := slices.Collect(w.state.Names()); !slices.Equal(got, names) {
		t.Fatalf("names\n got %q\nwant %q", got, names)
	}
	for what, sizes := range map[string][2]int{
		"network ids":          {w.state.networkIDs.Len(), len(m.networks)},
		"addresses":            {w.state.addresses.Len(), len(m.floating)},
		"node addresses":       {w.state.nodeAddrs.m.Len(), len(m.nodes)},
		"router ids":           {w.state.routerIDs.m.Len(), len(m.nodes)},
		"neighbors' addresses": {w.state.neighborAddrs.m.Len(), len(m.peers)},
		"labels":               {w.state.labels.Len(), len(m.uses())},
		"interfaces":           {w.state.interfaces.Len(), len(m.uses())},
	} {
		if sizes[0] != sizes[1] {
			t.Fatalf("the index of %s has %d entries, want %d", what, sizes[0], sizes[1])
		}
	}
}

func sameName(a *FloatingIP, b string) bool { return a.Name == b }

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
func (m *model) at(node string) (names []string) {
	for name, f := range m.floating {
		for _, a := range f.Associations {
			if a.ComputeNode == node {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
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
	keys := map[string]string{"global": fmt.Sprintf(`{"as":%d,"next_network_id":%d}`, modelAS, m.next)}
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

// routes returns the routes of a floating IP as text.
func (m *model) routes(f FloatingIP) (texts []string) {
	n := m.networks[f.Network]
	export := targets(fmt.Sprintf("%d:%d", modelAS, 8000000+int(n.ID)))
	export = export.Union(n.Targets).Union(n.ExportTargets)
	for _, a := range f.Associations {
		node := m.nodes[a.ComputeNode]
		tunnels := ""
		for _, e := range []string{"gre", "udp"} {
			allows := func(s vrf.Encapsulations) bool { return s == 0 || strings.Contains(s.String(), e) }
			if node.Encapsulations|n.Encapsulations != 0 && allows(node.Encapsulations) && allows(n.Encapsulations) {
				tunnels += " " + e
			}
		}
		if tunnels == "" {
			tunnels = " gre"
		}
		preference := 100
		if a.Preferred {
			preference = 200
		}
		texts = append(texts, fmt.Sprintf("%s:%d:%s/%d label %d preference %d via %s to %s by%s",
			node.RouterID, n.ID, f.Address, f.Address.BitLen(), a.Label, preference, node.Address, export, tunnels))
	}
	return texts
}

func routeTexts(routes []vrf.Route) (texts []string) {
	for _, r := range routes {
		texts = append(texts, fmt.Sprintf("%s label %d preference %d via %s to %s by %s",
			r.Key, r.Label, r.LocalPref, r.NextHop, r.Targets, strings.Join(r.Encapsulations.Strings(), " ")))
	}
	return texts
}
