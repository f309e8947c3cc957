package ribout

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

func TestRoutes(t *testing.T) {
	table := NewTable()
	one := route(11, "203.0.113.5", 100, targets("64512:1", "64512:8000001"))
	six := route(11, "2001:db8::5", 100, targets("64512:1", "64512:8000001"))
	if err := table.Advertise([]vrf.Route{one, six}); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Session{
		"internal":                   internal(vpn),
		"external":                   {LocalAS: 64512, PeerAS: 65001, Families: vpn, FourOctetAS: true, ExtendedNextHop: true, MaxMessage: 4096},
		"external, 2 octets":         {LocalAS: 64512, PeerAS: 65001, Families: vpn, ExtendedNextHop: true, MaxMessage: 4096},
		"external, AS_TRANS":         {LocalAS: 4200000000, PeerAS: 65001, Families: vpn, ExtendedNextHop: true, MaxMessage: 4096},
		"external, 4 octets, large":  {LocalAS: 4200000000, PeerAS: 65001, Families: vpn, FourOctetAS: true, ExtendedNextHop: true, MaxMessage: 4096},
		"internal, one message each": internal(vpn),
	} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, table, s)
			defer p.out.Close()
			p.receive()
			p.wants(name, one, six)
			if !slices.Equal(p.ends, []string{"1/128", "2/128"}) {
				t.Errorf("End-of-RIB of %q", p.ends)
			}
		})
	}
}

// TestChange: one that changes is sent again in place, and only that one.
func TestChange(t *testing.T) {
	table := NewTable()
	p := connect(t, table, internal(vpn))
	p.receive()
	one, two := route(11, "203.0.113.5", 100, targets("64512:1")), route(11, "203.0.113.6", 101, targets("64512:1"))
	table.Advertise([]vrf.Route{one, two})
	p.receive()
	for _, change := range []func(r *vrf.Route){
		func(r *vrf.Route) { r.Label = 102 },
		func(r *vrf.Route) { r.Targets = targets("64512:2") },
		func(r *vrf.Route) { r.LocalPref = 200 },
		func(r *vrf.Route) { r.NextHop = route(12, "203.0.113.5", 100, r.Targets).NextHop },
		func(r *vrf.Route) { r.Encapsulations = vrf.NewEncapsulations(vrf.GRE) },
		func(r *vrf.Route) { r.LocalPref = 0 },
		func(r *vrf.Route) { r.GracefulShutdown = true },
		func(r *vrf.Route) {}, // nothing to send
	} {
		before := one
		change(&one)
		p.changes = map[string]int{}
		table.Advertise([]vrf.Route{two, one})
		p.receive()
		p.wants("changed", one, two)
		want := 1
		if one == before {
			want = 0
		}
		if p.changes[one.Key.String()] != want || p.changes[two.Key.String()] != 0 || len(p.gone) > 0 {
			t.Errorf("%v: sent %v, withdrawn %v", one, p.changes, p.gone)
		}
	}
	// What comes back as it was before it was sent is no change.
	changed := one
	changed.Label = 500
	table.Advertise([]vrf.Route{changed})
	table.Withdraw([]vrf.Route{two})
	table.Advertise([]vrf.Route{one, two})
	p.changes = map[string]int{}
	p.receive()
	if len(p.changes) != 0 || len(p.gone) != 0 {
		t.Errorf("sent %v, withdrawn %v", p.changes, p.gone)
	}
	table.Withdraw([]vrf.Route{one, two, one})
	p.receive()
	p.wants("withdrawn")
	if n := len(table.free); n != 2 || table.index.used != 0 || len(table.attributes.ids) != 0 || len(table.attributes.free) != len(table.attributes.list)-1 {
		t.Errorf("left over: %d free slots, %d in the index, attributes %v", n, table.index.used, table.attributes.ids)
	}
}

