package reconcile

import (
	"context"
	"net/netip"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/vrf"
)

// Liveness tells which places count otherwise than before: packets can be delivered
// there now, or no longer.
type Liveness interface {
	Wake() <-chan struct{}
	Take() (inventory.Living, []inventory.Place)
	// Behind reports whether a compute node has yet to say that it has programmed what
	// the store had at a revision. Wake delivers when that changes.
	Behind(node string, revision uint64) bool
}

// vouching is a Liveness that has nothing to say.
type vouching struct{}

func (vouching) Wake() <-chan struct{}                       { return nil }
func (vouching) Take() (inventory.Living, []inventory.Place) { return nil, nil }
func (vouching) Behind(string, uint64) bool                  { return false }

// live brings the speaker up to what lives, before it is given whatever else has
// changed: routes that lead nowhere must not wait. It reports whether the speaker
// took everything.
func (l *Loop) live(ctx context.Context) bool {
	living, places := l.liveness.Take()
	l.living = living
	if !l.begun { // the first pass looks at everything
		return true
	}
	dirty := l.overdue(time.Now())
	for _, p := range places {
		for f := range l.last.FloatingIPsOn(p) {
			dirty[f.Name] = struct{}{}
		}
	}
	if len(dirty) == 0 {
		return true
	}
	l.speaker.SetCommitted(time.Time{}) // nobody has committed it
	return l.bring(ctx, l.last, dirty)
}

// inTurn splits what is to be advertised: what takes the place of routes that are
// withdrawn comes before them, so that a floating IP that moves is never without a
// route; withdrawals wait for nothing else.
func inTurn(diff vrf.Diff) (before, after []vrf.Route) {
	if len(diff.Withdraw) == 0 {
		return diff.Advertise, nil
	}
	withdrawn := make(map[netip.Prefix]struct{}, len(diff.Withdraw))
	for _, r := range diff.Withdraw {
		withdrawn[r.Prefix] = struct{}{}
	}
	for _, r := range diff.Advertise {
		if _, ok := withdrawn[r.Prefix]; ok {
			before = append(before, r)
		} else {
			after = append(after, r)
		}
	}
	return before, after
}
