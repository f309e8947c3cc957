package config

import (
	"cmp"
	"strings"
	"testing"
)

// good is the least that is accepted.
const good = "bgp: {as: 64512, router_id: 10.0.0.2}\n"

// neighbors are below good, one in each line, from line 3 on.
func neighbors(items ...string) string {
	return good + "neighbors:\n- " + strings.Join(items, "\n- ") + "\n"
}

const mx1 = "{name: mx1, address: 10.0.0.1, as: 64512}"

func TestRefusedFiles(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		// The YAML itself.
		{"syntax", "bgp:\n  as: [", "f.yaml:2: did not find expected node content"},
		{"tab", "bgp:\n\tas: 1", "f.yaml:2: found character that cannot start any token"},
		{"list", "- bgp", `f.yaml:1: expected a mapping with bgp, api, compute_nodes, metrics, store, history, log, pools, neighbors, got a list`},
		{"text", "bgp", `f.yaml:1: expected a mapping with bgp, api, compute_nodes, metrics, store, history, log, pools, neighbors, got "bgp"`},
		{"two documents", good + "---\n" + good, "f.yaml:2: expected one YAML document, got another one"},
		{"alias", good + "store: {path: &p x, driver: *p}", "f.yaml:2: store.driver: expected a single value, got an alias"},
		{"merge key", neighbors(mx1, "{<<: {passive: true}, name: mx2, address: 10.0.0.3, as: 1}"),
			"f.yaml:4: unknown key neighbors[1].<<"},
		{"type", good + "store: {path: !!binary aGVsbG8=}", "f.yaml:2: store.path: expected a single value, got a value of type !!binary"},

		// Keys.
		{"unknown key", "bgp:\n  as: 64512\n  rooter_id: 10.0.0.2\n  router_id: 10.0.0.2",
			"f.yaml:3: unknown key bgp.rooter_id, did you mean bgp.router_id?"},
		{"unknown section", good + "logging: {}", "f.yaml:2: unknown key logging"},
		{"misspelled section", good + "neighbours: []", "f.yaml:2: unknown key neighbours, did you mean neighbors?"},
		{"short key", "bgp: {as: 1, asn: 2, ab: 3, xy: 4, router_id: 10.0.0.2}",
			"f.yaml:1: unknown key bgp.asn, did you mean bgp.as?\n" +
				"f.yaml:1: unknown key bgp.ab, did you mean bgp.as?\n" +
				"f.yaml:1: unknown key bgp.xy"},
		{"upper case", "BGP: {as: 64512}\n" + good, "f.yaml:1: unknown key BGP, did you mean bgp?"},
		{"dotted key", good + "log.level: info", "f.yaml:2: unknown key log.level"},
		{"strange key", good + "? \"a\\nb\"\n: 1\n? [x]\n: 2", "f.yaml:2: unknown key \"a\\nb\"\nf.yaml:4: unknown key \"\""},
		{"unknown empty map", good + "store: {extra: {}}", "f.yaml:2: unknown key store.extra"},
		{"unknown neighbor key", neighbors(mx1, "{name: mx2, adress: 10.0.0.3, as: 1}"),
			"f.yaml:4: neighbors[1].address (mx2): expected an IPv4 or IPv6 address, for example 10.0.0.1, got nothing\n" +
				"f.yaml:4: unknown key neighbors[1].adress, did you mean neighbors[1].address?"},
		{"duplicate key", "bgp:\n  as: 1\n  router_id: 10.0.0.2\n  as: 2", "f.yaml:4: duplicate key bgp.as, the first is in line 2"},
		{"duplicate section", good + good, "f.yaml:2: duplicate key bgp, the first is in line 1"},

		// Kinds.
		{"section", good + "log: info", `f.yaml:2: log: expected a mapping with level, format, got "info"`},
		{"required section", "bgp: 64512", `f.yaml:1: bgp: expected a mapping with as, router_id, listen, families, got "64512"`},
		{"list for a value", "bgp: {as: [1], router_id: {}}",
			"f.yaml:1: bgp.as: expected a single value, got a list\nf.yaml:1: bgp.router_id: expected a single value, got a mapping"},
		{"value for a list", good + "api: {listen: 127.0.0.1:50051}", `f.yaml:2: api.listen: expected a list, got "127.0.0.1:50051"`},
		{"nothing", good + "store: {path: }\napi: {listen: }", "f.yaml:2: store.path: expected a single value, got nothing\nf.yaml:3: api.listen: expected a list, got nothing"},
		{"list in a list", good + "api:\n  listen:\n  - [x]\n  - y",
			"f.yaml:4: api.listen[0]: expected a single value, got a list\n" +
				`f.yaml:5: api.listen[1]: expected unix://PATH or a loopback address and port, for example 127.0.0.1:50051, got "y"`},
		{"neighbors", good + "neighbors: {mx1: {}}", "f.yaml:2: neighbors: expected a list, got a mapping"},
		{"neighbor", neighbors("mx1", "", mx1),
			`f.yaml:3: neighbors[0]: expected a mapping with name, address, as, port, families, passive, local_address, hold_time, keepalive_time, ttl_security, multihop, md5_key_file, md5_key_env, graceful_restart, restart_time, long_lived_time, long_lived, encapsulations, max_advertised, accept_prefixes, accept_targets, max_received, max_received_action, got "mx1"` + "\n" +
				"f.yaml:4: neighbors[1]: expected a mapping with name, address, as, port, families, passive, local_address, hold_time, keepalive_time, ttl_security, multihop, md5_key_file, md5_key_env, graceful_restart, restart_time, long_lived_time, long_lived, encapsulations, max_advertised, accept_prefixes, accept_targets, max_received, max_received_action, got nothing"},

		// What is required.
		{"empty", "", "f.yaml: bgp.as: expected an AS 1..4294967295, got nothing (set it in the file, with BUOYD_BGP_AS or --bgp-as)\n" +
			"f.yaml: bgp.router_id: expected a unicast IPv4 address, for example 10.0.0.2, got nothing (set it in the file, with BUOYD_BGP_ROUTER_ID or --bgp-router-id)"},
		{"empty neighbor", neighbors("{}"), `f.yaml:3: neighbors[0].name: expected a name of at most 63 lower-case letters, digits, '-', '_' and '.' that starts and ends with a letter or digit, got nothing` + "\n" +
			"f.yaml:3: neighbors[0].address: expected an IPv4 or IPv6 address, for example 10.0.0.1, got nothing\n" +
			"f.yaml:3: neighbors[0].as: expected an AS 1..4294967295, got nothing"},

		// Several at once, by position.
		{"order", "neighbors:\n- name: mx1\n  address: x\n  as: 1\nlog:\n  level: loud\nbgp:\n  as: abc\nstor: {}",
			`f.yaml:3: neighbors[0].address (mx1): expected an IPv4 or IPv6 address, for example 10.0.0.1, got "x"` + "\n" +
				`f.yaml:6: log.level: expected debug, info, warn or error, got "loud"` + "\n" +
				`f.yaml:8: bgp.as: expected an AS 1..4294967295, got "abc"` + "\n" +
				"f.yaml:9: unknown key stor, did you mean store?\n" +
				"f.yaml: bgp.router_id: expected a unicast IPv4 address, for example 10.0.0.2, got nothing (set it in the file, with BUOYD_BGP_ROUTER_ID or --bgp-router-id)"},
		{"duplicate name", neighbors(mx1, "{name: mx1, address: 10.0.0.3, as: 1}"),
			"f.yaml:4: neighbors[1].name: mx1 is already the name of neighbors[0]"},
		{"duplicate address", neighbors("{name: a, address: '2001:db8::1', as: 1}", "{name: b, address: '2001:DB8:0::1', as: 1}"),
			"f.yaml:4: neighbors[1].address (b): 2001:db8::1 is already the address of neighbors[0] (a)"},
		{"duplicate listen", "bgp:\n  as: 1\n  router_id: 10.0.0.2\n  listen:\n  - '[::]:179'\n  - '[0::0]:179'",
			"f.yaml:6: bgp.listen[1]: [::]:179 is already bgp.listen[0]"},
	} {
		t.Run(tt.name, func(t *testing.T) { refused(t, tt.file, nil, nil, tt.want) })
	}
}