// TestMembership: a neighbor with route-target gets what it asks for, once it
// has said so.
func TestMembership(t *testing.T) {
	table := NewTable()
	one, two := route(11, "203.0.113.5", 100, targets("64512:1", "64512:3")), route(11, "203.0.113.6", 101, targets("64512:2"))
	table.Advertise([]vrf.Route{one, two})
	p := connect(t, table, internal(neighbor.AllFamilies))
	p.receive()
	if p.updates != 1 {
		t.Fatalf("%d messages before the membership, not just our End-of-RIB", p.updates)
	}
	p.out.ReceivedUpdate(joins([]membership{whole("64512:1")}, nil))
	p.receive()
	if p.updates != 1 {
		t.Fatalf("%d messages before its End-of-RIB", p.updates)
	}
	p.out.ReceivedUpdate(joins(nil, nil))
	p.receive()
	p.wants("one target", one)
	if !slices.Equal(p.ends, []string{"1/132", "1/128", "2/128"}) {
		t.Errorf("End-of-RIB of %q", p.ends)
	}
	if d := p.out.Delivery(two.Key); d.Reason != "did not ask for any of target:64512:2" || d.Soon {
		t.Errorf("two: %+v", d)
	}
	steps := []struct {
		name                 string
		announced, withdrawn []membership
		want                 []vrf.Route
		changes, gone        int
	}{
		{"the other one", []membership{whole("64512:2")}, nil, []vrf.Route{one, two}, 1, 0},
		{"another target of one", []membership{whole("64512:3")}, nil, []vrf.Route{one, two}, 0, 0},
		{"the first target goes", nil, []membership{whole("64512:1")}, []vrf.Route{one, two}, 0, 0},
		{"both of its targets are gone", nil, []membership{whole("64512:3")}, []vrf.Route{two}, 0, 1},
		{"default", []membership{{}}, nil, []vrf.Route{one, two}, 1, 0},
		{"default goes", nil, []membership{{}}, []vrf.Route{two}, 0, 1},
		{"a prefix", []membership{{bits: 64, b: [12]byte{0, 0, 0xfc, 0, 0, 2, 0xfc, 0}}}, nil, []vrf.Route{one, two}, 1, 0},
		{"one of two that cover it", nil, []membership{whole("64512:2")}, []vrf.Route{one, two}, 0, 0},
		{"origin only", []membership{{bits: 32, b: [12]byte{0, 0, 0xfc, 0}}}, []membership{{bits: 64, b: [12]byte{0, 0, 0xfc, 0, 0, 2, 0xfc, 0}}}, []vrf.Route{one, two}, 0, 0},
		{"nothing", nil, []membership{{bits: 32, b: [12]byte{0, 0, 0xfc, 0}}}, nil, 0, 2},
	}
	for _, s := range steps {
		p.changes, p.gone = map[string]int{}, nil
		p.out.ReceivedUpdate(joins(s.announced, s.withdrawn))
		p.receive()
		p.wants(s.name, s.want...)
		if len(p.changes) != s.changes || len(p.gone) != s.gone {
			t.Errorf("%s: sent %v, withdrawn %v", s.name, p.changes, p.gone)
		}
	}

	silent := connect(t, table, internal(neighbor.AllFamilies))
	silent.out.ReceivedUpdate(joins([]membership{whole("64512:1")}, nil))
	silent.receive()
	silent.wants("no End-of-RIB")
	silent.out.EndMembership()
	silent.receive()
	silent.wants("it was waited for long enough", one)

	// Targets that the neighbor did not ask for: withdrawn from it, and from
	// nobody else.
	other := connect(t, table, internal(vpn))
	other.receive()
	moved := one
	moved.Targets = targets("64512:9")
	table.Advertise([]vrf.Route{moved})
	silent.receive()
	silent.wants("moved away")
	other.receive()
	other.wants("moved away", moved, two)
	if len(other.gone) != 0 {
		t.Errorf("withdrawn from the other: %v", other.gone)
	}
}

// TestLimits: what a session cannot carry is not sent in it.
func TestLimits(t *testing.T) {
	table := NewTable()
	four, six := route(11, "203.0.113.5", 100, targets("64512:1")), route(11, "2001:db8::5", 100, targets("64512:1"))
	overIPv6 := four
	overIPv6.NextHop, overIPv6.Key = six.Prefix.Addr(), route(12, "203.0.113.7", 100, four.Targets).Key
	table.Advertise([]vrf.Route{four, six, overIPv6})
	s := internal(neighbor.NewFamilies(neighbor.InetVPN))
	s.ExtendedNextHop = false
	p := connect(t, table, s)
	p.receive()
	p.wants("IPv4, no IPv6 next hops", four)
	for key, want := range map[vrf.Key]string{
		six.Key:      "did not negotiate inet6-vpn",
		overIPv6.Key: "did not offer IPv6 next hops for inet-vpn (RFC 8950)",
		four.Key:     "",
		{}:           "has no such route to get",
	} {
		if d := p.out.Delivery(key); d.Reason != want || (want == "") == d.At.IsZero() || d.Soon {
			t.Errorf("%s: %+v, want %q", key, d, want)
		}
	}
	p = connect(t, table, internal(vpn))
	if d := p.out.Delivery(four.Key); d.Reason != "is being sent the route" || !d.Soon || d.Since.IsZero() || time.Since(d.Since) > time.Minute {
		t.Errorf("before it is sent: %+v", d)
	}
	p.receive()
	p.wants("all", four, six, overIPv6)
}

