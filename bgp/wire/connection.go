package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/buoynet/buoy/bgp/ribout"
	"github.com/buoynet/buoy/internal/neighbor"
)

// ending is why a connection ended. The first one counts.
type ending struct {
	cause  neighbor.Cause
	reason string
	// last is the NOTIFICATION that the wire sends to the router, if any.
	last []byte
	// collision says nothing about why there is no session.
	collision bool
}

func (e *ending) Error() string { return e.reason }

// connection is one TCP connection with a router, and what it becomes. The
// package documentation draws its goroutines.
type connection struct {
	peer     *peer
	conn     *net.TCPConn
	outbound bool // we dialed
	late     bool // it began when there was an established session
	sequence uint64

	ctx    context.Context // ended by the first ending
	cancel context.CancelCauseFunc

	router writer
	engine engineSide
	opened chan struct{} // closed by receive after the router's OPEN
	up     chan struct{} // closed when the session is established
	link   *Link         // when the engine expects this session
	// session owns link, then serve.

	// Owned by receive.
	reassured time.Time
	refreshed map[neighbor.Family]time.Time // when the router last asked for its routes
	begun     map[neighbor.Family]time.Time // when it last began to announce its own again

	// Guarded by peer.mu.
	open              *neighbor.Open // the router's
	openSent          bool
	keepaliveSent     bool
	keepaliveReceived bool
	unasked           bool // the operator knows that the router cannot be asked for its routes
	// Set once, before up is closed.
	agreed ribout.Session
	out    *ribout.Out
	gone   bool // the routes of the router are stale since, or dropped
}

// established reports whether both sides have confirmed. The caller holds
// peer.mu.
func (c *connection) established() bool { return c.keepaliveSent && c.keepaliveReceived }

func (c *connection) end(e *ending) { c.cancel(e) }

// serve takes the connection from its TCP handshake to its end.
func (c *connection) serve() {
	var wg sync.WaitGroup
	wg.Go(c.receive)
	wg.Go(c.session)
	wg.Go(c.advertise)
	<-c.ctx.Done()
	c.wake()
	wg.Wait()

	e, ok := context.Cause(c.ctx).(*ending)
	if !ok {
		e = &ending{cause: neighbor.CauseStopped, reason: "removed"}
	}
	c.lastWords(e)
	c.peer.remove(c, e)
	c.drain()
	if c.link != nil {
		c.peer.config.Engine.Close(*c.link)
	}
}

// receive reads from the router until the connection ends.
func (c *connection) receive() {
	// RFC 4271 §8.2.2: a large HoldTimer while there is no OPEN.
	hold := time.AfterFunc(c.peer.timers.openHold, func() {
		r := &refusal{codeHold, 0, nil, "the neighbor sent no OPEN"}
		c.end(r.ending())
	})
	defer hold.Stop()
	r := newMessageReader(c.conn)
	for c.ctx.Err() == nil {
		c.expectLife()
		msg, err := r.next()
		var refused *refusal
		if errors.As(err, &refused) {
			refused.reason = "the neighbor sent " + refused.reason
		} else if errors.Is(err, os.ErrDeadlineExceeded) && c.ctx.Err() == nil {
			silent := &refusal{codeHold, 0, nil, "the neighbor was silent for longer than the hold time"}
			c.end(&ending{cause: neighbor.CauseNotificationSent, reason: silent.reason, last: silent.bytes()})
			return
		} else if err != nil {
			c.end(&ending{cause: neighbor.CauseConnectionLost, reason: "connection lost: " + rootCause(err)})
			return
		} else {
			refused = c.received(msg)
		}
		if refused != nil {
			if c.peer.refused(c, msg, refused) {
				c.end(refused.ending())
			}
			return
		}
		if msg[18] == typeOpen {
			hold.Stop()
			if c.open.Has(neighbor.CapExtendedMessage) { // as we do
				r.extend()
			}
		}
	}
}

// expectLife bounds the wait for the next message of an established session. The
// engine has the hold timer; but what it says does not get through while a
// write to the router is stuck.
func (c *connection) expectLife() {
	c.peer.mu.Lock()
	defer c.peer.mu.Unlock()
	c.extendLife()
}

// extendLife is expectLife for a caller that holds peer.mu.
func (c *connection) extendLife() {
	hold := c.peer.holdTime(c)
	if hold == 0 {
		return
	}
	c.conn.SetReadDeadline(time.Now().Add(hold + c.peer.timers.holdSlack))
	if c.ctx.Err() != nil { // wake was first, and was overruled
		c.conn.SetReadDeadline(time.Now())
	}
}

