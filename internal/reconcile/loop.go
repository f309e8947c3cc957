package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Speaker is what the loop needs of BGP. Every method may be repeated with the
// same arguments: what was done already stays done. After an error, any part
// may have been done.
type Speaker interface {
	// SetNetworks says which networks there are, by id, and which targets their
	// routes carry: the speaker takes no other routes.
	SetNetworks(ctx context.Context, networks map[uint16]routetarget.Set) error
	// Advertise adds routes, or replaces those with the same keys.
	Advertise(ctx context.Context, routes []vrf.Route) error
	// Withdraw removes routes. What is not advertised is not an error.
	Withdraw(ctx context.Context, routes []vrf.Route) error
	// SetMembership announces exactly these targets as wanted (RFC 4684).
	SetMembership(ctx context.Context, targets routetarget.Set) error
	// SetCommitted says when the first of the commits was on disk that what follows
	// comes from; the zero time when it comes from none.
	SetCommitted(at time.Time)
	// SetNeighbors makes these the neighbors, and no others.
	SetNeighbors(ctx context.Context, neighbors []neighbor.Settings) error
}

// Feed tells which resources changed.
type Feed interface {
	Wake() <-chan struct{}
	Take() (*inventory.State, []string)
	// Committed returns when the first of the changes of the last Take was on disk; the
	// zero time when there was none in this run.
	Committed() time.Time
}

// The limits of a batch and of the back-off after a refusal.
const (
	batchSize  = 1000
	minBackOff = 100 * time.Millisecond
	maxBackOff = 30 * time.Second
)

// Loop makes the speaker advertise what the inventory says. Run owns every
// field but those below mu.
type Loop struct {
	feed     Feed
	liveness Liveness
	speaker  Speaker
	changes  *Changes
	log      *slog.Logger

	begun      bool             // there was a pass
	last       *inventory.State // what the previous pass worked on
	living     inventory.Living // nil vouches for everything
	membership membership
	neighbors  bool // the speaker must be told the neighbors
	networks   bool // and the networks
	backOff    time.Duration

	mu       sync.Mutex
	table    Table
	revision uint64
	problems []string
	advanced chan struct{} // closed when a pass ends
}

// New returns a loop that has not begun. A nil liveness vouches for everything.
func New(feed Feed, liveness Liveness, speaker Speaker, changes *Changes, log *slog.Logger) *Loop {
	if liveness == nil {
		liveness = vouching{}
	}
	return &Loop{
		feed:       feed,
		liveness:   liveness,
		speaker:    speaker,
		changes:    changes,
		log:        log,
		last:       inventory.NewState(inventory.Static{}),
		membership: newMembership(),
		neighbors:  true,
		networks:   true,
		table:      newTable(),
		advanced:   make(chan struct{}),
	}
}

// Run works until the context ends.
func (l *Loop) Run(ctx context.Context) error {
	retry, programmed := time.NewTimer(0), time.NewTimer(0)
	<-retry.C
	for {
		l.arm(programmed)
		changed := true
		select {
		case <-ctx.Done():
			return nil
		case <-l.liveness.Wake():
			changed = false
		case <-programmed.C:
			changed = false
		case <-l.feed.Wake():
		case <-retry.C:
		}
		ok := l.live(ctx)
		if changed {
			state, touched := l.feed.Take()
			l.speaker.SetCommitted(l.feed.Committed())
			ok = l.pass(ctx, state, touched) // what was refused until now is tried again, too
		}
		if ok {
			l.backOff = 0
			continue
		}
		l.backOff = min(max(2*l.backOff, minBackOff), maxBackOff)
		retry.Reset(l.backOff)
	}
}

// Table returns a snapshot of what is advertised.
func (l *Loop) Table() Table {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.table.snapshot()
}

// Problems returns what the last pass could not tell the speaker, apart from
// routes.
func (l *Loop) Problems() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.problems
}

// Wait returns when a pass has worked on at least the given revision.
func (l *Loop) Wait(ctx context.Context, revision uint64) error {
	for {
		l.mu.Lock()
		done, advanced := l.revision >= revision, l.advanced
		l.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return fmt.Errorf("wait until revision %d is advertised: %w", revision, ctx.Err())
		}
	}
}

