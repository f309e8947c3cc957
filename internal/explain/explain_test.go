package explain

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
)

const webKey = "10.0.0.11:1:203.0.113.5/32"

// When all is well every step says what it found.
func TestHealthy(t *testing.T) {
	w := newWorld(t)
	e := w.explain(Question{Address: addr("203.0.113.5")})
	want := `reachable as far as Buoy can see: 1 of 1 neighbors have a route
✓ known 203.0.113.0/24 of projects/p/networks/public
✓ pool projects/p/networks/public/pools/a
✓ allocated projects/p/floatingIps/web
✓ associated with cmp1
at computeNodes/cmp1 tap0
✓ compute_node computeNodes/cmp1, 10.0.0.11; in service
✓ interface tap0; whoever associated it vouches for it (liveness none)
✓ targets target:64512:10003 target:64512:8000001
✓ route 10.0.0.11:1:203.0.113.5/32 next hop 10.0.0.11 label 100 LOCAL_PREF 100 target:64512:10003 target:64512:8000001 encapsulation gre
✓ accepted the speaker has it
to neighbors/mx1
✓ configured 10.0.0.1 port 179, AS 64512, inet-vpn,inet6-vpn,route-target
✓ reachable 10.0.0.1:4000, from 10.0.0.2:179
✓ established the session is up
✓ family inet-vpn was negotiated
✓ export nothing keeps it back
✓ wanted the neighbor asked for one of the targets
✓ sent it was sent, and not withdrawn since
back
✓ way_back 0.0.0.0/0 from mx1, next hop 10.0.0.1 label 24000
`
	if got := text(e); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if !e.Healthy || e.Cause != None || e.Next != "" || e.FloatingIP != web || e.Network != public {
		t.Errorf("got %+v", e)
	}
	if last := e.Paths[0].Hops[0].Steps; last[len(last)-1].Time != noon {
		t.Errorf("sent: got no time")
	}
}

