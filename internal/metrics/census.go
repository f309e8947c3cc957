package metrics

import (
	"context"
	"sync"
	"time"
)

// FloatingIPs is how many floating IPs are in each state, and when they were counted.
type FloatingIPs struct {
	Allocated, Pending, Advertised, Withheld int

	At time.Time
}

// A count takes at most one part of so many of the time. A scrape waits for it so long.
const (
	countShare = 10
	countWait  = 25 * time.Millisecond
)

// Census counts floating IPs when somebody asks. Its methods may be called concurrently.
type Census struct {
	count  func() (FloatingIPs, error)
	wanted chan struct{} // holds a token when somebody has asked

	mu      sync.Mutex
	latest  FloatingIPs
	resting bool
	counted chan struct{} // closed at the end of the next count
}

// NewCensus returns one that has not counted.
func NewCensus(count func() (FloatingIPs, error)) *Census {
	return &Census{count: count, wanted: make(chan struct{}, 1), counted: make(chan struct{})}
}

// Run counts when it is asked to, until the context ends. What goes wrong is told to
// failed, and changes nothing.
func (c *Census) Run(ctx context.Context, failed func(error)) error {
	for {
		select {
		case <-c.wanted:
		case <-ctx.Done():
			return nil
		}
		began := time.Now()
		counted, err := c.count()
		if err != nil {
			failed(err)
		}
		c.mu.Lock()
		if err == nil {
			c.latest, c.latest.At = counted, time.Now()
		}
		close(c.counted)
		c.counted, c.resting = make(chan struct{}), true
		c.mu.Unlock()
		select {
		case <-time.After((countShare - 1) * time.Since(began)):
		case <-ctx.Done():
			return nil
		}
		c.mu.Lock()
		c.resting = false
		c.mu.Unlock()
	}
}

// Latest asks for a count, and returns the newest that there is after a moment. Its time
// is zero before the first.
func (c *Census) Latest() FloatingIPs {
	c.mu.Lock()
	resting, counted := c.resting, c.counted
	c.mu.Unlock()
	select {
	case c.wanted <- struct{}{}:
	default:
	}
	if !resting {
		select {
		case <-counted:
		case <-time.After(countWait):
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest
}