// pass brings the speaker up to a state. It reports whether the speaker took
// everything.
func (l *Loop) pass(ctx context.Context, state *inventory.State, touched []string) bool {
	ok := l.bring(ctx, state, l.dirty(state, touched))
	l.begun = true
	return ok
}

// bring brings the speaker up to a state in which these floating IPs may have other
// routes.
func (l *Loop) bring(ctx context.Context, state *inventory.State, dirty map[string]struct{}) bool {
	diff := l.diff(state, dirty, l.hold(state, dirty, time.Now()))
	var problems []string
	if l.networks {
		if err := l.speaker.SetNetworks(ctx, exportsOf(state)); err != nil {
			problems = append(problems, err.Error())
		} else {
			l.networks = false
		}
	}
	before, after := inTurn(diff)
	ok := l.give(ctx, before, l.speaker.Advertise, l.advertised)
	// Old routes go even when the new ones were refused: their labels may
	// belong to somebody else by now.
	ok = l.give(ctx, diff.Withdraw, l.speaker.Withdraw, l.withdrawn) && ok
	ok = l.give(ctx, after, l.speaker.Advertise, l.advertised) && ok

	if ctx.Err() != nil {
		return false
	}
	if err := l.membership.tell(ctx, l.speaker); err != nil {
		problems = append(problems, err.Error())
	}
	if l.neighbors {
		if err := l.speaker.SetNeighbors(ctx, settingsOf(state)); err != nil {
			problems = append(problems, err.Error())
		} else {
			l.neighbors = false
		}
	}
	for _, p := range problems {
		l.log.Error("the speaker refused a change; it is tried again", "error", p)
	}

	l.last = state
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revision = state.Revision()
	l.problems = problems
	close(l.advanced)
	l.advanced = make(chan struct{})
	return ok && len(problems) == 0
}

// give hands routes to the speaker in batches and records the outcome of each.
func (l *Loop) give(ctx context.Context, routes []vrf.Route,
	do func(context.Context, []vrf.Route) error, record func([]vrf.Route, error)) (ok bool) {
	refused, last := 0, error(nil)
	// A refused batch is halved until the route at fault is alone: the others
	// must not wait for it.
	var hand func(batch []vrf.Route)
	hand = func(batch []vrf.Route) {
		err := do(ctx, batch)
		if half := len(batch) / 2; err != nil && half > 0 && ctx.Err() == nil {
			hand(batch[:half])
			hand(batch[half:])
			return
		}
		if record(batch, err); err != nil {
			refused, last = refused+len(batch), err
		}
	}
	for batch := range slices.Chunk(routes, batchSize) {
		if ctx.Err() != nil {
			return false // the daemon stops: the sessions end anyway
		}
		hand(batch)
	}
	if refused > 0 {
		l.log.Error("the speaker refused routes; they are tried again", "routes", refused, "error", last)
	}
	return refused == 0
}

func (l *Loop) advertised(batch []vrf.Route, err error) {
	defer l.changed(batch)
	now := time.Now().UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range batch {
		if err != nil {
			l.table.failed.Set(failure{route: r, err: err})
			continue
		}
		l.table.advertise(r, now)
		l.table.failed.Delete(failureOf(r.Key))
	}
}

func (l *Loop) withdrawn(batch []vrf.Route, err error) {
	defer l.changed(batch)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range batch {
		if err != nil {
			l.table.failed.Set(failure{route: r, withdraw: true, err: err})
			continue
		}
		l.table.withdraw(r.Key)
		l.table.failed.Delete(failureOf(r.Key))
	}
}

// changed notes that the table has changed.
func (l *Loop) changed(batch []vrf.Route) {
	list := make([]vrf.Destination, len(batch))
	for i, r := range batch {
		list[i] = vrf.Destination{VRF: vrf.NetworkID(r.RD), Prefix: r.Prefix}
	}
	l.changes.add(list)
}

// exportsOf returns the targets of the networks' routes.
func exportsOf(state *inventory.State) map[uint16]routetarget.Set {
	networks := map[uint16]routetarget.Set{}
	for n := range state.Networks() {
		networks[n.ID] = n.VRF(asOf(state)).Export
	}
	return networks
}

func settingsOf(state *inventory.State) (list []neighbor.Settings) {
	for n := range state.Neighbors() {
		list = append(list, n.Settings)
	}
	return list
}

// Revision returns the revision of the store that the last pass worked on.
func (l *Loop) Revision() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.revision
}
