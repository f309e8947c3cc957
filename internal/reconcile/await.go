package reconcile

import (
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// awaitAtMost is how long a compute node may take to say that it has programmed a floating
// IP. It is less than an agent forwards what has left its node.
const awaitAtMost = 5 * time.Second

// awaited is a floating IP whose change is held back, with all its routes as they are: a
// compute node that it comes to has yet to program it. It does not change.
type awaited struct {
	node    string // computeNodes/NAME
	changed uint64 // the revision at which the floating IP did
	until   time.Time
	old     []vrf.Key // of routes of earlier states, which are advertised meanwhile
}

// Awaits returns which compute node a floating IP waits for, and how long at most.
func (t Table) Awaits(floatingIP string) (node string, until time.Time, ok bool) {
	a, ok := t.awaited.Get(floatingIP)
	return a.node, a.until, ok
}

// hold takes those out of dirty whose new routes would come too early, and returns the keys
// of old routes of those that it has held until now. In the first pass nothing is too early:
// it was advertised before.
func (l *Loop) hold(state *inventory.State, dirty map[string]struct{}, now time.Time) (old []vrf.Key) {
	if !l.begun {
		return nil
	}
	table := l.Table()
	for name := range dirty {
		was, waiting := table.awaited.Get(name)
		f, ok := state.FloatingIP(name)
		var node string
		if ok = ok && (!waiting || now.Before(was.until)); ok {
			node, ok = l.early(state, f, table)
		}
		if !ok {
			if waiting {
				old = append(old, was.old...)
				l.setAwaited(name, nil)
			}
			continue
		}
		delete(dirty, name)
		is := awaited{node: node, changed: uint64(f.Changed), until: now.Add(awaitAtMost), old: slices.Clone(was.old)}
		if waiting {
			is.until = was.until
		}
		if before, had := l.last.FloatingIP(name); had {
			for _, r := range l.last.RoutesOf(before) {
				if !slices.Contains(is.old, r.Key) {
					is.old = append(is.old, r.Key)
				}
			}
			if before.Network != f.Network || before.Address != f.Address { // the old ones may be another one's
				old, is.old = append(old, is.old...), nil
			}
		}
		l.setAwaited(name, &is)
	}
	return old
}

// early returns a compute node that a floating IP comes to, and that has not programmed it.
func (l *Loop) early(state *inventory.State, f *inventory.FloatingIP, table Table) (node string, early bool) {
	for i := range f.Associations {
		node := f.Associations[i].ComputeNode
		if !l.liveness.Behind(node, uint64(f.Changed)) {
			continue
		}
		alone := *f
		alone.Associations = f.Associations[i : i+1]
		for _, r := range state.LiveRoutesOf(&alone, l.living) {
			if _, _, has := table.Get(r.Key); !has {
				return node, true
			}
		}
	}
	return "", false
}

// overdue returns those that need not be held back any longer.
func (l *Loop) overdue(now time.Time) map[string]struct{} {
	dirty, late := map[string]struct{}{}, map[string]int{}
	for name, a := range l.Table().awaited.Scan {
		behind := l.liveness.Behind(a.node, a.changed)
		if behind && now.Before(a.until) {
			continue
		}
		if dirty[name] = struct{}{}; behind {
			late[a.node]++
		}
	}
	for node, n := range late {
		l.log.Warn("a compute node has not said that it has programmed floating IPs; they are advertised all the same",
			"compute_node", node, "floating_ips", n, "waited", awaitAtMost)
	}
	return dirty
}

// arm makes a timer fire when the first one is overdue.
func (l *Loop) arm(t *time.Timer) {
	first := time.Time{}
	for _, a := range l.Table().awaited.Scan {
		if first.IsZero() || a.until.Before(first) {
			first = a.until
		}
	}
	if t.Stop(); !first.IsZero() {
		t.Reset(time.Until(first))
	}
}

func (l *Loop) setAwaited(name string, a *awaited) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a == nil {
		l.table.awaited.Delete(name)
	} else {
		l.table.awaited.Set(name, *a)
	}
}