func TestRefusedValues(t *testing.T) {
	long := strings.Repeat("x", 108)
	for _, tt := range []struct {
		file   string // with one %s
		where  string
		values map[string]string // value: what is expected and got
	}{
		{"bgp: {router_id: 10.0.0.2, as: %s}", "f.yaml:1: bgp.as: expected an AS ", map[string]string{
			`abc`:        `1..4294967295, got "abc"`,
			`0`:          `1..4294967295, got "0"`,
			`4294967296`: `1..4294967295, got "4294967296"`,
			`-1`:         `1..4294967295, got "-1"`,
			`064512`:     `1..4294967295, got "064512"`,
			`0xfc00`:     `1..4294967295, got "0xfc00"`,
			`64_512`:     `1..4294967295, got "64_512"`,
			`64512.0`:    `1..4294967295, got "64512.0"`,
			`1.10`:       `1..4294967295, got "1.10"`,
			`true`:       `1..4294967295, got "true"`,
			`""`:         `1..4294967295, got ""`,
			`23456`:      `other than AS_TRANS (RFC 6793), got "23456"`,
		}},
		{"bgp: {as: 64512, router_id: %s}", "f.yaml:1: bgp.router_id: expected a unicast IPv4 address, for example 10.0.0.2, got ", map[string]string{
			`10.0.0`:             `"10.0.0"`,
			`1`:                  `"1"`,
			`0.0.0.0`:            `"0.0.0.0"`,
			`224.0.0.1`:          `"224.0.0.1"`,
			`255.255.255.255`:    `"255.255.255.255"`,
			`"2001:db8::1"`:      `"2001:db8::1"`,
			`"::ffff:10.0.0.2"`:  `"::ffff:10.0.0.2"`,
			`"10.0.0.2\n10.0.0"`: `"10.0.0.2\n10.0.0"`,
		}},
		{"bgp: {as: 64512, router_id: 10.0.0.2, listen: %s}", "f.yaml:1: bgp.listen", map[string]string{
			`[]`:                          `: expected at least one, got none`,
			`["*:179"]`:                   `[0]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got "*:179"`,
			`["127.0.0.1:0", ":179"]`:     `[1]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got ":179"`,
			`[0.0.0.0]`:                   `[0]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got "0.0.0.0"`,
			`["localhost:179"]`:           `[0]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got "localhost:179"`,
			`["0.0.0.0:65536"]`:           `[0]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got "0.0.0.0:65536"`,
			`["[fe80::1%eth0]:179"]`:      `[0]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got "[fe80::1%eth0]:179"`,
			`["[::ffff:10.0.0.2]:179"]`:   `[0]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got "[::ffff:10.0.0.2]:179"`,
			`["224.0.0.1:179"]`:           `[0]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got "224.0.0.1:179"`,
			`["[::1]:179", "[0::1]:179"]`: `[1]: [::1]:179 is already bgp.listen[0]`,
		}},
		{"bgp: {as: 64512, router_id: 10.0.0.2, families: %s}", "f.yaml:1: bgp.families", map[string]string{
			`[]`:               `: expected at least one, got none`,
			`[inet-vpn, inet]`: `[1]: expected inet-vpn, inet6-vpn, route-target, got "inet"`,
			`[INET-VPN]`:       `[0]: expected inet-vpn, inet6-vpn, route-target, got "INET-VPN"`,
		}},
		{good + "api: {listen: %s}", "f.yaml:2: api.listen", map[string]string{
			`[]`:                           `: expected at least one, got none`,
			`[/run/buoyd.sock]`:            `[0]: expected unix://PATH or a loopback address and port, for example 127.0.0.1:50051, got "/run/buoyd.sock"`,
			`["localhost:50051"]`:          `[0]: expected unix://PATH or a loopback address and port, for example 127.0.0.1:50051, got "localhost:50051"`,
			`["0.0.0.0:50051"]`:            `[0]: expected unix://PATH or a loopback address, because the API has no authentication, got "0.0.0.0:50051"`,
			`["[::]:50051"]`:               `[0]: expected unix://PATH or a loopback address, because the API has no authentication, got "[::]:50051"`,
			`["10.0.0.2:50051"]`:           `[0]: expected unix://PATH or a loopback address, because the API has no authentication, got "10.0.0.2:50051"`,
			`["[::ffff:127.0.0.1]:50051"]`: `[0]: expected unix://PATH or a loopback address, because the API has no authentication, got "[::ffff:127.0.0.1]:50051"`,
			`["[::1%lo]:50051"]`:           `[0]: expected unix://PATH or a loopback address, because the API has no authentication, got "[::1%lo]:50051"`,
			`["unix://"]`:                  `[0]: expected unix:// and a path of at most 107 printable characters, not an abstract socket, got "unix://"`,
			`["unix://@buoy"]`:             `[0]: expected unix:// and a path of at most 107 printable characters, not an abstract socket, got "unix://@buoy"`,
			`["unix://a\0b"]`:              `[0]: expected unix:// and a path of at most 107 printable characters, not an abstract socket, got "unix://a\x00b"`,
			`["unix://` + long + `"]`:      `[0]: expected unix:// and a path of at most 107 printable characters, not an abstract socket, got "unix://` + long + `"`,
			`["unix://a", "unix://a"]`:     `[1]: unix://a is already api.listen[0]`,
		}},
		{good + "compute_nodes: {listen: %s}", "f.yaml:2: compute_nodes.listen", map[string]string{
			`[]`:                     `: expected at least one, got none`,
			`["10.0.0.2:1"]`:         `[0]: expected unix://PATH or a loopback address, got "10.0.0.2:1"; for other addresses set compute_nodes.certificate, compute_nodes.key and compute_nodes.client_ca, by which compute nodes show who they are`,
			`["unix://n", "[::]:1"]`: `[1]: expected unix://PATH or a loopback address, got "[::]:1"; for other addresses set compute_nodes.certificate, compute_nodes.key and compute_nodes.client_ca, by which compute nodes show who they are`,
			`["nodes:1"]`:            `[0]: expected unix://PATH or an IP address and a port, for example 0.0.0.0:50052, got "nodes:1"`,
			`["224.0.0.1:1"]`:        `[0]: expected unix://PATH or an IP address and a port, for example 0.0.0.0:50052, got "224.0.0.1:1"`,
			`["unix://@n"]`:          `[0]: expected unix:// and a path of at most 107 printable characters, not an abstract socket, got "unix://@n"`,
			`["127.0.0.1:1", "unix://n", "127.0.0.1:1"]`: `[2]: 127.0.0.1:1 is already compute_nodes.listen[0]`,
		}},
		{good + "compute_nodes: {listen: ['0.0.0.0:1'], certificate: c, client_ca: a%s}", "", map[string]string{
			``:          `f.yaml: compute_nodes.key: expected a path of printable characters, got nothing (set it in the file, with BUOYD_COMPUTE_NODES_KEY or --compute-nodes-key)`,
			`, key: ""`: `f.yaml:2: compute_nodes.key: expected a path of printable characters, got ""`,
		}},
		{good + "metrics: {listen: %s}", "f.yaml:2: metrics.listen", map[string]string{
			`["none", "127.0.0.1:1"]`:        `[0]: expected none alone, or addresses only`,
			`[9472]`:                         `[0]: expected an IP address and a port, for example 127.0.0.1:9472, or none, got "9472"`,
			`["localhost:9472"]`:             `[0]: expected an IP address and a port, for example 127.0.0.1:9472, or none, got "localhost:9472"`,
			`["unix://m"]`:                   `[0]: expected an IP address and a port, for example 127.0.0.1:9472, or none, got "unix://m"`,
			`["127.0.0.1:1", "127.0.0.1:1"]`: `[1]: 127.0.0.1:1 is already metrics.listen[0]`,
		}},
		{good + "store: {driver: %s}", "f.yaml:2: store.driver: expected bolt, got ", map[string]string{
			`etcd`: `"etcd"`,
			`Bolt`: `"Bolt"`,
		}},
		{good + "store: {path: %s}", "f.yaml:2: store.path: expected a path of printable characters, got ", map[string]string{
			`""`:     `""`,
			`"a\nb"`: `"a\nb"`,
		}},
		{good + "log: {level: %s}", "f.yaml:2: log.level: expected debug, info, warn or error, got ", map[string]string{
			`INFO`:    `"INFO"`,
			`warning`: `"warning"`,
			`0`:       `"0"`,
		}},
		{good + "log: {format: %s}", "f.yaml:2: log.format: expected text or json, got ", map[string]string{
			`xml`:  `"xml"`,
			`JSON`: `"JSON"`,
		}},
		{neighbors("{name: %s, address: 10.0.0.1, as: 1}"), "f.yaml:3: neighbors[0].name: expected a name of at most 63 lower-case letters, digits, '-', '_' and '.' that starts and ends with a letter or digit, got ", map[string]string{
			`""`:      `""`,
			`MX1`:     `"MX1"`,
			`-mx`:     `"-mx"`,
			`mx.`:     `"mx."`,
			`mx/1`:    `"mx/1"`,
			`mü1`:     `"mü1"`,
			long[:64]: `"` + long[:64] + `"`,
		}},
		{neighbors("{name: mx1, address: %s, as: 1}"), "f.yaml:3: neighbors[0].address (mx1): expected ", map[string]string{
			`gateway`:           `an IPv4 or IPv6 address, for example 10.0.0.1, got "gateway"`,
			`10.0.0.1/32`:       `an IPv4 or IPv6 address, for example 10.0.0.1, got "10.0.0.1/32"`,
			`""`:                `an IPv4 or IPv6 address, for example 10.0.0.1, got ""`,
			`0.0.0.0`:           `a unicast address without a zone, got 0.0.0.0`,
			`"ff02::1"`:         `a unicast address without a zone, got ff02::1`,
			`"fe80::1%eth0"`:    `a unicast address without a zone, got fe80::1%eth0`,
			`"::ffff:10.0.0.1"`: `a unicast address without a zone, got ::ffff:10.0.0.1`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: %s}"), "f.yaml:3: neighbors[0].as (mx1): expected an AS ", map[string]string{
			`0`:     `1..4294967295, got "0"`,
			`23456`: `other than AS_TRANS (RFC 6793), got "23456"`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, port: %s}"), "f.yaml:3: neighbors[0].port (mx1): expected a port 1..65535, got ", map[string]string{
			`0`:     `"0"`,
			`65536`: `"65536"`,
			`bgp`:   `"bgp"`,
			`""`:    `""`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, families: %s}"), "f.yaml:3: neighbors[0].families", map[string]string{
			`[]`:     ` (mx1): expected at least one, got none`,
			`[evpn]`: `[0] (mx1): expected inet-vpn, inet6-vpn, route-target, got "evpn"`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, passive: %s}"), "f.yaml:3: neighbors[0].passive (mx1): expected true or false, got ", map[string]string{
			`yes`:  `"yes"`,
			`True`: `"True"`,
			`1`:    `"1"`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, encapsulations: %s}"), "f.yaml:3: neighbors[0].encapsulations", map[string]string{
			`[]`:          ` (mx1): expected at least one, got none`,
			`gre`:         `: expected a list, got "gre"`,
			``:            `: expected a list, got nothing`,
			`[gre, GRE]`:  `[1] (mx1): expected encapsulation gre or udp, got "GRE"`,
			`["gre,udp"]`: `[0] (mx1): expected encapsulation gre or udp, got "gre,udp"`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, graceful_restart: %s}"), "f.yaml:3: neighbors[0].graceful_restart", map[string]string{
			`[]`:               ` (mx1): expected families, or none, got an empty list`,
			`none`:             `: expected a list, got "none"`,
			`[inet-vpn, none]`: ` (mx1): expected families, or none alone, got inet-vpn,none`,
			`[inet-vpn, evpn]`: `[1] (mx1): expected inet-vpn, inet6-vpn, route-target, got "evpn"; none for no graceful restart`,
			`[inet-vpn, [x]]`:  `[1]: expected a single value, got a list`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, restart_time: %s}"), "f.yaml:3: neighbors[0].restart_time (mx1): expected 1..4095 seconds, got ", map[string]string{
			`0`:    `"0"`,
			`4096`: `"4096"`,
			`5m`:   `"5m"`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, long_lived_time: %s}"), "f.yaml:3: neighbors[0].long_lived_time (mx1): expected 0..16777215 seconds, got ", map[string]string{
			`16777216`: `"16777216"`,
			`-1`:       `"-1"`,
			`00`:       `"00"`,
			`""`:       `""`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, long_lived_time: 60, long_lived: %s}"), "f.yaml:3: neighbors[0].long_lived", map[string]string{
			`[]`:     ` (mx1): expected at least one, got none`,
			`[none]`: `[0] (mx1): expected inet-vpn, inet6-vpn, route-target, got "none"`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, max_advertised: %s}"), "f.yaml:3: neighbors[0].max_advertised (mx1): expected 1..4294967295 routes, got ", map[string]string{
			`0`:          `"0"`,
			`4294967296`: `"4294967296"`,
			`-1`:         `"-1"`,
			`all`:        `"all"`,
			`""`:         `""`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, max_received: %s}"), "f.yaml:3: neighbors[0].max_received (mx1): expected 0..4294967295 routes, got ", map[string]string{
			`4294967296`: `"4294967296"`,
			`-1`:         `"-1"`,
			`all`:        `"all"`,
			`""`:         `""`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, accept_prefixes: %s}"), "f.yaml:3: neighbors[0].accept_prefixes", map[string]string{
			`[]`:                                   ` (mx1): expected prefixes, or none, got an empty list`,
			`10.0.0.0/8`:                           `: expected a list, got "10.0.0.0/8"`,
			`[10.0.0.0/8, none]`:                   ` (mx1): expected prefixes, or none alone, got 10.0.0.0/8, none`,
			`[10.0.0.0/8, 10.0.0.1/8 le 24]`:       `[1] (mx1): 10.0.0.1/8 has host bits set; the prefix is 10.0.0.0/8`,
			`[10.0.0.0/8 upto 24]`:                 `[0] (mx1): expected a prefix, then ge and a length, le and a length, or both, for example 10.0.0.0/8 le 24, got "10.0.0.0/8 upto 24"`,
			`[10.0.0.0/8 le 33]`:                   `[0] (mx1): 10.0.0.0/8: expected a length 8..32 after le, got "33"`,
			`[10.0.0.0/8 ge 24 le 16, 10.0.0.0/8]`: `[0] (mx1): 10.0.0.0/8 ge 24 le 16: expected ge to be at most le; turned round it is 10.0.0.0/8 ge 16 le 24`,
			`[10.0.0.1]`:                           `[0] (mx1): expected a prefix, got the address 10.0.0.1; alone it is 10.0.0.1/32`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, accept_targets: %s}"), "f.yaml:3: neighbors[0].accept_targets", map[string]string{
			`[]`:                    ` (mx1): expected at least one, got none`,
			`['1:1', 'target:1:1']`: `[1] (mx1): target:1:1 is already neighbors[0].accept_targets[0]`,
			`[red]`:                 `[0] (mx1): route target "red": expected <AS or IPv4 address>:<number>, for example target:64512:10003`,
		}},
		{neighbors("{name: mx1, address: 10.0.0.1, as: 1, max_received_action: %s}"), "f.yaml:3: neighbors[0].max_received_action (mx1): expected warn or stop, got ", map[string]string{
			`shutdown`: `"shutdown"`,
			`Stop`:     `"Stop"`,
			`""`:       `""`,
		}},
	} {
		for value, want := range tt.values {
			file := strings.Replace(tt.file, "%s", value, 1)
			t.Run(file, func(t *testing.T) { refused(t, file, nil, nil, tt.where+want) })
		}
	}
}

