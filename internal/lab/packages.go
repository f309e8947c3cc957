package lab

import (
	"maps"
	"os"
	"slices"
)

// packages are the programs that a lab takes from the machine, and the Debian
// packages that they come from, by the kind of the router or tool. A kind that
// is not here needs none. The paths are whole: two packages have a bgpd.
var packages = map[string]debianPackage{
	"frr":      {"frr", []string{frrBGPd, frrZebra, frrVtysh}},
	"bird":     {"bird2", []string{birdDaemon, birdClient}},
	"exabgp":   {"exabgp", []string{exaBGPProgram}},
	"openbgpd": {"openbgpd", []string{openBGPDProgram, openBGPDCtlProgram}},
	"tshark":   {"tshark", []string{"/usr/bin/tshark"}},
}

type debianPackage struct {
	name     string
	programs []string
}

// MissingPackages returns the Debian packages that kinds of routers and tools
// need and that are not installed; without kinds, those of all.
func MissingPackages(kinds ...string) []string {
	if len(kinds) == 0 {
		kinds = slices.Collect(maps.Keys(packages))
	}
	var missing []string
	for _, kind := range kinds {
		for _, program := range packages[kind].programs {
			if _, err := os.Stat(program); err != nil {
				missing = append(missing, packages[kind].name)
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}
