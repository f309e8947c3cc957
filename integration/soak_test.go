package integration

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/lab"
)

var seed = flag.Uint64("seed", 0, "repeat what TestHostileNeighbors sent with this `number`; 0 takes another one each time")

// TestHostileNeighbors: twenty neighbors send what is wrong in all ways, before
// and after their OPEN. FRR and a recorder beside them keep their one session
// and every route, and buoyd ends up as small as it was.
func TestHostileNeighbors(t *testing.T) {
	const crowd = 20
	messages := long(4_000, 100_000)
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("to send the same again: -args -seed %d", *seed)
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
	frr, rec := w.router("frr", "mx1").(*lab.FRR), w.recorder("rec")
	w.hasRoutes(frr, web1, web6)
	w.wasSent(rec, "+ "+web1, "+ "+web6Sent)
	var hostiles []*hostile
	for n := range crowd {
		config := w.gatewayConfig(fmt.Sprint("hostile", n), allFamilies)
		config.Active = true
		w.ctl(strings.Join(config.CreateNeighbor(fmt.Sprint("hostile", n)), " "))
		hostiles = append(hostiles, newHostile(t, config, rand.New(rand.NewPCG(*seed, uint64(n)))))
	}
	if err := frr.Trace(w.deadline()); err != nil {
		t.Fatal(err)
	}
	w.attack(hostiles, messages/5) // what is allocated once, is now
	before := w.settled(lab.Usage{})
	w.attack(hostiles, messages)
	after := w.settled(before)
	t.Logf("buoyd: %v before, %v after", before, after)

	for _, name := range []string{"mx1", "rec"} {
		if s := w.neighborState(name); s.State != "ESTABLISHED" || s.Session.EstablishedCount != "1" || s.Session.Flaps != "0" {
			t.Errorf("%s is %s, was established %s times and lost %s times", name, s.State, s.Session.EstablishedCount, s.Session.Flaps)
		}
	}
	if changed, err := frr.Traced(w.deadline()); err != nil || len(changed) > 0 {
		t.Errorf("frr lost or changed %v, %v", changed, err)
	}
	w.hasRoutes(frr, web1, web6)
	w.wasSent(rec, "+ "+web1, "+ "+web6Sent)
	w.ctl("disassociate floatingip web-6") // it still works
	w.hasRoutes(frr, web1)
	if _, err := rec.WaitFor(w.deadline(), "- 10.0.0.11:1:2001:db8:f::5/128"); err != nil {
		t.Error(err)
	}
	w.provoked(messages)
}

// web6Sent is web6 where the next hop is as it was sent (RFC 4659 §3.2.1.2).
var web6Sent = strings.Replace(web6, "next-hop ", "next-hop ::ffff:", 1)

