package main

import (
	"strings"
	"testing"
)

// What a file must not have is refused where it stands.
func TestDocumentErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no kind", "name: x\n", "1: kind: expected one of Global, Network, Pool, PoolBinding, ComputeNode, Neighbor, FloatingIP, got none"},
		{"unknown kind", "kind: FloatingIp2\n", `1: kind: expected one of Global, Network, Pool, PoolBinding, ComputeNode, Neighbor, FloatingIP, got the text "FloatingIp2", did you mean FloatingIP?`},
		{"no fields", "- kind: Network\n", "1: expected fields like kind: Network, got a list"},
		{"a text", "kind\n", `1: expected fields like kind: Network, got the text "kind"`},
		{"no YAML", "kind: Network\nname: x: y\n", "2: this is not YAML: mapping values are not allowed in this context"},
		{"an open bracket", "kind: Network\nsubnets: [1\nname: x\n", "2: this is not YAML: did not find expected ',' or ']'"},
		{"a tab", "kind: Network\nsubnets:\n\t- 203.0.113.0/24\n", "3: indented with a tab; YAML is indented with spaces"},
		{"there twice", "kind: Network\nname: a\nid: 1\nname: b\n", "4: name: it is there twice, also in line 5"},
		{"two kinds", "kind: Network\nkind: Pool\n", "2: kind: it is there twice, also in line 4"},
		{"unknown field", "kind: ComputeNode\nnext_hop: 10.0.0.1\n", "2: next_hop: ComputeNode has no such field; expected some of address, drained, encapsulations, hold_time, label_hold_down, label_range, liveness, name, router_id, stale_time"},
		{"JSON's name", "kind: Network\nrouteTargets: []\n", "2: routeTargets: Network has no such field, did you mean route_targets?"},
		{"an inner field", "kind: FloatingIP\nassociations:\n  - interface: a\n    node: b\n", "4: associations[0].node: Association has no such field; expected some of compute_node, fixed_ip, interface, label, preferred"},
		{"a text for a list", "kind: Network\nsubnets: 203.0.113.0/24\n", `2: subnets: expected a list, each value after a dash or all in [ ], got the text "203.0.113.0/24"`},
		{"a list for a text", "kind: Network\nname: [a]\n", "2: name: expected a text, got a list"},
		{"a number for a text", "kind: ComputeNode\nlabel_range: 500\n", `2: label_range: expected a text, in quotes if it looks like something else: "500", got 500`},
		{"a text for a number", "kind: Global\nas: '64512'\n", `2: as: expected a number 0..4294967295, got the text "64512"`},
		{"too large", "kind: Global\nas: 4294967296\n", "2: as: expected a number 0..4294967295, got 4294967296"},
		{"below zero", "kind: Global\nas: -1\n", "2: as: expected a number 0..4294967295, got -1"},
		{"yes", "kind: Neighbor\npassive: yes\n", `2: passive: expected true or false, got the text "yes"`},
		{"a value of an enum", "kind: FloatingIP\ndirection: in\n", `2: direction: expected one of BOTH, INGRESS, EGRESS, got the text "in"`},
		{"a text for fields", "kind: FloatingIP\nassociations: [cmp1]\n", `2: associations[0]: expected fields like compute_node: …, got the text "cmp1"`},
		{"nothing in a list", "kind: Network\nsubnets:\n  -\n", "3: subnets[0]: expected a text, in quotes if it looks like something else: \"\", got nothing"},
		{"an alias", "kind: Network\nsubnets: &s [a]\n", "2: subnets: an anchor, &s, is not supported"},
		{"a bomb", "kind: Network\na: &a [x, x]\nb: &b [*a, *a]\nsubnets: [*b, *b]\n", "2: a: Network has no such field; expected some of dns_servers, encapsulations, export_targets, external, gateways, id, import_targets, name, reserved_hosts, route_targets, subnets"},
		{"a merge", "kind: Network\n<<: {name: x}\n", "2: <<: Network has no such field; expected some of dns_servers, encapsulations, export_targets, external, gateways, id, import_targets, name, reserved_hosts, route_targets, subnets"},
		{"a tag", "kind: Network\nname: !!binary YQ==\n", "2: name: a tag, !!binary, is not supported"},
		{"a list as a name", "kind: Network\n? [a]\n: b\n", "2: expected the name of a field, got a list"},
	} {
		// In the second document, behind three lines.
		_, err := readDocuments("net.yaml", []byte("# The first one.\nkind: Pool\n---\n"+tt.text))
		line, rest, _ := strings.Cut(tt.want, ":")
		want := "net.yaml: document 2, line " + string(rune('0'+int(line[0]-'0')+3)) + ":" + rest
		if err == nil {
			t.Errorf("%s: got no error, want %s", tt.name, want)
			continue
		}
		if _, got, _ := strings.Cut(err.Error(), "desc = "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, want)
		}
	}
	for _, text := range []string{"", "---\n", "# nothing\n---\n---\n# nothing\n", "kind: Network\nname: ~\nsubnets:\n"} {
		if _, err := readDocuments("net.yaml", []byte(text)); err != nil {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if _, err := readDocuments("net.yaml", []byte("kind: \xff")); err == nil || err.Error() != "net.yaml: expected UTF-8" {
		t.Errorf("got %v", err)
	}
}

// Short names are those that the flags take.
func TestShortNames(t *testing.T) {
	server := startServer(t)
	for _, line := range []string{
		"create network vn-a --subnet 203.0.113.0/24", "create network vn-b --subnet 198.51.100.0/24",
		"create pool one --network vn-a --range 203.0.113.16/28", "create pool both --network vn-a --range 203.0.113.32/28", "create pool both --network vn-b --range 198.51.100.32/28",
	} {
		if o := buoyctl(t.Context(), server, strings.Fields(line)...); o.status != exitOK {
			t.Fatalf("%s: %+v", line, o)
		}
	}
	for _, tt := range []struct{ name, text, want string }{
		{"of the server", "kind: PoolBinding\nname: dev\npool: one\n", "namespaces/dev/poolBinding created\n"},
		{"of the file", "kind: FloatingIP\nname: web\npool: both\n---\nkind: Pool\nname: vn-b/both\nranges: [198.51.100.32/28]\n",
			"projects/default/floatingIps/web created\nprojects/default/networks/vn-b/pools/both unchanged\n"},
		{"the cluster", "kind: PoolBinding\nname: global\npool: vn-a/both\n", "global/poolBinding created\n"},
		{"several", "kind: PoolBinding\nname: dev\npool: both\n", "buoyctl: standard input: document 1, line 3: pool: project default has several pools both; expected NETWORK/POOL\n"},
		{"none", "kind: PoolBinding\nname: dev\npool: none\n", "buoyctl: standard input: document 1, line 3: pool: project default has no pool none\n"},
		{"a pool without its network", "kind: Pool\nname: one\n", `buoyctl: standard input: document 1, line 2: name: expected NETWORK/POOL or a full name, got "one"` + "\n"},
		{"no name", "kind: Network\nid: 3\n", "buoyctl: standard input: document 1, line 1: name: expected a name\n"},
		{"another global", "kind: Global\nname: global/x\nas: 1\n", `buoyctl: standard input: document 1, line 2: name: expected global/bgp, got "global/x"` + "\n"},
	} {
		o := pipeInto(t.Context(), tt.text, server, "apply", "-f", "-")
		if o.status != exitOK {
			o.stdout += o.stderr
		}
		if o.stdout != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, o.stdout, tt.want)
		}
	}
}

