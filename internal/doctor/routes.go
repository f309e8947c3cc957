package doctor

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// routes looks at what the speaker was given, and at what neighbors announce.
func (e *exam) routes() {
	for _, p := range e.Problems {
		e.found(Finding{ID: "speaker_refuses", Area: Routes, Severity: Error, Subject: Daemon,
			Cause: "the speaker refused a change; it is tried again: " + p, Remedy: "it says what is wrong; the daemon's log says since when"})
	}
	nodes := map[netip.Addr]*inventory.ComputeNode{}
	for n := range e.State.ComputeNodes() {
		nodes[n.Address] = n
	}
	received := 0
	for n := range e.State.Neighbors() {
		received += e.foreign(n, nodes)
	}
	e.texts[Routes], e.well[Routes] = number(received, "route")+" from neighbors", "; none has the key or the label of one of ours"
}

// foreign looks for routes of others that have the distinguisher and prefix of one of
// ours, or lead to the label of one of our interfaces. One of our own that comes back is
// none. It returns how many there are at all.
func (e *exam) foreign(n *inventory.Neighbor, nodes map[netip.Addr]*inventory.ComputeNode) (received int) {
	same := Finding{ID: "same_route", Area: Routes, Severity: Info, Subject: n.ResourceName(),
		Remedy: "nothing, if another node announces the same floating IPs on purpose"}
	other := Finding{ID: "foreign_route", Area: Routes, Severity: Warning, Subject: n.ResourceName(),
		Remedy: "find the other speaker: compute nodes of two clusters have the same router id, and their networks the same id; gateways choose one of the two routes"}
	clash := Finding{ID: "label_clash", Area: Routes, Severity: Warning, Subject: n.ResourceName(),
		Remedy: "find the other speaker: two clusters give out labels of one compute node; let each have a range of its own: buoyctl set computenode NAME --label-range FIRST-LAST"}
	for r := range e.Routers.AdjRIBIn(n.Address, vrf.Key{}) {
		received++
		a := r.Attributes.Value()
		if a.Loop != vrf.NoLoop {
			continue
		}
		f, cause := &clash, ""
		switch own, ours := e.own(r); {
		case ours && a.NextHop == own.NextHop && r.Label == own.Label:
			f = &same
		case ours:
			f = &other
			cause = fmt.Sprintf("next hop %s label %d; ours has next hop %s label %d", a.NextHop, r.Label, own.NextHop, own.Label)
		default:
			node := nodes[a.NextHop.Unmap()]
			if node == nil {
				continue
			}
			owner, taken := e.State.LabelOwner(node.Name, r.Label)
			if !taken {
				continue
			}
			cause = fmt.Sprintf("next hop %s label %d, which is that of %s at %s: packets for both go there", a.NextHop, r.Label, owner, node.Name)
		}
		f.Count++
		if len(f.Examples) < examples {
			f.Examples = append(f.Examples, r.Key.String())
		}
		f.Since, f.Cause = earlier(f.Since, r.Since), cmp.Or(f.Cause, cause)
	}
	if same.Count > 0 {
		same.Cause = fmt.Sprintf("another speaker announces %s with the same next hop and label as ours, by way of %s", number(same.Count, "route"), n.Name)
		e.found(same)
	}
	if other.Count > 0 {
		other.Cause = fmt.Sprintf("another speaker announces %s with the distinguisher and prefix of ours, by way of %s: %s with %s",
			number(other.Count, "route"), n.Name, other.Examples[0], other.Cause)
		e.found(other)
	}
	if clash.Count > 0 {
		clash.Cause = fmt.Sprintf("another speaker announces %s to labels of ours, by way of %s: %s with %s",
			number(clash.Count, "route"), n.Name, clash.Examples[0], clash.Cause)
		e.found(clash)
	}
	return received
}

// own returns our route with the key of another one.
func (e *exam) own(r *vrf.Received) (vrf.Route, bool) {
	if _, ok := e.State.NetworkByID(vrf.NetworkID(r.RD)); !ok || !r.Prefix.IsSingleIP() {
		return vrf.Route{}, false
	}
	own, _, ok := e.Table.Get(r.Key)
	return own, ok
}

// earlier returns the earlier of two times, of which the first may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