func TestRefusedOutsideTheFile(t *testing.T) {
	for _, tt := range []struct {
		name    string
		environ []string
		flags   []string
		want    string
		file    string
	}{
		{name: "environment", environ: []string{"BUOYD_BGP_AS=abc"},
			want: `environment BUOYD_BGP_AS: bgp.as: expected an AS 1..4294967295, got "abc"`},
		{name: "flag", flags: []string{"--bgp-as=abc"},
			want: `flag --bgp-as: bgp.as: expected an AS 1..4294967295, got "abc"`},
		{name: "an empty variable is set", environ: []string{"BUOYD_LOG_LEVEL=", "BUOYD_BGP_FAMILIES="},
			want: "environment BUOYD_BGP_FAMILIES: bgp.families: expected at least one, got none\n" +
				`environment BUOYD_LOG_LEVEL: log.level: expected debug, info, warn or error, got ""`},
		{name: "an empty flag is set", flags: []string{"--bgp-as=", "--api-listen="},
			want: `flag --bgp-as: bgp.as: expected an AS 1..4294967295, got ""` + "\n" +
				"flag --api-listen: api.listen: expected at least one, got none"},
		{name: "item of a list", environ: []string{"BUOYD_BGP_LISTEN=10.0.0.2:179,x"}, flags: []string{"--bgp-families=inet-vpn", "--bgp-families=inet"},
			want: `environment BUOYD_BGP_LISTEN: bgp.listen[1]: expected an IP address and a port, for example 0.0.0.0:179 or [::]:179, got "x"` + "\n" +
				`flag --bgp-families: bgp.families[1]: expected inet-vpn, inet6-vpn, route-target, got "inet"`},
		{name: "unknown variables", environ: []string{"BUOYD_PORT=1", "BUOYD_BGP_ROOTER_ID=1", "buoyd_x=1", "BUOY_SERVER=x", "BUOYD_NEIGHBORS=[]", "BUOYD_A\nB"},
			want: "environment: unknown variable \"BUOYD_A\\nB\"\n" +
				"environment: unknown variable BUOYD_BGP_ROOTER_ID, did you mean BUOYD_BGP_ROUTER_ID?\n" +
				"environment: unknown variable BUOYD_NEIGHBORS\n" +
				"environment: unknown variable BUOYD_PORT"},
		{name: "all sources", environ: []string{"BUOYD_LOG_LEVEL=x", "BUOYD_X="}, flags: []string{"--log-format=x"},
			want: "f.yaml:2: unknown key x\nenvironment: unknown variable BUOYD_X\n" +
				`environment BUOYD_LOG_LEVEL: log.level: expected debug, info, warn or error, got "x"` + "\n" +
				`flag --log-format: log.format: expected text or json, got "x"`,
			file: good + "x: {}\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			refused(t, cmp.Or(tt.file, good), tt.environ, tt.flags, tt.want)
		})
	}
}

// refused loads and compares the whole text of the error.
func refused(t *testing.T, file string, environ, args []string, want string) {
	t.Helper()
	c, err := load("f.yaml", []byte(file), flags(t, args...), environ)
	if err == nil {
		t.Fatalf("accepted:\n%s\nas:\n%s", file, c.YAML())
	}
	if err.Error() != want {
		t.Errorf("%s\n got %s\nwant %s", file, err, want)
	}
}
