package wire

import (
	"encoding/binary"
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
	c.out = c.peer.config.Routes.Open(ribout.Session{
		LocalAS:         c.peer.config.LocalAS,
		PeerAS:          c.open.AS,
		Families:        sent.Families & c.open.Families,
		FourOctetAS:     sent.FourOctetAS() && c.open.FourOctetAS(),
		ExtendedNextHop: c.open.ExtendedNextHop,
		MaxMessage:      maxLength,
	}, c.peer.status.Settings.Policy)
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
			if err := c.sendUpdates(messages); err != nil {
				c.end(c.sendFailed(err))
				return
			}
		}
		if _, now := c.out.Count(); now != capped {
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

// sendUpdates writes whole messages in pieces, so that a router that reads
// slowly still gets KEEPALIVEs in between.
func (c *connection) sendUpdates(messages []byte) error {
	for len(messages) > 0 {
		n, updates := 0, 0
		for n < len(messages) {
			size := int(binary.BigEndian.Uint16(messages[n+lengthOffset:]))
			if n > 0 && n+size > maxWrite {
				break
			}
			n, updates = n+size, updates+1
		}
		if err := c.router.write(messages[:n], func() { c.peer.sentUpdates(updates, n) }); err != nil {
			return err
		}
		messages = messages[n:]
	}
	return nil
}

// concernsRoutes takes over what is about our own routes: membership, and a
// request to send the VPN routes again, which is not the engine's business.
func (c *connection) concernsRoutes(msg []byte) (done bool) {
	c.peer.mu.Lock()
	out := c.out
	c.peer.mu.Unlock()
	if out == nil {
		return false
	}
	switch msg[18] {
	case typeUpdate:
		out.ReceivedUpdate(msg[headerLength:])
	case typeRouteRefresh:
		// RFC 2918 §3, RFC 7313 §3.2: AFI, subtype, SAFI.
		afi, subtype, safi := binary.BigEndian.Uint16(msg[headerLength:]), msg[headerLength+2], msg[headerLength+3]
		f, ok := neighbor.FamilyOf(afi, safi)
		if !ok || f == neighbor.RouteTarget || len(msg) != headerLength+4 {
			return false
		}
		if subtype == 0 {
			out.Refresh(f)
		}
		return true
	}
	return false
}
