package wire

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// many returns host routes of one compute node.
func many(n int) []vrf.Route {
	node := netip.MustParseAddr("10.0.0.11")
	target, err := routetarget.ParseTarget("target:64512:1")
	if err != nil {
		panic(err)
	}
	routes := make([]vrf.Route, n)
	for i := range routes {
		addr := netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
		routes[i] = vrf.Route{
			Key:   vrf.Key{RD: routetarget.IPv4Distinguisher(node, 1), Prefix: netip.PrefixFrom(addr, 32)},
			Label: vrf.Label(16 + i%1_000_000), LocalPref: 100, NextHop: node, Targets: routetarget.NewSet(target),
		}
	}
	return routes
}

// vpnv4Only is an OPEN without route target membership.
func vpnv4Only(t testing.TB, id string) []byte {
	t.Helper()
	caps := []bgp.ParameterCapabilityInterface{
		bgp.NewCapMultiProtocol(bgp.RF_IPv4_VPN), bgp.NewCapRouteRefresh(), bgp.NewCapFourOctetASNumber(ourAS),
	}
	open, err := bgp.NewBGPOpenMessage(ourAS, 90, id, []bgp.OptionParameterInterface{bgp.NewOptionParameterCapability(caps)}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return open
}

// join makes a router's session that has no route target membership.
func (w *world) join(from, id string) *end {
	w.t.Helper()
	s := settings()
	s.Name, s.Address = "mx"+id, netip.MustParseAddr(from)
	w.add(s)
	router := w.connect(from)
	router.send(vpnv4Only(w.t, id)...)
	router.expect(typeOpen)
	router.expect(typeKeepalive)
	router.send(message(typeKeepalive)...)
	return router
}

// routes reads UPDATEs until the End-of-RIB, or for so many routes when there
// is none to come. It returns how many there were.
func (e *end) routes(count int) (n int) {
	e.t.Helper()
	for n < count || count == 0 {
		m, err := bgp.ParseBGPMessage(append([]byte(nil), e.expect(typeUpdate)...))
		if err != nil {
			e.t.Fatal(err)
		}
		for _, a := range m.Body.(*bgp.BGPUpdate).PathAttributes {
			switch a := a.(type) {
			case *bgp.PathAttributeMpReachNLRI:
				n += len(a.Value)
			case *bgp.PathAttributeMpUnreachNLRI:
				if len(a.Value) == 0 {
					return n
				}
			}
		}
	}
	return n
}

// TestRouteRefresh: a router that asks gets the routes of the family again.
// The engine is not asked.
func TestRouteRefresh(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.server.config.Routes.Advertise(many(1000)); err != nil {
		t.Fatal(err)
	}
	router := w.join("127.0.0.2", "10.0.0.1")
	if n := router.routes(0); n != 1000 {
		t.Fatalf("%d routes before End-of-RIB", n)
	}
	router.send(message(typeRouteRefresh, 0, 2, 0, 128)...) // not negotiated
	router.send(message(typeRouteRefresh, 0, 1, 0, 128)...)
	if n := router.routes(1000); n != 1000 {
		t.Errorf("%d routes again", n)
	}
	if s := w.server.Status()[0]; s.Received.RouteRefreshes != 2 || s.Advertised != 1000 || s.MaxReached {
		t.Errorf("status %+v", s)
	}
}

// TestRefreshFlood: a router that asks again and again is read no faster than it
// may ask, and can still be told that the session ends.
func TestRefreshFlood(t *testing.T) {
	w := newWorld(t, func(t *timers) { t.refresh = time.Hour })
	if err := w.server.config.Routes.Advertise(many(10)); err != nil {
		t.Fatal(err)
	}
	router := w.join("127.0.0.2", "10.0.0.1")
	router.routes(0)
	for range 3 {
		router.send(message(typeRouteRefresh, 0, 1, 0, 128)...)
	}
	if n := router.routes(10); n != 10 {
		t.Errorf("%d routes again", n)
	}
	w.wait("the second request", func(s neighbor.Status) bool { return s.Received.RouteRefreshes == 2 })
	w.server.Remove(netip.MustParseAddr("127.0.0.2"))
	if got := router.lastWords(); got != "6/3 Cease, Peer De-configured" {
		t.Errorf("got %q", got)
	}
}

// TestStuckRouter: a router that does not read costs the others nothing, and
// loses its session after the send hold time (RFC 9687).
func TestStuckRouter(t *testing.T) {
	w := newWorld(t, func(t *timers) { t.sendHold = 2 * time.Second })
	stuck := w.join("127.0.0.2", "10.0.0.1")
	stuck.conn.SetReadBuffer(4096)
	healthy := w.join("127.0.0.3", "10.0.0.3")
	if n := healthy.routes(0); n != 0 {
		t.Fatalf("%d routes before there are any", n)
	}
	routes := many(300_000) // more than all buffers on the way hold
	if err := w.server.config.Routes.Advertise(routes); err != nil {
		t.Fatal(err)
	}
	if n := healthy.routes(len(routes)); n != len(routes) {
		t.Errorf("%d routes, want %d", n, len(routes))
	}
	of := func(name string) (s neighbor.Status) {
		for _, s := range w.server.Status() {
			if s.Settings.Name == name {
				return s
			}
		}
		t.Fatalf("there is no %s", name)
		return s
	}
	const want = "the neighbor has read nothing for 2s"
	eventually(t, want, func() bool { return of("mx10.0.0.1").Reason == want }, func() any { return of("mx10.0.0.1") })
	if s := of("mx10.0.0.3"); s.State != neighbor.Established || s.Flaps != 0 {
		t.Errorf("the other one: %+v", s)
	}
}

// TestKeepalivesDuringDump: messages of the engine pass between those of a
// dump; a router that reads slowly keeps its session.
func TestKeepalivesDuringDump(t *testing.T) {
	w := newWorld(t, nil)
	router := w.join("127.0.0.2", "10.0.0.1")
	router.conn.SetReadBuffer(4096)
	router.routes(0)
	session := w.engine.session(t)
	if err := w.server.config.Routes.Advertise(many(300_000)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the dump to begin", func() bool { return w.server.Status()[0].Sent.Updates > 1 }, func() any { return w.server.Status()[0] })
	for range 3 {
		session.send(message(typeKeepalive)...)
	}
	routes, alive := 0, 0
	for routes < 300_000 {
		router.conn.SetReadDeadline(time.Now().Add(patience))
		msg, err := router.r.next()
		if err != nil {
			t.Fatal(err)
		}
		if msg[18] == typeKeepalive {
			if alive++; alive == 3 {
				break
			}
			continue
		}
		routes += (len(msg) - 60) / 16
	}
	if alive != 3 {
		t.Errorf("%d KEEPALIVEs in a dump of %s", alive, fmt.Sprint(routes))
	}
}

// TestImpatientRouter: a router that does not wait for our KEEPALIVE before it
// says what it wants is heard all the same, and gets its routes after that
// KEEPALIVE.
func TestImpatientRouter(t *testing.T) {
	for range 20 {
		w := newWorld(t, nil)
		if err := w.server.config.Routes.Advertise(many(10)); err != nil {
			t.Fatal(err)
		}
		w.add(settings())
		router := w.connect(routerAddr)
		router.send(openOf(ourAS, "10.0.0.1")...)
		router.expect(typeOpen)
		everything := update([]byte{0x80, 14, 0, 1, 132, 4, 10, 0, 0, 1, 0, 0}, origin, asPath, localPref) // the default membership
		end := update([]byte{0x80, 15, 0, 1, 132})
		router.send(append(append(message(typeKeepalive), everything...), end...)...)
		router.expect(typeKeepalive)
		router.expect(typeUpdate) // the End-of-RIB of our membership
		if n := router.routes(0); n != 10 {
			t.Fatalf("%d routes", n)
		}
		w.end()
	}
}

// TestHastyRouters: routers that leave as soon as the session is there leave
// nothing behind.
func TestHastyRouters(t *testing.T) {
	w := newWorld(t, func(t *timers) { t.linger = 20 * time.Millisecond })
	w.add(settings())
	table := w.server.config.Routes
	routes := many(2000)
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			for j := range routes {
				routes[j].Label = vrf.Label(100 + i%2)
			}
			table.Advertise(routes)
		}
	}()
	for range 50 {
		router := w.connect(routerAddr)
		router.send(append(openOf(ourAS, "10.0.0.1"), message(typeKeepalive)...)...)
		router.expect(typeOpen)
		router.conn.Close()
		eventually(t, "its end", func() bool { return w.connections() == 0 }, func() any { return w.connections() })
		select {
		case <-w.engine.sessions:
		default:
		}
	}
	close(stop)
	<-ended
	if n := table.Sessions(); n != 0 {
		t.Errorf("%d Adj-RIB-Outs of sessions that have ended", n)
	}
}
