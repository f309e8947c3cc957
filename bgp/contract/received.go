package contract

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// theirs is the distinguisher of what routers announce here.
var theirs = bgp.NewRouteDistinguisherIPAddressAS("10.0.0.1", 1)

// announces sends an UPDATE with one host route of the target 64512:10003.
func (r *router) announces(origin uint8, localPref, label uint32, addr string) {
	r.w.Helper()
	r.announcesTo("64512:10003", origin, localPref, label, addr)
}

func (r *router) announcesTo(target string, origin uint8, localPref, label uint32, addr string) {
	r.w.Helper()
	community, err := bgp.ParseRouteTarget(target)
	r.w.must(err)
	nlri := bgp.NewLabeledVPNIPAddrPrefix(32, addr, *bgp.NewMPLSLabelStack(label), theirs)
	r.w.must(r.Send(bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{
		bgp.NewPathAttributeOrigin(origin),
		bgp.NewPathAttributeAsPath(nil),
		bgp.NewPathAttributeLocalPref(localPref),
		bgp.NewPathAttributeExtendedCommunities([]bgp.ExtendedCommunityInterface{community}),
		bgp.NewPathAttributeMpReachNLRI(r.addr().String(), []bgp.AddrPrefixInterface{nlri}),
	}, nil)))
}

func (r *router) withdraws(addr string) {
	r.w.Helper()
	nlri := bgp.NewLabeledVPNIPAddrPrefix(32, addr, *bgp.NewMPLSLabelStack(0), theirs)
	r.w.must(r.Send(bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{
		bgp.NewPathAttributeMpUnreachNLRI([]bgp.AddrPrefixInterface{nlri}),
	}, nil)))
}

// gave waits until what is taken from the router is this: "198.51.100.1=100",
// with an asterisk when it is stale.
func (r *router) gave(want ...string) {
	r.w.Helper()
	r.w.eventually("the Adj-RIB-In of "+r.settings.Name, func() error {
		var got []string
		for route := range r.w.AdjRIBIn(r.addr(), vrf.Key{}) {
			text := fmt.Sprintf("%s=%d", route.Prefix.Addr(), route.Label)
			if route.Stale {
				text += "*"
			}
			got = append(got, text)
		}
		if a, b := strings.Join(got, " "), strings.Join(want, " "); a != b {
			return fmt.Errorf("got %q, want %q", a, b)
		}
		return nil
	})
}

// taker makes one more router, whose routes are taken as a policy says.
func (w *world) taker(policy neighbor.Policy, helper bool) *router {
	w.Helper()
	c := w.config(vpn...)
	c.Helper = helper
	r := w.record(c)
	r.settings.Policy = policy
	r.added()
	r.toldEnds()
	return r
}

// prefixes reads what a neighbor's prefixes are to be.
func (w *world) prefixes(lines ...string) neighbor.PrefixFilter {
	w.Helper()
	f, err := neighbor.ParsePrefixFilter(lines)
	w.must(err)
	return f
}

