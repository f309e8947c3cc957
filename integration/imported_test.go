package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
)

// imported returns what the route says, and what the VRFs make of it: "… best
// multipath in vn-public.inet.0".
func (r shownRoute) imported() string {
	line := r.String()
	if r.Best {
		line += " best"
	}
	if r.Multipath {
		line += " multipath"
	}
	if r.State != "RECEIVED" {
		line += " " + r.State + ": " + r.Reason
	}
	slices.Sort(r.Tables)
	for _, table := range r.Tables {
		line += " in " + strings.TrimPrefix(table, "projects/default/networks/")
	}
	return line
}

// inTable adds the table of a network to what is shown of a route.
func inTable(line, network string, r lab.Route) string {
	if r.Family() == lab.VPNv6 {
		return line + " in " + network + ".inet6.0"
	}
	return line + " in " + network + ".inet.0"
}

// imported returns what a network's VRF has from neighbors, sorted.
func (w *world) imported(network string) []string {
	w.t.Helper()
	lines := []string{}
	for _, r := range w.routes("--network " + network) {
		if r.Source != "" {
			lines = append(lines, r.imported())
		}
	}
	slices.Sort(lines)
	return lines
}

// vrfImports waits until a network's VRF has exactly these routes.
func (w *world) vrfImports(when, network string, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	w.eventually(when+": "+network, func(context.Context) error {
		if got := w.imported(network); !slices.Equal(got, want) {
			return fmt.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
}

// importer starts a router that announces routes, and makes it a neighbor.
func (w *world) importer(kind, name string, config lab.GatewayConfig) lab.Originator {
	w.t.Helper()
	needs(w.t, kind)
	g := w.routerOf(kind, config).(lab.Originator)
	w.neighbor(name, config)
	return g
}

// tableShows checks which prefixes, or names of VPN routes, a table shows.
func (w *world) tableShows(table string, have, not []string) {
	w.t.Helper()
	text := w.ctl("show route table " + table)
	words := strings.Fields(text)
	for _, want := range have {
		if !slices.ContainsFunc(words, func(word string) bool { return strings.HasSuffix(word, want) }) {
			w.t.Errorf("%s: %s is not in\n%s", table, want, text)
		}
	}
	for _, other := range not {
		if slices.ContainsFunc(words, func(word string) bool { return strings.HasSuffix(word, other) }) {
			w.t.Errorf("%s: %s is in\n%s", table, other, text)
		}
	}
}
