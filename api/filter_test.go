package api

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestFilter: which floating IPs fulfil conditions.
func TestFilter(t *testing.T) {
	l := newLab(t).furnish(t)
	for text, want := range map[string]string{
		"":                      "idle web-1 web-6",
		"state = ALLOCATED":     "idle",
		"state != allocated":    "web-1 web-6",
		"address = 203.0.113.5": "web-1",
		"address=203.0.113.5":   "web-1",
		`address="203.0.113.5"`: "web-1",
		"address = 2001:db8::5": "web-6",
		"address:2001:db8":      "web-6",
		"name : web":            "web-1 web-6",
		"name:web AND associations.preferred=true":      "web-6",
		"name:web and associations.label < 106":         "web-1",
		"associations.label >= 100":                     "web-1 web-6",
		"associations.label > 100":                      "web-6",
		"associations.label <= 100":                     "web-1",
		"associations.label != 100":                     "idle web-6",
		"associations.compute_node = computeNodes/cmp1": "web-1",
		"pool = ''": "idle web-1 web-6",
		"name = 'projects/default/floatingIps/idle'": "idle",
		"name = idle":  "",
		"name : 'a b'": "",
		"name > projects/default/floatingIps/web-1":            "web-6",
		"network:vn-public AND address:203 AND state!=PENDING": "idle",
	} {
		resp := call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Filter: text})
		var got []string
		for _, f := range resp.FloatingIps {
			got = append(got, f.Name[strings.LastIndexByte(f.Name, '/')+1:])
		}
		if names := strings.Join(got, " "); names != want {
			t.Errorf("%q: got %q, want %q", text, names, want)
		}
	}
	first := call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Filter: "name:web", PageSize: 1})
	second := call(t, l.floatingIPs.ListFloatingIPs, &buoyv1.ListFloatingIPsRequest{Filter: "name:web", PageSize: 1, PageToken: first.NextPageToken})
	if len(first.FloatingIps) != 1 || len(second.FloatingIps) != 1 || second.FloatingIps[0].Name != web6 || second.NextPageToken != "" {
		t.Errorf("pages: %v, %v", first, second)
	}
}

// TestFilters: every list has one.
func TestFilters(t *testing.T) {
	l := newLab(t).furnish(t)
	for what, n := range map[string][2]int{
		"networks":            {1, len(call(t, l.networks.ListNetworks, &buoyv1.ListNetworksRequest{Filter: "subnets = 203.0.113.0/24"}).Networks)},
		"pools":               {0, len(call(t, l.pools.ListPools, &buoyv1.ListPoolsRequest{Filter: "used > 0"}).Pools)},
		"bindings":            {0, len(call(t, l.pools.ListPoolBindings, &buoyv1.ListPoolBindingsRequest{Filter: "read_only=true"}).PoolBindings)},
		"nodes":               {1, len(call(t, l.computeNodes.ListComputeNodes, &buoyv1.ListComputeNodesRequest{Filter: "encapsulations:ud"}).ComputeNodes)},
		"neighbors":           {1, len(call(t, l.neighbors.ListNeighbors, &buoyv1.ListNeighborsRequest{Filter: "as != 64512 AND state != ESTABLISHED"}).Neighbors)},
		"routes":              {1, len(call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Filter: "label = 100"}).Routes)},
		"routes of a network": {1, len(call(t, l.routes.ListRoutes, &buoyv1.ListRoutesRequest{Network: public, Filter: "local_pref > 100"}).Routes)},
	} {
		if n[0] != n[1] {
			t.Errorf("%s: got %d, want %d", what, n[1], n[0])
		}
	}
}

func TestFilterRefused(t *testing.T) {
	l := newLab(t)
	for text, want := range map[string]string{
		"state":                          `expected FIELD, an operator (= != < > <= >= :) and a value, got "state"`,
		"state =":                        `expected FIELD, an operator (= != < > <= >= :) and a value, got "state ="`,
		"= x":                            `expected FIELD, an operator (= != < > <= >= :) and a value, got "= x"`,
		"state ~ x":                      `expected FIELD, an operator (= != < > <= >= :) and a value, got "state ~ x"`,
		"state = x":                      "state has no value X",
		"state < PENDING":                "expected = or != for state, got <",
		"name = a OR name = b":           `expected AND between two conditions, got "OR"`,
		"name = 'a":                      "a quoted text has no end",
		"associations = x":               "associations has no value that can be compared; expected one of its fields, associations.FIELD",
		"associations.label = x":         `expected label to be compared with a number, got "x"`,
		"associations.label : 1":         "label is a number and contains nothing; expected =",
		"associations.preferred = yes":   `expected preferred to be compared with true or false, got "yes"`,
		"address.x = 1":                  "address has no fields of its own",
		"associations.x = 1":             `expected one of compute_node, interface, fixed_ip, label, preferred, got "x"`,
		strings.Repeat("x", maxFilter+1): "expected at most 4096 characters, got 4097",
	} {
		_, err := l.floatingIPs.ListFloatingIPs(t.Context(), &buoyv1.ListFloatingIPsRequest{Filter: text})
		refusal{codes.InvalidArgument, "INVALID_FIELD", "filter", "", want}.check(t, err)
	}
}

// FuzzFilter: whatever is written, it is a filter or refused.
func FuzzFilter(f *testing.F) {
	for _, text := range []string{"", "name = a", "associations.label >= 5 AND state != pending", "name:'a b'", "==", "a=!", "name=a AND"} {
		f.Add(text)
	}
	m := &buoyv1.FloatingIP{Name: "a", Associations: []*buoyv1.Association{{Label: 5}}}
	f.Fuzz(func(t *testing.T, text string) {
		var in fields
		if wanted := in.filter(text, m); in.err == nil {
			wanted.matches(m)
		}
	})
}
