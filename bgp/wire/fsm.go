package wire

import (
	"fmt"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

var typeNames = [...]string{
	typeOpen:         "an OPEN",
	typeUpdate:       "an UPDATE",
	typeNotification: "a NOTIFICATION",
	typeKeepalive:    "a KEEPALIVE",
	typeRouteRefresh: "a ROUTE-REFRESH",
}

// expected checks that a message may come now (RFC 4271 §8.2.2, RFC 6608). The
// engine closes without a word on one that may not, or misbehaves.
func (p *peer) expected(c *connection, typ byte) *refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	refuse := func(subcode byte, state string) *refusal {
		return &refusal{codeFSM, subcode, nil, fmt.Sprintf("the neighbor sent %s %s", typeNames[typ], state)}
	}
	switch {
	case c.open == nil:
		if typ != typeOpen {
			return refuse(1, "before its OPEN")
		}
	case typ == typeOpen && c.established():
		return refuse(3, "in an established session")
	case typ == typeOpen:
		return refuse(2, "after its OPEN")
	case typ != typeKeepalive && !(c.keepaliveReceived && c.openSent):
		// A KEEPALIVE is let through even before our own OPEN, which the wire
		// delays: some neighbors send both at once.
		return refuse(2, "before the session was established")
	}
	return nil
}

// multiprotocol returns the capabilities of families (RFC 4760 §8).
func multiprotocol(families neighbor.Families) (data []byte) {
	for _, f := range families.Slice() {
		data = appendCapability(data, neighbor.CapMultiprotocol, []byte{byte(f.AFI() >> 8), byte(f.AFI()), 0, f.SAFI()})
	}
	return data
}

// holdTime returns the hold time of an established session: the smaller one of
// both OPENs (RFC 4271 §4.2); otherwise zero. The caller holds p.mu.
func (p *peer) holdTime(c *connection) time.Duration {
	if p.current != c || !c.established() || p.status.OpenSent == nil {
		return 0
	}
	return min(p.status.OpenSent.HoldTime, c.open.HoldTime)
}

// checkOpen compares a well-formed OPEN with what is configured, and makes it
// the connection's.
func (p *peer) checkOpen(c *connection, open neighbor.Open) *refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil || p.current == c {
		p.status.OpenReceived = &open
	}
	if open.AS != p.settings.AS {
		return &refusal{codeOpen, openBadAS, nil,
			fmt.Sprintf("the neighbor says it is AS %d; configured is %d", open.AS, p.settings.AS)}
	}
	if open.AS == p.config.LocalAS && open.RouterID == p.config.RouterID {
		return &refusal{codeOpen, openBadIdentifier, nil,
			fmt.Sprintf("the neighbor has our own router id %s", open.RouterID)}
	}
	if open.HoldTime == 0 {
		// RFC 4271 §6.2 leaves it to us. The engine cannot do without: it
		// would write with a deadline of zero seconds and end every session.
		return &refusal{codeOpen, openHoldTime, nil,
			"the neighbor proposes a hold time of 0; it must be at least 3 s"}
	}
	if open.Families&p.settings.Families == 0 {
		// RFC 5492 §5: the data are the capabilities that we miss.
		return &refusal{codeOpen, openCapability, multiprotocol(p.settings.Families),
			fmt.Sprintf("no common family: we offer %s, the neighbor offers %s", p.settings.Families, open.Offered())}
	}
	c.open = &open
	return nil
}
