package wire

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// keptMessages is how many bad messages are kept for each neighbor.
const keptMessages = 8

// snapshot returns a copy that nobody changes.
func (p *peer) snapshot() neighbor.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status // what it points to is replaced, never changed
	n := p.in.Count()
	s.Taken, s.Stale, s.Left, s.Filtered, s.Ended = uint64(n.Routes), uint64(n.Stale), n.Refused, n.Filtered, n.Ended
	if p.current != nil && p.current.out != nil {
		n, capped := p.current.out.Count()
		s.Advertised, s.MaxReached = uint64(n), capped
		routes, bytes := p.current.out.Queue()
		s.Queued, s.QueuedBytes = uint64(routes), uint64(bytes)
	}
	// The counters are those of the whole machine, so they may only explain
	// what has no reason of its own.
	silent := s.Cause == neighbor.CauseTimedOut || s.Cause == neighbor.CauseWaiting || p.diagnosis.silent
	if s.State < neighbor.OpenSent && silent && p.signatures != "" {
		s.Cause, s.Reason = neighbor.CauseKeyMismatch, s.Reason+"; "+p.signatures
	}
	return s
}

// setState changes the state and its reason. The caller holds p.mu.
func (p *peer) setState(state neighbor.State, cause neighbor.Cause, reason string) {
	old := p.status.State
	if state != old {
		p.countChange(old, state)
	}
	if state == neighbor.Established {
		p.diagnosis = diagnosis{}
	}
	if state != old || reason != p.status.Reason || cause != p.status.Cause {
		p.changes.note()
	}
	known := reason == p.status.Reason && state < neighbor.OpenSent && old < neighbor.OpenSent
	p.status.State, p.status.Cause, p.status.Reason = state, cause, reason
	if known {
		return // connecting again and again for the same reason
	}
	level := slog.LevelDebug
	turned := (state == neighbor.Established) != (old == neighbor.Established)
	if turned || state == neighbor.Active && cause != p.logged {
		level = slog.LevelInfo
		p.logged = cause
	}
	p.config.Logger.Log(context.Background(), level, "neighbor state",
		"neighbor", p.settings.Name, "state", state.String(), "reason", reason)
}

// countChange notes when the state changed, and how often. The caller holds
// p.mu.
func (p *peer) countChange(old, state neighbor.State) {
	s := &p.status
	s.Changes++
	switch {
	case state == neighbor.Established:
		s.Established++
		s.LastUp = time.Now()
		s.Since = s.LastUp
	case old == neighbor.Established:
		s.Flaps++
		s.LastDown = time.Now()
		s.Since = s.LastDown
		s.Losses = append(slices.Clone(s.Losses[max(0, len(s.Losses)-neighbor.KeptLosses+1):]), s.LastDown)
	}
}

// noteSignatures keeps what explains the missing session, until there is one.
func (p *peer) noteSignatures(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.signatures != text {
		p.signatures = text
		p.changes.note()
	}
}

// idle reports whether there is no connection and one is wanted.
func (p *peer) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current == nil && !p.ceased
}

// connecting notes an attempt. The reason for it stays.
func (p *peer) connecting(address netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != nil || p.ceased {
		return
	}
	reason := p.status.Reason
	if p.status.State == neighbor.Idle {
		reason = fmt.Sprintf("connecting to %s", address)
	}
	p.setState(neighbor.Connect, p.status.Cause, reason)
}

// failed notes why there is no connection.
func (p *peer) failed(cause neighbor.Cause, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil && !p.ceased {
		cause, reason = p.diagnosed(cause, reason)
		p.setState(neighbor.Active, cause, reason)
	}
}

// waiting changes the reason of a current connection that is not established.
func (p *peer) waiting(c *connection, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == c {
		p.setState(p.status.State, p.status.Cause, p.withFailure(reason))
	}
}

// withFailure adds how the last connection ended, which in a loop of failures
// says more than what is being waited for. The caller holds p.mu.
func (p *peer) withFailure(reason string) string {
	if p.failure == "" {
		return reason
	}
	return reason + "; before: " + p.failure
}

