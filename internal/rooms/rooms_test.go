package rooms

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/buoynet/buoy/"

// arrows says what each folder may import of the module. A folder that is not
// here must be added, with a thought.
var arrows = map[string][]string{
	"routetarget":              {},
	"vrf":                      {"routetarget"},
	"internal/neighbor":        {"routetarget", "vrf"},
	"internal/ipam":            {},
	"internal/ring":            {},
	"internal/history":         {},
	"internal/gatewayconfig":   {"routetarget", "vrf"},
	"internal/inventory":       {"routetarget", "vrf", "internal/neighbor", "internal/ipam"},
	"internal/explain":         {"internal/inventory", "internal/neighbor", "vrf"},
	"internal/doctor":          {"internal/explain", "internal/inventory", "internal/neighbor", "vrf"},
	"internal/store":           {"internal/history", "internal/inventory", "internal/ring"},
	"internal/store/bolt":      {"internal/history", "internal/inventory", "internal/store"},
	"internal/store/storetest": {"internal/history", "internal/inventory", "internal/store"},
	"internal/config":          {"internal/inventory", "internal/neighbor", "routetarget", "vrf"},
	"internal/computenode":     {"internal/inventory"},
	"internal/reconcile":       {"internal/inventory", "internal/neighbor", "internal/ring", "routetarget", "vrf"},
	"internal/metrics":         {"internal/inventory", "internal/neighbor"},
	"internal/programme":       {"internal/inventory", "internal/neighbor", "internal/ring", "vrf"},
	"bgp/ribout":               {"internal/neighbor", "routetarget", "vrf"},
	"bgp/ribin":                {"internal/neighbor", "routetarget", "vrf"},
	"bgp/wire":                 {"bgp/ribin", "bgp/ribout", "internal/neighbor", "vrf"},
	"bgp/engine":               {"bgp/wire", "internal/neighbor", "routetarget", "vrf"},
	"bgp":                      {"bgp/engine", "bgp/ribin", "bgp/ribout", "bgp/wire", "internal/neighbor", "routetarget", "vrf"},
	"proto/buoy/v1":            {},
	"api":                      {"internal/doctor", "internal/explain", "internal/history", "internal/inventory", "internal/ipam", "internal/neighbor", "internal/ring", "proto/buoy/v1", "routetarget", "vrf"},
	"cmd/buoyd":                {"api", "bgp", "internal/computenode", "internal/config", "internal/doctor", "internal/history", "internal/inventory", "internal/metrics", "internal/neighbor", "internal/programme", "internal/reconcile", "internal/ring", "internal/store", "internal/store/bolt", "internal/version", "vrf"},
	"api/client":               {"proto/buoy/v1"}, // outsiders import it: it must not pull in the daemon
	"api/computenode":          {"proto/buoy/v1"}, // so do they this one
	"cmd/buoyctl":              {"api/client", "internal/gatewayconfig", "internal/version", "proto/buoy/v1", "routetarget", "vrf"},
	"internal/dataplane":       {},
	"internal/dataplane/linux": {"internal/dataplane"},
	"cmd/buoy-agent":           {"api/computenode", "internal/dataplane", "internal/dataplane/linux", "internal/version", "proto/buoy/v1"},
	"internal/rooms":           {},
	"internal/version":         {},
}

// forTests lists the folders that only tests and the demo use. They may import
// what they like; nobody else may import them.
var forTests = []string{"internal/lab", "integration", "internal/store/storetest", "bgp/contract"}

// libraries says which folders may import a library, by the beginning of its
// path. It covers the folders below as well.
var libraries = map[string][]string{
	"github.com/osrg/gobgp/v3/pkg/server": {"bgp/engine"},
	"github.com/osrg/gobgp/v3/api":        {"bgp/engine"},
	"github.com/osrg/gobgp":               {"bgp"},
	"go.etcd.io/bbolt":                    {"internal/store/bolt"},
	"google.golang.org/":                  {"api", "cmd/buoyctl", "proto"},
	"github.com/spf13/viper":              {"internal/config", "cmd/buoy-agent"},
	"github.com/prometheus/":              {"internal/metrics"},
	"github.com/grpc-ecosystem/":          {"api", "proto"},
	"github.com/vishvananda/netlink":      {"internal/dataplane/linux"},
	"github.com/google/nftables":          {"internal/dataplane/linux"},
}

// impure are the packages that a pure folder has no use for: it knows no
// clock, no network and no file.
var impure = []string{"context", "log", "log/slog", "net", "net/http", "os", "os/exec", "sync", "time"}

var pure = []string{"routetarget", "vrf", "internal/neighbor", "internal/ipam", "internal/ring", "internal/inventory", "internal/explain", "internal/doctor", "internal/gatewayconfig", "internal/dataplane", "internal/history"}

// excused are exceptions, with their reason.
var excused = map[string][]string{
	// The types of times that others read off their clocks.
	"internal/neighbor":  {"time"},
	"vrf":                {"time"},
	"internal/explain":   {"time"},
	"internal/doctor":    {"time"},
	"internal/history":   {"time", "context"}, // the context of a request says whose it is
	"internal/inventory": {"time", "sync"},    // a lock for the moment of a copy
}

func TestArrows(t *testing.T) {
	for folder, imports := range packages(t) {
		if isForTests(folder) {
			continue
		}
		allowed, known := arrows[folder]
		if !known {
			t.Errorf("%s is a new folder: add it to the arrows", folder)
		}
		for _, path := range imports {
			other, own := strings.CutPrefix(path, module)
			switch {
			case own && isForTests(other):
				t.Errorf("%s imports %s, which is for tests only", folder, other)
			case own && !slices.Contains(allowed, other):
				t.Errorf("%s imports %s: no arrow leads there", folder, other)
			}
			for library, folders := range libraries {
				if strings.HasPrefix(path, library) && !slices.ContainsFunc(folders, within(folder)) {
					t.Errorf("%s imports %s, which stays in %v", folder, path, folders)
				}
			}
			if slices.Contains(pure, folder) && slices.Contains(impure, path) && !slices.Contains(excused[folder], path) {
				t.Errorf("%s is pure and imports %s", folder, path)
			}
		}
	}
}

// packages returns what each package of the module imports, by its folder.
func packages(t *testing.T) map[string][]string {
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		found[strings.TrimPrefix(paths[0], module)] = paths[1:]
	}
	if len(found) < len(arrows)/2 {
		t.Fatalf("go list found only %d packages", len(found))
	}
	return found
}

func isForTests(folder string) bool { return slices.ContainsFunc(forTests, within(folder)) }

// within tells whether a folder is another one or lies below it.
func within(folder string) func(other string) bool {
	return func(other string) bool { return folder == other || strings.HasPrefix(folder, other+"/") }
}