// Each step can fail, and is the cause then; those behind it are not looked at.
func TestEveryStepFails(t *testing.T) {
	of := func(address string) Question { return Question{Address: addr(address)} }
	down := func(state inventory.InterfaceState, reason string) func(*world) {
		return func(w *world) { w.watched(inventory.NodeLife{State: inventory.NodeUp, Since: noon}, state, reason) }
	}
	lacks := func(check neighbor.Check, reason string) func(*world) {
		return func(w *world) { w.deliveries["mx1"] = neighbor.Delivery{Reason: reason, Check: check} }
	}
	session := func(state neighbor.State, cause neighbor.Cause, reason string) func(*world) {
		return func(w *world) { w.lost("mx1", state, cause, reason) }
	}
	for _, tt := range []struct {
		name  string
		q     Question
		but   func(*world)
		cause ID
		text  string
		next  string
	}{
		{"in no network", of("203.0.114.5"), nil, Known, "no network has 203.0.114.5",
			"look at the address again: the nearest subnets are 203.0.113.0/24 of public"},
		{"in no network, IPv6", of("2001:db9::5"), nil, Known, "no network has 2001:db9::5",
			"look at the address again: the nearest subnets are 2001:db8::/64 of public"},
		{"not in that network", Question{Address: addr("198.51.100.1"), Network: public}, nil, Known,
			"projects/p/networks/public does not have 198.51.100.1", "look at the address again: the nearest subnets are 203.0.113.0/24 of public"},
		{"of another project", Question{Address: addr("203.0.113.5"), Project: "q"}, nil, Known,
			"no network of project q has 203.0.113.5, and no pool that is shared with it",
			"a network has to have it: buoyctl set network NAME --subnet …, or create network NAME --subnet …; or whoever has it shares a pool: buoyctl set pool NETWORK/POOL --share-with q"},
		{"outside the shared pool", Question{Address: addr("203.0.113.99"), Project: "q"}, func(w *world) {
			shared := []string{"q"}
			w.do(inventory.UpdatePool{Name: poolA, SharedWith: &shared})
		}, Known, "203.0.113.99 is outside what is shared with project q: " + poolA + " has 203.0.113.1-203.0.113.15",
			"take an address of the pool; or whoever has the pool gives it more: buoyctl set pool NETWORK/POOL --range …"},
		{"network address", of("203.0.113.0"), nil, InPool, "203.0.113.0 is the network or broadcast address of 203.0.113.0/24",
			"no floating IP can have it, unless --reserved-hosts, --gateway or --dns-server of the network say otherwise"},
		{"broadcast", of("203.0.113.255"), nil, InPool, "203.0.113.255 is the network or broadcast address of 203.0.113.0/24", ""},
		{"gateway", of("203.0.113.254"), nil, InPool, "203.0.113.254 is reserved for the gateway of 203.0.113.0/24", ""},
		{"DNS", of("203.0.113.253"), nil, InPool, "203.0.113.253 is reserved for the DNS of 203.0.113.0/24", ""},
		{"anycast", of("2001:db8::"), nil, InPool, "2001:db8:: is the network or broadcast address of 2001:db8::/64", ""},
		{"free in a pool", of("203.0.113.9"), nil, Allocated, "no floating IP has 203.0.113.9, and the pool is not shared: only project p can take it",
			"buoyctl allocate floatingip NAME --pool projects/p/networks/public/pools/a --address 203.0.113.9"},
		{"free in no pool", of("203.0.113.99"), nil, Allocated, "no floating IP has 203.0.113.99",
			"buoyctl allocate floatingip NAME --network projects/p/networks/public --address 203.0.113.99"},
		{"not associated", of("203.0.113.5"), func(w *world) { w.do(inventory.Disassociate{Name: web}) }, Associated,
			"projects/p/floatingIps/web is not associated with a compute node",
			"buoyctl associate floatingip projects/p/floatingIps/web --computenode NODE --interface INTERFACE --fixed-ip ADDRESS"},

		{"drained", of("203.0.113.5"), func(w *world) { w.do(inventory.DrainComputeNode{Name: cmp1}) }, ComputeNode,
			"computeNodes/cmp1 is drained", "buoyctl undrain computenode cmp1"},
		{"no stream", of("203.0.113.5"), func(w *world) { w.watched(inventory.NodeLife{}, 0, "") }, ComputeNode,
			"computeNodes/cmp1 is down: it has had no stream", "look at the agent of cmp1 and its way to Buoy; without one: buoyctl set computenode cmp1 --liveness none"},
		{"not reported", of("203.0.113.5"), down(inventory.InterfaceUnknown, ""), Interface, "computeNodes/cmp1 has not reported tap0",
			"look at the agent of cmp1: the workload may not run there, or the interface may have another name"},
		{"down", of("203.0.113.5"), down(inventory.InterfaceDown, "no carrier"), Interface, "tap0 of computeNodes/cmp1 is down: no carrier",
			"look at the workload on cmp1: it may not run, or its link may be down"},
		{"unhealthy", of("203.0.113.5"), down(inventory.InterfaceUnhealthy, "no answer"), Interface, "tap0 of computeNodes/cmp1 is unhealthy: no answer",
			"look at the workload on cmp1: its link is up, and it does not answer"},
		{"flaps", of("203.0.113.5"), func(w *world) {
			down(inventory.InterfaceUp, "")(w)
			w.living.interfaces["tap0"] = inventory.InterfaceLife{InterfaceReport: inventory.InterfaceReport{State: inventory.InterfaceUp}, DampedUntil: noon, Flaps: 6}
		}, Interface, "tap0 of computeNodes/cmp1 has flapped 6 times; it counts as down until 12:00:00Z", ""},
		{"refused", of("203.0.113.5"), func(w *world) { w.refused[webKey] = errors.New("the table is full") }, Accepted,
			"the speaker refused " + webKey + ", it is tried again: the table is full", "it says what is wrong with the route; the daemon's log says since when"},
		{"being given", of("203.0.113.5"), func(w *world) { w.withheld[webKey] = true }, Accepted, "the speaker is being given " + webKey, later},
		{"too early", of("203.0.113.5"), func(w *world) { w.withheld[webKey], w.awaited = true, cmp1 }, Accepted,
			"computeNodes/cmp1 has yet to say that it has programmed the floating IP; " + webKey + " is advertised at 12:00:00Z at the latest", later},

		{"no neighbor", of("203.0.113.5"), func(w *world) { w.do(inventory.DeleteNeighbor{Name: mx1}) }, Configured, "no neighbor is configured",
			"buoyctl create neighbor NAME --address ADDRESS --as AS"},
		{"a stranger", of("203.0.113.5"), func(w *world) {
			w.do(inventory.DeleteNeighbor{Name: mx1})
			w.Refused = neighbor.Refused{Count: 3, Address: addr("10.0.0.77")}
		}, Configured, "no neighbor is configured", "buoyctl create neighbor NAME --address 10.0.0.77 --as AS, if it is the router that connects from there"},
		{"without the family", of("203.0.113.5"), func(w *world) {
			six := neighbor.NewFamilies(neighbor.Inet6VPN)
			w.do(inventory.UpdateNeighbor{Name: mx1, Families: &six})
		}, Configured, "mx1 is not configured for inet-vpn", "buoyctl set neighbor mx1 --families inet-vpn,inet6-vpn"},
		{"being set up", of("203.0.113.5"), func(w *world) { delete(w.Sessions, "mx1") }, Reachable, "mx1 is being set up", later},
		{"refused connection", of("203.0.113.5"), session(neighbor.Active, neighbor.CauseConnectionRefused, "connection refused"), Reachable,
			"mx1 is Active (connection refused)", "nothing listens there: check that BGP runs on the router, and on port 179"},
		{"wrong AS", of("203.0.113.5"), session(neighbor.Active, neighbor.CauseWrongAS, "the neighbor says it is AS 64999"), Established,
			"mx1 is Active (the neighbor says it is AS 64999)", "buoyctl describe neighbor mx1 shows what was seen last"},
		{"waiting for the OPEN", of("203.0.113.5"), session(neighbor.OpenSent, neighbor.CauseNone, "waiting for the neighbor's OPEN"), Established,
			"mx1 is OpenSent (waiting for the neighbor's OPEN)", ""},
		{"lost meanwhile", of("203.0.113.5"), lacks(neighbor.CheckSession, "is not established"), Established, "mx1 is not established", later},
		{"family not negotiated", of("203.0.113.5"), func(w *world) {
			w.Sessions["mx1"].OpenReceived = &neighbor.Open{Families: neighbor.NewFamilies(neighbor.Inet6VPN, neighbor.RouteTarget)}
			lacks(neighbor.CheckFamily, "did not negotiate inet-vpn")(w)
		}, Family, "mx1 did not negotiate inet-vpn", "enable inet-vpn for this session on the router, if its routes are wanted"},
		{"next hop", of("203.0.113.5"), lacks(neighbor.CheckNextHop, "did not offer IPv6 next hops for inet-vpn (RFC 8950)"), Exported,
			"mx1 did not offer IPv6 next hops for inet-vpn (RFC 8950)", "enable IPv6 next hops for inet-vpn on the router (extended next hop), or give the compute node an IPv4 address"},
		{"maximum", of("203.0.113.5"), lacks(neighbor.CheckMaximum, "has the 5 routes that it may have at most"), Exported,
			"mx1 has the 5 routes that it may have at most", "buoyctl set neighbor mx1 --max-advertised N, with a higher N"},
		{"not wanted", of("203.0.113.5"), lacks(neighbor.CheckMembership, "did not ask for any of target:64512:10003"), Wanted,
			"mx1 did not ask for any of target:64512:10003",
			"let a VRF of the router import one of target:64512:10003, target:64512:8000001; buoyctl gateway-config --vendor VENDOR --neighbor mx1 writes it"},
		{"being sent", of("203.0.113.5"), func(w *world) {
			w.deliveries["mx1"] = neighbor.Delivery{Reason: "is being sent the route", Soon: true, Check: neighbor.CheckSent}
		}, Sent, "mx1 is being sent the route", later},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.but != nil {
				tt.but(w)
			}
			e := w.explain(tt.q)
			if e.Healthy || e.Cause != tt.cause || e.Summary != "not reachable: "+tt.text || tt.next != "" && e.Next != tt.next {
				t.Errorf("got %t, %s: %s\n> %s\nwant %s: %s\n> %s", e.Healthy, e.Cause, e.Summary, e.Next, tt.cause, tt.text, tt.next)
			}
			wellFormed(t, e)
		})
	}
}

