package config

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
	"github.com/spf13/pflag"
)

// flags returns a parsed flag set.
func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("buoyd", pflag.ContinueOnError)
	Flags(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func endpoint(t *testing.T, s string) Endpoint {
	t.Helper()
	e, err := ParseEndpoint(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// defaults is what good means.
func defaults(t *testing.T) Config {
	return Config{
		BGP: BGP{
			AS:       64512,
			RouterID: netip.MustParseAddr("10.0.0.2"),
			Listen:   []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:179")},
			Families: neighbor.AllFamilies,
		},
		API:     API{Listen: []Endpoint{endpoint(t, "unix:///run/buoy/buoyd.sock")}},
		Metrics: Metrics{Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9472")}},
		Store:   Store{Driver: Bolt, Path: "/var/lib/buoy/buoy.db"},
		History: History{MaxEvents: 100_000},
		Log:     Log{Level: slog.LevelInfo, Format: Text},
		Pools:   Pools{ExternalName: "public"},
	}
}

func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		name    string
		file    string
		environ []string
		args    []string
		change  func(*Config) // of the defaults
	}{
		{name: "defaults", file: good},
		{name: "no file", environ: []string{"BUOYD_BGP_AS=64512", "PATH=/bin", "X"}, args: []string{"--bgp-router-id", "10.0.0.2"}},
		{name: "empty sections", file: good + "api: {}\nstore:\nlog:\n  # level: debug\npools:\nneighbors:\n"},
		{name: "no neighbors", file: good + "neighbors: []"},
		{name: "quoted", file: `bgp: {"as": "64512", 'router_id': '10.0.0.2'}`},
		{name: "JSON", file: `{"bgp": {"as": 64512, "router_id": "10.0.0.2"}, "neighbors": []}`},
		{name: "text that looks like something else", file: good + "store: {path: 2001-01-01}", change: func(c *Config) { c.Store.Path = "2001-01-01" }},
		{name: "the path keeps its case", file: good + "store: {path: /Var/Buoy.DB}", change: func(c *Config) { c.Store.Path = "/Var/Buoy.DB" }},
		{name: "log", file: good + "log: {level: error, format: json}", change: func(c *Config) { c.Log = Log{slog.LevelError, JSON} }},

		{name: "compute nodes of this machine", file: good + "compute_nodes: {listen: ['unix://n', '127.0.0.1:1', '[::1]:1']}", change: func(c *Config) {
			c.ComputeNodes.Listen = []Endpoint{endpoint(t, "unix://n"), endpoint(t, "127.0.0.1:1"), endpoint(t, "[::1]:1")}
		}},
		{name: "compute nodes with TLS", file: good + "compute_nodes: {listen: ['unix://n', '127.0.0.1:1', '10.0.0.2:1'], certificate: c, key: k, client_ca: a}", change: func(c *Config) {
			c.ComputeNodes = ComputeNodes{[]Endpoint{endpoint(t, "unix://n"), endpoint(t, "127.0.0.1:1"), {addr: netip.MustParseAddrPort("10.0.0.2:1")}}, "c", "k", "a"}
		}},
		{name: "the compute nodes' key in the environment", file: good + "compute_nodes: {listen: ['0.0.0.0:1'], certificate: c, client_ca: a}", environ: []string{"BUOYD_COMPUTE_NODES_KEY=k"}, change: func(c *Config) {
			c.ComputeNodes = ComputeNodes{[]Endpoint{{addr: netip.MustParseAddrPort("0.0.0.0:1")}}, "c", "k", "a"}
		}},

		{name: "no metrics", file: good + "metrics: {listen: [none]}", change: func(c *Config) { c.Metrics = Metrics{Named: true} }},
		{name: "an empty list of metrics", file: good + "metrics: {listen: []}", change: func(c *Config) { c.Metrics = Metrics{Named: true} }},
		{name: "an empty variable for metrics", file: good, environ: []string{"BUOYD_METRICS_LISTEN="}, change: func(c *Config) { c.Metrics = Metrics{Named: true} }},
		{name: "the default of metrics is named", file: good, args: []string{"--metrics-listen=127.0.0.1:9472"}, change: func(c *Config) { c.Metrics.Named = true }},
		{name: "metrics for others", file: good + "metrics: {listen: ['[::]:9472']}", change: func(c *Config) {
			c.Metrics = Metrics{[]netip.AddrPort{netip.MustParseAddrPort("[::]:9472")}, true}
		}},

		{name: "file over default", file: good + "log: {level: warn}", change: func(c *Config) { c.Log.Level = slog.LevelWarn }},
		{name: "environment over file", file: good + "log: {level: warn}", environ: []string{"BUOYD_LOG_LEVEL=debug"},
			change: func(c *Config) { c.Log.Level = slog.LevelDebug }},
		{name: "flag over environment", file: good + "log: {level: warn}", environ: []string{"BUOYD_LOG_LEVEL=debug"}, args: []string{"--log-level=error"},
			change: func(c *Config) { c.Log.Level = slog.LevelError }},
		{name: "flag that says the default", file: good + "log: {level: warn}", environ: []string{"BUOYD_LOG_LEVEL=debug"}, args: []string{"--log-level=info"}},
		{name: "overridden nonsense", file: "bgp: {as: abc, router_id: 10.0.0.2}", environ: []string{"BUOYD_BGP_AS=64512"}},
		{name: "the other keys of a section stay", file: good + "store: {path: x}", environ: []string{"BUOYD_STORE_DRIVER=bolt"},
			change: func(c *Config) { c.Store.Path = "x" }},
		{name: "the last variable wins", file: good, environ: []string{"BUOYD_STORE_PATH=x", "BUOYD_STORE_PATH=y=z"},
			change: func(c *Config) { c.Store.Path = "y=z" }},

		{name: "list replaced by a shorter one", file: good + "api: {listen: ['unix://a', 'unix://b']}", environ: []string{"BUOYD_API_LISTEN=unix://c"},
			change: func(c *Config) { c.API.Listen = []Endpoint{endpoint(t, "unix://c")} }},
		{name: "list in the environment", file: good, environ: []string{"BUOYD_BGP_LISTEN=0.0.0.0:0, [::]:179", "BUOYD_BGP_FAMILIES=inet-vpn , inet6-vpn"},
			change: func(c *Config) {
				c.BGP.Listen = []netip.AddrPort{netip.MustParseAddrPort("0.0.0.0:0"), netip.MustParseAddrPort("[::]:179")}
				c.BGP.Families = neighbor.NewFamilies(neighbor.InetVPN, neighbor.Inet6VPN)
			}},
		{name: "brackets in a flag", file: good, args: []string{"--bgp-listen=[::]:179", "--api-listen=127.0.0.1:1, [::1]:1", "--api-listen=unix://x"},
			change: func(c *Config) {
				c.BGP.Listen = []netip.AddrPort{netip.MustParseAddrPort("[::]:179")}
				c.API.Listen = []Endpoint{endpoint(t, "127.0.0.1:1"), endpoint(t, "[::1]:1"), endpoint(t, "unix://x")}
			}},
		{name: "every flag", args: []string{"--bgp-as=1", "--bgp-router-id=1.1.1.1", "--bgp-listen=1.1.1.1:1", "--bgp-families=route-target",
			"--api-listen=unix://a", "--compute-nodes-listen=[::]:2", "--compute-nodes-certificate=c", "--compute-nodes-key=k", "--compute-nodes-client-ca=a", "--store-driver=bolt", "--store-path=p", "--history-max-events=200", "--log-level=debug", "--log-format=json",
			"--pools-global=d:p:n:x", "--pools-external-name=y"}, change: changeAll},
		{name: "every variable", environ: []string{"BUOYD_BGP_AS=1", "BUOYD_BGP_ROUTER_ID=1.1.1.1", "BUOYD_BGP_LISTEN=1.1.1.1:1", "BUOYD_BGP_FAMILIES=route-target",
			"BUOYD_API_LISTEN=unix://a", "BUOYD_COMPUTE_NODES_LISTEN=[::]:2", "BUOYD_COMPUTE_NODES_CERTIFICATE=c", "BUOYD_COMPUTE_NODES_KEY=k", "BUOYD_COMPUTE_NODES_CLIENT_CA=a", "BUOYD_STORE_DRIVER=bolt", "BUOYD_STORE_PATH=p", "BUOYD_HISTORY_MAX_EVENTS=200", "BUOYD_LOG_LEVEL=debug", "BUOYD_LOG_FORMAT=json",
			"BUOYD_POOLS_GLOBAL=d:p:n:x", "BUOYD_POOLS_EXTERNAL_NAME=y"}, change: changeAll},

		{name: "neighbors", file: "bgp: {as: 1, router_id: 10.0.0.2, families: [inet-vpn]}\nneighbors:\n" +
			"- {name: mx1, address: 10.0.0.1, as: 64512}\n" +
			"- {name: '7', address: '2001:DB8::1', as: 4294967295, port: 1179, families: [route-target, inet-vpn], passive: true, encapsulations: [udp], max_advertised: 4294967295, max_received: 4294967294," +
			" accept_prefixes: ['2001:db8::/32', 10.0.0.0/8 ge 8 le 24], accept_targets: ['64512:8000007', 'target:64512:8000001'], max_received_action: stop}\n" +
			"- {name: mx3, address: 10.0.0.3, as: 64512, accept_prefixes: [none], max_received: 100000, max_received_action: warn}\n",
			change: func(c *Config) {
				c.BGP.AS, c.BGP.Families = 1, neighbor.NewFamilies(neighbor.InetVPN)
				c.Neighbors = []neighbor.Settings{
					{Name: "mx1", Address: netip.MustParseAddr("10.0.0.1"), Port: 179, AS: 64512, Families: neighbor.NewFamilies(neighbor.InetVPN)},
					{Name: "7", Address: netip.MustParseAddr("2001:db8::1"), Port: 1179, AS: 4294967295,
						Families: neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget), Passive: true,
						Policy: neighbor.Policy{Encapsulations: vrf.NewEncapsulations(vrf.MPLSInUDP), MaxAdvertised: 4294967295, MaxReceived: 4294967294,
							AcceptPrefixes: accepted(t, "10.0.0.0/8 le 24", "2001:db8::/32"), MaxReceivedAction: neighbor.MaxReceivedStop,
							AcceptTargets: routetarget.NewSet(routetarget.Automatic(64512, 1), routetarget.Automatic(64512, 7))}},
					{Name: "mx3", Address: netip.MustParseAddr("10.0.0.3"), Port: 179, AS: 64512, Families: neighbor.NewFamilies(neighbor.InetVPN),
						Policy: neighbor.Policy{AcceptPrefixes: accepted(t, "none")}},
				}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := defaults(t)
			if tt.change != nil {
				tt.change(&want)
			}
			got, err := load("f.yaml", []byte(tt.file), flags(t, tt.args...), tt.environ)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got.YAML(), want.YAML())
			}
			roundTrip(t, got)
		})
	}
}

