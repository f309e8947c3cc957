package api

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"github.com/buoynet/buoy/vrf"
)

// fakeChanges is a log of what tests say has changed.
type fakeChanges struct {
	mu        sync.Mutex
	list      []vrf.Destination
	forgotten int // how many of them are no longer known
	wake      chan struct{}
}

// add notes changed prefixes of a network; "" is its end.
func (c *fakeChanges) add(network uint16, prefixes ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range prefixes {
		d := vrf.Destination{VRF: network}
		if p != "" {
			d.Prefix = netip.MustParsePrefix(p)
		}
		c.list = append(c.list, d)
	}
	close(c.wake)
	c.wake = make(chan struct{})
}

func (c *fakeChanges) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten = len(c.list)
}

func (c *fakeChanges) End() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint("at ", len(c.list))
}

func (c *fakeChanges) Since(ctx context.Context, position string) ([]vrf.Destination, string, bool, error) {
	var n int
	if _, err := fmt.Sscanf(position, "at %d", &n); err != nil {
		return nil, "", false, fmt.Errorf("expected what a bookmark said, got %q", position)
	}
	for {
		c.mu.Lock()
		list, wake, ok := c.list[min(n, len(c.list)):], c.wake, n >= c.forgotten
		end := fmt.Sprint("at ", len(c.list))
		c.mu.Unlock()
		if len(list) > 0 || !ok {
			return list, end, ok, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, "", true, ctx.Err()
		}
	}
}
