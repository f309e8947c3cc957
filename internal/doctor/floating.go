package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/explain"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// patience is how long a route may be on its way.
const patience = 10 * time.Second

// floatingIPs looks at all floating IPs, and puts those together that have the same cause.
func (e *exam) floatingIPs() {
	g := &groups{list: map[groupKey]*group{}}
	total, seen, networks := 0, [Withheld + 1]int{}, map[string]bool{}
	for f := range e.State.FloatingIPs("") {
		total++
		if len(f.Associations) == 0 {
			continue
		}
		e.carried |= neighbor.NewFamilies(neighbor.VPNFamily(f.Address))
		state, partly := e.Judge(f)
		seen[state]++
		networks[f.Network] = true
		switch state {
		case Withheld:
			e.withheld(g, f)
		case Pending:
			e.pending(g, f)
		}
		if partly {
			e.partly(g, f, state == Withheld)
		}
	}
	associated := seen[Advertised] + seen[Pending] + seen[Withheld]
	e.texts[FloatingIPs] = fmt.Sprintf("%s: %d advertised, %d pending, %d withheld, %d not associated",
		number(total, "floating IP"), seen[Advertised], seen[Pending], seen[Withheld], total-associated)
	e.texts[Targets] = number(len(networks), "network") + " with floating IPs at compute nodes"
	e.well[Targets] = "; no gateway with a session leaves all targets of one unwanted"
	for _, k := range slices.SortedFunc(maps.Keys(g.list), groupKey.compare) {
		e.found(g.list[k].finding(k))
	}
}

// groupKey is what floating IPs have in common.
type groupKey struct {
	id, subject string
	severity    Severity
}

func (k groupKey) compare(other groupKey) int {
	return cmp.Or(strings.Compare(k.id, other.id), strings.Compare(k.subject, other.subject), cmp.Compare(k.severity, other.severity))
}

// group is the floating IPs that have something in common.
type group struct {
	area         Area
	what         string // is the matter with them
	first        string // why, of the first one
	remedy       string
	since        time.Time // the earliest that is known
	count        uint64
	examples     []string
	associations bool // it counts associations
}

type groups struct{ list map[groupKey]*group }

// add puts a floating IP into a group. The first one says why.
func (g *groups) add(k groupKey, f *inventory.FloatingIP, since time.Time, first func() group) {
	one, ok := g.list[k]
	if !ok {
		made := first()
		one = &made
		g.list[k] = one
	}
	if one.count++; len(one.examples) < examples && !slices.Contains(one.examples, f.Name) {
		one.examples = append(one.examples, f.Name)
	}
	if one.since.IsZero() || !since.IsZero() && since.Before(one.since) {
		one.since = since
	}
}

func (g *group) finding(k groupKey) Finding {
	thing, verb := number(g.count, "floating IP"), "are"
	if g.associations {
		thing = number(g.count, "association")
	}
	if g.count == 1 {
		verb = "is"
	}
	why := g.first
	if g.count > 1 && k.subject == Daemon {
		why = "of the first one: " + why
	}
	return Finding{ID: k.id, Area: g.area, Severity: k.severity, Subject: k.subject, Cause: fmt.Sprintf("%s %s %s: %s", thing, verb, g.what, why),
		Remedy: g.remedy, Since: g.since, Count: g.count, Examples: g.examples}
}

// withheld finds out why a floating IP is.
func (e *exam) withheld(g *groups, f *inventory.FloatingIP) {
	const what = "withheld"
	var stuck *vrf.Route
	var at []*inventory.Neighbor
	var worst neighbor.Delivery
	routes := e.State.LiveRoutesOf(f, e.Living)
	for i := range routes {
		r := &routes[i]
		if err := e.Table.Failure(r.Key); err != nil {
			g.add(groupKey{"route_refused", Daemon, Error}, f, time.Time{}, func() group {
				return group{area: FloatingIPs, what: what, first: explain.Refusal(r.Key, err), remedy: explain.RefusalNext}
			})
			return
		}
		if have, _, ok := e.Table.Get(r.Key); !ok || have != *r || stuck != nil {
			continue
		}
		if list, d := e.declined(r); len(list) > 0 {
			stuck, at, worst = r, list, d
		}
	}
	switch {
	case stuck != nil:
		e.unsent(g, f, stuck, at, worst)
	case len(routes) == 0:
		a := &f.Associations[0]
		s := e.State.Standing(a, e.Living)
		g.add(groupKey{"floating_ip_withheld", a.ComputeNode, Error}, f, time.Time{}, func() group {
			return group{area: FloatingIPs, what: what, first: cmp.Or(s.Withheld, "it is about to change"), remedy: cmp.Or(explain.Revive(s.Cause, inventory.ShortName(a.ComputeNode)), later)}
		})
	default: // it has changed while it was looked at
		g.add(groupKey{"floating_ip_withheld", Daemon, Error}, f, time.Time{}, func() group {
			return group{area: FloatingIPs, what: what, first: "it is about to change", remedy: later}
		})
	}
}

