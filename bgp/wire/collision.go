package wire

import (
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// admitted waits until the connection is the neighbor's current one, which
// alone may reach the engine. It returns why it never will be.
func (c *connection) admitted() *ending {
	delayOpen := time.NewTimer(c.peer.timers.delayOpen)
	defer delayOpen.Stop()
	opened := c.opened
	select {
	case <-opened:
		opened = nil
	case <-delayOpen.C:
	case <-c.ctx.Done():
		return &ending{}
	}
	patience := time.NewTimer(c.peer.timers.collision)
	defer patience.Stop()
	patient := true
	for {
		e, changed := c.peer.choose(c, patient)
		if changed == nil {
			return e
		}
		select {
		case <-changed:
		case <-opened:
			opened = nil
		case <-patience.C:
			patient = false
		case <-c.ctx.Done():
			return &ending{}
		}
	}
}

// choose is the one place where a neighbor's connections are chosen between
// (RFC 4271 §6.8). It makes c the current one, or returns that c has lost, or
// a channel that is closed when it is worth asking again.
func (p *peer) choose(c *connection, patient bool) (*ending, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rival := p.current
	switch {
	case c.ctx.Err() != nil:
		return &ending{}, nil
	case rival == nil:
		// One that has yet to say OPEN, but will win: the engine should not have
		// to give up c for it.
		if patient && p.better(c) {
			return nil, p.changed
		}
		p.setCurrent(c)
		return nil, nil
	case rival.established():
		// RFC 4724 §5: a router that restarts gracefully may have lost the session
		// before we notice. It opens another one then.
		if lost, _ := p.agreedRestart(); !lost || !c.late {
			return lostCollision("a session is established"), nil
		}
		if c.open == nil {
			return nil, p.changed // it may be anybody's
		}
		e := &ending{cause: neighbor.CauseConnectionLost, reason: "the neighbor has restarted and opened another session"}
		rival.end(e)
		p.left(rival, e)
		p.setCurrent(c)
		return nil, nil
	case c.open == nil:
		return nil, p.changed // it may be anybody's
	case p.wins(c, rival):
		rival.end(lostCollision("another connection of the neighbor won"))
		p.setCurrent(c)
		return nil, nil
	}
	return lostCollision("another connection of the neighbor won"), nil
}

func lostCollision(reason string) *ending {
	r := &refusal{codeCease, ceaseCollision, nil, reason}
	return &ending{reason: reason, last: r.bytes(), collision: true}
}

// better reports whether a connection that is still waiting would win against
// c. The caller holds p.mu.
func (p *peer) better(c *connection) bool {
	for d := range p.connections {
		if c.open != nil && d.ctx.Err() == nil && d.outbound != c.outbound && p.wins(d, c) {
			return true
		}
	}
	return false
}

// wins reports whether c survives against d: of two of the same direction the
// newer one, because the neighbor has given up the older; of two directions
// the one that the speaker with the higher BGP identifier made, or, when these
// are equal, the higher AS (RFC 6286 §2.3). The caller holds p.mu.
func (p *peer) wins(c, d *connection) bool {
	if c.outbound == d.outbound {
		return c.sequence > d.sequence
	}
	open := c.open
	if open == nil {
		open = d.open
	}
	ours := p.config.RouterID.Compare(open.RouterID)
	if ours == 0 {
		return c.outbound == (p.config.LocalAS > open.AS)
	}
	return c.outbound == (ours > 0)
}
