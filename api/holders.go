package api

import (
	"slices"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// holders tells which networks, of those that the viewer sees, import a set of
// targets. It is filled when it is first asked.
type holders struct {
	state    *inventory.State
	viewer   viewer
	byTarget map[routetarget.Target][]*inventory.Network
	bySet    map[routetarget.Set][]*inventory.Network
}

func (h *holders) of(targets routetarget.Set) []*inventory.Network {
	if h.byTarget == nil {
		h.fill()
	}
	list, known := h.bySet[targets]
	if known {
		return list
	}
	for t := range targets.All() {
		list = append(list, h.byTarget[t]...)
	}
	slices.SortFunc(list, func(a, b *inventory.Network) int { return strings.Compare(a.Name, b.Name) })
	list = slices.Compact(list)
	h.bySet[targets] = list
	return list
}

func (h *holders) fill() {
	h.byTarget, h.bySet = map[routetarget.Target][]*inventory.Network{}, map[routetarget.Set][]*inventory.Network{}
	g, ok := h.state.Global()
	if !ok {
		return
	}
	for n := range h.state.Networks() {
		if h.viewer.sees(h.state, n.Name) {
			for t := range n.VRF(g.AS).Import.All() {
				h.byTarget[t] = append(h.byTarget[t], n)
			}
		}
	}
}

// tables returns the names of the networks' tables that have a received route. A
// network may import its targets and not have it yet.
func (s *ribs) tables(r *vrf.Received) (names []string) {
	for _, n := range s.holders.of(r.Attributes.Value().Targets) {
		if s.imports.Holds(n.ID, r) {
			names = append(names, tableOf(n.Name, r.Prefix))
		}
	}
	return names
}