// received: what a neighbor announces is taken by default, and nothing if that
// is said; as many routes as it may have, with their changes and withdrawals,
// until the session is lost.
func received(w *world) {
	r := w.taker(neighbor.Policy{}, false)
	r.announces(0, 100, 100, "198.51.100.1")
	r.gave("198.51.100.1=100")
	r.settings.AcceptPrefixes = w.prefixes("none")
	w.tell(r.settings)
	r.gave()
	r.announces(0, 100, 100, "198.51.100.1")
	r.await("the UPDATE", func(s neighbor.Status) bool { return s.Filtered == 1 && s.Taken == 0 })
	r.settings.Policy = neighbor.Policy{MaxReceived: 2}
	w.tell(r.settings)
	r.announces(0, 100, 100, "198.51.100.1")
	r.announces(0, 100, 101, "198.51.100.2")
	r.announces(0, 100, 102, "198.51.100.3") // one more than there may be
	r.announces(0, 100, 201, "198.51.100.2")
	r.gave("198.51.100.1=100", "198.51.100.2=201")
	r.await("the one that was left out", func(s neighbor.Status) bool { return s.Taken == 2 && s.Left == 1 })
	r.withdraws("198.51.100.1")
	r.gave("198.51.100.2=201")
	w.must(r.Reset())
	r.await("another session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == 2 })
	r.gave()
}

// receivedFilter: routes are taken by prefix and by target. A changed filter
// applies to those that are there, and the others are asked for in the session
// that is there.
func receivedFilter(w *world) {
	r := w.taker(neighbor.Policy{AcceptPrefixes: w.prefixes("198.51.100.0/30 ge 32", "2001:db8::/32")}, false)
	announce := func() {
		r.announces(0, 100, 100, "198.51.100.1")
		r.announcesTo("64512:7", 0, 100, 101, "198.51.100.2")
		r.announces(0, 100, 102, "198.51.100.4")
	}
	announce()
	r.await("the one that is left out", func(s neighbor.Status) bool { return s.Taken == 2 && s.Filtered == 1 && s.Left == 0 })
	r.gave("198.51.100.1=100", "198.51.100.2=101")

	asked := uint64(0)
	for _, step := range []struct {
		prefixes neighbor.PrefixFilter
		targets  routetarget.Set
		stays    []string
		again    []string
		filtered uint64 // in all
	}{
		{w.prefixes(), routetarget.NewSet(blue), nil, nil, 4},
		{w.prefixes(), w.targets("target:64512:7"), nil, []string{"198.51.100.2=101"}, 6},
		{w.prefixes("198.51.100.2/32", "198.51.100.4/32"), routetarget.Set{}, []string{"198.51.100.2=101"}, []string{"198.51.100.2=101", "198.51.100.4=102"}, 7},
	} {
		r.settings.AcceptPrefixes, r.settings.AcceptTargets = step.prefixes, step.targets
		w.tell(r.settings)
		r.gave(step.stays...)
		asked += uint64(len(vpn))
		r.await("ROUTE-REFRESH of each family", func(s neighbor.Status) bool { return s.Sent.RouteRefreshes == asked })
		announce()
		r.await("what is left out", func(s neighbor.Status) bool { return s.Filtered == step.filtered })
		r.gave(step.again...)
	}
	// What no longer has a target that is accepted is withdrawn by that.
	r.settings.AcceptTargets = w.targets("target:64512:10003")
	w.tell(r.settings)
	r.gave("198.51.100.4=102")
	r.announcesTo("64512:7", 0, 100, 103, "198.51.100.4")
	r.gave()
	r.await("the same session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == 1 })
}

// receivedTooMany: what is beyond the maximum is left out, which the status says,
// in a session that goes on; or it ends the session with a Cease, and there is
// none until the settings change, if only in what is taken.
func receivedTooMany(w *world) {
	r := w.taker(neighbor.Policy{MaxReceived: 1}, false)
	announce := func() {
		r.announces(0, 100, 100, "198.51.100.1")
		r.announces(0, 100, 101, "198.51.100.2")
	}
	announce()
	s := r.await("the one that is left out", func(s neighbor.Status) bool { return s.Taken == 1 && s.Left == 1 })
	if reason, _ := s.Lacks(); !isEstablished(s) || reason == "" {
		w.Errorf("%s, lacks %q", s.State, reason)
	}

	r.settings.MaxReceivedAction = neighbor.MaxReceivedStop
	w.tell(r.settings)
	r.isNotified("6/1")
	stopped := func(s neighbor.Status) bool {
		return s.State == neighbor.Idle && s.Cause == neighbor.CauseMaxReceived && s.Taken == 0
	}
	r.await("the end", stopped)
	r.gave()
	w.tell(r.settings)          // as they are
	time.Sleep(2 * time.Second) // both sides would have tried again
	r.await("still no session", stopped)

	r.settings.MaxReceived = 2
	w.tell(r.settings)
	r.await("another session", func(s neighbor.Status) bool { return isEstablished(s) && s.Established == 2 })
	announce()
	r.gave("198.51.100.1=100", "198.51.100.2=101")
	r.await("all are there", func(s neighbor.Status) bool { return isEstablished(s) && s.Left == 0 })
}

// targets reads a set of targets.
func (w *world) targets(texts ...string) (set routetarget.Set) {
	w.Helper()
	w.must(set.UnmarshalText([]byte(strings.Join(texts, " "))))
	return set
}

// receivedOverRestart: the routes of a neighbor with graceful restart are stale
// while it is away, and gone if it says nothing else.
func receivedOverRestart(w *world) {
	r := w.taker(neighbor.Policy{}, true) // it has kept nothing itself when it is back
	r.announces(0, 100, 100, "198.51.100.1")
	r.gave("198.51.100.1=100")
	r.Close()
	r.await("the loss", func(s neighbor.Status) bool { return !isEstablished(s) })
	r.gave() // a helper restarts without having forwarded: nothing is kept for it
}

// receivedBesideOurs: what a neighbor announces, with our own keys and any
// LOCAL_PREF, changes nothing of what the others are sent, and is passed on to
// nobody.
func receivedBesideOurs(w *world) {
	ours := with(web4, func(r *vrf.Route) { r.Key.RD = routetarget.IPv4Distinguisher(netip.MustParseAddr("10.0.0.1"), 1) })
	w.advertise(ours)
	liar, other := w.record(w.config(vpn...)), w.peer(vpn...)
	liar.added()
	for _, r := range []*router{liar, other} {
		r.told(plus(ours))
		r.toldEnds()
	}
	liar.announces(0, 1<<31, 999, ours.Prefix.Addr().String())
	liar.announces(0, 1<<31, 999, "198.51.100.1")
	liar.gave("198.51.100.1=999", ours.Prefix.Addr().String()+"=999")
	w.nothingElse(liar, other)
	other.has(ours)
	liar.withdraws(ours.Prefix.Addr().String())
	liar.gave("198.51.100.1=999")
	w.nothingElse(liar, other)
}
