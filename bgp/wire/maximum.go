package wire

import (
	"fmt"

	"github.com/buoynet/buoy/internal/neighbor"
)

// tooMany does what the policy says of a neighbor that announces more routes than
// are taken from it.
func (p *peer) tooMany() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.Settings.MaxReceivedAction == neighbor.MaxReceivedStop {
		p.stop()
		return
	}
	p.changes.note()
	p.config.Logger.Warn("the neighbor announces more routes than are taken from it; the others are left out",
		"neighbor", p.settings.Name, "max_received", p.status.Settings.MaxRoutes())
}

// stop ends every connection (RFC 4486 §4), and takes and makes no new one until
// the neighbor's settings change. Neither side keeps routes over it: what the
// router announces is not what it should. The caller holds p.mu.
func (p *peer) stop() {
	if p.ceased {
		return
	}
	reason := fmt.Sprintf("stopped: the neighbor announced more than the maximum of %d routes", p.status.Settings.MaxRoutes())
	p.config.Logger.Warn("the neighbor gets no session: it announced more routes than it may",
		"neighbor", p.settings.Name, "max_received", p.status.Settings.MaxRoutes())
	_, notified := p.agreedRestart()
	p.finish(&ending{cause: neighbor.CauseMaxReceived, reason: reason, last: ceaseMessage(ceaseMaximum, "", notified)})
	p.stopped = reason
}

// reconsider is for another policy. It lets a neighbor in again that was stopped;
// it stops one that has already announced too much, if that is said now.
func (p *peer) reconsider() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.stopped != "":
		p.stopped, p.ceased = "", false
		if p.current == nil {
			p.rest()
		}
	case p.status.State == neighbor.Established && p.status.Settings.MaxReceivedAction == neighbor.MaxReceivedStop && p.in.Count().Refused > 0:
		p.stop()
	}
}

// rest sets the state of a peer that was let in again. The caller holds p.mu.
func (p *peer) rest() {
	p.failure = ""
	if p.settings.Passive {
		p.setState(neighbor.Active, neighbor.CauseWaiting, "waiting for the neighbor to connect")
		return
	}
	p.setState(neighbor.Idle, neighbor.CauseNone, "its settings have changed")
}
