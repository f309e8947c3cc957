package ribin

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

func policy(max uint32) neighbor.Policy { return neighbor.Policy{MaxReceived: max} }

// follower has what Take said.
type follower map[any]vrf.RIB

func (f follower) take(t *testing.T, table *Table) {
	t.Helper()
	for _, u := range table.Take() {
		old, ok := f[u.Of]
		if !ok {
			old = vrf.NewRIB()
		}
		now := old.Copy()
		set := func(k vrf.Key, r *vrf.Received) {
			if now.Delete(k); r != nil {
				now.Set(r)
			}
		}
		for _, k := range u.Keys {
			set(k, u.Routes.Get(k))
		}
		if u.All {
			for was, is := range vrf.Differences(old, u.Routes) {
				if is == nil {
					set(was.Key, nil)
				} else {
					set(is.Key, is)
				}
			}
		}
		if !slices.Equal(slices.Collect(now.All()), slices.Collect(u.Routes.All())) {
			t.Fatalf("an update does not lead to what there is: %d keys, all: %t", len(u.Keys), u.All)
		}
		if f[u.Of] = now; u.Gone {
			if now.Len() > 0 {
				t.Fatalf("%d routes of a neighbor that is no more", now.Len())
			}
			delete(f, u.Of)
		}
	}
}

// TestTake: who takes changes, now and then, has what there is.
func TestTake(t *testing.T) {
	table := NewTable(us)
	ins := []*In{table.Open(policy(3*maxNoted), func() {}), table.Open(policy(50), func() {})}
	f := follower{}
	var many []bgp.AddrPrefixInterface
	for n := range 2 * maxNoted {
		many = append(many, nlri(fmt.Sprintf("10.%d.%d.0/24", n/256, n%256), 100))
	}
	for range 1000 {
		in := ins[rand.IntN(len(ins))]
		p := fmt.Sprintf("198.51.100.%d/32", rand.IntN(40))
		switch rand.IntN(60) {
		case 0:
			in.Lost(neighbor.NewFamilies(neighbor.InetVPN))
		case 1:
			in.Up(peer, neighbor.AllFamilies)
		case 2:
			in.Expire()
		case 3:
			in.RefreshBegins(neighbor.InetVPN)
		case 4:
			in.SetPolicy(policy(uint32(rand.IntN(2) * 3 * maxNoted)))
		case 5:
			for chunk := range slices.Chunk(many, 200) {
				in.Received(announce(t, 100, chunk...), false, now)
			}
		case 6, 7, 8, 9, 10, 11, 12, 13, 14, 15:
			in.Received(withdraw(t, nlri(p, 0)), false, now)
		default:
			in.Received(announce(t, 100, nlri(p, 16+rand.Uint32N(3))), false, now)
		}
		if rand.IntN(3) == 0 {
			f.take(t, table)
		}
	}
	for _, in := range ins {
		in.Close()
	}
	f.take(t, table)
	if len(f) > 0 {
		t.Errorf("%d neighbors are left", len(f))
	}
	if got := table.Take(); len(got) > 0 {
		t.Errorf("nothing has changed, and there is %v", got)
	}
}

// TestWake: there is a token whenever there is something to take, and what
// changes nothing is nothing.
func TestWake(t *testing.T) {
	table := NewTable(us)
	in := table.Open(policy(10), func() {})
	quiet := func(what string) {
		t.Helper()
		select {
		case <-table.Wake():
			t.Errorf("%s: woken", what)
		default:
		}
	}
	woken := func(what string) {
		t.Helper()
		select {
		case <-table.Wake():
		default:
			t.Errorf("%s: not woken", what)
		}
		table.Take()
	}
	in.Up(peer, 0)
	quiet("a session")
	in.Received(announce(t, 100, nlri(four, 100)), false, now)
	woken("a route")
	in.Received(announce(t, 100, nlri(four, 100)), false, now)
	in.Received(withdraw(t, nlri(six, 0)), false, now)
	quiet("nothing new")
	in.Lost(neighbor.NewFamilies(neighbor.InetVPN))
	woken("stale")
	in.Up(peer, neighbor.NewFamilies(neighbor.InetVPN))
	in.Received(announce(t, 100, nlri(four, 100)), false, now.Add(1))
	woken("no longer stale")
	for r := range in.Routes(vrf.Key{}) {
		if !r.Since.Equal(now) {
			t.Errorf("since %s, want %s: it is the same route", r.Since, now)
		}
	}
}

// TestLoop: what has been here before is recognized.
func TestLoop(t *testing.T) {
	in := newIn(policy(10))
	ours := bgp.NewPathAttributeAsPath([]bgp.AsPathParamInterface{bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_SEQ, []uint32{65001, us.AS})})
	reach := bgp.NewPathAttributeMpReachNLRI("10.0.0.1", []bgp.AddrPrefixInterface{nlri(four, 100)})
	confederation := bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_CONFED_SEQ, []uint32{65100, 65101})
	one := bgp.NewAs4PathParam(bgp.BGP_ASPATH_ATTR_TYPE_SEQ, []uint32{65001})
	for _, tt := range []struct {
		name       string
		attributes []bgp.PathAttributeInterface
		want       vrf.Attributes
	}{
		{"our AS", []bgp.PathAttributeInterface{ours},
			vrf.Attributes{Loop: vrf.ASLoop, PathLength: 2, NeighborAS: 65001, ASPath: fmt.Sprintf("65001 %d", us.AS)}},
		{"ours, reflected", []bgp.PathAttributeInterface{bgp.NewPathAttributeOriginatorId(us.RouterID.String()), bgp.NewPathAttributeClusterList([]string{"10.0.0.3"})},
			vrf.Attributes{Loop: vrf.OriginatorLoop, Originator: us.RouterID, Clusters: 1}},
		{"reflected", []bgp.PathAttributeInterface{bgp.NewPathAttributeOriginatorId("10.0.0.9"), bgp.NewPathAttributeClusterList([]string{"10.0.0.3", "10.0.0.4"})},
			vrf.Attributes{Originator: netip.MustParseAddr("10.0.0.9"), Clusters: 2}},
		{"a confederation", []bgp.PathAttributeInterface{bgp.NewPathAttributeAsPath([]bgp.AsPathParamInterface{confederation, one})},
			vrf.Attributes{PathLength: 1, ASPath: "(65100 65101) 65001"}},
		{"LLGR_STALE", []bgp.PathAttributeInterface{bgp.NewPathAttributeCommunities([]uint32{1, uint32(bgp.COMMUNITY_LLGR_STALE)})},
			vrf.Attributes{LongLivedStale: true}},
	} {
		in.Received(update(t, append(tt.attributes, reach)...), false, now)
		tt.want.NextHop, tt.want.LocalPref = peer.Address, vrf.LocalPrefDefault
		for r := range in.Routes(vrf.Key{}) {
			if got := r.Attributes.Value(); got != tt.want {
				t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
			}
		}
	}
}

// TestReplaced: what a neighbor has announced goes before what another one at its
// address announces.
func TestReplaced(t *testing.T) {
	for range 50 {
		table := NewTable(us)
		old := table.Open(policy(10), func() {})
		old.Received(announce(t, 100, nlri(four, 100)), false, now)
		table.Take()
		old.Close()
		table.Open(policy(10), func() {}).Received(announce(t, 100, nlri(four, 100)), false, now)
		if u := table.Take(); len(u) != 2 || !u[0].Gone || u[1].Gone {
			t.Fatalf("got %v", u)
		}
	}
}
