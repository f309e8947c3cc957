package wire

import "sync"

// changes counts what changes in the states of neighbors and their reasons, and their
// End-of-RIBs.
// Waiting for it costs nothing here: everybody waits for the same channel.
type changes struct {
	mu    sync.Mutex
	count uint64
	next  chan struct{} // closed at the next change; nil while nobody waits
}

// note may be called with any other lock held.
func (c *changes) note() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	if c.next != nil {
		close(c.next)
		c.next = nil
	}
}

// Changed counts the changes of the neighbors' states and their reasons, and their
// End-of-RIBs, not the changes of their counters. The channel is closed at the next
// one.
func (s *Server) Changed() (count uint64, next <-chan struct{}) {
	c := &s.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == nil {
		c.next = make(chan struct{})
	}
	return c.count, c.next
}