// received checks a message that has passed the screen, and takes it to whoever
// it is for. The engine gets OPENs and KEEPALIVEs and nothing else.
func (c *connection) received(msg []byte) *refusal {
	if msg[18] == typeNotification {
		n := readNotification(msg)
		c.peer.notificationReceived(msg, n)
		// Before the engine, which closes at once and would be the reason.
		c.end(&ending{cause: neighbor.CauseNotificationReceived, reason: "the neighbor sent NOTIFICATION " + n.String()})
		return nil
	}
	if r := c.peer.expected(c, msg[18]); r != nil {
		return r
	}
	switch msg[18] {
	case typeOpen:
		return c.receivedOpen(msg)
	case typeKeepalive:
		c.peer.received(c, msg)
		c.forward(msg)
		return nil
	}
	// Some routers do not wait for our KEEPALIVE.
	select {
	case <-c.up:
	case <-c.ctx.Done():
		return nil
	}
	if msg[18] == typeUpdate {
		return c.receivedUpdate(msg)
	}
	return c.receivedRefresh(msg)
}

func (c *connection) receivedOpen(msg []byte) *refusal {
	m, r := readOpen(msg)
	if r != nil {
		r.reason = "the neighbor sent " + r.reason
		return r
	}
	if r := c.peer.checkOpen(c, m.Open); r != nil {
		return r
	}
	c.peer.received(c, msg)
	c.forward(m.forEngine())
	close(c.opened)
	return nil
}

// reassure tells the engine that the router is alive. Any message says so (RFC
// 4271 §8.2.2), and a router that sends UPDATEs need not send KEEPALIVEs.
func (c *connection) reassure() {
	if now := time.Now(); now.Sub(c.reassured) >= time.Second { // a hold time is at least 3 s
		c.reassured = now
		c.forward(keepalive)
	}
}

var keepalive = message(typeKeepalive)

// forward passes a message to the engine. An error is not yet a reason to end:
// session still reads what the engine said before it closed, if the router
// takes it.
func (c *connection) forward(msg []byte) {
	c.peer.config.Note(c.peer.settings.Address)
	if err := c.engine.write(msg); err != nil {
		c.router.hurry()
	}
}

// session brings the connection to the engine, and then passes on what the
// engine says.
func (c *connection) session() {
	if e := c.admitted(); e != nil {
		c.end(e)
		return
	}
	link, err := c.peer.config.Engine.Open(c.ctx, c.peer.settings)
	if err != nil {
		c.end(&ending{cause: neighbor.CauseEngine, reason: "the engine refused the session: " + err.Error()})
		return
	}
	c.link = &link
	r, open, err := c.connectEngine(link)
	if err != nil {
		return // only when the connection has ended
	}
	if err := c.send(c.peer.offer(open)); err != nil {
		c.end(c.sendFailed(err))
		return
	}
	c.engine.handOver() // as in forward, the error shows below
	c.end(c.fromEngine(r))
}

func (c *connection) fromEngine(r *messageReader) *ending {
	for {
		msg, err := r.next()
		if err != nil {
			return &ending{cause: neighbor.CauseEngine, reason: "the engine closed the session"}
		}
		if msg[18] == typeNotification {
			return &ending{
				cause: neighbor.CauseNotificationSent, reason: "we sent NOTIFICATION " + readNotification(msg).String(),
				last: append([]byte(nil), msg...),
			}
		}
		if msg[18] == typeUpdate {
			continue // its End-of-RIB: the routes are ours, and so is their end
		}
		if err := c.send(msg); err != nil {
			return c.sendFailed(err)
		}
	}
}

// send writes a whole message to the router.
func (c *connection) send(msg []byte) error {
	// First, because the answer may be faster than this goroutine; but nothing
	// may be written in between: it may establish the session.
	return c.router.write(msg, func() { c.peer.sent(c, msg) })
}

func (c *connection) sendFailed(err error) *ending {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// RFC 9687: the NOTIFICATION would not get through either.
		return &ending{cause: neighbor.CauseTimedOut, reason: fmt.Sprintf("the neighbor has read nothing for %s", c.router.sendHold)}
	}
	return &ending{cause: neighbor.CauseConnectionLost, reason: "connection lost: " + rootCause(err)}
}

// wake makes receive and session notice that the connection has ended.
func (c *connection) wake() {
	c.engine.wake(c.peer.timers.linger)
	c.conn.SetReadDeadline(time.Now())
	c.router.hurry()
}

// lastWords sends the NOTIFICATION, if there is one, and ends the stream.
func (c *connection) lastWords(e *ending) {
	if e.last != nil {
		c.send(e.last)
	}
	c.router.close()
}

// drain waits for both sides to close, but not long: a socket that is closed
// with something unread answers with a RST, which destroys the NOTIFICATION on
// its way.
func (c *connection) drain() {
	deadline := time.Now().Add(c.peer.timers.linger)
	if conn := c.engine.conn.Load(); conn != nil {
		conn.CloseWrite()
		conn.SetReadDeadline(deadline)
		io.Copy(io.Discard, conn)
		conn.Close()
	}
	c.conn.SetReadDeadline(deadline)
	io.Copy(io.Discard, c.conn)
	c.conn.Close()
}
