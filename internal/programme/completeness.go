package programme

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// Sessions is what can be seen of the BGP sessions.
type Sessions interface {
	Neighbors() []neighbor.Status
	// Changed counts the changes of their states, and their End-of-RIBs. The channel is
	// closed at the next one.
	Changed() (count uint64, next <-chan struct{})
}

// Completeness finds out when the gateways have announced, after a start, what they have
// to announce. A compute node that dropped before what was not announced yet would drop
// routes that are still good (RFC 4724 §4.1 calls that time the
// Selection_Deferral_Timer). It is complete once, and stays so.
type Completeness struct {
	sessions Sessions
	settle   func(context.Context) error
	log      *slog.Logger
	done     chan struct{}
}

// NewCompleteness returns one that has not begun. Settle returns when the networks'
// tables show what was announced before.
func NewCompleteness(sessions Sessions, settle func(context.Context) error, log *slog.Logger) *Completeness {
	return &Completeness{sessions: sessions, settle: settle, log: log, done: make(chan struct{})}
}

// Done is closed when the routes are complete.
func (c *Completeness) Done() <-chan struct{} { return c.done }

// Run begins when every neighbor is known, and works until the context ends. A neighbor
// has its restart time from now on to come, and to announce what it has.
func (c *Completeness) Run(ctx context.Context) error {
	began := time.Now()
	for {
		_, changed := c.sessions.Changed() // before the look
		late, wait := await(c.sessions.Neighbors(), time.Since(began))
		if wait == 0 {
			if err := c.settle(ctx); err != nil {
				return nil // the context has ended
			}
			c.log.Info("the gateways have announced their routes", "after", time.Since(began).Round(time.Millisecond), "without", late)
			close(c.done)
			<-ctx.Done()
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil
		}
	}
}

// await returns which neighbors had their time and did not announce all that they have,
// and how long to wait at least for one of the others; 0 if there is none.
func await(neighbors []neighbor.Status, elapsed time.Duration) (late []string, wait time.Duration) {
	for _, s := range neighbors {
		if announced(s) {
			continue
		}
		left := time.Duration(s.Settings.Restart.RestartTime())*time.Second - elapsed
		switch {
		case left <= 0:
			late = append(late, s.Settings.Name)
		case wait == 0 || left < wait:
			wait = left
		}
	}
	slices.Sort(late)
	return late, wait
}

// announced reports whether nothing more is to be waited for from a neighbor: it has
// announced what it had, or will not, as long as nobody changes its settings.
func announced(s neighbor.Status) bool {
	switch {
	case s.Settings.Families&neighbor.VPNFamilies == 0:
		return true
	case s.State == neighbor.Established:
		return s.Negotiated()&neighbor.VPNFamilies&^s.Ended == 0
	default:
		return s.Cause == neighbor.CauseQuarantined || s.Cause == neighbor.CauseMaxReceived
	}
}
