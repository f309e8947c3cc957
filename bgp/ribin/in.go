package ribin

import (
	"iter"
	"sync"
	"time"
	"unique"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// In is the Adj-RIB-In of one neighbor. Its methods may be called concurrently.
type In struct {
	table *Table

	mu       sync.Mutex
	policy   neighbor.Policy
	source   *vrf.Source // of what is announced now
	routes   vrf.RIB
	near     vrf.Hint
	stale    int              // how many of routes are
	refused  uint64           // routes that did not fit, since the session began or more may be taken
	filtered uint64           // announcements that the policy does not accept, since the session began
	awaited  map[vrf.Key]bool // routes to be announced again in a refresh that is under way
	changes  changes

	ended neighbor.Families // in which the neighbor has announced all, in this session
	told  func()            // when a family is added to ended
}

// Open returns an empty Adj-RIB-In that takes what a policy says. It is followed
// by Close. It calls ended with a lock held, when the neighbor has sent the first
// End-of-RIB of a family in a session.
func (t *Table) Open(policy neighbor.Policy, ended func()) *In {
	return &In{table: t, policy: policy, source: &vrf.Source{}, routes: vrf.NewRIB(), awaited: map[vrf.Key]bool{}, told: ended}
}

// Close forgets everything: the neighbor is no more.
func (in *In) Close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.tell()
	in.routes, in.stale = vrf.NewRIB(), 0
	clear(in.awaited)
	in.changes = changes{all: true, gone: true}
}

// SetPolicy changes which routes are taken, and how many. Those that are not
// accepted any more go; the others stay, even if they are too many. It reports
// whether more may be taken than before: the neighbor should be asked for what
// was left out.
func (in *In) SetPolicy(policy neighbor.Policy) (ask bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.tell()
	old := in.policy
	in.policy = policy
	ask = policy.MaxRoutes() > old.MaxRoutes()
	if !policy.SameFilter(old) {
		in.drop(func(r *vrf.Received) bool { return !policy.Accepts(r.Prefix, r.Attributes.Value().Targets) })
		ask = policy.MaxRoutes() > 0
	}
	if ask {
		in.refused = 0
	}
	return ask
}

// Up notes that a session is established in which the neighbor says that it has
// kept forwarding for some families. The routes of the others go.
func (in *In) Up(source vrf.Source, preserved neighbor.Families) {
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.tell()
	if *in.source != source {
		in.source = &source
	}
	in.refused, in.filtered, in.ended = 0, 0, 0
	in.dropStale(neighbor.VPNFamilies &^ preserved)
}

// Lost notes that the session is lost. The routes of some families stay as
// stale, the others go.
func (in *In) Lost(keep neighbor.Families) {
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.tell()
	clear(in.awaited) // the refresh ends with the session
	in.ended = 0
	// RFC 4724 §4.2: what was stale before a second loss goes.
	in.drop(func(r *vrf.Received) bool { return r.Stale || !keep.Contains(familyOf(r)) })
	in.age(keep)
}

// Expire drops what is stale.
func (in *In) Expire() {
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.tell()
	in.dropStale(neighbor.VPNFamilies)
}

// RefreshBegins is for the neighbor's BoRR: it is about to announce all that it
// has of a family again (RFC 7313 §4.2). That is no stale route: if the session is
// lost before the end, the route stays as one that was never asked for again.
func (in *In) RefreshBegins(f neighbor.Family) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for r := range in.routes.All() {
		if familyOf(r) == f {
			in.awaited[r.Key] = true
		}
	}
}

// RefreshEnds is for its EoRR: what it has not announced again goes.
func (in *In) RefreshEnds(f neighbor.Family) {
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.tell()
	for k := range in.awaited {
		if neighbor.VPNFamily(k.Prefix.Addr()) == f {
			in.remove(k)
		}
	}
}

// age makes the routes of families stale. The caller holds mu.
func (in *In) age(families neighbor.Families) {
	in.rebuild(func(r *vrf.Received) *vrf.Received {
		if r.Stale || !families.Contains(familyOf(r)) {
			return r
		}
		aged := *r
		aged.Stale = true
		return &aged
	})
}