// declined returns the neighbors that have a session and will not have a route, if nobody
// has it, and what the one of them says that is nearest to it.
func (e *exam) declined(r *vrf.Route) (list []*inventory.Neighbor, nearest neighbor.Delivery) {
	for n := range e.State.Neighbors() {
		if s := e.Snapshot.Sessions[n.Name]; s == nil || s.State != neighbor.Established {
			continue
		}
		d := e.Routers.Delivery(n.Address, r.Key)
		switch {
		case d.Reason == "":
			return nil, d
		case d.Soon:
		case len(list) == 0 || d.Check > nearest.Check:
			list, nearest = append([]*inventory.Neighbor{n}, list...), d
		default:
			list = append(list, n)
		}
	}
	return list, nearest
}

// unsent says why no neighbor with a session takes a route. The first neighbor is the one
// that is nearest to it.
func (e *exam) unsent(g *groups, f *inventory.FloatingIP, r *vrf.Route, at []*inventory.Neighbor, d neighbor.Delivery) {
	n := at[0]
	k := groupKey{"route_not_sent", n.ResourceName(), Error}
	area := FloatingIPs
	if d.Check == neighbor.CheckMembership {
		k, area = groupKey{"target_unwanted", f.Network, Error}, Targets
	}
	g.add(k, f, time.Time{}, func() group {
		why := n.Name + " " + d.Reason
		if more := len(at) - 1; more > 0 {
			why += fmt.Sprintf(", nor will %s have it", number(more, "other neighbor"))
		}
		return group{area: area, what: "withheld", first: why, remedy: explain.Remedy(d.Check, n, e.Snapshot.Sessions[n.Name], r)}
	})
}

// pending finds out what a floating IP waits for.
func (e *exam) pending(g *groups, f *inventory.FloatingIP) {
	k := groupKey{"route_pending", Daemon, Info}
	routes := e.State.LiveRoutesOf(f, e.Living)
	for i := range routes {
		r := &routes[i]
		have, given, ok := e.Table.Get(r.Key)
		if !ok || have != *r {
			g.add(k, f, time.Time{}, func() group {
				return group{area: FloatingIPs, what: "pending", first: explain.BeingGiven(e.Table, f.Name, r.Key), remedy: later}
			})
			return
		}
		if sent, up := e.onItsWay(g, f, r, given); sent {
			continue
		} else if up {
			return
		}
		why, next := "no neighbor has a session", "look at the sessions"
		if e.lonely() {
			why, next = explain.NoNeighbor, "buoyctl create neighbor NAME --address ADDRESS --as AS"
		}
		g.add(groupKey{"no_gateway", Daemon, Error}, f, time.Time{}, func() group {
			return group{area: FloatingIPs, what: "not reachable", first: why, remedy: next}
		})
		return
	}
	g.add(k, f, time.Time{}, func() group {
		return group{area: FloatingIPs, what: "pending", first: "it is about to change", remedy: later}
	})
}

// onItsWay looks for a neighbor with a session that will be sent a route. It reports
// whether one has it, and whether there is one.
func (e *exam) onItsWay(g *groups, f *inventory.FloatingIP, r *vrf.Route, given time.Time) (sent, up bool) {
	for n := range e.State.Neighbors() {
		s := e.Snapshot.Sessions[n.Name]
		if s == nil || s.State != neighbor.Established {
			continue
		}
		up = true
		d := e.Routers.Delivery(n.Address, r.Key)
		if d.Reason == "" {
			return true, true
		}
		k, since := groupKey{"route_pending", n.ResourceName(), Info}, d.Since
		if !since.IsZero() && given.After(since) {
			since = given
		}
		if !since.IsZero() && e.Now.Sub(since) > patience {
			k.severity = Warning
		}
		g.add(k, f, since, func() group {
			return group{area: FloatingIPs, what: "pending", first: n.Name + " " + d.Reason, remedy: "wait; if it lasts, look at whether the router reads: buoyctl describe neighbor " + n.Name}
		})
		return false, true
	}
	return false, up
}

// lonely reports whether there is no neighbor.
func (e *exam) lonely() bool {
	for range e.State.Neighbors() {
		return false
	}
	return true
}

// partly says which associations of a floating IP have no route, if another one has.
func (e *exam) partly(g *groups, f *inventory.FloatingIP, said bool) {
	if said {
		return
	}
	for i := range f.Associations {
		a := &f.Associations[i]
		s := e.State.Standing(a, e.Living)
		if s.Withheld == "" {
			continue
		}
		k := groupKey{"association_withheld", a.ComputeNode, Warning}
		if s.Cause == inventory.NodeIsDrained { // somebody wanted it, and another compute node has it
			k.severity = Info
		}
		g.add(k, f, time.Time{}, func() group {
			return group{area: FloatingIPs, what: "without a route, beside others of the same floating IP", first: s.Withheld,
				remedy: explain.Revive(s.Cause, inventory.ShortName(a.ComputeNode)), associations: true}
		})
	}
}
