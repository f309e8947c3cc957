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
