package reconcile

import (
	"context"
	"crypto/rand"
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

// End returns the position behind the last change. Tables that are read after
// it show at least what came before it.
func (c *Changes) End() ring.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ring.Position{Run: c.run, Next: c.log.Next()}
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
func (c *Changes) Since(ctx context.Context, p ring.Position) (changed []vrf.Destination, end ring.Position, ok bool, err error) {
	for {
		changed, end, more, ok := c.Behind(p, keptChanges, nil)
		if !ok || end != p {
			return changed, end, ok, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, p, true, ctx.Err()
		}
	}
}

// Behind returns which destinations have changed behind a position, each once, as far
// as they are wanted, and the position behind all that it has looked at. It waits for
// nothing: more is closed when there is another change behind that. With so many
// destinations as most it looks no further. A nil wanted wants all. It reports false
// for a position that is too old, or of another run.
func (c *Changes) Behind(p ring.Position, most int, wanted func(vrf uint16) bool) (changed []vrf.Destination, end ring.Position, more <-chan struct{}, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Run != c.run || !c.log.Has(p.Next) {
		return nil, p, nil, false
	}
	var seen map[vrf.Destination]bool // made when there is something to see
	next := c.log.Next()
	for ; p.Next < next && len(changed) < most; p.Next++ {
		d := c.log.At(p.Next)
		if wanted != nil && !wanted(d.VRF) || seen[d] {
			continue
		}
		if seen == nil {
			seen = map[vrf.Destination]bool{}
		}
		seen[d] = true
		changed = append(changed, d)
	}
	if p.Next < next {
		return changed, p, closed, true
	}
	return changed, p, c.advanced, true
}

// closed is for those who need not wait.
var closed = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