// dropStale removes what is stale of families. The caller holds mu.
func (in *In) dropStale(families neighbor.Families) {
	if in.stale > 0 {
		in.drop(func(r *vrf.Received) bool { return r.Stale && families.Contains(familyOf(r)) })
	}
}

// drop removes routes. The caller holds mu.
func (in *In) drop(which func(*vrf.Received) bool) {
	in.rebuild(func(r *vrf.Received) *vrf.Received {
		if which(r) {
			return nil
		}
		return r
	})
}

// rebuild replaces each route by another one with its key, itself or none: for
// many at once this is faster than one at a time. The caller holds mu.
func (in *In) rebuild(become func(*vrf.Received) *vrf.Received) {
	routes := vrf.NewRIB()
	in.stale = 0
	for r := range in.routes.All() {
		now := become(r)
		if now != r {
			in.changes.note(r.Key)
		}
		if now == nil {
			continue
		}
		if now.Stale {
			in.stale++
		}
		routes.Load(now)
	}
	in.routes = routes
}

// Received takes a judged UPDATE. With withdrawn its routes count as withdrawn
// (RFC 7606 §2). It reports whether routes were refused for the first time,
// because there are as many as may be.
func (in *In) Received(u *bgp.BGPUpdate, withdrawn bool, now time.Time) (full bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	defer in.tell()
	for _, k := range withdrawals(u, withdrawn) {
		in.remove(k)
	}
	if withdrawn {
		return false
	}
	attributes, routes := in.table.local.announcements(u)
	if len(routes) == 0 {
		if f, ok := endOfRIB(u); ok {
			in.end(neighbor.NewFamilies(f))
		}
		return false
	}
	handle, before := unique.Make(attributes), in.refused
	for _, r := range routes {
		if !in.policy.Accepts(r.key.Prefix, attributes.Targets) {
			in.filtered++
			in.remove(r.key) // RFC 4271 §9: it is replaced
			continue
		}
		in.add(&vrf.Received{Key: r.key, Source: in.source, Attributes: handle, Since: now, Label: r.label})
	}
	return before == 0 && in.refused > 0
}

// end is for the End-of-RIB of a family: what the neighbor has not announced again by
// now goes (RFC 4724 §4.2). The caller holds mu.
func (in *In) end(family neighbor.Families) {
	in.dropStale(family)
	if in.ended&family == 0 {
		in.ended |= family
		in.told()
	}
}

// add takes a route if there is room. The caller holds mu.
func (in *In) add(r *vrf.Received) {
	delete(in.awaited, r.Key)
	old := in.routes.GetNear(r.Key, &in.near)
	switch {
	case old == nil && in.routes.Len() >= in.policy.MaxRoutes():
		in.refused++
		return
	case old != nil && old.Attributes == r.Attributes && old.Label == r.Label:
		if !old.Stale && old.Source == r.Source {
			return
		}
		r.Since = old.Since
	}
	if old != nil && old.Stale {
		in.stale--
	}
	in.routes.SetNear(r, &in.near)
	in.changes.note(r.Key)
}

func (in *In) remove(k vrf.Key) {
	delete(in.awaited, k)
	old := in.routes.GetNear(k, &in.near)
	if old == nil {
		return
	}
	if old.Stale {
		in.stale--
	}
	in.routes.Delete(k)
	in.changes.note(k)
}

// Counts says how many routes there are, how many of them are stale, how many
// did not fit, how many announcements were not accepted, and in which families the
// neighbor has announced all.
type Counts struct {
	Routes, Stale     int
	Refused, Filtered uint64
	Ended             neighbor.Families
}

// Count returns the numbers of now.
func (in *In) Count() Counts {
	in.mu.Lock()
	defer in.mu.Unlock()
	return Counts{in.routes.Len(), in.stale, in.refused, in.filtered, in.ended}
}

// Routes yields the routes from a key on, in order.
func (in *In) Routes(from vrf.Key) iter.Seq[*vrf.Received] {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.routes.Copy().From(from)
}

func familyOf(r *vrf.Received) neighbor.Family { return neighbor.VPNFamily(r.Prefix.Addr()) }
