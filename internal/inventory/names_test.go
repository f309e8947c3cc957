package inventory

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		name, want, short string
		kind              Kind
	}{
		{NetworkName("p", "public"), "projects/p/networks/public", "public", KindNetwork},
		{FloatingIPName("p", "web"), "projects/p/floatingIps/web", "web", KindFloatingIP},
		{ComputeNodeName("cmp1"), "computeNodes/cmp1", "cmp1", KindComputeNode},
		{NeighborName("mx1"), "neighbors/mx1", "mx1", KindNeighbor},
		{GlobalName, "global/bgp", "bgp", KindGlobal},
		{PoolName(public, "a"), "projects/p/networks/public/pools/a", "a", KindPool},
		{BindingName("dev"), "namespaces/dev/poolBinding", "poolBinding", KindBinding},
		{GlobalBindingName, "global/poolBinding", "poolBinding", KindBinding},
		{"projects/p/networks/n/pools", "projects/p/networks/n/pools", "pools", KindUnknown},
		{"namespaces/dev", "namespaces/dev", "dev", KindUnknown},
		{"global/x", "global/x", "x", KindUnknown},
		{NetworkName("neighbors", "computenodes"), "projects/neighbors/networks/computenodes", "computenodes", KindNetwork},
		{"projects/p/pools/x", "projects/p/pools/x", "x", KindUnknown},
		{"projects/p", "projects/p", "p", KindUnknown},
		{"web", "web", "web", KindUnknown},
		{"", "", "", KindUnknown},
	} {
		if tt.name != tt.want || KindOf(tt.name) != tt.kind || ShortName(tt.name) != tt.short {
			t.Errorf("got %q, short %q, kind %d, want %q, %q, %d", tt.name, ShortName(tt.name), KindOf(tt.name), tt.want, tt.short, tt.kind)
		}
	}
}

func TestCheckID(t *testing.T) {
	for _, id := range []string{"a", "0", "web-1", "a.b_c-d", strings.Repeat("x", 63)} {
		if err := CheckID(id); err != nil {
			t.Errorf("CheckID(%q): %v", id, err)
		}
	}
	const characters = "expected lower-case letters, digits and inside the name '-', '_', '.'; got "
	for id, want := range map[string]string{
		"":                      "expected a name",
		strings.Repeat("x", 64): "expected at most 63 characters, got 64",
		"Web":                   characters + `"Web"`,
		"-a":                    characters + `"-a"`,
		"a.":                    characters + `"a."`,
		"..":                    characters + `".."`,
		"a b":                   characters + `"a b"`,
		"a/b":                   characters + `"a/b"`,
		"ä":                     characters + `"ä"`,
		"a\x00b":                characters + `"a\x00b"`,
	} {
		if err := CheckID(id); err == nil || err.Error() != want {
			t.Errorf("CheckID(%q):\n got %v\nwant %s", id, err, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for _, tt := range []struct{ collection, name, want string }{
		{networks, "projects/p/networks/n", ""},
		{networks, "projects/p/networks", `expected projects/PROJECT/networks/NAME, got "projects/p/networks"`},
		{networks, "projects/p/floatingIps/n", `expected projects/PROJECT/networks/NAME, got "projects/p/floatingIps/n"`},
		{networks, "projects/p/networks/n/x", `expected projects/PROJECT/networks/NAME, got "projects/p/networks/n/x"`},
		{networks, "/p/networks/n", `expected projects/PROJECT/networks/NAME, got "/p/networks/n"`},
		{networks, "projects//networks/n", "project: expected a name"},
		{networks, "projects/P/networks/n", `project: expected lower-case letters, digits and inside the name '-', '_', '.'; got "P"`},
		{networks, "projects/p/networks/", "expected a name"},
		{floatingIPs, "", `expected projects/PROJECT/floatingIps/NAME, got ""`},
		{computeNodes, "computeNodes/cmp1", ""},
		{computeNodes, "computeNodes/", "expected a name"},
		{computeNodes, "computenodes/cmp1", `expected computeNodes/NAME, got "computenodes/cmp1"`},
		{neighbors, "neighbors/a/b", `expected neighbors/NAME, got "neighbors/a/b"`},
		{pools, "projects/p/networks/n/pools/x", ""},
		{pools, "projects/pools/networks/pools/pools/pools", ""},
		{pools, "projects/p/pools/x", `expected projects/PROJECT/networks/NETWORK/pools/NAME, got "projects/p/pools/x"`},
		{pools, "projects/p/networks/n/floatingIps/x", `expected projects/PROJECT/networks/NETWORK/pools/NAME, got "projects/p/networks/n/floatingIps/x"`},
		{pools, "projects/p/floatingIps/n/pools/x", `expected projects/PROJECT/networks/NAME, got "projects/p/floatingIps/n"`},
		{pools, "projects/P/networks/n/pools/x", `project: expected lower-case letters, digits and inside the name '-', '_', '.'; got "P"`},
		{pools, "projects/p/networks//pools/x", "expected a name"},
		{pools, "projects/p/networks/n/pools/", "expected a name"},
		{pools, "", `expected projects/PROJECT/networks/NETWORK/pools/NAME, got ""`},
		{namespaces, "namespaces/dev/poolBinding", ""},
		{namespaces, "global/poolBinding", ""},
		{namespaces, "global/bgp", `expected namespaces/NAMESPACE/poolBinding or global/poolBinding, got "global/bgp"`},
		{namespaces, "namespaces/dev", `expected namespaces/NAMESPACE/poolBinding or global/poolBinding, got "namespaces/dev"`},
		{namespaces, "namespaces//poolBinding", "expected a name"},
	} {
		got := checkName("field", tt.name, tt.collection)
		switch {
		case tt.want == "" && got != nil, tt.want != "" && got == nil:
			t.Errorf("%s %q:\n got %v\nwant %s", tt.collection, tt.name, got, tt.want)
		case got != nil && *got != (Error{InvalidArgument, ReasonInvalid, "field", "", tt.want}):
			t.Errorf("%s %q:\n got %+v\nwant %s", tt.collection, tt.name, *got, tt.want)
		}
	}
}

// TestPartsOfNames takes names apart, also those that are called as their
// collection is.
func TestPartsOfNames(t *testing.T) {
	for _, tt := range []struct{ pool, network, project string }{
		{poolA, public, "p"},
		{"projects/pools/networks/n/pools/x", "projects/pools/networks/n", "pools"},
		{"projects/p/networks/pools/pools/x", "projects/p/networks/pools", "p"},
		{"projects/pools/networks/pools/pools/pools", "projects/pools/networks/pools", "pools"},
		{"computeNodes/cmp1", "", ""},
	} {
		if network, project := networkOf(tt.pool), ProjectOf(tt.pool); network != tt.network || project != tt.project {
			t.Errorf("%s: network %q of project %q, want %q of %q", tt.pool, network, project, tt.network, tt.project)
		}
	}
	const pools = "projects/pools/networks/pools"
	w := newWorld(t)
	w.do(external(pools, "203.0.113.0/29"), BindPool{devBound, pools + "/pools/public"},
		Allocate{Name: FloatingIPName("pools", "web"), Namespace: "dev"})
	w.refused("in use", UpdateNetwork{Name: pools, External: ptr(false)}, Error{FailedPrecondition, ReasonInUse, "name", devBound,
		pools + "/pools/public is in use by " + devBound + ", projects/pools/floatingIps/web"})
}
