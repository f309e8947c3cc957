package ribout

import (
	"net/netip"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// Session is what was negotiated with a neighbor.
type Session struct {
	LocalAS, PeerAS uint32
	Families        neighbor.Families // that both sides offered
	FourOctetAS     bool              // RFC 6793
	ExtendedNextHop bool              // VPNv4 routes may have an IPv6 next hop (RFC 8950)
	MaxMessage      int               // bytes; 4096 but with extended messages (RFC 8654)
	EnhancedRefresh bool              // a refresh has marks (RFC 7313)
	RouterID        netip.Addr        // ours; needed with route-target
}

func (s *Session) internal() bool { return s.LocalAS == s.PeerAS }

// Out is the Adj-RIB-Out of one session: its group, and how much of what the
// group has written it was handed. Its Table's mutex guards it.
type Out struct {
	table   *Table
	session Session
	wakeup  chan struct{} // holds a token when there may be something to send

	group    *group
	next     uint64 // the chunk of the group that it is handed next
	since    int64  // when it joined the group, with all that was sent before
	due      int64  // since when there has been something to send; 0 if there is nothing
	interest interest

	commits []time.Time // of what the last Next wrote; owned by the caller of Next

	membership routetarget.Set // of ours, that the neighbor has been told
	marks                      // of route-target
}

// rtFamilies is the family of our membership.
var rtFamilies = neighbor.NewFamilies(neighbor.RouteTarget)

// Open returns the Adj-RIB-Out of a session that has come up, with nothing
// sent. When the neighbor has route-target, it gets no VPN route before its
// membership is known: see EndMembership.
func (t *Table) Open(s Session, policy neighbor.Policy) *Out {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := &Out{table: t, session: s, wakeup: make(chan struct{}, 1), marks: marks{marker: s.Families & rtFamilies}}
	t.enter(o, alike{s, policy})
	o.signal()
	return o
}

// Close forgets what was sent.
func (o *Out) Close() {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	o.group.remove(o)
}

// Wake delivers when Next may have something.
func (o *Out) Wake() <-chan struct{} { return o.wakeup }

func (o *Out) signal() {
	if o.due == 0 {
		o.due = time.Now().UnixNano()
	}
	select {
	case o.wakeup <- struct{}{}:
	default:
	}
}

// pending reports whether Next has something to look at.
func (o *Out) pending() bool {
	return o.membershipDue() || o.next < o.group.end() || o.group.routesDue()
}

// Next appends whole messages to a buffer that bring the neighbor closer to
// what it should have. It reports whether there is more to look at.
func (o *Out) Next(b []byte, now time.Time) (messages []byte, more bool) {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	o.commits = o.commits[:0]
	if o.membershipDue() {
		m := builder{b: b, limit: o.session.MaxMessage}
		o.sendMembership(&m)
		b = m.b
	}
	if g := o.group; o.next < g.end() {
		b = g.hand(o, b)
		o.table.progress.sent()
	} else if g.routesDue() {
		b = g.produce(o, b, now.UnixNano())
		o.table.progress.sent()
	}
	o.group.settle()
	if more = o.pending(); !more {
		o.due = 0
	}
	return b, more
}

// Commits returns when the commits were on disk that the messages of the last Next come
// from: of the single changes, not of a round over all routes, as a session begins with.
// It is for the caller of Next, until the next one.
func (o *Out) Commits() []time.Time { return o.commits }
