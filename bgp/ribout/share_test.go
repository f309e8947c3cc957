package ribout

import (
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// equals returns so many neighbors with equal sessions, and a check of how many
// groups they are.
func equals(t *testing.T, table *Table, n int) (list []*peer, groups func(want int)) {
	for range n {
		list = append(list, connect(t, table, marked(internal(vpn))))
	}
	return list, func(want int) {
		t.Helper()
		if len(table.groups) != want {
			t.Errorf("%d groups, want %d", len(table.groups), want)
		}
	}
}

// TestShared: what one of them reads was not yet said to the others, and is not
// claimed to have been.
func TestShared(t *testing.T) {
	table := NewTable()
	one := route(11, "203.0.113.5", 100, targets("64512:1"))
	peers, groups := equals(t, table, 3)
	table.Advertise([]vrf.Route{one})
	groups(1)
	peers[0].receive()
	peers[0].wants("first", one)
	if d := peers[1].out.Delivery(one.Key); !d.At.IsZero() || !d.Soon {
		t.Errorf("before it is handed the route: %+v", d)
	}
	for r := range peers[1].out.Routes(vrf.Key{}) {
		t.Errorf("it is said to have %+v", r)
	}
	peers[1].out.Close()
	peers[2].receive()
	peers[2].wants("last", one)
	if d := peers[2].out.Delivery(one.Key); d.At.IsZero() {
		t.Errorf("it has the route: %+v", d)
	}
	late := connect(t, table, marked(internal(vpn)))
	groups(2)
	late.receive()
	late.wants("later", one)
	groups(1)
	if d, first := late.out.Delivery(one.Key), peers[0].out.Delivery(one.Key); d.At.Before(first.At) {
		t.Errorf("it is said to have had the route since %s, before the session", d.At)
	}
}

// TestBehind: one that does not read leaves the group with what it has yet to
// be handed, and comes back.
func TestBehind(t *testing.T) {
	table := NewTable()
	table.behind = 1000
	peers, groups := equals(t, table, 3)
	want := route(11, "203.0.113.5", 100, targets("64512:1"))
	for i := range 100 {
		want.Label = vrf.Label(1000 + i)
		table.Advertise([]vrf.Route{want})
		peers[0].receive()
		if chunks := len(peers[1].out.group.chunks); chunks > 10 {
			t.Fatalf("%d chunks wait", chunks)
		}
	}
	groups(2) // the two slow ones are still equal
	peers[1].receive()
	peers[2].receive()
	for _, p := range peers {
		p.wants("read", want)
	}
	groups(1)
	table.Withdraw([]vrf.Route{want})
	for _, p := range peers {
		p.receive()
		p.wants("withdrawn")
	}
	if len(table.free) != 1 {
		t.Errorf("%d free slots", len(table.free))
	}
}

// TestApart: what concerns one of them is not sent to the others.
func TestApart(t *testing.T) {
	table := NewTable()
	one := route(11, "203.0.113.5", 100, targets("64512:1"))
	table.Advertise([]vrf.Route{one})
	peers, groups := equals(t, table, 3)
	receive := func() {
		for _, p := range peers {
			p.receive()
		}
	}
	receive()
	groups(1)
	for name, change := range map[string]func(o *Out){
		"refresh":    func(o *Out) { o.Refresh(neighbor.InetVPN) },
		"policy":     func(o *Out) { o.SetPolicy(neighbor.Policy{Encapsulations: vrf.NewEncapsulations(vrf.GRE)}) },
		"policy too": func(o *Out) { o.SetPolicy(neighbor.Policy{}) },
	} {
		for _, p := range peers {
			p.changes = map[string]int{}
		}
		change(peers[1].out)
		receive()
		if len(peers[0].changes)+len(peers[2].changes) > 0 {
			t.Errorf("%s: the others were sent %v, %v", name, peers[0].changes, peers[2].changes)
		}
		peers[1].out.SetPolicy(neighbor.Policy{})
		receive()
		groups(1)
	}
}