// progress computes the state from what has been exchanged. The caller holds
// p.mu.
func (p *peer) progress(c *connection) {
	if p.current != c || c.ctx.Err() != nil {
		return
	}
	switch {
	case p.status.State == neighbor.Established:
	case c.established():
		p.failure = ""
		p.setState(neighbor.Established, neighbor.CauseNone, "")
		p.announce() // those that wait for the outcome have lost
		c.establish()
		c.extendLife() // receive may be waiting for the next message already
	case c.openSent && c.open != nil:
		p.setState(neighbor.OpenConfirm, p.status.Cause, p.withFailure("waiting for the neighbor's KEEPALIVE"))
	case c.openSent:
		p.setState(neighbor.OpenSent, p.status.Cause, p.withFailure("waiting for the neighbor's OPEN"))
	}
}

// sent notes a message that is about to go to the router.
func (p *peer) sent(c *connection, msg []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count(&p.status.Sent, msg)
	switch msg[18] {
	case typeOpen:
		c.openSent = true
		if m, r := readOpen(msg); r == nil {
			p.status.OpenSent = &m.Open
		}
		p.progress(c)
	case typeKeepalive:
		c.keepaliveSent = true
		p.progress(c)
	case typeNotification:
		n := readNotification(msg)
		p.status.NotificationSent = &n
	}
}

// noteCap tells the operator that routes are withheld, or no longer.
func (p *peer) noteCap(capped bool) {
	if capped {
		p.config.Logger.Warn("the neighbor has as many routes as it may; the others are withheld", "neighbor", p.settings.Name)
		return
	}
	p.config.Logger.Info("no route is withheld from the neighbor any more", "neighbor", p.settings.Name)
}

// sentAll notes whole messages of the Adj-RIB-Out that are about to go to the
// router.
func (p *peer) sentAll(messages []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(messages) > 0 {
		size := binary.BigEndian.Uint16(messages[lengthOffset:])
		count(&p.status.Sent, messages[:size])
		messages = messages[size:]
	}
}

// received notes a message from the router that is about to be passed on.
func (p *peer) received(c *connection, msg []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count(&p.status.Received, msg)
	switch msg[18] {
	case typeOpen:
		p.progress(c)
	case typeKeepalive:
		c.keepaliveReceived = true
		p.progress(c)
	}
}

func (p *peer) notificationReceived(msg []byte, n neighbor.Notification) {
	p.mu.Lock()
	defer p.mu.Unlock()
	count(&p.status.Received, msg)
	p.status.NotificationReceived = &n
}

// refused notes a message that is not passed on. It reports false when the
// connection has ended anyway, and the router gets no answer.
func (p *peer) refused(c *connection, msg []byte, r *refusal) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.ctx.Err() != nil {
		return false
	}
	p.status.Received.Refused++
	p.keep(msg, r.reason, false)
	return true
}

// malformed notes an UPDATE that was taken as RFC 7606 says.
func (p *peer) malformed(msg []byte, problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.Received.Malformed++; p.status.Received.Malformed == 1 {
		p.config.Logger.Warn("the neighbor sends malformed UPDATEs", "neighbor", p.settings.Name, "problem", problem)
	}
	p.keep(msg, "an UPDATE: "+problem, true)
}

// keep keeps a bad message. The caller holds p.mu.
func (p *peer) keep(msg []byte, reason string, taken bool) {
	old := p.status.BadMessages // a snapshot may have it
	bad := neighbor.BadMessage{Time: time.Now(), Reason: reason, Bytes: slices.Clone(msg[:min(len(msg), neighbor.MaxBadBytes)]), Taken: taken}
	p.status.BadMessages = append(slices.Clone(old[max(0, len(old)-keptMessages+1):]), bad)
}

// count adds a message to a direction's counters.
func count(n *neighbor.Counters, msg []byte) {
	n.Bytes += uint64(len(msg))
	switch msg[18] {
	case typeOpen:
		n.Opens++
	case typeUpdate:
		n.Updates++
	case typeNotification:
		n.Notifications++
	case typeKeepalive:
		n.Keepalives++
	case typeRouteRefresh:
		n.RouteRefreshes++
	}
}