func changeAll(c *Config) {
	c.BGP = BGP{1, netip.MustParseAddr("1.1.1.1"), []netip.AddrPort{netip.MustParseAddrPort("1.1.1.1:1")}, neighbor.NewFamilies(neighbor.RouteTarget)}
	c.API.Listen = []Endpoint{{path: "a"}}
	c.ComputeNodes = ComputeNodes{[]Endpoint{{addr: netip.MustParseAddrPort("[::]:2")}}, "c", "k", "a"}
	c.Store.Path = "p"
	c.History.MaxEvents = 200
	c.Log = Log{slog.LevelDebug, JSON}
	c.Pools = Pools{"projects/p/networks/n/pools/x", "y"}
}

func TestLoadReadsTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "buoyd.yaml")
	if err := os.WriteFile(name, []byte(good+"\nx: 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"":                      `flag --config: expected a file, got ""`,
		"/nonexistent/b.yaml":   "flag --config: open /nonexistent/b.yaml: no such file or directory",
		name:                    name + ":3: unknown key x",
		"../../configs/missing": "flag --config: open ../../configs/missing: no such file or directory",
	} {
		if _, err := Load(flags(t, "--config", file), nil); err == nil || err.Error() != want {
			t.Errorf("--config %q:\n got %v\nwant %s", file, err, want)
		}
	}
	want := "bgp.as: expected an AS 1..4294967295, got nothing (set it in the file, with BUOYD_BGP_AS or --bgp-as)"
	if _, err := Load(flags(t, "--bgp-router-id=10.0.0.2"), nil); err == nil || err.Error() != want {
		t.Errorf("no file:\n got %v\nwant %s", err, want)
	}
}

// The environment is what Load was given, never that of the process.
func TestProcessEnvironment(t *testing.T) {
	t.Setenv("BUOYD_LOG_LEVEL", "debug")
	c, err := load("f.yaml", []byte(good), flags(t), nil)
	if err != nil || c.Log.Level != slog.LevelInfo {
		t.Errorf("level %v, error %v", c.Log.Level, err)
	}
}

// accepted reads what is taken from a neighbor.
func accepted(t *testing.T, lines ...string) neighbor.PrefixFilter {
	t.Helper()
	f, err := neighbor.ParsePrefixFilter(lines)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