// TestRefresh sends the routes of one family again.
func TestRefresh(t *testing.T) {
	table := NewTable()
	four, six := route(11, "203.0.113.5", 100, targets("64512:1")), route(11, "2001:db8::5", 100, targets("64512:1"))
	table.Advertise([]vrf.Route{four, six})
	p := connect(t, table, internal(vpn))
	p.receive()
	p.changes = map[string]int{}
	p.out.Refresh(neighbor.InetVPN)
	p.receive()
	p.wants("refreshed", four, six)
	if p.changes[four.Key.String()] != 1 || p.changes[six.Key.String()] != 0 || len(p.gone) > 0 || len(p.ends) != 2 {
		t.Errorf("sent %v, withdrawn %v, End-of-RIB of %q", p.changes, p.gone, p.ends)
	}
	p.out.Refresh(neighbor.InetVPN)
	table.Withdraw([]vrf.Route{four})
	p.receive()
	p.wants("withdrawn meanwhile", six)
}

// TestPacking: routes with equal attributes share messages as long as allowed.
func TestPacking(t *testing.T) {
	table := NewTable()
	set := targets("64512:1")
	var routes []vrf.Route
	for i := range 5000 {
		routes = append(routes, route(i%2, address4(i), vrf.Label(16+i), set))
	}
	table.Advertise(routes)
	p := connect(t, table, internal(vpn))
	p.receive()
	p.wants("all", routes...)
	if least := 5000 * 16 / 4096; p.updates > least+6 || p.longest < 4070 {
		t.Errorf("%d messages, the longest of %d bytes", p.updates, p.longest)
	}
	extended := internal(vpn)
	extended.MaxMessage = 65535
	p = connect(t, table, extended)
	p.receive()
	p.wants("extended", routes...)
	if p.updates > 5 || p.longest <= 4096 {
		t.Errorf("%d extended messages, the longest of %d bytes", p.updates, p.longest)
	}
	p.updates = 0
	table.Withdraw(routes)
	p.receive()
	p.wants("withdrawn")
	if p.updates > 3 {
		t.Errorf("%d messages to withdraw them", p.updates)
	}
}

func TestRefused(t *testing.T) {
	good := route(11, "203.0.113.5", 100, targets("64512:1"))
	var many []string
	for i := range 500 {
		many = append(many, "64512:"+string(rune('1'+i%9))+"000"+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10)))
	}
	for want, change := range map[string]func(r *vrf.Route){
		"expected a host route, got 203.0.113.0/24": func(r *vrf.Route) { r.Prefix = netipPrefix("203.0.113.0/24") },
		"expected a label 16..1048575, got 3":       func(r *vrf.Route) { r.Label = 3 },
		"expected a next hop":                       func(r *vrf.Route) { r.NextHop = netipZero },
		"expected a route target":                   func(r *vrf.Route) { r.Targets = targets() },
		"its attributes need more than 3900 bytes, which do not fit into one UPDATE": func(r *vrf.Route) { r.Targets = targets(many...) },
	} {
		table := NewTable()
		bad := good
		change(&bad)
		err := table.Advertise([]vrf.Route{good, bad})
		if err == nil || err.Error() != "advertise "+bad.Key.String()+": "+want {
			t.Errorf("got %v, want %s", err, want)
		}
		if table.Len() != 0 {
			t.Errorf("%s: a part was taken", want)
		}
	}
}

