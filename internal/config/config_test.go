package config

import (
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
	"go.yaml.in/yaml/v3"
)

// roundTrip checks that what a Config prints is the same Config.
func roundTrip(t *testing.T, c Config) {
	t.Helper()
	again, err := load("f.yaml", c.YAML(), flags(t), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, c.YAML())
	}
	if !reflect.DeepEqual(again, c) {
		t.Errorf("printed\n%s\nread back\n%s", c.YAML(), again.YAML())
	}
}

func TestYAML(t *testing.T) {
	c, err := load("f.yaml", []byte(neighbors(mx1)), flags(t, "--store-path=true", "--bgp-listen=[::]:179,0.0.0.0:0"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `bgp:
  as: 64512
  router_id: 10.0.0.2
  listen: ['[::]:179', '0.0.0.0:0']
  families: [inet-vpn, inet6-vpn, route-target]
api:
  listen: ['unix:///run/buoy/buoyd.sock']
store:
  driver: bolt
  path: "true"
history:
  max_events: 100000
log:
  level: info
  format: text
pools:
  external_name: public
neighbors:
  - name: mx1
    address: 10.0.0.1
    as: 64512
    port: 179
    families: [inet-vpn, inet6-vpn, route-target]
    passive: false
    hold_time: 90
    graceful_restart: [inet-vpn, inet6-vpn, route-target]
    restart_time: 300
    long_lived_time: 0
    max_received: 100000
    max_received_action: warn
`
	if got := string(c.YAML()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The flags and variables are those of the file, without the neighbors.
func TestKeysAreTheFile(t *testing.T) {
	var got, want []string
	for _, k := range keys {
		got = append(got, k.path)
	}
	for i, section := range reflect.VisibleFields(reflect.TypeFor[file]()) {
		if section.Type.Kind() != reflect.Struct {
			continue
		}
		_, names := fields(reflect.TypeFor[file](), "")
		_, paths := fields(section.Type, names[i])
		want = append(want, paths...)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("keys %q, fields of the file %q", got, want)
	}
}

func TestFlags(t *testing.T) {
	want := `      --api-listen ENDPOINT,...             ENDPOINT,... of the API, each unix://PATH or a loopback ADDRESS:PORT (default [unix:///run/buoy/buoyd.sock])
      --bgp-as AS                           AS of this node, 1..4294967295
      --bgp-families FAMILY,...             FAMILY,... to offer to a neighbor that names none (default [inet-vpn,inet6-vpn,route-target])
      --bgp-listen ADDRESS:PORT,...         ADDRESS:PORT,... where neighbors connect to (default [0.0.0.0:179])
      --bgp-router-id IPv4                  BGP identifier of this node, a unicast IPv4 address
      --compute-nodes-certificate FILE      FILE with our certificate for compute nodes, in PEM (default none)
      --compute-nodes-client-ca FILE        FILE with the certificates of who signs those of compute nodes (default none)
      --compute-nodes-key FILE              FILE with the key of that certificate (default none)
      --compute-nodes-listen ENDPOINT,...   ENDPOINT,... for compute nodes, each unix://PATH or ADDRESS:PORT (default none)
      --config FILE                         read the configuration from FILE (default none)
      --history-max-events NUMBER           NUMBER of events that the history has at most, 100..10000000 (default "100000")
      --log-format FORM                     FORM of the log: text, json (default "text")
      --log-level LEVEL                     least LEVEL that is logged: debug, info, warn, error (default "info")
      --metrics-listen ADDRESS:PORT,...     ADDRESS:PORT,... of the metrics for Prometheus, or none (default [127.0.0.1:9472])
      --pools-external-name NAME            NAME of the pool that an external network makes by itself (default "public")
      --pools-global POOL                   POOL that a floating IP is drawn from when neither the request nor its namespace names one (default none)
      --store-driver KIND                   KIND of the store: bolt (default "bolt")
      --store-path FILE                     FILE of the store (default "/var/lib/buoy/buoy.db")
`
	if got := flags(t).FlagUsages(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestConfigs(t *testing.T) {
	c, err := Load(flags(t, "--config=../../configs/buoyd.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, ap := range c.BGP.Listen {
		if !ap.Addr().IsLoopback() || ap.Port() < 1024 {
			t.Errorf("buoyd.yaml needs privileges to listen on %s", ap)
		}
	}
}

// The reference shows every key, with its default where there is one.
func TestReference(t *testing.T) {
	c, err := Load(flags(t, "--config=../../configs/buoyd.reference.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	target, err := routetarget.ParseTarget("target:64512:10003")
	if err != nil {
		t.Fatal(err)
	}
	want := defaults(t)
	want.ComputeNodes = ComputeNodes{[]Endpoint{{addr: netip.MustParseAddrPort("0.0.0.0:50052")}}, "/etc/buoy/nodes.crt", "/etc/buoy/nodes.key", "/etc/buoy/nodes-ca.crt"}
	want.Metrics.Named = true
	want.Pools.Global = "projects/default/networks/vn-public/pools/public"
	want.Neighbors = []neighbor.Settings{
		neighbor.Settings{
			Name: "mx1", Address: netip.MustParseAddr("10.0.0.1"), AS: 64512,
			LocalAddress: netip.MustParseAddr("10.0.0.2"), KeepaliveTime: 30, TTLSecurity: 1,
			MD5Key: neighbor.KeySource{File: "/etc/buoy/mx1.key"},
			Restart: neighbor.RestartSettings{
				Without:       neighbor.NewFamilies(neighbor.RouteTarget),
				LongLivedTime: 86400, LongLived: neighbor.NewFamilies(neighbor.InetVPN)},
			Policy: neighbor.Policy{Encapsulations: vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP), MaxAdvertised: 10000,
				AcceptPrefixes: accepted(t, "10.0.0.0/8 le 24", "2001:db8::/32 ge 48 le 64"), AcceptTargets: routetarget.NewSet(target)},
		}.WithDefaults(c.BGP.Families),
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%s\nwant\n%s", c.YAML(), want.YAML())
	}

	// YAML prints every key, so a key that the reference lacks is found here.
	text, err := os.ReadFile("../../configs/buoyd.reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var reference, printed any
	if err := yaml.Unmarshal(text, &reference); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(c.YAML(), &printed); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(reference, printed) {
		t.Errorf("reference\n%v\nprinted\n%v", reference, printed)
	}
}

func TestEndpoint(t *testing.T) {
	for in, want := range map[string][2]string{
		"unix:///run/buoyd.sock": {"unix", "/run/buoyd.sock"},
		"unix://run/buoyd.sock":  {"unix", "run/buoyd.sock"},
		"127.0.0.1:0":            {"tcp", "127.0.0.1:0"},
		"127.1.2.3:50051":        {"tcp", "127.1.2.3:50051"},
		"[::1]:50051":            {"tcp", "[::1]:50051"},
	} {
		e := endpoint(t, in)
		if got := [2]string{e.Network(), e.Address()}; got != want || e.String() != in {
			t.Errorf("%s: %v %s", in, got, e)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, name := range []string{"buoyd.yaml", "buoyd.reference.yaml"} {
		text, err := os.ReadFile("../../configs/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, s := range []string{"", good, good + "---\n", neighbors(mx1, "{<<: *x}"), "a: &a [*a]", "? [a]\n: b", "bgp: !x {as: !!int 1}",
		neighbors("{name: mx1, address: 10.0.0.1, as: 1, encapsulations: [udp, gre, udp], max_advertised: 4294967295, max_received: 4294967295}", "{encapsulations: [], max_advertised: 0, max_received: 0}"),
		neighbors("{name: mx1, address: 10.0.0.1, as: 1, accept_prefixes: [10.0.0.0/8 ge 9 le 24, '::/0 le 128', none], accept_targets: ['64512:1', 'target:10.0.0.1:1'], max_received_action: stop}", "{name: mx2, address: 10.0.0.3, as: 1, accept_prefixes: [none], accept_targets: [], max_received_action: warn}"),
		neighbors("{name: mx1, address: 10.0.0.1, as: 1, families: [inet-vpn], graceful_restart: [none], restart_time: 4095, long_lived_time: 0}",
			"{name: mx2, address: 10.0.0.3, as: 1, graceful_restart: [inet-vpn, inet6-vpn], long_lived_time: 60, long_lived: [inet6-vpn]}"),
		good + "store: {path: \"\\u2028 \\ufeff'\"}", good + "store: {path: \"- # x: y \"}", good + "api: {listen: [\"unix://a, b]\"]}",
		good + "pools: {global: default-domain:default:vn-public:public, external_name: x}",
		good + "pools: {global: {domain: default-domain, project: default, network: vn-public, name: public}}",
		good + "pools:\n  global:\n    network: \"\\x7f\\u2028'\\\"\"\n    nam: x\n",
		good + `pools: {global: "{'project': 'default', 'network': 'vn-public', 'name': 'public'}"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := load("f.yaml", text, flags(t), nil)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error without a text")
			}
			return
		}
		roundTrip(t, c)
	})
}
