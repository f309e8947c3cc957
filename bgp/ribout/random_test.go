package ribout

import (
	"encoding/binary"
	"flag"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

var seed = flag.Uint64("seed", 0, "of the random test; 0 takes a new one")

var netipZero netip.Addr

func netipPrefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func address4(i int) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 0xcb007100+uint32(i))
	return netip.AddrFrom4(b).String()
}

// TestRandom changes routes, sessions and memberships in any order, with
// neighbors that read at different speeds. Whoever has read everything has
// exactly what it should, and is never told to drop a route that stays.
func TestRandom(t *testing.T) {
	s := *seed
	for s == 0 {
		s = rand.Uint64()
	}
	t.Logf("go test -run TestRandom -seed %d", s)
	r := rand.New(rand.NewPCG(s, 1))
	table := NewTable()
	table.changes.least, table.behind = 50, 500 // so that some Outs fall behind
	want := map[vrf.Key]vrf.Route{}
	sets := []routetarget.Set{targets("64512:1"), targets("64512:1", "64512:2"), targets("64512:2", "64512:3"), targets("64512:4")}
	sessions := []Session{
		marked(internal(vpn)), marked(internal(vpn)), marked(internal(vpn)), marked(internal(vpn)),
		internal(neighbor.AllFamilies), internal(neighbor.AllFamilies), internal(neighbor.NewFamilies(neighbor.InetVPN)),
		marked(Session{LocalAS: 64512, PeerAS: 65001, Families: neighbor.AllFamilies, MaxMessage: 4096, RouterID: routerID}),
		{LocalAS: 64512, PeerAS: 65001, Families: vpn, FourOctetAS: true, ExtendedNextHop: true, MaxMessage: 65535},
	}
	var ours routetarget.Set
	type client struct {
		*peer
		joined map[membership]bool
		ended  bool
	}
	clients := make([]*client, len(sessions))
	open := func(i int) {
		clients[i] = &client{peer: connect(t, table, sessions[i]), joined: map[membership]bool{}}
	}
	for i := range clients {
		open(i)
	}
	memberships := []membership{whole("64512:1"), whole("64512:2"), whole("64512:4"), {}, {bits: 64, b: [12]byte{0, 0, 0xfc, 0, 0, 2, 0xfc, 0}}}
	wanted := func(c *client) (list []vrf.Route) {
		for _, route := range sorted(want) {
			family := neighbor.VPNFamily(route.Prefix.Addr())
			ok := c.session.Families.Contains(family) && (route.Prefix.Addr().Is6() || route.NextHop.Is4() || c.session.ExtendedNextHop)
			if ok && c.session.Families.Contains(neighbor.RouteTarget) {
				ok = false
				for m := range c.joined {
					for target := range route.Targets.All() {
						ok = ok || m.bits == 0 || m.bits == 64 || m == whole(target.String())
					}
				}
				ok = ok && c.ended
			}
			if ok {
				list = append(list, route)
			}
		}
		return list
	}
	random := func() vrf.Route {
		node, i := r.IntN(4), r.IntN(40)
		address := address4(i)
		if i >= 30 {
			address = netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i)}).String()
		}
		route := route(node, address, vrf.Label(16+r.IntN(3)), sets[r.IntN(len(sets))])
		if r.IntN(4) == 0 {
			route.LocalPref = 200
		}
		if r.IntN(4) == 0 {
			route.LocalPref, route.GracefulShutdown = 0, true
		}
		if node == 3 {
			route.NextHop = netip.MustParseAddr("2001:db8::3")
		}
		return route
	}
	most := 0
	for range 4000 {
		switch i := r.IntN(len(clients)); r.IntN(15) {
		case 0, 1, 2:
			var batch []vrf.Route
			for range 1 + r.IntN(20) {
				route := random()
				batch = append(batch, route)
				want[route.Key] = route
			}
			if err := table.Advertise(batch); err != nil {
				t.Fatal(err)
			}
		case 3, 4:
			var batch []vrf.Route
			for range 1 + r.IntN(10) {
				route := random()
				batch = append(batch, route)
				delete(want, route.Key)
			}
			table.Withdraw(batch)
		case 5:
			if r.IntN(5) == 0 {
				clients[i].out.Close()
				open(i)
			}
		case 6, 7:
			c, m := clients[i], memberships[r.IntN(len(memberships))]
			if c.session.Families.Contains(neighbor.RouteTarget) {
				if c.joined[m] {
					delete(c.joined, m)
					c.out.ReceivedUpdate(joins(nil, []membership{m}))
				} else {
					c.joined[m] = true
					c.out.ReceivedUpdate(joins([]membership{m}, nil))
				}
			}
		case 8:
			clients[i].out.ReceivedUpdate(joins(nil, nil))
			clients[i].ended = true
		case 9:
			clients[i].refresh(pickFamily(r))
		case 10:
			clients[i].step()
			if r.IntN(3) == 0 {
				ours = sets[r.IntN(len(sets))]
				table.SetMembership(ours)
			}
		case 11: // the neighbor's own refresh, which leaves some out
			if c := clients[i]; c.session.Families.Contains(neighbor.RouteTarget) && c.ended {
				c.out.RefreshBegins()
				for m := range c.joined {
					if r.IntN(4) == 0 {
						delete(c.joined, m)
					} else {
						c.out.ReceivedUpdate(joins([]membership{m}, nil))
					}
				}
				if r.IntN(2) == 0 {
					c.step()
				}
				c.out.RefreshEnds()
			}
		case 12:
			clients[i].out.SetPolicy(neighbor.Policy{MaxAdvertised: 1000 * r.Uint32N(2)}) // more than there are
		default:
			c := clients[i]
			behind := c.out.next < c.out.group.end() // it gets what the others got then
			c.gone = nil
			c.receive()
			list := wanted(c)
			c.wants("everything was read", list...)
			c.wantsMembership("everything was read", ours)
			if c.owed["1/132"] || len(c.owed) > 0 && (c.ended || !c.session.Families.Contains(neighbor.RouteTarget)) {
				t.Fatalf("no refresh of %v", c.owed)
			}
			for _, route := range list {
				if !behind && slices.Contains(c.gone, c.name(route.Key)) {
					t.Fatalf("%s stays and was withdrawn", route.Key)
				}
			}
		}
		most = max(most, largest(table))
		if r.IntN(4) == 0 {
			clients[r.IntN(len(clients))].claims(random().Key)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	if most < 2 {
		t.Errorf("the largest group had %d members", most)
	}
	for _, c := range clients { // now they are equal, if their sessions are
		c.out.SetPolicy(neighbor.Policy{})
		c.out.ReceivedUpdate(joins([]membership{{}}, slices.Collect(maps.Keys(c.joined))))
		c.out.EndMembership()
		c.joined, c.ended = map[membership]bool{{}: true}, true
	}
	for _, c := range clients {
		c.receive()
		c.wants("at the end", wanted(c)...)
	}
	if len(table.groups) != 5 {
		t.Errorf("%d groups of 5 kinds of sessions", len(table.groups))
	}
	last := random()
	want[last.Key] = last
	table.Advertise([]vrf.Route{last})
	for _, c := range clients {
		c.receive()
		c.wants("in common", wanted(c)...)
	}
	for _, c := range clients {
		c.out.Close()
	}
	for _, route := range sorted(want) {
		table.Withdraw([]vrf.Route{route})
	}
	if table.index.used != 0 || len(table.free) != len(table.slots) || len(table.attributes.ids) != 0 {
		t.Errorf("left over: %d in the index, %d of %d slots, %v", table.index.used, len(table.slots)-len(table.free), len(table.slots), table.attributes.ids)
	}
}

// largest returns how many members the largest group has.
func largest(t *Table) (n int) {
	for _, g := range t.groups {
		n = max(n, len(g.members))
	}
	return n
}

func pickFamily(r *rand.Rand) neighbor.Family {
	return neighbor.AllFamilies.Slice()[r.IntN(3)]
}
