package inventory

import (
	"fmt"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// targets returns what a network imports and exports.
func (m *model) targets(n Network) (imports, exports routetarget.Set) {
	first := 8000000
	if m.as > 65535 {
		first = 8000
	}
	both := n.Targets.Union(targets(fmt.Sprintf("%d:%d", m.as, first+int(n.ID))))
	return both.Union(n.ImportTargets), both.Union(n.ExportTargets)
}

// routes returns the routes of a floating IP as text.
func (m *model) routes(f FloatingIP) (texts []string) {
	n := m.networks[f.Network]
	_, export := m.targets(n)
	for _, a := range f.Associations {
		node := m.nodes[a.ComputeNode]
		if node.Drain.State == Drained {
			continue
		}
		tunnels := ""
		for _, e := range []string{"gre", "udp"} {
			allows := func(s vrf.Encapsulations) bool { return s == 0 || strings.Contains(s.String(), e) }
			if node.Encapsulations|n.Encapsulations != 0 && allows(node.Encapsulations) && allows(n.Encapsulations) {
				tunnels += " " + e
			}
		}
		if tunnels == "" {
			tunnels = " gre"
		}
		preference := 100
		if a.Preferred {
			preference = 200
		}
		shutdown := false
		if node.Drain.State == Draining {
			preference, shutdown = 0, true
		}
		texts = append(texts, fmt.Sprintf("%s:%d:%s/%d label %d preference %d shutdown %t via %s to %s by%s",
			node.RouterID, n.ID, f.Address, f.Address.BitLen(), a.Label, preference, shutdown, node.Address, export, tunnels))
	}
	return texts
}

func routeTexts(routes []vrf.Route) (texts []string) {
	for _, r := range routes {
		texts = append(texts, fmt.Sprintf("%s label %d preference %d shutdown %t via %s to %s by %s",
			r.Key, r.Label, r.LocalPref, r.GracefulShutdown, r.NextHop, r.Targets, strings.Join(r.Encapsulations.Strings(), " ")))
	}
	return texts
}
