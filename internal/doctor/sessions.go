package doctor

import (
	"cmp"
	"fmt"
	"time"

	"github.com/buoynet/buoy/internal/explain"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

// later is what to do about what happens by itself.
const later = "ask again in a moment"

// lately is how long ago something may be to be a sign of what is now.
const lately = 10 * time.Minute

// sessions looks at the neighbors.
func (e *exam) sessions() {
	up, all := 0, 0
	for n := range e.State.Neighbors() {
		all++
		if s := e.Snapshot.Sessions[n.Name]; s != nil && s.State == neighbor.Established {
			up++
		}
	}
	e.texts[Sessions] = fmt.Sprintf("%d of %s established", up, number(all, "session"))
	for n := range e.State.Neighbors() {
		s := e.Snapshot.Sessions[n.Name]
		switch {
		case s == nil || s.State != neighbor.Established:
			e.missing(n, s, up == 0 && e.carried != 0)
		default:
			e.lacking(n, s)
		}
		if s != nil {
			e.behaviour(n, s)
		}
	}
	if r := e.Refused; r.Count > 0 {
		e.found(Finding{ID: "strangers", Area: Sessions, Severity: Info, Subject: Daemon, Since: r.Time, Count: r.Count, Examples: []string{r.Address.String()},
			Cause:  fmt.Sprintf("%s from addresses that no neighbor has: refused, the last one from %s", number(r.Count, "connection"), r.Address),
			Remedy: fmt.Sprintf("buoyctl create neighbor NAME --address %s --as AS, if it is the router that connects from there", r.Address)})
	}
}

// why has ids for causes that somebody may want to tell apart.
var why = map[neighbor.Cause]string{neighbor.CauseQuarantined: "neighbor_quarantined", neighbor.CauseMaxReceived: "max_received_stopped"}

// missing says of a neighbor that its session is not there; it is bad if nobody else has
// one, and there is something to send.
func (e *exam) missing(n *inventory.Neighbor, s *neighbor.Status, bad bool) {
	f := Finding{ID: "session_down", Area: Sessions, Severity: Warning, Subject: n.ResourceName(), Cause: explain.Absence(n.Name, s), Remedy: later}
	if bad {
		f.Severity = Error
	}
	if s != nil {
		f.ID, f.Since = cmp.Or(why[s.Cause], f.ID), s.Since
		f.Remedy = cmp.Or(s.Advice(e.Local), "buoyctl describe neighbor "+n.Name+" shows what was seen last")
		if s.Stale > 0 {
			f.Cause += fmt.Sprintf("; %s of it are kept as stale", number(s.Stale, "route"))
		}
	}
	e.found(f)
}

// lacking says of an established session what it has not.
func (e *exam) lacking(n *inventory.Neighbor, s *neighbor.Status) {
	if reason, next := s.Lacks(); reason != "" {
		f := Finding{ID: "session_lacks", Area: Sessions, Severity: Info, Subject: n.ResourceName(), Cause: n.Name + ": " + reason, Remedy: next}
		if s.Left > 0 || s.Lacking()&e.carried != 0 {
			f.Severity = Warning
		}
		e.found(f)
	}
	if s.MaxReached {
		e.found(Finding{ID: "max_advertised", Area: Sessions, Severity: Warning, Subject: n.ResourceName(),
			Cause:  fmt.Sprintf("%s has the %d routes that it may have at most; others are withheld from it", n.Name, s.Advertised),
			Remedy: fmt.Sprintf("buoyctl set neighbor %s --max-advertised N, with a higher N", n.Name)})
	}
	if s.Stale > 0 {
		e.found(Finding{ID: "stale_routes", Area: Sessions, Severity: Info, Subject: n.ResourceName(), Since: s.Since, Count: s.Stale,
			Cause:  fmt.Sprintf("%s has not announced %s again since its session was lost: they are kept as stale", n.Name, number(s.Stale, "route")),
			Remedy: "wait: they go with its End-of-RIB, or after its restart time"})
	}
}

// behaviour looks at what a neighbor does, whether or not it has a session.
func (e *exam) behaviour(n *inventory.Neighbor, s *neighbor.Status) {
	if len(s.Losses) >= neighbor.KeptLosses && e.Now.Sub(s.Losses[0]) < lately {
		e.found(Finding{ID: "session_flaps", Area: Sessions, Severity: Warning, Subject: n.ResourceName(), Since: s.Losses[0],
			Cause:  fmt.Sprintf("the session with %s was lost %d times within %s", n.Name, len(s.Losses), e.Now.Sub(s.Losses[0]).Round(time.Second)),
			Remedy: "buoyctl describe neighbor " + n.Name + " shows the last NOTIFICATION of each side; look at the path and at the router's log"})
	}
	e.malformed(n, s)
}

// malformed looks at UPDATEs that were taken as RFC 7606 says. What was refused has ended its
// session, which says so itself.
func (e *exam) malformed(n *inventory.Neighbor, s *neighbor.Status) {
	f := Finding{ID: "malformed_messages", Area: Sessions, Severity: Info, Subject: n.ResourceName(), Count: s.Received.Malformed,
		Cause:  fmt.Sprintf("%s sends malformed messages: %s", n.Name, number(s.Received.Malformed, "UPDATE")),
		Remedy: "buoyctl describe neighbor " + n.Name + " shows the last ones as hex; look at the router's version"}
	if f.Count == 0 {
		return
	}
	for _, bad := range s.BadMessages {
		if !bad.Taken {
			continue
		}
		f.Since = earlier(f.Since, bad.Time) // of those that are kept
		if e.Now.Sub(bad.Time) < lately {
			f.Severity = Warning
		}
	}
	e.found(f)
}
