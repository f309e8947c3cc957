package reconcile

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/buoynet/buoy/internal/ring"
	"github.com/buoynet/buoy/vrf"
)

// keptChanges is how many changes a reader may be behind.
const keptChanges = 1 << 16

// Changes is a log of which destinations have changed, of our own routes and of
// imported ones: not how, which the newest tables say. Readers are not known to
// it: one that is slow costs nothing. A destination without a prefix says that its
// network is no more, behind the changes of its imports. Its methods may be called
// concurrently.
type Changes struct {
	run string // tells positions of another run of the daemon apart

	mu       sync.Mutex
	log      ring.Ring[vrf.Destination]
	advanced chan struct{} // closed when it grows
}

// NewChanges returns an empty log.
func NewChanges() *Changes {
	return &Changes{run: rand.Text()[:8], log: ring.New[vrf.Destination](keptChanges), advanced: make(chan struct{})}
}

// Position is a place in the log.
type Position struct {
	run  string
	next uint64
}

// String returns what ParsePosition reads.
func (p Position) String() string { return p.run + "-" + strconv.FormatUint(p.next, 10) }

// ParsePosition reads what String returns.
func ParsePosition(s string) (Position, error) {
	run, number, ok := strings.Cut(s, "-")
	next, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil || run == "" {
		return Position{}, fmt.Errorf("expected what a bookmark said, got %q", s)
	}
	return Position{run, next}, nil
}

// End returns the position behind the last change. Tables that are read after
// it show at least what came before it.
func (c *Changes) End() Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Position{c.run, c.log.Next()}
}

// add notes changes, after the tables show them.
func (c *Changes) add(list []vrf.Destination) {
	if len(list) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range list {
		c.log.Add(d)
	}
	close(c.advanced)
	c.advanced = make(chan struct{})
}

// Since waits until there is a change behind a position, and returns each
// destination that has changed since, once, and the position behind them. It
// reports false for a position that is too old, or of another run.
func (c *Changes) Since(ctx context.Context, p Position) (changed []vrf.Destination, end Position, ok bool, err error) {
	for {
		c.mu.Lock()
		if p.run != c.run || !c.log.Has(p.next) {
			c.mu.Unlock()
			return nil, p, false, nil
		}
		if next := c.log.Next(); p.next < next {
			seen := make(map[vrf.Destination]bool, next-p.next)
			for n := p.next; n < next; n++ {
				if d := c.log.At(n); !seen[d] {
					seen[d] = true
					changed = append(changed, d)
				}
			}
			end = Position{c.run, next}
			c.mu.Unlock()
			return changed, end, true, nil
		}
		advanced := c.advanced
		c.mu.Unlock()
		select {
		case <-advanced:
		case <-ctx.Done():
			return nil, p, true, ctx.Err()
		}
	}
}
