package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const envPrefix = "BUOYD_"

// The reference system's variable for the global pool. It counts when nothing
// else names one.
const (
	inheritedPath = "pools.global"
	inheritedEnv  = "KUBERNETES_PUBLIC_FIP_POOL"
)

// key is a setting that the environment and the flags can also give.
type key struct {
	path     string // in the file
	fallback string // the default; empty means that there is none
	usage    string
	list     bool
}

var keys = []key{
	{"bgp.as", "", "`AS` of this node, 1..4294967295", false},
	{"bgp.router_id", "", "BGP identifier of this node, a unicast `IPv4` address", false},
	{"bgp.listen", "0.0.0.0:179", "`ADDRESS:PORT,...` where neighbors connect to", true},
	{"bgp.families", "inet-vpn,inet6-vpn,route-target", "`FAMILY,...` to offer to a neighbor that names none", true},
	{"api.listen", "unix:///run/buoy/buoyd.sock", "`ENDPOINT,...` of the API, each unix://PATH or a loopback ADDRESS:PORT", true},
	{"compute_nodes.listen", "", "`ENDPOINT,...` for compute nodes, each unix://PATH or ADDRESS:PORT (default none)", true},
	{"compute_nodes.certificate", "", "`FILE` with our certificate for compute nodes, in PEM (default none)", false},
	{"compute_nodes.key", "", "`FILE` with the key of that certificate (default none)", false},
	{"compute_nodes.client_ca", "", "`FILE` with the certificates of who signs those of compute nodes (default none)", false},
	{metricsListen, "127.0.0.1:9472", "`ADDRESS:PORT,...` of the metrics for Prometheus, or none", true},
	{"store.driver", "bolt", "`KIND` of the store: bolt", false},
	{"store.path", "/var/lib/buoy/buoy.db", "`FILE` of the store", false},
	{"history.max_events", "100000", "`NUMBER` of events that the history has at most, 100..10000000", false},
	{"log.level", "info", "least `LEVEL` that is logged: debug, info, warn, error", false},
	{"log.format", "text", "`FORM` of the log: text, json", false},
	{"pools.global", "", "`POOL` that a floating IP is drawn from when neither the request nor its namespace names one (default none)", false},
	{"pools.external_name", "public", "`NAME` of the pool that an external network makes by itself", false},
}

func (k key) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(k.path) }

func (k key) env() string { return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_")) }

// holds reports whether path is the key's, or that of an item or a part of it.
func (k key) holds(path string) bool {
	rest, ok := strings.CutPrefix(path, k.path)
	return ok && (rest == "" || rest[0] == '[' || rest[0] == '.')
}

// Flags registers --config and one flag for each key.
func Flags(fs *pflag.FlagSet) {
	fs.String("config", "", "read the configuration from `FILE` (default none)")
	for _, k := range keys {
		if k.list {
			fs.StringSlice(k.flag(), split(k.fallback), k.usage)
		} else {
			fs.String(k.flag(), k.fallback, k.usage)
		}
	}
}

// environment picks the variables of the keys, by path, and refuses every
// other one that begins with BUOYD_.
func environment(environ []string) (values map[string]string, problems []problem) {
	known := map[string]string{}
	for _, k := range keys {
		known[k.env()] = k.path
	}
	names := slices.Sorted(maps.Keys(known))
	values = map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if path, ok := known[name]; ok {
			values[path] = value
		} else if strings.HasPrefix(name, envPrefix) {
			problems = append(problems, problem{
				place: place{source: fromUnknown, text: "environment"},
				text:  "unknown variable " + show(name) + didYouMean(name, names),
			})
		}
	}
	// The order of the environment is nobody's choice.
	slices.SortFunc(problems, func(a, b problem) int { return strings.Compare(a.text, b.text) })
	return values, problems
}

// inherit picks the reference system's variable, by path. Its installers set it
// to nothing or to {} where there is no pool.
func inherit(environ []string) map[string]string {
	values := map[string]string{}
	for _, variable := range environ {
		if name, value, _ := strings.Cut(variable, "="); name == inheritedEnv {
			values[inheritedPath] = value
		}
	}
	if value := values[inheritedPath]; value == "" || value == "{}" {
		return nil
	}
	return values
}

// split reads a list outside the file. Nothing is the empty list.
func split(s string) []string {
	if strings.TrimSpace(s) == "" {
		return []string{}
	}
	return strings.Split(s, ",")
}
