package inventory

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/buoynet/buoy/internal/ipam"
)

// compare checks the store's keys, the state's resources, its indexes and its
// routes against the model.
func compare(t *stepLog, w *world, m *model) {
	t.Helper()
	compareKeys(t, w, m)
	comparePools(t, w, m)
	version := func(prefix, name string) Version { return w.store.keys[prefix+name].version }
	etag := func(prefix, name string) Etag {
		if e, ok := w.store.keys[prefix+name]; ok {
			return etagOf([]byte(e.value))
		}
		return 0 // of the file
	}
	for name, n := range m.networks {
		n.Version, n.Etag = version(networkPrefix, name), etag(networkPrefix, name)
		got, _ := w.state.Network(name)
		byID, _ := w.state.NetworkByID(n.ID)
		n.vrf.ID, n.vrf.Encapsulations, n.vrfAS = n.ID, n.Encapsulations, m.as
		n.vrf.Import, n.vrf.Export = m.targets(n)
		n.usable = got.usable // by comparePools
		if !reflect.DeepEqual(got, &n) || byID != got {
			t.Fatalf("%s\n got %+v\nby id %+v\nwant %+v", name, got, byID, n)
		}
	}
	for name, n := range m.nodes {
		n.Version, n.Etag = version(nodePrefix, name), etag(nodePrefix, name)
		if got, _ := w.state.ComputeNode(name); !reflect.DeepEqual(got, &n) {
			t.Fatalf("%s\n got %+v\nwant %+v", name, got, n)
		}
		if got, want := slices.Collect(w.state.FloatingIPsAt(name)), m.at(name); !slices.EqualFunc(got, want, sameName) {
			t.Fatalf("at %s\n got %v\nwant %v", name, got, want)
		}
	}
	for place := range m.places() {
		if got, want := slices.Collect(w.state.FloatingIPsOn(place)), m.on(place); !slices.EqualFunc(got, want, sameName) {
			t.Fatalf("on %v\n got %v\nwant %v", place, got, want)
		}
	}
	for name, s := range m.peers {
		want := Neighbor{s, name == static, version(neighborPrefix, name), etag(neighborPrefix, name)}
		if got, _ := w.state.Neighbor(name); !reflect.DeepEqual(got, &want) {
			t.Fatalf("%s\n got %+v\nwant %+v", name, got, want)
		}
	}
	for name, f := range m.floating {
		f.Version, f.Etag = version(floatingIPPrefix, name), etag(floatingIPPrefix, name)
		f.Changed = w.store.keys[floatingIPPrefix+name].changed
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
		slices.Sorted(maps.Keys(m.networks)), slices.Sorted(maps.Keys(m.pools)), m.boundNames(), slices.Sorted(maps.Keys(m.nodes)),
		slices.Sorted(maps.Keys(m.peers)), slices.Sorted(maps.Keys(m.floating)))
	if got := slices.Collect(w.state.Names()); !slices.Equal(got, names) {
		t.Fatalf("names\n got %q\nwant %q", got, names)
	}
	compareSizes(t, w.state, m)
}

func sameName(a *FloatingIP, b string) bool { return a.Name == b }

// compareKeys compares what the store holds. The model does not know where the
// cursors are, but whose there may be.
func compareKeys(t *stepLog, w *world, m *model) {
	t.Helper()
	want := m.keys()
	for key, value := range want {
		if got := w.store.keys[key].value; got != value {
			t.Fatalf("%s = %s, want %s", key, got, value)
		}
	}
	for key, got := range w.store.keys {
		source, isCursor := strings.CutPrefix(key, "cursor/")
		there := m.networks[source].Name + m.pools[source].Name
		if _, ok := want[key]; !ok && (!isCursor || there == "") {
			t.Fatalf("%s = %s is left over", key, got.value)
		}
	}
}

// comparePools compares pools and bindings, and what can be given out.
func comparePools(t *stepLog, w *world, m *model) {
	t.Helper()
	same := func(name string, got ipam.Ranges, want map[netip.Addr]string) {
		size := 0
		for r := range got.All() {
			size += int(r.Size())
		}
		for a := range want {
			if !got.Contains(a) || size != len(want) {
				t.Fatalf("%s can give %s, want %v", name, summary(got), slices.Collect(maps.Keys(want)))
			}
		}
	}
	for name, n := range m.networks {
		got, _ := w.state.Network(name)
		want := addressesIn(n)
		maps.DeleteFunc(want, func(_ netip.Addr, use string) bool { return use != "" })
		same(name, got.Usable(), want)
		same(name, w.state.usable(&source{network: got}), m.usableOf(n, ""))
	}
	for name, p := range m.pools {
		got, _ := w.state.Pool(name)
		e := w.store.keys["pool/"+name]
		p.Version, p.Etag, p.usable = e.version, etagOf([]byte(e.value)), got.usable
		if !reflect.DeepEqual(got, &p) {
			t.Fatalf("%s\n got %+v\nwant %+v", name, got, p)
		}
		same(name, got.Usable(), m.usableOf(m.networks[networkRule(name)], name))
	}
	for _, name := range m.boundNames() {
		e := w.store.keys["binding/"+name]
		want := Binding{Name: name, Pool: m.bound(name), Version: e.version, Etag: etagOf([]byte(e.value))}
		if m.ofFile(name) {
			want.ReadOnly, want.Version, want.Etag = true, 0, 0
		}
		if got, _ := w.state.Binding(name); *got != want {
			t.Fatalf("%s\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func compareSizes(t *stepLog, s *State, m *model) {
	t.Helper()
	taken, labels := 0, 0
	for n := range s.Networks() {
		taken += int(s.taken.Used(n.Name, n.ranges()))
	}
	for n := range s.ComputeNodes() {
		labels += int(s.labelRuns.Count(n.Name, ipam.Number{}, ipam.Number{Lo: 1 << 20}))
	}
	for what, sizes := range map[string][2]int{
		"network ids":          {s.networkIDs.Len(), len(m.networks)},
		"addresses":            {s.addresses.Len(), len(m.floating)},
		"taken addresses":      {taken, len(m.floating)},
		"node addresses":       {s.nodeAddrs.m.Len(), len(m.nodes)},
		"router ids":           {s.routerIDs.m.Len(), len(m.nodes)},
		"neighbors' addresses": {s.neighborAddrs.m.Len(), len(m.peers)},
		"labels":               {s.labels.Len(), len(m.uses())},
		"interfaces":           {s.interfaces.Len(), len(m.uses())},
		"resting labels":       {s.resting.Len(), len(m.resting)},
		"releases":             {s.byRelease.Len(), len(m.resting)},
		"taken labels":         {labels, len(m.uses()) + len(m.resting)},
	} {
		if sizes[0] != sizes[1] {
			t.Fatalf("the index of %s has %d entries, want %d", what, sizes[0], sizes[1])
		}
	}
}

// boundNames returns the names of the bindings.
func (m *model) boundNames() []string {
	names := slices.Sorted(maps.Keys(m.bindings))
	if m.filePool != "" && m.bindings["global/poolBinding"].Name == "" {
		names = append(names, "global/poolBinding")
	}
	slices.Sort(names)
	return names
}
