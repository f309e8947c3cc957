package wire

import (
	"time"

	"github.com/buoynet/buoy/bgp/ribin"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// adjIn is an Adj-RIB-In and when what is stale in it expires.
type adjIn struct {
	*ribin.In
	expiry *time.Timer // guarded by the mu of the peer that has it
}

func (s *Server) newAdjIn(policy neighbor.Policy) *adjIn {
	in := &adjIn{In: s.config.Received.Open(policy, s.changes.note)}
	in.expiry = time.AfterFunc(0, in.Expire) // there is nothing yet
	return in
}

// close forgets everything, and ends the timer.
func (in *adjIn) close() {
	in.expiry.Stop()
	in.Close()
}

// expire drops what is stale after a time, and not before.
func (in *adjIn) expire(after time.Duration) { in.expiry.Reset(after) }

// returned notes that the router has a session. What it has kept forwarding for
// stays until its End-of-RIBs, the rest goes (RFC 4724 §4.2). The caller holds
// p.mu.
func (p *peer) returned(c *connection) {
	var preserved neighbor.Families
	if p.helps(c) {
		preserved = c.open.Restart.Preserved & c.agreed.Families
	}
	p.in.Up(vrf.Source{
		Neighbor: p.settings.Name,
		Address:  p.settings.Address,
		RouterID: c.open.RouterID,
		External: c.agreed.LocalAS != c.agreed.PeerAS,
	}, preserved)
	p.in.expire(p.timers.endOfRIB)
}

// left notes that the session of a connection, if it had one, has ended. With
// graceful restart the router's routes stay until it is back. The caller holds
// p.mu.
func (p *peer) left(c *connection, e *ending) {
	if c.out == nil || c.gone {
		return
	}
	c.gone = true
	var keep neighbor.Families
	if p.stopped == "" && p.helps(c) && c.graceful(e) {
		keep = c.open.Restart.Families & c.agreed.Families
	}
	p.in.Lost(keep)
	p.in.expire(c.open.Restart.Time)
}

// helps reports whether both sides of an established session offered graceful
// restart. The caller holds p.mu.
func (p *peer) helps(c *connection) bool {
	return p.settings.Graceful() != 0 && c.open.Has(neighbor.CapGracefulRestart)
}

// graceful reports whether the end of a session leaves the router's routes as
// they are: without a NOTIFICATION, or with one other than a Hard Reset if both
// sides said so (RFC 8538 §4). The caller holds peer.mu.
func (c *connection) graceful(e *ending) bool {
	var code, subcode byte
	switch n := c.peer.status.NotificationReceived; {
	case e.cause == neighbor.CauseMaxReceived:
		return false
	case e.last != nil:
		code, subcode = e.last[headerLength], e.last[headerLength+1]
	case e.cause == neighbor.CauseNotificationReceived && n != nil:
		code, subcode = n.Code, n.Subcode
	default:
		return true
	}
	// We always offer notification graceful restart.
	return c.open.Restart.Notification && !(code == codeCease && subcode == ceaseHardReset)
}
