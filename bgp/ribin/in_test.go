package ribin

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unique"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

var now = time.Unix(1000, 0)

// us is who we are, and peer is a session with somebody in our AS.
var (
	us   = Local{AS: 64512, RouterID: netip.MustParseAddr("10.0.0.2")}
	peer = vrf.Source{Neighbor: "mx1", Address: netip.MustParseAddr("10.0.0.1"), RouterID: netip.MustParseAddr("10.0.0.1")}
)

func newIn(policy neighbor.Policy) *In { return NewTable(us).Open(policy, func() {}) }

// nlri is a route of 10.0.0.1:1.
func nlri(prefix string, label uint32) bgp.AddrPrefixInterface {
	p := netip.MustParsePrefix(prefix)
	rd := bgp.NewRouteDistinguisherIPAddressAS("10.0.0.1", 1)
	if p.Addr().Is4() {
		return bgp.NewLabeledVPNIPAddrPrefix(uint8(p.Bits()), p.Addr().String(), *bgp.NewMPLSLabelStack(label), rd)
	}
	return bgp.NewLabeledVPNIPv6AddrPrefix(uint8(p.Bits()), p.Addr().String(), *bgp.NewMPLSLabelStack(label), rd)
}

// update goes through the codec, as from the wire.
func update(t testing.TB, attributes ...bgp.PathAttributeInterface) *bgp.BGPUpdate {
	t.Helper()
	data, err := bgp.NewBGPUpdateMessage(nil, attributes, nil).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	m, err := bgp.ParseBGPMessage(data)
	if err != nil {
		t.Fatal(err)
	}
	return m.Body.(*bgp.BGPUpdate)
}

func announce(t testing.TB, localPref uint32, nlris ...bgp.AddrPrefixInterface) *bgp.BGPUpdate {
	target, err := bgp.ParseRouteTarget("64512:10003")
	if err != nil {
		t.Fatal(err)
	}
	return update(t,
		bgp.NewPathAttributeMpReachNLRI("10.0.0.1", nlris),
		bgp.NewPathAttributeOrigin(bgp.BGP_ORIGIN_ATTR_TYPE_INCOMPLETE),
		bgp.NewPathAttributeAsPath([]bgp.AsPathParamInterface{
			bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_SEQ, []uint32{65001, 65002}),
			bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_SET, []uint32{65003}),
		}),
		bgp.NewPathAttributeMultiExitDisc(7),
		bgp.NewPathAttributeLocalPref(localPref),
		bgp.NewPathAttributeExtendedCommunities([]bgp.ExtendedCommunityInterface{target, bgp.NewEncapExtended(bgp.TUNNEL_TYPE_GRE)}))
}

func withdraw(t testing.TB, nlris ...bgp.AddrPrefixInterface) *bgp.BGPUpdate {
	return update(t, bgp.NewPathAttributeMpUnreachNLRI(nlris))
}

func end(t testing.TB, f bgp.RouteFamily) *bgp.BGPUpdate {
	return bgp.NewEndOfRib(f).Body.(*bgp.BGPUpdate)
}

// text returns the routes, those that are stale with an asterisk.
func text(in *In) string {
	var list []string
	for r := range in.Routes(vrf.Key{}) {
		stale := map[bool]string{true: "*"}[r.Stale]
		list = append(list, fmt.Sprintf("%s=%d%s", r.Prefix, r.Label, stale))
	}
	return strings.Join(list, " ")
}

func check(t *testing.T, in *In, what, want string) {
	t.Helper()
	if got := text(in); got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
	if n := in.Count(); n.Routes != strings.Count(want, "=") || n.Stale != strings.Count(want, "*") {
		t.Errorf("%s: counted %d, %d of them stale", what, n.Routes, n.Stale)
	}
}

const (
	four = "198.51.100.0/24"
	six  = "2001:db8::/64"
)

