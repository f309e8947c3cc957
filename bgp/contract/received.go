package contract

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// theirs is the distinguisher of what routers announce here.
var theirs = bgp.NewRouteDistinguisherIPAddressAS("10.0.0.1", 1)

// announces sends an UPDATE with one host route.
func (r *router) announces(origin uint8, localPref, label uint32, addr string) {
	r.w.Helper()
	target, err := bgp.ParseRouteTarget("64512:10003")
	r.w.must(err)
	nlri := bgp.NewLabeledVPNIPAddrPrefix(32, addr, *bgp.NewMPLSLabelStack(label), theirs)
	r.w.must(r.Send(bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{
		bgp.NewPathAttributeOrigin(origin),
		bgp.NewPathAttributeAsPath(nil),
		bgp.NewPathAttributeLocalPref(localPref),
		bgp.NewPathAttributeExtendedCommunities([]bgp.ExtendedCommunityInterface{target}),
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
		for route := range r.w.AdjRIBIn(r.addr()) {
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

// taker makes one more router that some of whose routes are taken.
func (w *world) taker(max uint32, helper bool) *router {
	w.Helper()
	c := w.config(vpn...)
	c.Helper = helper
	r := w.record(c)
	r.settings.MaxReceived = max
	r.added()
	r.toldEnds()
	return r
}

// received: nothing is taken from a neighbor by default; then as many routes as
// it may have, with their changes and withdrawals, until the session is lost.
func received(w *world) {
	r := w.taker(0, false)
	r.announces(0, 100, 100, "198.51.100.1")
	r.await("the UPDATE", func(s neighbor.Status) bool { return s.Received.Updates == 1 })
	r.gave()
	r.settings.MaxReceived = 2
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

// receivedOverRestart: the routes of a neighbor with graceful restart are stale
// while it is away, and gone if it says nothing else.
func receivedOverRestart(w *world) {
	r := w.taker(10, true) // it has kept nothing itself when it is back
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
	liar.settings.MaxReceived = 10
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
