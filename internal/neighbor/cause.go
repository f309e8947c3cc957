package neighbor

import (
	"fmt"
	"strings"
)

// Cause classifies why a session is not established. The reason says what was
// seen; the cause decides what to do about it.
type Cause uint8

// The causes.
const (
	CauseNone Cause = iota
	CauseWaiting
	CauseConnectionRefused
	CauseUnreachable
	CauseTimedOut
	CauseConnectionLost
	CauseNoOpen
	CauseWrongAS
	CauseRouterIDClash
	CauseHoldTime
	CauseNoCommonFamily
	CauseMalformed
	CauseNotificationReceived
	CauseNotificationSent
	CauseKey
	CauseKeyMismatch
	CauseLocalAddress
	CauseEngine
	CauseQuarantined
	CauseMaxReceived
	CauseStopped
)

// Tells reports whether the cause says more than that there is no connection.
// What the router said, or what was wrong with it, is worth keeping when the
// next attempts only fail.
func (c Cause) Tells() bool {
	switch c {
	case CauseWrongAS, CauseRouterIDClash, CauseHoldTime, CauseNoCommonFamily, CauseMalformed,
		CauseNotificationReceived, CauseNotificationSent:
		return true
	}
	return false
}

// Answered reports whether there was a connection before the session was missed, so
// that the way to the router is not what is wrong.
func (c Cause) Answered() bool {
	switch c {
	case CauseNone, CauseWaiting, CauseConnectionRefused, CauseUnreachable, CauseTimedOut, CauseKey, CauseKeyMismatch, CauseLocalAddress:
		return false
	}
	return true
}

// Local is what an advice needs to know of our own side.
type Local struct {
	AS       uint32
	RouterID string
}

// Advice says what to do next about a session that is not established, or that
// lacks something. It is empty when there is nothing to do.
func (s Status) Advice(local Local) string {
	name := s.Settings.Name
	switch s.Cause {
	case CauseWaiting:
		if s.Stranger.IsValid() {
			return fmt.Sprintf("if %s is this router: buoyctl set neighbor %s --address %[1]s", s.Stranger, name)
		}
		return "check that the router has us as a neighbor and connects; without --passive Buoy connects itself"
	case CauseConnectionRefused:
		return fmt.Sprintf("nothing listens there: check that BGP runs on the router, and on port %d", s.Settings.Port)
	case CauseUnreachable:
		return "check the address, and this machine's route to it"
	case CauseTimedOut:
		text := "nothing answers: check the address, the route, and filters on the way"
		if !s.Settings.MD5Key.IsZero() {
			return text + "; a router that has no MD5 key for us, or another one, looks the same"
		}
		return text + "; a router that wants an MD5 key looks the same"
	case CauseConnectionLost:
		return "look at the router's log: it may not have our address as a neighbor"
	case CauseNoOpen:
		return "what listens there may not be a BGP speaker, or waits for something; look at the router's log"
	case CauseWrongAS:
		if s.OpenReceived != nil {
			return fmt.Sprintf("if the router is right: buoyctl set neighbor %s --as %d; otherwise correct its own AS", name, s.OpenReceived.AS)
		}
	case CauseRouterIDClash:
		return "give one of the two another router id; ours is bgp.router_id in the configuration"
	case CauseHoldTime:
		return "configure a hold time of at least 3 s on the router"
	case CauseNoCommonFamily:
		return fmt.Sprintf("enable %s for this session on the router, or change --families of %s", strings.Join(s.Settings.Families.Strings(), " or "), name)
	case CauseMalformed:
		return "the router broke the protocol: look at its log and its version; the message is kept"
	case CauseQuarantined:
		return "look at the router's log and version, and report the crash in the daemon's log; a change of the neighbor's settings or a restart of the daemon lets it in again"
	case CauseMaxReceived:
		return fmt.Sprintf("raise --max-received of %s, or narrow --accept-prefix or --accept-target; any change of its settings, or a restart of the daemon, lets it in again", name)
	case CauseKey:
		return "make the key readable for the daemon; it is read again every second"
	case CauseLocalAddress:
		if !s.Settings.LocalAddress.IsValid() {
			return fmt.Sprintf("let bgp.listen have an address that the router can reach, or set --local-address of %s", name)
		}
		return fmt.Sprintf("make %s an address of this machine that the router connects to, or change --local-address of %s", s.Settings.LocalAddress, name)
	case CauseKeyMismatch:
		return "configure the same MD5 key for this session on both ends, or on neither"
	case CauseNotificationReceived:
		return s.adviceReceived(local)
	case CauseNotificationSent:
		if n := s.NotificationSent; n != nil && n.Code == 4 {
			return "nothing came from the router for the hold time: check that it is up and that the path carries packets both ways"
		}
	}
	return ""
}

// adviceReceived reads the router's own words.
func (s Status) adviceReceived(local Local) string {
	n := s.NotificationReceived
	if n == nil {
		return ""
	}
	if inner, ok := n.encapsulated(); ok {
		n = &inner
	}
	switch [2]uint8{n.Code, n.Subcode} {
	case [2]uint8{2, 2}:
		return fmt.Sprintf("the router expects another AS of us: our AS is %d, correct its remote AS", local.AS)
	case [2]uint8{2, 3}:
		return fmt.Sprintf("the router does not accept our router id %s: another speaker may have it", local.RouterID)
	case [2]uint8{2, 6}:
		return fmt.Sprintf("the router does not accept our hold time of %d s; --hold-time changes it", s.Settings.Hold())
	case [2]uint8{2, 4}, [2]uint8{2, 7}:
		return fmt.Sprintf("the router lacks a capability: check that it has one of the families %s for this session", s.Settings.Families)
	case [2]uint8{6, 1}:
		return "the router's prefix limit is reached: raise it there and clear the session"
	case [2]uint8{6, 2}:
		return "the session was shut down on the router: enable it there"
	case [2]uint8{6, 3}:
		return "the router has no such neighbor any more: configure it there"
	case [2]uint8{6, 5}:
		return "the router rejects the connection: check that it has our address as a neighbor"
	}
	if n.Code == 4 {
		return "the router heard nothing from us for its hold time: check that the path carries packets both ways"
	}
	return ""
}