// TestFlaps: sessions of several neighbors come and go, some because the neighbor
// connects anew, some because buoyd does. Each time the neighbor is sent every
// route, and afterwards buoyd is as small as it was.
func TestFlaps(t *testing.T) {
	duration := long(3*time.Second, 2*time.Minute)
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	flapping := map[string]*lab.Recorder{}
	for n := range 8 {
		config := w.gatewayConfig(fmt.Sprint("flap", n), vpnFamilies)
		config.Active = n%2 == 0
		config.Helper = n%4 < 2
		r, err := lab.Record(config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		flapping[fmt.Sprint("flap", n)] = r
		w.neighbor(fmt.Sprint("flap", n), config)
	}
	steady := w.recorder("rec")
	w.wasSent(steady, "+ "+web1)

	w.flap(flapping, duration/10) // what is allocated once, is now
	before := w.settled(lab.Usage{})
	flaps := w.flap(flapping, duration)
	after := w.settled(before)
	t.Logf("buoyd after %d flaps: %v before, %v after", flaps, before, after)
	w.wasSent(steady, "+ "+web1)
	if s := w.neighborState("rec").Session; s.EstablishedCount != "1" || s.Flaps != "0" {
		t.Errorf("the session of the steady neighbor was %+v", s)
	}
}

// flap ends the sessions of recorders again and again, as soon as they have all
// routes, and returns how often. It leaves them established.
func (w *world) flap(recorders map[string]*lab.Recorder, duration time.Duration) int {
	w.t.Helper()
	var flaps atomic.Int32
	var running sync.WaitGroup
	end := time.Now().Add(duration) // it is how much is done; nothing is waited for
	for name, r := range recorders {
		running.Go(func() {
			for n := 1; time.Now().Before(end) && !w.t.Failed(); n++ {
				seen := len(r.Events())
				if n%3 == 0 { // or without a word
					r.Send(bgp.NewBGPNotificationMessage(bgp.BGP_ERROR_CEASE, bgp.BGP_ERROR_SUB_ADMINISTRATIVE_RESET, nil))
				}
				r.Reset() // an error means that it is lost already
				if err := lab.Poll(w.deadline(), name+" has the route again", func(context.Context) error {
					if events := r.Events()[seen:]; len(events) < 3 { // and End-of-RIB of both families
						return fmt.Errorf("sent was %v", events)
					}
					return nil
				}); err != nil {
					w.t.Error(err)
				}
				flaps.Add(1)
			}
		})
	}
	running.Wait()
	for name := range recorders {
		w.established(name)
	}
	return int(flaps.Load())
}

// hasRoutes waits until the VPN tables of a gateway have exactly these routes.
func (w *world) hasRoutes(g lab.Gateway, want ...string) {
	w.t.Helper()
	for _, family := range vpnFamilies {
		var of []string
		for _, r := range want {
			if strings.Contains(r, "::") == (family == lab.VPNv6) {
				of = append(of, r)
			}
		}
		w.eventually(g.Kind()+" has the routes of "+string(family), func(ctx context.Context) error {
			routes, err := g.VPN(ctx, family)
			for i := range routes { // some show a next hop as it was sent
				routes[i].NextHop = routes[i].NextHop.Unmap()
			}
			return compare(routes, err, of)
		})
	}
}

// wasSent waits until a recorder was sent these routes, once each, and checks
// that it was sent nothing else.
func (w *world) wasSent(r *lab.Recorder, want ...string) {
	w.t.Helper()
	w.eventually("the recorder has them", func(context.Context) error {
		var got []string
		for _, e := range r.Events() {
			if !e.EndOfRIB {
				got = append(got, e.String())
			}
		}
		slices.Sort(got)
		if wanted := slices.Sorted(slices.Values(want)); !slices.Equal(got, wanted) {
			return fmt.Errorf("got %q, want %q", got, wanted)
		}
		return nil
	})
}

// attack makes the neighbors send until buoyd has read so many messages of them,
// since its start.
func (w *world) attack(hostiles []*hostile, messages int) {
	w.t.Helper()
	const perMessage = 50 * time.Millisecond // ten times what it takes
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(messages)*perMessage)
	defer cancel()
	attack, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	for _, h := range hostiles {
		running.Go(func() { h.attack(attack) })
	}
	err := lab.Poll(ctx, "buoyd has read the messages", func(context.Context) error {
		if got := w.provocations(); got.messages < messages {
			return fmt.Errorf("so far %+v", got)
		}
		return nil
	})
	stop()
	running.Wait()
	if err != nil {
		w.t.Fatal(err)
	}
}

// provocations are what buoyd had of the hostile neighbors.
type provocations struct{ messages, updates, malformed, refused, sessions int }

func (w *world) provocations() (p provocations) {
	w.t.Helper()
	var list []neighborState
	if err := json.Unmarshal([]byte(w.ctl("get neighbors -o json")), &list); err != nil {
		w.t.Fatal(err)
	}
	for _, n := range list {
		if strings.Contains(n.Name, "hostile") {
			r := n.Session.Received
			p.messages += r.Opens + r.Updates + r.Keepalives + r.Notifications + r.RouteRefreshes
			p.updates += r.Updates
			p.malformed += r.Malformed
			p.refused += r.Refused
			p.sessions += number(n.Session.EstablishedCount)
		}
	}
	return p
}

// provoked checks that buoyd was sent something of everything: otherwise nothing
// was tested.
func (w *world) provoked(messages int) {
	w.t.Helper()
	p := w.provocations()
	w.t.Logf("buoyd has read %+v", p)
	if p.updates < messages/5 || p.malformed < messages/100 || p.refused < messages/100 || p.sessions < messages/100 {
		w.t.Errorf("of %d messages that is too little of something", messages)
	}
}

func number(text string) int {
	n, _ := strconv.Atoi(text) // "" is 0
	return n
}

