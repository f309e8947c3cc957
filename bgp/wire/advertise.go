package wire

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/buoynet/buoy/bgp/ribout"
	"github.com/buoynet/buoy/internal/neighbor"
)

// Where the header of a message has its length.
const lengthOffset = 16

// establish opens the Adj-RIB-Out: from here on the router is sent routes. The
// caller holds peer.mu.
func (c *connection) establish() {
	sent := c.peer.status.OpenSent
	c.agreed = ribout.Session{
		LocalAS:         c.peer.config.LocalAS,
		RouterID:        c.peer.config.RouterID,
		PeerAS:          c.open.AS,
		Families:        sent.Families & c.open.Families,
		FourOctetAS:     neighbor.Both(sent, c.open, neighbor.CapFourOctetAS),
		ExtendedNextHop: c.open.ExtendedNextHop,
		EnhancedRefresh: neighbor.Both(sent, c.open, neighbor.CapEnhancedRefresh),
		MaxMessage:      maxLength,
	}
	if neighbor.Both(sent, c.open, neighbor.CapExtendedMessage) {
		c.agreed.MaxMessage = maxExtended
	}
	c.peer.returned(c)
	c.out = c.peer.config.Routes.Open(c.agreed, c.peer.status.Settings.Policy)
	close(c.up)
}

// advertise writes what the Adj-RIB-Out has, until the connection ends.
func (c *connection) advertise() {
	select {
	case <-c.up:
	case <-c.ctx.Done():
	}
	// Once ctx has ended no other one is opened; but one may have been.
	c.peer.mu.Lock()
	out := c.out
	c.peer.mu.Unlock()
	if out == nil {
		return
	}
	defer out.Close()
	membership := time.AfterFunc(c.peer.timers.membership, out.EndMembership)
	defer membership.Stop()
	var messages []byte
	capped := false
	for {
		select {
		case <-out.Wake():
		case <-c.ctx.Done():
			return
		}
		for more := true; more && c.ctx.Err() == nil; {
			messages, more = out.Next(messages[:0], time.Now())
			if err := c.sendAll(messages); err != nil {
				c.end(c.sendFailed(err))
				return
			}
			if commits := out.Commits(); len(commits) > 0 && c.peer.config.Written != nil {
				now := time.Now()
				for _, at := range commits {
					c.peer.config.Written(now.Sub(at))
				}
			}
		}
		if _, now := out.Count(); now != capped {
			capped = now
			c.peer.noteCap(capped)
		}
		if cap(messages) > maxKept {
			messages = nil // a dump is over
		}
	}
}

// The sizes of writes, and of the buffer that is kept between them.
const (
	maxWrite = 1 << 16
	maxKept  = 1 << 16
)

// sendAll writes whole messages in pieces, so that a router that reads
// slowly still gets KEEPALIVEs in between.
func (c *connection) sendAll(messages []byte) error {
	for len(messages) > 0 {
		n := 0
		for n < len(messages) {
			size := int(binary.BigEndian.Uint16(messages[n+lengthOffset:]))
			if n > 0 && n+size > maxWrite {
				break
			}
			n += size
		}
		if err := c.router.write(messages[:n], func() { c.peer.sentAll(messages[:n]) }); err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

// receivedUpdate takes the router's membership and its routes from an UPDATE.
func (c *connection) receivedUpdate(msg []byte) *refusal {
	v, r := judge(msg, c.agreed.Families, c.agreed.LocalAS != c.agreed.PeerAS)
	if r != nil {
		r.reason = "the neighbor sent " + r.reason
		return r
	}
	c.peer.received(c, msg)
	c.reassure()
	if v.problem != "" {
		c.peer.malformed(msg, v.problem)
	}
	if v.update == nil {
		return nil
	}
	if c.peer.in.Received(v.update, v.withdraw, time.Now()) {
		c.peer.tooMany()
	}
	if v.withdraw {
		c.out.ReceivedMalformed(msg[headerLength:])
	} else if !c.out.ReceivedUpdate(msg[headerLength:]) {
		return &refusal{codeCease, ceaseMaximum, nil, fmt.Sprintf("the neighbor announced more than %d route target memberships", ribout.MaxMemberships)}
	}
	return nil
}

// receivedRefresh answers a request from our own set (RFC 2918 §3).
func (c *connection) receivedRefresh(msg []byte) *refusal {
	body := msg[headerLength:]
	afi, subtype, safi := binary.BigEndian.Uint16(body), body[2], body[3]
	if len(body) != 4 && (subtype == ribout.BeginOfRefresh || subtype == ribout.EndOfRefresh) {
		return &refusal{codeRefresh, refreshLength, msg[:min(len(msg), maxLength-minNotification)], "the neighbor sent a ROUTE-REFRESH with a mark that is too long"}
	}
	c.peer.received(c, msg)
	c.reassure()
	f, ok := neighbor.FamilyOf(afi, safi)
	if !ok || !c.agreed.Families.Contains(f) || len(body) != 4 {
		return nil // RFC 2918 §4, RFC 5291 §6: not negotiated, ignored
	}
	switch {
	case subtype == ribout.RefreshRequest:
		if c.paced(c.refreshed, f) {
			c.out.Refresh(f)
		}
	case subtype == ribout.BeginOfRefresh && f == neighbor.RouteTarget:
		c.out.RefreshBegins()
	case subtype == ribout.EndOfRefresh && f == neighbor.RouteTarget:
		c.out.RefreshEnds()
	case subtype == ribout.BeginOfRefresh:
		if c.paced(c.begun, f) {
			c.peer.in.RefreshBegins(f)
		}
	case subtype == ribout.EndOfRefresh:
		c.peer.in.RefreshEnds(f)
	}
	return nil
}

// paced waits until the last refresh of a family was long enough ago: each costs
// a look at all routes, which the others would feel. Meanwhile nothing is read
// from the router. It reports false when the session ends.
func (c *connection) paced(last map[neighbor.Family]time.Time, f neighbor.Family) bool {
	if rest := c.peer.timers.refresh - time.Since(last[f]); rest > 0 {
		select {
		case <-time.After(rest):
		case <-c.ctx.Done():
			return false
		}
	}
	last[f] = time.Now()
	return true
}

// ask asks the router for all its VPN routes again (RFC 2918), if there is a
// session. When it knows of no such requests, the operator is told once.
func (p *peer) ask() {
	p.mu.Lock()
	c := p.current
	if c == nil || c.out == nil {
		p.mu.Unlock()
		return
	}
	asks, told := c.open.Has(neighbor.CapRouteRefresh), c.unasked
	c.unasked = !asks
	p.mu.Unlock()
	if !asks {
		if !told {
			p.config.Logger.Warn("the neighbor cannot be asked for its routes, it has no ROUTE-REFRESH: those that are accepted only now come when its session is opened anew",
				"neighbor", p.settings.Name)
		}
		return
	}
	for _, f := range (c.agreed.Families & neighbor.VPNFamilies).Slice() {
		c.send(message(typeRouteRefresh, byte(f.AFI()>>8), byte(f.AFI()), ribout.RefreshRequest, f.SAFI())) // an error ends the session elsewhere
	}
}