// TestPolicy: a neighbor has encapsulations and a number of routes of its own.
// Both can change while the session goes on.
func TestPolicy(t *testing.T) {
	table := NewTable()
	set := targets("64512:1")
	one, two, three := route(11, "203.0.113.5", 100, set), route(11, "203.0.113.6", 101, set), route(11, "203.0.113.7", 102, set)
	table.Advertise([]vrf.Route{one, two, three})
	p := connectWith(t, table, internal(vpn), neighbor.Policy{Encapsulations: vrf.NewEncapsulations(vrf.GRE), MaxAdvertised: 2})
	gre := func(routes ...vrf.Route) []vrf.Route {
		for i := range routes {
			routes[i].Encapsulations = vrf.NewEncapsulations(vrf.GRE)
		}
		return routes
	}
	p.receive()
	p.wants("two of three", gre(one, two)...)
	if n, capped := p.out.Count(); n != 2 || !capped {
		t.Errorf("it has %d, capped %t", n, capped)
	}
	if d := p.out.Delivery(three.Key); d.Reason != "has the 2 routes that it may have at most" || d.Soon {
		t.Errorf("the third: %+v", d)
	}
	changed := two // what is there may change
	changed.Label = 200
	table.Advertise([]vrf.Route{changed})
	p.receive()
	p.wants("changed", gre(one, changed)...)
	table.Withdraw([]vrf.Route{one})
	p.receive()
	p.wants("room for the third", gre(changed, three)...)
	if n, capped := p.out.Count(); n != 2 || capped {
		t.Errorf("it has %d, capped %t", n, capped)
	}
	p.changes = map[string]int{}
	p.out.SetPolicy(neighbor.Policy{MaxAdvertised: 1})
	p.receive()
	p.wants("their own encapsulations", changed, three)
	if len(p.changes) != 2 {
		t.Errorf("sent again: %v", p.changes)
	}
	table.Advertise([]vrf.Route{one})
	p.receive()
	p.wants("no more", changed, three)
	p.out.SetPolicy(neighbor.Policy{})
	p.changes = map[string]int{}
	p.receive()
	p.wants("all", one, changed, three)
	if len(p.changes) != 1 || len(p.gone) != 1 {
		t.Errorf("sent %v, withdrawn %v", p.changes, p.gone)
	}
}

// TestDeclared: only routes of networks that were declared, with their
// targets, are taken.
func TestDeclared(t *testing.T) {
	table := NewTable()
	good := route(11, "203.0.113.5", 100, targets("64512:1"))
	table.Declare(map[uint16]routetarget.Set{1: good.Targets})
	if err := table.Advertise([]vrf.Route{good}); err != nil {
		t.Fatal(err)
	}
	leak, stranger := good, good
	leak.Targets = targets("64512:1", "64512:2")
	stranger.RD = routetarget.IPv4Distinguisher(good.NextHop, 2)
	for want, r := range map[string]vrf.Route{
		"expected the targets of network 1, target:64512:1, got target:64512:1 target:64512:2": leak,
		"there is no network 2": stranger,
	} {
		if err := table.Advertise([]vrf.Route{r}); err == nil || err.Error() != "advertise "+r.Key.String()+": "+want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	table.Declare(map[uint16]routetarget.Set{})
	if table.Len() != 1 {
		t.Error("what was advertised is gone")
	}
}

// TestMalformedMembership: what came in a malformed UPDATE counts as withdrawn
// (RFC 7606 §2), and a neighbor cannot make us keep what it likes.
func TestMalformedMembership(t *testing.T) {
	table := NewTable()
	one := route(11, "203.0.113.5", 100, targets("64512:1"))
	table.Advertise([]vrf.Route{one})
	p := connect(t, table, internal(neighbor.AllFamilies))
	p.out.ReceivedUpdate(joins([]membership{whole("64512:1")}, nil))
	p.out.ReceivedUpdate(joins(nil, nil))
	p.receive()
	p.wants("it asked", one)
	p.out.ReceivedMalformed(joins([]membership{whole("64512:1"), whole("64512:2")}, nil))
	p.receive()
	p.wants("that is withdrawn")

	for i := range MaxMemberships + 1 {
		m := membership{bits: wholeBits}
		binary.BigEndian.PutUint32(m.b[8:], uint32(i))
		if ok := p.out.ReceivedUpdate(joins([]membership{m}, nil)); ok != (i < MaxMemberships) {
			t.Fatalf("%d memberships: %t", i+1, ok)
		}
	}
}

// TestUnnegotiatedMembership: what was not negotiated does not count.
func TestUnnegotiatedMembership(t *testing.T) {
	table := NewTable()
	p := connect(t, table, internal(vpn))
	if !p.out.ReceivedUpdate(joins([]membership{whole("64512:1")}, nil)) || len(p.out.interest.nlris) != 0 {
		t.Errorf("kept %v", p.out.interest.nlris)
	}
}

// TestInterestEqual: two memberships are equal whatever led to them.
func TestInterestEqual(t *testing.T) {
	var a, b interest
	one, two := whole("64512:1"), whole("64512:2")
	a.add(one)
	a.add(two)
	b.add(two)
	if a.equal(&b) || b.equal(&a) {
		t.Error("one more is equal")
	}
	b.add(one)
	b.add(whole("64512:3"))
	b.remove(whole("64512:3"))
	if !a.equal(&b) || !(&interest{}).equal(&interest{}) {
		t.Error("the same is not equal")
	}
	a.remove(one)
	a.add(whole("64512:3"))
	if a.equal(&b) {
		t.Error("others are equal")
	}
}
