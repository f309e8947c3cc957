package ribout

import (
	"net/netip"
	"slices"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
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

// Out is the Adj-RIB-Out of one session. Its Table's mutex guards it.
type Out struct {
	table   *Table
	session Session
	wakeup  chan struct{} // holds a token when there may be something to send

	policy   neighbor.Policy
	interest interest
	waiting  bool // for the neighbor's membership
	count    int  // of routes that the neighbor has
	capped   bool // some are withheld, because it has as many as it may

	sent []sent // by slot; may be shorter than the table's
	at   uint64 // the position in the table's changes up to which it has looked

	sweep  int               // the next slot of a round over all of them
	left   int               // how many slots it has yet to look at
	slots  int               // how many there were then
	rounds bool              // such a round is under way
	marker neighbor.Families // whose End-of-RIB follows when all was sent once

	asked      neighbor.Families // whose refresh has yet to begin
	refreshing neighbor.Families // whose EoRR follows when all was sent again

	membership routetarget.Set // of ours, that the neighbor has been told
}

// The families of the routes, and of our membership.
var (
	vpnFamilies = neighbor.NewFamilies(neighbor.InetVPN, neighbor.Inet6VPN)
	rtFamilies  = neighbor.NewFamilies(neighbor.RouteTarget)
)

// sent is what the neighbor has of a route.
type sent struct {
	at    int64        // Unix time in nanoseconds
	attrs attributesID // held; 0: nothing
	label vrf.Label    // with again: it must be sent again
}

// again is beyond the 20 bits of a label.
const again vrf.Label = 1 << 31

// Open returns the Adj-RIB-Out of a session that has come up, with nothing
// sent. When the neighbor has route-target, it gets no VPN route before its
// membership is known: see EndMembership.
func (t *Table) Open(s Session, policy neighbor.Policy) *Out {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := &Out{table: t, session: s, policy: policy, wakeup: make(chan struct{}, 1), marker: s.Families}
	o.waiting = s.Families.Contains(neighbor.RouteTarget)
	o.at = t.changes.end()
	o.round()
	t.outs = append(t.outs, o)
	o.signal()
	return o
}

// Close forgets what was sent.
func (o *Out) Close() {
	t := o.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outs = slices.DeleteFunc(t.outs, func(other *Out) bool { return other == o })
	for n := range o.sent {
		if o.sent[n].attrs != 0 {
			o.forget(uint32(n))
		}
	}
	o.sent, o.rounds = nil, false
	t.forgetRead()
}

// forget notes that the neighbor no longer has a route.
func (o *Out) forget(n uint32) {
	o.table.attributes.drop(o.sent[n].attrs)
	o.sent[n] = sent{}
	o.count--
	o.table.slots[n].known--
	o.table.release(n)
}

// Wake delivers when Next may have something.
func (o *Out) Wake() <-chan struct{} { return o.wakeup }

func (o *Out) signal() {
	select {
	case o.wakeup <- struct{}{}:
	default:
	}
}

// round makes Next look at all routes. It goes on where the one before it is,
// so that each route gets its turn however often a round begins.
func (o *Out) round() { o.slots, o.left, o.rounds = len(o.table.slots), len(o.table.slots), true }

// pending reports whether Next has something to look at.
func (o *Out) pending() bool { return o.membershipDue() || o.routesDue() }

func (o *Out) routesDue() bool {
	return !o.waiting && (o.rounds || o.asked&vpnFamilies != 0 || o.at < o.table.changes.end())
}

// batch bounds how many routes one call of Next looks at, and so how long it
// holds the table. Single changes come before a round over all routes.
const batch = 8192

// Next appends whole messages to a buffer that bring the neighbor closer to
// what it should have. It reports whether there is more to look at.
func (o *Out) Next(b []byte, now time.Time) (messages []byte, more bool) {
	t := o.table
	t.mu.Lock()
	defer t.mu.Unlock()
	p := packer{out: o, builder: builder{b: b, limit: o.session.MaxMessage}, now: now.UnixNano()}
	if o.membershipDue() {
		o.sendMembership(&p.builder)
	}
	if o.routesDue() {
		o.sendRoutes(&p)
	}
	return p.builder.b, o.pending()
}

// sendRoutes writes the differences of one batch: single changes, then a part
// of a round.
func (o *Out) sendRoutes(p *packer) {
	if begin := o.beginRefresh(&p.builder, vpnFamilies); begin != 0 {
		o.resend(func(k key) bool { return begin.Contains(k.family()) })
	}
	o.look(p)
	if o.capped && !o.full(0) { // there is room for what was withheld
		o.capped = false
		o.round()
	}
	if o.rounds && o.left == 0 && o.at == o.table.changes.end() {
		o.rounds = false
		o.endRound(&p.builder, vpnFamilies)
	}
}

// full reports whether the neighbor has as many routes as it may, with some
// more.
func (o *Out) full(more int) bool {
	return o.policy.MaxAdvertised > 0 && o.count+more >= int(o.policy.MaxAdvertised)
}

// look compares routes with what the neighbor has of them.
func (o *Out) look(p *packer) {
	t := o.table
	if o.at < t.changes.base { // too far behind
		o.at = t.changes.end()
		o.round()
	}
	slots := len(t.slots)
	if len(o.sent) < slots {
		o.sent = slices.Grow(o.sent, cap(t.slots)-len(o.sent))[:cap(t.slots)] // as seldom as the table itself
	}
	n := 0
	for ; n < batch && o.at < t.changes.end(); o.at++ {
		if slot, ok := t.latest(o.at); ok {
			p.add(slot)
			n++
		}
	}
	p.write()
	t.forgetRead()
	if !o.rounds {
		return
	}
	o.slots, o.left = slots, o.left+slots-o.slots // new ones may be between here and the end
	for ; n < batch && o.left > 0; n++ {
		if o.sweep >= slots {
			o.sweep = 0
		}
		p.add(uint32(o.sweep))
		o.sweep, o.left = o.sweep+1, o.left-1
	}
	p.write()
}

// wants reports whether the neighbor should have a route.
func (o *Out) wants(family neighbor.Family, id attributesID) bool {
	a := o.table.attributes.of(id)
	return o.session.Families.Contains(family) && o.takesNextHop(family, a.nextHop) && o.wantsTargets(a.targets)
}

func (o *Out) takesNextHop(family neighbor.Family, nextHop netip.Addr) bool {
	return family != neighbor.InetVPN || nextHop.Is4() || o.session.ExtendedNextHop
}

func (o *Out) wantsTargets(targets routetarget.Set) bool {
	return !o.session.Families.Contains(neighbor.RouteTarget) || o.interest.in(targets)
}