// TestReceived: every attribute of a route, changes and withdrawals.
func TestReceived(t *testing.T) {
	in := newIn(neighbor.Policy{MaxReceived: 10})
	in.Received(announce(t, 200, nlri(four, 100), nlri("203.0.113.7/32", 101)), false, now)
	target, _ := routetarget.ParseTarget("target:64512:10003")
	rd, _ := routetarget.ParseDistinguisher("10.0.0.1:1")
	want := &vrf.Received{
		Key: vrf.Key{RD: rd, Prefix: netip.MustParsePrefix(four)}, Label: 100,
		Attributes: unique.Make(vrf.Attributes{
			NextHop: netip.MustParseAddr("10.0.0.1"), Origin: vrf.Incomplete, ASPath: "65001 65002 {65003}", PathLength: 3, NeighborAS: 65001,
			LocalPref: 200, MED: 7, Targets: routetarget.NewSet(target), Encapsulations: vrf.NewEncapsulations(vrf.GRE),
		}),
		Since: now, Source: in.source,
	}
	if got := slices.Collect(in.Routes(vrf.Key{})); len(got) != 2 || *got[0] != *want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	later := now.Add(time.Minute)
	in.Received(announce(t, 200, nlri(four, 100)), false, later) // as it is
	in.Received(announce(t, 200, nlri("203.0.113.7/32", 102)), false, later)
	got := slices.Collect(in.Routes(vrf.Key{}))
	if !got[0].Since.Equal(now) || !got[1].Since.Equal(later) {
		t.Errorf("since %s and %s", got[0].Since, got[1].Since)
	}
	check(t, in, "changed", four+"=100 203.0.113.7/32=102")
	in.Received(withdraw(t, nlri(four, 0)), false, now)
	in.Received(withdraw(t, nlri(six, 0)), false, now) // which is not there
	check(t, in, "withdrawn", "203.0.113.7/32=102")
	in.Received(announce(t, 200, nlri("203.0.113.7/32", 102)), true, now)
	check(t, in, "treated as a withdrawal", "")
	in.Received(announce(t, 200, nlri("198.51.100.77/24", 100)), false, now)
	check(t, in, "host bits", four+"=100")
}

// TestMax: never more are taken than there may be, and what is there stays.
func TestMax(t *testing.T) {
	policy := func(max uint32) neighbor.Policy { return neighbor.Policy{MaxReceived: max} }
	in := newIn(policy(1))
	if in.Received(announce(t, 100, nlri(four, 100)), false, now) {
		t.Error("full with the first")
	}
	if !in.Received(announce(t, 100, nlri(six, 100)), false, now) || in.Received(announce(t, 100, nlri(six, 100)), false, now) {
		t.Error("that it is full is to be told once")
	}
	in.Received(announce(t, 100, nlri(four, 101)), false, now) // it is there
	check(t, in, "full", four+"=101")
	if left := in.Count().Refused; left != 2 {
		t.Errorf("%d were left out", left)
	}
	if !in.SetPolicy(policy(2)) || in.Count().Refused != 0 {
		t.Error("one more, and nobody is asked")
	}
	in.Received(announce(t, 100, nlri(six, 102)), false, now)
	if in.SetPolicy(policy(2)) || in.SetPolicy(policy(1)) {
		t.Error("no more, and somebody is asked")
	}
	check(t, in, "fewer", four+"=101 "+six+"=102")
	if !in.SetPolicy(policy(0)) { // the default
		t.Error("many more, and nobody is asked")
	}
}

// TestFilter: what is not accepted is left out and counted, and goes when it was
// there; a changed filter applies to what is there, and the rest is asked for.
func TestFilter(t *testing.T) {
	const web = "203.0.113.7/32"
	filter := func(lines ...string) neighbor.Policy {
		f, err := neighbor.ParsePrefixFilter(lines)
		if err != nil {
			t.Fatal(err)
		}
		return neighbor.Policy{AcceptPrefixes: f}
	}
	targets := func(text string) neighbor.Policy {
		target, err := routetarget.ParseTarget(text)
		if err != nil {
			t.Fatal(err)
		}
		return neighbor.Policy{AcceptTargets: routetarget.NewSet(target)}
	}
	all := func() *bgp.BGPUpdate { return announce(t, 100, nlri(four, 100), nlri(web, 101)) }
	filtered := func(in *In, want uint64) {
		t.Helper()
		if got := in.Count().Filtered; got != want {
			t.Errorf("%d announcements were not accepted, want %d", got, want)
		}
	}
	in := newIn(filter("203.0.113.0/24 le 32"))
	in.Up(peer, 0)
	in.Received(all(), false, now)
	in.Received(announce(t, 100, nlri(six, 102)), false, now)
	check(t, in, "by prefix", web+"=101")
	filtered(in, 2)

	for _, tt := range []struct {
		name   string
		policy neighbor.Policy
		ask    bool
		stays  string
		again  string // after it was announced again
	}{
		{"the same", filter("203.0.113.0/24 le 32"), false, web + "=101", web + "=101"},
		{"all", neighbor.Policy{}, true, web + "=101", four + "=100 " + web + "=101"},
		{"a target that they have", targets("target:64512:10003"), true, four + "=100 " + web + "=101", four + "=100 " + web + "=101"},
		{"another target", targets("target:64512:7"), true, "", ""},
		{"a target that they have, again", targets("target:64512:10003"), true, "", four + "=100 " + web + "=101"},
		{"another prefix", filter(four), true, four + "=100", four + "=100"},
		{"nothing", filter("none"), false, "", ""},
		{"all, again", neighbor.Policy{}, true, "", four + "=100 " + web + "=101"},
	} {
		if ask := in.SetPolicy(tt.policy); ask != tt.ask {
			t.Errorf("%s: to be asked: %t", tt.name, ask)
		}
		check(t, in, tt.name, tt.stays)
		in.Received(all(), false, now)
		check(t, in, tt.name+", announced again", tt.again)
	}
	in.Up(peer, 0)
	filtered(in, 0)

	// A route whose targets change to others is withdrawn by that.
	in.SetPolicy(targets("target:64512:10003"))
	in.Lost(neighbor.AllFamilies)
	u := all()
	u.PathAttributes = u.PathAttributes[:len(u.PathAttributes)-1]
	in.Received(u, false, now)
	check(t, in, "without targets", "")
	filtered(in, 2)
}

