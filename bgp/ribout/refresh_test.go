package ribout

import (
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// marked is a session whose refreshes have marks.
func marked(s Session) Session {
	s.EnhancedRefresh = true
	return s
}

// TestRefreshMarks: a refresh stands between its marks, also one that begins
// anew, and none begins before the End-of-RIB.
func TestRefreshMarks(t *testing.T) {
	table := NewTable()
	var routes []vrf.Route
	for i := range 3 * batch {
		routes = append(routes, route(i%50, address4(i), 100, targets("64512:1")))
	}
	six := route(11, "2001:db8::5", 100, targets("64512:1"))
	routes = append(routes, six)
	table.Advertise(routes)
	p := connect(t, table, marked(internal(vpn)))
	p.step()
	p.refresh(neighbor.InetVPN)
	p.receive() // the peer sees to the order
	if len(p.owed) > 0 || p.changes[routes[0].Key.String()] != 2 || p.changes[six.Key.String()] != 1 {
		t.Fatalf("it still waits for %v; sent %d and %d times", p.owed, p.changes[routes[0].Key.String()], p.changes[six.Key.String()])
	}
	p.changes = map[string]int{}
	p.refresh(neighbor.InetVPN)
	p.refresh(neighbor.InetVPN)
	p.step()
	if n := len(p.stale["1/128"]); n == 0 || n == len(routes) {
		t.Fatalf("%d routes are stale after one step", n)
	}
	table.Withdraw(routes[:10])
	p.refresh(neighbor.InetVPN) // anew
	p.receive()
	p.wants("refreshed", routes[10:]...)
	if first := p.changes[routes[20].Key.String()]; len(p.owed) > 0 || first != 2 {
		t.Errorf("it still waits for %v; a route of the first step was sent %d times", p.owed, first)
	}
	p.refresh(neighbor.InetVPN)
	p.refresh(neighbor.Inet6VPN)    // behind it
	p.refresh(neighbor.RouteTarget) // not in this session
	p.receive()
	if p.changes[six.Key.String()] != 1 {
		t.Errorf("the other family was sent %d times", p.changes[six.Key.String()])
	}
}

// TestMembershipRefresh: what the neighbor does not announce between its own
// marks is gone; without them, nothing is.
func TestMembershipRefresh(t *testing.T) {
	table := NewTable()
	one, two := route(11, "203.0.113.5", 100, targets("64512:1")), route(11, "203.0.113.6", 101, targets("64512:2"))
	table.Advertise([]vrf.Route{one, two})
	p := connect(t, table, internal(neighbor.AllFamilies))
	p.out.ReceivedUpdate(joins([]membership{whole("64512:1"), whole("64512:2")}, nil))
	p.out.RefreshBegins() // before its End-of-RIB
	p.out.ReceivedUpdate(joins(nil, nil))
	p.out.RefreshEnds()
	p.receive()
	p.wants("no refresh", one, two)
	p.changes = map[string]int{}
	p.out.RefreshBegins()
	p.out.ReceivedUpdate(joins([]membership{whole("64512:2")}, nil))
	p.receive()
	p.wants("under way", one, two)
	p.out.RefreshEnds()
	p.receive()
	p.wants("at its end", two)
	if len(p.changes) != 0 {
		t.Errorf("sent %v", p.changes)
	}
	p.out.RefreshEnds() // of nothing
	p.receive()
	p.wants("an EoRR alone", two)
}
