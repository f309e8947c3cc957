package ribin

import (
	"iter"
	"slices"
	"sync"
	"time"
	"unique"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// In is the Adj-RIB-In of one neighbor. Its methods may be called concurrently.
type In struct {
	mu      sync.Mutex
	max     int // routes
	routes  map[vrf.Key]entry
	stale   int    // how many of routes are
	refused uint64 // routes that did not fit, since the session began or max grew
}

// entry is a route as it was received. Equal attributes are there once.
type entry struct {
	attributes unique.Handle[vrf.Attributes]
	since      int64 // Unix time in nanoseconds
	label      vrf.Label
	stale      bool
}

// NewIn returns an empty one that takes so many routes at most.
func NewIn(max uint32) *In { return &In{max: int(max), routes: map[vrf.Key]entry{}} }

// SetMax changes how many routes are taken. With none, those that are there go;
// otherwise they stay. It reports whether more are taken than before: the
// neighbor should be asked for what was left out.
func (in *In) SetMax(max uint32) (ask bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	ask = int(max) > in.max
	in.max = int(max)
	if max == 0 {
		in.drop(func(vrf.Key, entry) bool { return true })
	}
	if ask {
		in.refused = 0
	}
	return ask
}

// Up notes that a session is established in which the neighbor says that it has
// kept forwarding for some families. The routes of the others go.
func (in *In) Up(preserved neighbor.Families) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.refused = 0
	in.dropStale(neighbor.VPNFamilies &^ preserved)
}

// Lost notes that the session is lost. The routes of some families stay as
// stale, the others go.
func (in *In) Lost(keep neighbor.Families) {
	in.mu.Lock()
	defer in.mu.Unlock()
	// RFC 4724 §4.2: what was stale before a second loss goes.
	in.drop(func(k vrf.Key, e entry) bool { return e.stale || !keep.Contains(familyOf(k)) })
	in.age(keep)
}

// Expire drops what is stale.
func (in *In) Expire() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.dropStale(neighbor.VPNFamilies)
}

// RefreshBegins is for the neighbor's BoRR: what it has announced of a family is
// stale until it does so again (RFC 7313 §4.2).
func (in *In) RefreshBegins(f neighbor.Family) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.age(neighbor.NewFamilies(f))
}

// RefreshEnds is for its EoRR: what is stale goes.
func (in *In) RefreshEnds(f neighbor.Family) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.dropStale(neighbor.NewFamilies(f))
}

// age makes the routes of families stale. The caller holds mu.
func (in *In) age(families neighbor.Families) {
	for k, e := range in.routes {
		if !e.stale && families.Contains(familyOf(k)) {
			e.stale = true
			in.routes[k] = e
			in.stale++
		}
	}
}

// dropStale removes what is stale of families. The caller holds mu.
func (in *In) dropStale(families neighbor.Families) {
	in.drop(func(k vrf.Key, e entry) bool { return e.stale && families.Contains(familyOf(k)) })
}

// drop removes routes. The caller holds mu.
func (in *In) drop(which func(vrf.Key, entry) bool) {
	for k, e := range in.routes {
		if which(k, e) {
			in.remove(k, e)
		}
	}
}

func (in *In) remove(k vrf.Key, e entry) {
	if e.stale {
		in.stale--
	}
	delete(in.routes, k)
}

// Received takes a judged UPDATE. With withdrawn its routes count as withdrawn
// (RFC 7606 §2). It reports whether routes were refused for the first time,
// because there are as many as may be.
func (in *In) Received(u *bgp.BGPUpdate, withdrawn bool, now time.Time) (full bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.max == 0 {
		return false
	}
	for _, k := range withdrawals(u, withdrawn) {
		if e, ok := in.routes[k]; ok {
			in.remove(k, e)
		}
	}
	if withdrawn {
		return false
	}
	attributes, routes := announcements(u)
	if len(routes) == 0 {
		if f, ok := endOfRIB(u); ok {
			in.dropStale(neighbor.NewFamilies(f))
		}
		return false
	}
	handle, before := unique.Make(attributes), in.refused
	for _, r := range routes {
		old, known := in.routes[r.key]
		if !known && len(in.routes) >= in.max {
			in.refused++
			continue
		}
		e := entry{attributes: handle, since: now.UnixNano(), label: r.label}
		if old.attributes == handle && old.label == r.label {
			e.since = old.since
		}
		if old.stale {
			in.stale--
		}
		in.routes[r.key] = e
	}
	return before == 0 && in.refused > 0
}

// Count returns how many routes there are, how many of them are stale, and how
// many did not fit.
func (in *In) Count() (routes, stale int, refused uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.routes), in.stale, in.refused
}

// Routes yields the routes, ordered by key.
func (in *In) Routes() iter.Seq[vrf.Received] {
	in.mu.Lock()
	list := make([]vrf.Received, 0, len(in.routes))
	for k, e := range in.routes {
		list = append(list, vrf.Received{Key: k, Label: e.label, Attributes: e.attributes.Value(), Since: time.Unix(0, e.since), Stale: e.stale})
	}
	in.mu.Unlock()
	slices.SortFunc(list, func(a, b vrf.Received) int { return a.Key.Compare(b.Key) })
	return slices.Values(list)
}

func familyOf(k vrf.Key) neighbor.Family { return neighbor.VPNFamily(k.Prefix.Addr()) }