// What export writes makes the same of another daemon.
func TestExportApply(t *testing.T) {
	from, to := startServer(t), startServer(t)
	for _, line := range []string{
		"apply -f testdata/documents/net.yaml", "create network vn-ext --subnet 192.0.2.0/24 --external", "delete network vn-ext",
		"create network vn-last --subnet 198.51.100.0/24 --external --project shop", "allocate fip web-2 --namespace dev", "set global --as 64999",
	} {
		if o := buoyctl(t.Context(), from, strings.Fields(line)...); o.status != exitOK {
			t.Fatalf("%s: %+v", line, o)
		}
	}
	want := buoyctl(t.Context(), from, "export")
	if o := pipeInto(t.Context(), want.stdout, to, "apply", "-f", "-"); o.status != exitOK {
		t.Fatalf("apply: %+v", o)
	}
	if got := buoyctl(t.Context(), to, "export"); got != want || want.status != exitOK {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, kind := range []string{"networks -A", "pools -A", "poolbindings", "computenodes", "neighbors", "floatingips -A", "global"} {
		shown := buoyctl(t.Context(), to, append(strings.Fields("get "+kind), "-o", "yaml")...)
		if o := pipeInto(t.Context(), shown.stdout, to, "diff", "-f", "-"); o != (outcome{}) {
			t.Errorf("get %s -o yaml | diff: got %+v", kind, o)
		}
	}
}