// settled waits until buoyd has no more open than before, in memory and in
// descriptors, and returns what it has; before is zero the first time.
//
// Descriptors come back all. Go keeps threads for later, as many as ever were in
// system calls at once. Memory that is freed goes back to the system slowly and
// in large pieces; with the race detector it is several times as much. A soak of
// 80 000 messages that lost 400 bytes with each would be beyond the slack.
func (w *world) settled(before lab.Usage) (now lab.Usage) {
	w.t.Helper()
	moreMemory, moreThreads := 32<<20, 16
	if raceDetector() {
		moreMemory *= 4
	}
	w.eventually("buoyd is as small as it was", func(context.Context) (err error) {
		w.ctl("get neighbors") // an idle program returns no memory
		if now, err = lab.UsageOf(w.daemonPID()); err != nil || before == (lab.Usage{}) {
			return err
		}
		if now.Files > before.Files || now.Threads > before.Threads+moreThreads || now.Memory > before.Memory+moreMemory {
			return fmt.Errorf("it has %v, and had %v", now, before)
		}
		return nil
	})
	if before.Started != 0 && now.Started != before.Started {
		w.t.Errorf("buoyd was started at %d and is another one, started at %d", before.Started, now.Started)
	}
	return now
}

// hostile is a neighbor that sends mutated messages.
type hostile struct {
	t      *testing.T
	config lab.GatewayConfig
	rand   *rand.Rand
	valid  [][]byte // what it makes them from: OPEN, KEEPALIVE, UPDATEs, others
}

const (
	headerLen = bgp.BGP_HEADER_LENGTH
	lengthAt  = 16 // in the header
	typeAt    = 18
)

func newHostile(t *testing.T, config lab.GatewayConfig, rand *rand.Rand) *hostile {
	t.Helper()
	h := &hostile{t: t, config: config, rand: rand}
	target := bgp.NewTwoOctetAsSpecificExtended(bgp.EC_SUBTYPE_ROUTE_TARGET, 64512, 10003, true)
	rd := bgp.NewRouteDistinguisherIPAddressAS("10.0.0.11", 1)
	labels := *bgp.NewMPLSLabelStack(100)
	v4 := []bgp.AddrPrefixInterface{
		bgp.NewLabeledVPNIPAddrPrefix(32, "203.0.113.5", labels, rd), // ours
		bgp.NewLabeledVPNIPAddrPrefix(24, "198.51.100.0", labels, rd),
	}
	v6 := []bgp.AddrPrefixInterface{bgp.NewLabeledVPNIPv6AddrPrefix(128, "2001:db8:f::5", labels, rd)}
	membership := []bgp.AddrPrefixInterface{bgp.NewRouteTargetMembershipNLRI(64512, target)}
	announce := func(nlris []bgp.AddrPrefixInterface) *bgp.BGPMessage {
		return bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{
			bgp.NewPathAttributeOrigin(bgp.BGP_ORIGIN_ATTR_TYPE_IGP),
			bgp.NewPathAttributeAsPath([]bgp.AsPathParamInterface{bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_SEQ, []uint32{64513, 64514})}),
			bgp.NewPathAttributeLocalPref(500),
			bgp.NewPathAttributeMultiExitDisc(7),
			bgp.NewPathAttributeCommunities([]uint32{0xfde80001}),
			bgp.NewPathAttributeOriginatorId("10.9.9.9"),
			bgp.NewPathAttributeClusterList([]string{"10.9.9.8"}),
			bgp.NewPathAttributeExtendedCommunities([]bgp.ExtendedCommunityInterface{target}),
			bgp.NewPathAttributeMpReachNLRI("10.9.9.9", nlris),
		}, nil)
	}
	withdraw := func(nlris []bgp.AddrPrefixInterface) *bgp.BGPMessage {
		return bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{bgp.NewPathAttributeMpUnreachNLRI(nlris)}, nil)
	}
	for _, msg := range []*bgp.BGPMessage{
		lab.OpenMessage(config),
		bgp.NewBGPKeepAliveMessage(),
		announce(v4), announce(v6), announce(membership),
		withdraw(v4), withdraw(v6), withdraw(membership),
		bgp.NewEndOfRib(bgp.RF_IPv4_VPN), bgp.NewEndOfRib(bgp.RF_RTC_UC),
		bgp.NewBGPUpdateMessage([]*bgp.IPAddrPrefix{bgp.NewIPAddrPrefix(24, "192.0.2.0")}, nil, nil),
		bgp.NewBGPRouteRefreshMessage(bgp.AFI_IP, 0, bgp.SAFI_MPLS_VPN),
		bgp.NewBGPNotificationMessage(bgp.BGP_ERROR_CEASE, bgp.BGP_ERROR_SUB_ADMINISTRATIVE_SHUTDOWN, []byte("\x03bye")),
	} {
		data, err := msg.Serialize()
		if err != nil {
			t.Fatal(err)
		}
		h.valid = append(h.valid, data)
	}
	return h
}