// TestRestart: a lost session, with and without graceful restart, and the ways
// in which what is stale goes.
func TestRestart(t *testing.T) {
	both := neighbor.NewFamilies(neighbor.InetVPN, neighbor.Inet6VPN)
	filled := func() *In {
		in := newIn(neighbor.Policy{MaxReceived: 10})
		in.Up(peer, 0)
		in.Received(announce(t, 100, nlri(four, 100), nlri("203.0.113.0/24", 101)), false, now)
		in.Received(announce(t, 100, nlri(six, 102)), false, now)
		return in
	}
	in := filled()
	in.Lost(0)
	if in.Count().Stale > 0 {
		t.Error("something is stale without graceful restart")
	}
	check(t, in, "lost", "")

	in = filled()
	in.Lost(neighbor.NewFamilies(neighbor.InetVPN))
	check(t, in, "lost, one family with graceful restart", four+"=100* 203.0.113.0/24=101*")
	in.Up(peer, 0)
	check(t, in, "back, nothing preserved", "")

	in = filled()
	in.Lost(both)
	in.Up(peer, both)
	check(t, in, "back", four+"=100* 203.0.113.0/24=101* "+six+"=102*")
	in.Received(announce(t, 100, nlri(four, 100)), false, now)
	in.Received(end(t, bgp.RF_IPv4_VPN), false, now)
	check(t, in, "the end of one family", four+"=100 "+six+"=102*")
	in.Expire()
	check(t, in, "expired", four+"=100")

	in = filled()
	in.Lost(both)
	in.Up(peer, both)
	in.Received(announce(t, 100, nlri(four, 200)), false, now)
	in.Lost(both) // before the end
	check(t, in, "lost again", four+"=200*")

	in = filled()
	in.RefreshBegins(neighbor.InetVPN)
	in.Received(announce(t, 100, nlri(four, 100)), false, now)
	check(t, in, "in a refresh", four+"=100 203.0.113.0/24=101 "+six+"=102")
	in.RefreshEnds(neighbor.InetVPN)
	check(t, in, "after it", four+"=100 "+six+"=102")

	in = filled()
	in.RefreshBegins(neighbor.InetVPN)
	in.Received(announce(t, 100, nlri(four, 100)), false, now)
	in.Lost(both)
	check(t, in, "lost in a refresh", four+"=100* 203.0.113.0/24=101* "+six+"=102*")
	in.Up(peer, both)
	in.RefreshEnds(neighbor.InetVPN) // of a session that is over
	check(t, in, "back", four+"=100* 203.0.113.0/24=101* "+six+"=102*")
}

// TestEnded: in which families the neighbor has announced all, session by session; the
// first End-of-RIB of each is told.
func TestEnded(t *testing.T) {
	told := 0
	in := NewTable(us).Open(neighbor.Policy{}, func() { told++ })
	expect := func(what string, families neighbor.Families, times int) {
		t.Helper()
		if got := in.Count().Ended; got != families || told != times {
			t.Errorf("%s: got %q, told %d times; want %q and %d", what, got, told, families, times)
		}
	}
	in.Up(peer, 0)
	in.Received(announce(t, 100, nlri(four, 100)), false, now)
	expect("a route", 0, 0)
	in.Received(end(t, bgp.RF_IPv4_VPN), false, now)
	in.Received(end(t, bgp.RF_IPv4_VPN), false, now)
	expect("the end of one family, twice", neighbor.NewFamilies(neighbor.InetVPN), 1)
	in.Received(end(t, bgp.RF_IPv6_VPN), false, now)
	expect("of both", neighbor.VPNFamilies, 2)
	in.Lost(neighbor.VPNFamilies)
	expect("the session is lost", 0, 2)
	in.Up(peer, neighbor.VPNFamilies)
	in.Received(end(t, bgp.RF_IPv6_VPN), false, now)
	expect("the next session", neighbor.NewFamilies(neighbor.Inet6VPN), 3)
}

