package api

import (
	"context"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

const (
	maxDue     = 4096 // floating IPs that are looked at one by one
	sweepShare = 10   // a look at all of them takes one part of so many of the time
	sweepPart  = 1024 // of them are looked at before others are let in
)

// floating is what the observer knows of the floating IPs. Their states follow from
// the routes, the sessions, and what was sent. Who changes routes says which
// (Changes), so these are looked at; when a session is lost or comes back, or a
// neighbor wants other routes, any floating IP may be another one, and all are. It is
// guarded by observer.mu.
type floating struct {
	watchers int
	begun    chan struct{}                      // holds a token when somebody watches again
	known    map[string]buoyv1.FloatingIP_State // of those with associations: as they were sent last, or seen
	due      map[string]struct{}                // to be looked at, by name
	all      bool                               // all are
	judged   uint64                             // Progress at the last look at all
	changed  uint64                             // Sessions.Changed then
	rest     time.Time                          // until then all are not looked at again
}

func newFloating() floating {
	return floating{begun: make(chan struct{}, 1), known: map[string]buoyv1.FloatingIP_State{}, due: map[string]struct{}{}}
}

// sawFloatingIP is told how a floating IP is sent. When that is not how the others know it,
// they are told. What is on its way is looked at until it has come.
func (o *observer) sawFloatingIP(name string, v verdict) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sawStateLocked(name, v.state)
	if v.soon {
		o.suspectLocked(name)
		o.wakeUp()
	}
}

func (o *observer) sawStateLocked(name string, state buoyv1.FloatingIP_State) {
	if state == buoyv1.FloatingIP_ALLOCATED { // until a commit says otherwise
		delete(o.known, name)
		return
	}
	before, known := o.known[name]
	o.known[name] = state
	if known && before != state {
		o.note(name)
	}
	if !known && o.swept {
		before, known = buoyv1.FloatingIP_ALLOCATED, true
	}
	if known && before != state {
		o.turnedLocked(name, before, state)
	}
}

// suspectLocked makes the observer look at a floating IP; at all, if there are too many.
func (o *observer) suspectLocked(name string) {
	if o.all {
		return
	}
	if o.due[name] = struct{}{}; len(o.due) > maxDue {
		o.suspectAllLocked()
	}
}

func (o *observer) suspectAllLocked() {
	o.all = true
	clear(o.due)
}

// followRoutes has those looked at whose routes change, once somebody watches, until
// nobody does or too much has changed to say what.
func (o *observer) followRoutes(ctx context.Context) {
	if !o.floatingIPsWatched() {
		select {
		case <-o.begun:
		case <-ctx.Done():
		}
		return
	}
	position := o.Changes.End()
	o.suspectAll() // what has changed before is not known
	for {
		changed, end, ok, err := o.Changes.Since(ctx, position)
		if err != nil || !ok || !o.floatingIPsWatched() {
			return
		}
		o.suspectHolders(o.Inventory.State(), changed)
		position = end
		pause(ctx, observePace)
	}
}

func (o *observer) floatingIPsWatched() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.floating.watchers > 0
}

func (o *observer) suspectAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.suspectAllLocked()
	o.wakeUp()
}

// suspectHolders makes the observer look at the floating IPs that some routes are of.
func (o *observer) suspectHolders(state *inventory.State, routes []vrf.Destination) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range routes {
		n, ok := state.NetworkByID(d.VRF)
		if o.all || !ok || !d.Prefix.IsSingleIP() {
			continue
		}
		if f, ok := state.Holder(n.Name, d.Prefix.Addr()); ok {
			o.suspectLocked(f.Name)
		}
	}
	o.wakeUp()
}

// lookAtFloatingIPs looks at those that may be different. It returns what to wait for: a
// step of what is sent, and for how long at most, if that is not 0.
func (o *observer) lookAtFloatingIPs() (progress <-chan struct{}, wait time.Duration) {
	now, progress := o.Sessions.Progress() // before the look: what comes in between is looked at again
	changed, _ := o.Sessions.Changed()
	o.mu.Lock()
	if now.Judged != o.judged || changed != o.changed {
		o.suspectAllLocked()
	}
	all := o.all
	if wait = time.Until(o.rest); all && wait > 0 {
		o.mu.Unlock()
		return progress, wait
	}
	names := make([]string, 0, len(o.due))
	for name := range o.due {
		names = append(names, name)
	}
	clear(o.due)
	if all {
		o.all, o.judged, o.changed = false, now.Judged, changed
	}
	o.mu.Unlock()

	if !all && len(names) == 0 {
		return progress, 0
	}
	began, seen := time.Now(), o.observe(o.Inventory.State())
	seen.explain = false
	if !all {
		o.lookAt(seen, names)
		return progress, 0
	}
	o.sweep(seen)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = time.Now().Add((sweepShare - 1) * time.Since(began))
	return progress, 0
}

// lookAt looks at some.
func (o *observer) lookAt(seen *observed, names []string) {
	part := make([]sighted, 0, min(len(names), sweepPart))
	for _, name := range names {
		f, ok := seen.state.FloatingIP(name)
		if !ok {
			continue // whoever deleted it says so
		}
		if part = append(part, sighted{f, seen.floatingIP(f)}); len(part) == sweepPart {
			o.sawFloatingIPs(part)
			part = part[:0]
		}
	}
	o.sawFloatingIPs(part)
}

// sweep looks at all, and forgets those that are no more.
func (o *observer) sweep(seen *observed) {
	part, associated := make([]sighted, 0, sweepPart), 0
	for f := range seen.state.FloatingIPs("") {
		if len(f.Associations) == 0 {
			continue
		}
		associated++
		if part = append(part, sighted{f, seen.floatingIP(f)}); len(part) == sweepPart {
			o.sawFloatingIPs(part)
			part = part[:0]
		}
	}
	o.sawFloatingIPs(part)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.swept = true
	if len(o.known) <= associated {
		return
	}
	for name := range o.known {
		if f, ok := seen.state.FloatingIP(name); !ok || len(f.Associations) == 0 {
			delete(o.known, name)
		}
	}
}

// sighted is a floating IP and what was seen of it.
type sighted struct {
	*inventory.FloatingIP
	verdict
}

func (o *observer) sawFloatingIPs(list []sighted) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range list {
		o.sawStateLocked(s.Name, s.state)
		if s.soon {
			o.suspectLocked(s.Name)
		}
	}
}