// attack sends messages until the context ends, each time in a new connection
// when the last one was closed.
func (h *hostile) attack(ctx context.Context) {
	for ctx.Err() == nil {
		conn, err := lab.DialAs(ctx, h.config.Addr.Addr(), h.config.Peer)
		if err != nil {
			if ctx.Err() == nil {
				h.t.Errorf("connect as %s: %v", h.config.Addr.Addr(), err)
			}
			return
		}
		conn.SetDeadline(time.Now().Add(patience))
		h.converse(conn.(*net.TCPConn))
		conn.Close()
	}
}

// converse begins well for none, one or, most of the time, all of the steps to a
// session, then sends what is wrong, and waits until buoyd has read that or
// closed the connection.
func (h *hostile) converse(conn *net.TCPConn) {
	steps := h.rand.IntN(8)
	for step, typ := range []uint8{bgp.BGP_MSG_OPEN, bgp.BGP_MSG_KEEPALIVE} {
		if step >= steps {
			break
		}
		if _, err := conn.Write(h.valid[step]); err != nil {
			return
		}
		if msg, err := lab.ReadMessage(conn); err != nil || msg.Header.Type != typ {
			return // the last session is not over yet
		}
	}
	var reading sync.WaitGroup
	reading.Go(func() { io.Copy(io.Discard, conn) })
	defer reading.Wait()
	for range 1 + h.rand.IntN(50) {
		if _, err := conn.Write(h.message()); err != nil {
			break
		}
	}
	conn.CloseWrite()
}

// message returns a message that is most likely wrong. Many a mutation ends the
// session: most of the time it is an UPDATE that may not.
func (h *hostile) message() []byte {
	if h.rand.IntN(5) > 0 {
		return h.mutate(slices.Clone(h.valid[2+h.rand.IntN(len(h.valid)-4)]), gentle)
	}
	msg := slices.Clone(h.valid[h.rand.IntN(len(h.valid))])
	for range 1 + h.rand.IntN(2) {
		msg = h.mutate(msg, all)
	}
	return msg
}

// How many of the mutations there are.
const (
	gentle = 4
	all    = 12
)

// mutate changes a message in one way. Most leave its length true, so that what
// follows is read, too.
func (h *hostile) mutate(msg []byte, ways int) []byte {
	body := msg[min(headerLen, len(msg)):]
	switch h.rand.IntN(ways) {
	case 0, 1: // some bits of the body
		for range 1 + h.rand.IntN(4) {
			flip(h.rand, body)
		}
	case 2: // an octet takes a value from the edge
		if len(body) > 0 {
			body[h.rand.IntN(len(body))] = []byte{0, 1, 0x7f, 0x80, 0xff}[h.rand.IntN(5)]
		}
	case 4: // it ends early
		return h.resized(msg[:headerOf(msg)+h.rand.IntN(len(body)+1)])
	case 5: // it goes on
		return h.resized(append(msg, random(h.rand, h.rand.IntN(64))...))
	case 6: // it is longer than a message may be
		return h.resized(append(msg, random(h.rand, 4096+h.rand.IntN(60_000))...))
	case 7: // two parts change places
		if len(body) > 1 {
			at := 1 + h.rand.IntN(len(body)-1)
			return append(append(slices.Clone(msg[:headerOf(msg)]), body[at:]...), body[:at]...)
		}
	case 8: // the body of another, or of none
		other := h.valid[h.rand.IntN(len(h.valid))]
		if h.rand.IntN(3) == 0 {
			other = append(slices.Clone(other[:headerLen]), random(h.rand, h.rand.IntN(200))...)
		}
		return h.resized(append(slices.Clone(msg[:headerOf(msg)]), other[headerLen:]...))
	case 9: // another type, or one that there is not
		msg[min(typeAt, len(msg)-1)] = byte(h.rand.IntN(8))
	case 10: // any type
		msg[min(typeAt, len(msg)-1)] = byte(h.rand.Uint32())
	case 11: // a length that is not true, or another marker
		flip(h.rand, msg[:headerOf(msg)])
	case 3: // as it is, perhaps in the wrong place
	}
	return msg
}

// headerOf returns how long the header is.
func headerOf(msg []byte) int { return min(headerLen, len(msg)) }

// resized makes the length true, as far as it can.
func (h *hostile) resized(msg []byte) []byte {
	if len(msg) >= headerLen {
		binary.BigEndian.PutUint16(msg[lengthAt:], uint16(min(len(msg), 0xffff)))
	}
	return msg
}

func flip(r *rand.Rand, b []byte) {
	if len(b) > 0 {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	}
}

func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
