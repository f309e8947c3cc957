package doctor

import (
	"fmt"
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
	received := 0
	for n := range e.State.Neighbors() {
		received += e.foreign(n)
	}
	e.texts[Routes], e.well[Routes] = number(received, "route")+" from neighbors", "; none has the key of one of ours"
}

// foreign looks for routes of others that have the distinguisher and prefix of one of
// ours. One of our own that comes back is none. It returns how many there are at all.
func (e *exam) foreign(n *inventory.Neighbor) (received int) {
	same := Finding{ID: "same_route", Area: Routes, Severity: Info, Subject: n.ResourceName(),
		Remedy: "nothing, if another node announces the same floating IPs on purpose"}
	other := Finding{ID: "foreign_route", Area: Routes, Severity: Warning, Subject: n.ResourceName(),
		Remedy: "find the other speaker: compute nodes of two clusters have the same router id, and their networks the same id; gateways choose one of the two routes"}
	for r := range e.Routers.AdjRIBIn(n.Address, vrf.Key{}) {
		received++
		if !r.Prefix.IsSingleIP() || r.Attributes.Value().Loop != vrf.NoLoop {
			continue
		}
		if _, ok := e.State.NetworkByID(vrf.NetworkID(r.RD)); !ok {
			continue
		}
		own, _, ok := e.Table.Get(r.Key)
		if !ok {
			continue
		}
		f, a := &other, r.Attributes.Value()
		if a.NextHop == own.NextHop && r.Label == own.Label {
			f = &same
		}
		f.Count++
		if len(f.Examples) < examples {
			f.Examples = append(f.Examples, r.Key.String())
		}
		f.Since = earlier(f.Since, r.Since)
		if f.Cause == "" {
			f.Cause = fmt.Sprintf("next hop %s label %d; ours has next hop %s label %d", a.NextHop, r.Label, own.NextHop, own.Label)
		}
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
	return received
}

// earlier returns the earlier of two times, of which the first may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