// wellFormed checks that of each way nothing behind a failure was looked at, nothing is
// left out, and that what failed says why.
func wellFormed(t *testing.T, e Explanation) {
	t.Helper()
	check := func(first ID, steps []Step) {
		t.Helper()
		broken := false
		for i, s := range steps {
			if s.ID != first+ID(i) {
				t.Errorf("step %d is %s, want %s\n%s", i, s.ID, first+ID(i), text(e))
			}
			if (s.Status == Skipped) != broken || s.Status != Skipped && s.Text == "" {
				t.Errorf("%s is %d\n%s", s.ID, s.Status, text(e))
			}
			broken = broken || s.Status == Failed
		}
	}
	check(Known, e.Steps)
	for i := range e.Paths {
		check(ComputeNode, e.Paths[i].Steps)
		for _, h := range e.Paths[i].Hops {
			check(Configured, h.Steps)
		}
	}
}

// What holds, but not as it should, is said, and harms nothing.
func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		name string
		q    Question
		but  func(*world)
		id   ID
		text string
	}{
		{"draining", Question{}, func(w *world) { w.do(inventory.DrainComputeNode{Name: cmp1, Wait: time.Hour}) }, ComputeNode,
			"computeNodes/cmp1 is draining: gateways choose other routes if there are any, and its own are withdrawn at 13:00:00Z"},
		{"stale", Question{}, func(w *world) {
			w.watched(inventory.NodeLife{State: inventory.NodeStale, Since: noon, Until: noon.Add(time.Minute), Reason: "it was silent"}, inventory.InterfaceUp, "")
		}, ComputeNode, "computeNodes/cmp1 has lost its stream (it was silent); its routes are kept until 12:01:00Z"},
		{"no way back", Question{}, func(w *world) { clear(w.received) }, WayBack,
			"public.inet.0 does not have a default route: answers have no way out, unless the compute node has one of its own"},
		{"others back", Question{}, func(w *world) {
			clear(w.received)
			w.announce("mx1", "198.51.100.0/24", "target:64512:10003", 24000)
		}, WayBack, "public.inet.0 does not have a default route: answers have no way out, unless the compute node has one of its own; it has others, like 198.51.100.0/24 (--from CLIENT looks for one client)"},
		{"not imported", Question{}, func(w *world) {
			clear(w.received)
			w.announce("mx1", "0.0.0.0/0", "target:64512:77", 24000)
		}, WayBack, "mx1 announces 0.0.0.0/0 with target:64512:77, which public does not import"},
		{"not usable", Question{}, func(w *world) {
			clear(w.received)
			w.announce("mx1", "0.0.0.0/0", "target:64512:10003", 3)
		}, WayBack, "0.0.0.0/0 from mx1 cannot be followed: label 3 is reserved: it does not tell the router which VRF is meant"},
		{"not taken", Question{Neighbor: mx1}, func(w *world) {
			clear(w.received)
			none, _ := neighbor.ParsePrefixFilter([]string{"none"})
			w.do(inventory.UpdateNeighbor{Name: mx1, AcceptPrefixes: &none})
		}, WayBack, "public.inet.0 does not have a default route: --accept-prefix of mx1 does not take 0.0.0.0/0"},
		{"from another", Question{Neighbor: mx2}, func(w *world) { w.peer("mx2", "10.0.0.3") }, WayBack,
			"0.0.0.0/0 from mx1, next hop 10.0.0.1 label 24000; mx2 announces none"},
		{"no way to a client", Question{Client: addr("192.0.2.1")}, func(w *world) {
			clear(w.received)
			w.announce("mx1", "198.51.100.0/24", "target:64512:10003", 24000)
		}, WayBack, "public.inet.0 does not have a route to 192.0.2.1: answers have no way out, unless the compute node has one of its own; it has others, like 198.51.100.0/24 (--from CLIENT looks for one client)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.but(w)
			tt.q.FloatingIP = web
			e := w.explain(tt.q)
			for _, s := range append(append([]Step{}, e.WayBack...), e.Paths[0].Steps...) {
				if s.Status == Warning && (s.ID != tt.id || s.Text != tt.text || s.Next == "") {
					t.Errorf("got %s: %s\n> %s\nwant %s: %s", s.ID, s.Text, s.Next, tt.id, tt.text)
				}
			}
			if !e.Healthy || !strings.HasSuffix(e.Summary, "; 1 step is not as it should be") {
				t.Errorf("got %s", text(e))
			}
		})
	}
}
