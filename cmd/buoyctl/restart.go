package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// noFamily stands for no graceful restart in a list of families.
const noFamily = "none"

// describeGraceful says for what and how long the router is asked to wait for us.
func describeGraceful(n *buoyv1.Neighbor) string {
	if slices.Equal(n.GracefulRestart, []string{noFamily}) {
		return "off: the neighbor is not asked to keep our routes while the session is lost"
	}
	return fmt.Sprintf("the neighbor is asked to keep our routes for %d s while the session is lost: %s", n.RestartTime, strings.Join(n.GracefulRestart, ", "))
}

func describeLongLived(n *buoyv1.Neighbor) string {
	if n.LongLivedTime == 0 {
		return "off"
	}
	return fmt.Sprintf("then for %d s more, as a last resort: %s", n.LongLivedTime, strings.Join(n.LongLived, ", "))
}

// describeKept says what the two OPENs make of that.
func describeKept(s section, session *buoyv1.Session) {
	const title = "Neighbor keeps routes"
	ours, its := session.GetOpenSent().GetRestart(), session.GetOpenReceived().GetRestart()
	switch {
	case session.OpenReceived == nil:
		s.line(title, "not known: no OPEN received yet")
	case its == nil:
		s.line(title, "no: it drops our routes as soon as the session is lost")
	case ours == nil:
		s.line(title, "no: it was not asked to, and drops them as soon as the session is lost")
	case len(session.KeptFamilies) == 0:
		s.line(title, "no: none of the families that it was asked for is negotiated")
	default:
		s.line(title, fmt.Sprintf("yes, for %d s: %s", ours.RestartTime, strings.Join(session.KeptFamilies, ", ")))
	}
	if longLived := session.LongLivedFamilies; len(longLived) > 0 { // we say the same time for all
		s.more(fmt.Sprintf("then for %d s more: %s", ours.GetLongLivedStaleTimes()[longLived[0]], strings.Join(longLived, ", ")))
	}
	if its == nil {
		return
	}
	if len(its.Families) == 0 {
		s.more("for its own routes it asks nothing")
	} else {
		s.more(fmt.Sprintf("it may be away itself for %d s: %s", its.RestartTime, strings.Join(its.Families, ", ")))
	}
	if len(its.LongLivedStaleTimes) > 0 {
		s.more("its long-lived times (RFC 9494) are not supported: then its routes are dropped")
	}
	if len(session.KeptFamilies) > 0 {
		s.line("Kept after NOTIFICATION", afterNotification(session, its))
	}
}

// afterNotification says what was agreed of RFC 8538.
func afterNotification(session *buoyv1.Session, its *buoyv1.Restart) string {
	switch {
	case session.KeptAfterNotification:
		return "yes, and after an expired hold timer: both sides offer it (RFC 8538)"
	case its.Notification:
		return "no, nor after an expired hold timer: we did not offer it (RFC 8538)"
	default:
		return "no, nor after an expired hold timer: the neighbor does not offer it (RFC 8538)"
	}
}

// describeRestart writes that part of an OPEN, with the letters of the RFCs.
func describeRestart(s section, r *buoyv1.Restart) {
	if r == nil {
		s.more("no graceful restart")
		return
	}
	text := fmt.Sprintf("graceful restart: time %d s", r.RestartTime)
	if r.Restarting {
		text += ", has restarted (R)"
	}
	if r.Notification {
		text += ", also after NOTIFICATION (N)"
	}
	text += ", families " + orDash(strings.Join(r.Families, ","))
	if len(r.PreservedFamilies) > 0 {
		text += ", still forwarding (F) " + strings.Join(r.PreservedFamilies, ",")
	}
	s.more(text)
	var stale []string
	for _, f := range slices.Sorted(maps.Keys(r.LongLivedStaleTimes)) {
		stale = append(stale, fmt.Sprintf("%s %d s", f, r.LongLivedStaleTimes[f]))
	}
	if len(stale) > 0 {
		s.more("long-lived graceful restart: " + strings.Join(stale, ", "))
	}
}