// TestRandom compares with a model that keeps it simple.
func TestRandom(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	in := newIn(neighbor.Policy{MaxReceived: 12})
	type model struct {
		label          uint32
		stale, awaited bool
	}
	want := map[string]*model{}
	prefixes := make([]string, 20)
	for i := range prefixes {
		if prefixes[i] = fmt.Sprintf("198.51.100.%d/32", i); i%2 == 1 {
			prefixes[i] = fmt.Sprintf("2001:db8::%x/128", i)
		}
	}
	drop := func(which func(prefix string, m *model) bool) {
		for p, m := range want {
			if which(p, m) {
				delete(want, p)
			}
		}
	}
	isFour := func(p string) bool { return !strings.Contains(p, ":") }
	for range 20_000 {
		p := prefixes[r.IntN(len(prefixes))]
		switch r.IntN(12) {
		case 0, 1, 2, 3, 4:
			label := 16 + r.Uint32N(3)
			in.Received(announce(t, 100, nlri(p, label)), false, now)
			if want[p] != nil || len(want) < 12 {
				want[p] = &model{label: label}
			}
		case 5, 6:
			in.Received(withdraw(t, nlri(p, 0)), false, now)
			delete(want, p)
		case 7:
			in.Lost(neighbor.NewFamilies(neighbor.InetVPN))
			drop(func(p string, m *model) bool { return m.stale || !isFour(p) })
			for _, m := range want {
				m.stale, m.awaited = true, false
			}
		case 8:
			in.Up(peer, neighbor.AllFamilies)
		case 9:
			in.Received(end(t, bgp.RF_IPv4_VPN), false, now)
			drop(func(p string, m *model) bool { return m.stale && isFour(p) })
		case 10:
			if r.IntN(2) == 0 {
				in.RefreshEnds(neighbor.Inet6VPN)
				drop(func(p string, m *model) bool { return m.awaited && !isFour(p) })
			} else {
				in.RefreshBegins(neighbor.Inet6VPN)
				for p, m := range want {
					m.awaited = m.awaited || !isFour(p)
				}
			}
		case 11:
			in.Expire()
			drop(func(_ string, m *model) bool { return m.stale })
		}
		stale := 0
		for _, m := range want {
			if m.stale {
				stale++
			}
		}
		if n := in.Count(); n.Routes != len(want) || n.Stale != stale {
			t.Fatalf("%d routes, %d of them stale, want %d and %d", n.Routes, n.Stale, len(want), stale)
		}
		for r := range in.Routes(vrf.Key{}) {
			if m := want[r.Prefix.String()]; m == nil || m.label != uint32(r.Label) || m.stale != r.Stale {
				t.Fatalf("%s: got %d, stale: %t; want %+v", r.Prefix, r.Label, r.Stale, m)
			}
		}
	}
}

// FuzzReceived: whatever the codec reads is taken or left out.
func FuzzReceived(f *testing.F) {
	for _, u := range []*bgp.BGPUpdate{announce(f, 100, nlri(four, 100)), withdraw(f, nlri(six, 100)), end(f, bgp.RF_IPv4_VPN)} {
		b, err := u.Serialize()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		u := &bgp.BGPUpdate{}
		if !decode(u, body) {
			return
		}
		in := newIn(neighbor.Policy{MaxReceived: 5})
		in.Received(u, false, now)
		for r := range in.Routes(vrf.Key{}) {
			if !r.Prefix.IsValid() || r.Prefix != r.Prefix.Masked() {
				t.Fatalf("prefix %s", r.Prefix)
			}
		}
		in.Received(u, true, now)
		if n := in.Count().Routes; n != 0 {
			t.Fatalf("%d routes after the withdrawal", n)
		}
	})
}

// decode is what the wire does: a panic of the codec ends the session.
func decode(u *bgp.BGPUpdate, body []byte) (ok bool) {
	defer func() { recover() }()
	return u.DecodeFromBytes(body) == nil
}
