package integration

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/lab"
)

// script is a router that does one thing wrong. Buoy is its neighbor PEER.
type script struct {
	name    string
	flags   string                                  // of create neighbor, beyond address, AS and port
	as      uint32                                  // what Buoy has configured; 0 for our own
	socket  lab.Socket                              // the router's
	absent  bool                                    // nothing listens
	connect bool                                    // the router connects; Buoy is passive
	from    byte                                    // host that it connects from instead
	config  func(*lab.GatewayConfig)                // what the router's OPEN says
	open    func(w *world, c net.Conn) (again bool) // instead of its OPEN
	then    func(w *world, c net.Conn)              // once the session is established
	state   string                                  // of the neighbor; Active when empty
	reason  string                                  // PEER and BUOY stand for the addresses
	next    string
}

const timeoutAdvice = "nothing answers: check the address, the route, and filters on the way"

var scripts = []script{
	{name: "nothing listens", absent: true,
		reason: "connect to PEER:17900: connection refused",
		next:   "nothing listens there: check that BGP runs on the router, and on port 17900"},
	{name: "not our address", absent: true, flags: "--local-address 192.0.2.1",
		reason: "connect to PEER:17900: cannot assign requested address",
		next:   "make 192.0.2.1 an address of this machine that the router connects to, or change --local-address of mx1"},
	{name: "the router has another AS", config: func(c *lab.GatewayConfig) { c.AS = 64999 },
		reason: "the neighbor says it is AS 64999; configured is 64512",
		next:   "if the router is right: buoyctl set neighbor mx1 --as 64999; otherwise correct its own AS"},
	{name: "the router expects another AS of us", open: notification(2, 2, 0xfc, 0x01),
		reason: "the neighbor sent NOTIFICATION 2/2 OPEN Message Error, Bad Peer AS",
		next:   "the router expects another AS of us: our AS is 64512, correct its remote AS"},
	{name: "no common family", flags: "--families inet-vpn", config: func(c *lab.GatewayConfig) { c.Families = []lab.Family{lab.VPNv6} },
		reason: "no common family: we offer inet-vpn, the neighbor offers inet6-vpn",
		next:   "enable inet-vpn for this session on the router, or change --families of mx1"},
	{name: "the router has our router id", config: func(c *lab.GatewayConfig) { c.RouterID = netip.MustParseAddr("10.0.0.2") },
		reason: "the neighbor has our own router id 10.0.0.2",
		next:   "give one of the two another router id; ours is bgp.router_id in the configuration"},
	{name: "shut down on the router", then: notificationThen(6, 2, "\x0freplacing PSU 2"),
		reason: `the neighbor sent NOTIFICATION 6/2 Cease, Administrative Shutdown: "replacing PSU 2"`,
		next:   "the session was shut down on the router: enable it there"},
	{name: "rejected by the router", open: notification(6, 5),
		reason: "the neighbor sent NOTIFICATION 6/5 Cease, Connection Rejected",
		next:   "the router rejects the connection: check that it has our address as a neighbor"},
	{name: "prefix limit on the router", then: notificationThen(6, 1, ""),
		reason: "the neighbor sent NOTIFICATION 6/1 Cease, Maximum Number of Prefixes Reached",
		next:   "the router's prefix limit is reached: raise it there and clear the session"},
	{name: "the router closes at once", open: func(_ *world, c net.Conn) bool { return false },
		reason: "connection lost: closed by the other side",
		next:   "look at the router's log: it may not have our address as a neighbor"},
	{name: "hold timer", flags: "--hold-time 3", then: silence,
		reason: "we sent NOTIFICATION 4/0 Hold Timer Expired",
		next:   "nothing came from the router for the hold time: check that it is up and that the path carries packets both ways"},
	{name: "wrong MD5 key when we connect", flags: "--md5-key-file KEY", socket: lab.Socket{Key: "another"},
		reason: "connect to PEER:17900: timed out",
		next:   timeoutAdvice + "; a router that has no MD5 key for us, or another one, looks the same"},
	{name: "the router wants an MD5 key", socket: lab.Socket{Key: "secret"},
		reason: "connect to PEER:17900: timed out",
		next:   timeoutAdvice + "; a router that wants an MD5 key looks the same"},
	{name: "no key file", flags: "--md5-key-file /nonexistent/key",
		reason: "MD5 key: open /nonexistent/key: no such file or directory",
		next:   "make the key readable for the daemon; it is read again every second"},
	{name: "further away than allowed", flags: "--ttl-security 1", socket: lab.Socket{TTL: 64},
		reason: "connect to PEER:17900: timed out",
		next:   timeoutAdvice + "; a router that wants an MD5 key looks the same"},
	{name: "a family is missing", config: func(c *lab.GatewayConfig) { c.Families = []lab.Family{lab.VPNv4} },
		then: keepAlive, state: "ESTABLISHED",
		reason: "the neighbor does not offer inet6-vpn,route-target; it offers inet-vpn",
		next:   "enable inet6-vpn,route-target for this session on the router, if its routes are wanted"},
	{name: "MD5 and GTSM that fit", flags: "--md5-key-file KEY --ttl-security 1 --families inet-vpn", socket: lab.Socket{Key: "secret", TTL: 255},
		config: func(c *lab.GatewayConfig) { c.Families = []lab.Family{lab.VPNv4} }, then: keepAlive, state: "ESTABLISHED"},
	{name: "GTSM when the router connects", flags: "--passive --ttl-security 1 --families inet-vpn", connect: true, socket: lab.Socket{TTL: 255, MinTTL: 255},
		config: func(c *lab.GatewayConfig) { c.Families = []lab.Family{lab.VPNv4} }, then: keepAlive, state: "ESTABLISHED"},
	{name: "MD5 that fits when the router connects", flags: "--passive --md5-key-file KEY --families inet-vpn", connect: true, socket: lab.Socket{Key: "secret"},
		config: func(c *lab.GatewayConfig) { c.Families = []lab.Family{lab.VPNv4} }, then: keepAlive, state: "ESTABLISHED"},
	{name: "wrong MD5 key when the router connects", flags: "--passive --md5-key-file KEY", connect: true, socket: lab.Socket{Key: "another"},
		reason: "waiting for the neighbor to connect; N segments with a wrong MD5 signature arrived",
		next:   "configure the same MD5 key for this session on both ends, or on neither"},
	{name: "no MD5 key when the router connects", flags: "--passive --md5-key-file KEY", connect: true,
		reason: "waiting for the neighbor to connect; N segments without an MD5 signature arrived",
		next:   "configure the same MD5 key for this session on both ends, or on neither"},
	{name: "an MD5 key too many when the router connects", flags: "--passive", connect: true, socket: lab.Socket{Key: "secret"},
		reason: "waiting for the neighbor to connect; N segments with an MD5 signature, but no key configured, arrived",
		next:   "configure the same MD5 key for this session on both ends, or on neither"},
	{name: "the router connects from another address", flags: "--passive", connect: true, from: 77,
		reason: "waiting for the neighbor to connect; a connection from OTHER was refused, which no neighbor has as its address",
		next:   "if OTHER is this router: buoyctl set neighbor mx1 --address OTHER"},
	{name: "the router does not connect", absent: true, flags: "--passive",
		reason: "waiting for the neighbor to connect",
		next:   "check that the router has us as a neighbor and connects; without --passive Buoy connects itself"},
}

// TestReasons: a neighbor that is not established, or lacks something, says so
// and what to do.
func TestReasons(t *testing.T) {
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			config := w.gatewayConfig("mx1", vpnFamilies)
			if s.config != nil {
				s.config(&config)
			}
			key := filepath.Join(w.dir, "key")
			if err := os.WriteFile(key, []byte("secret\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			w.play(s, config)
			flags := strings.ReplaceAll(s.flags, "KEY", key)
			w.ctl(fmt.Sprintf("create neighbor mx1 --address %s --as %d --port %d %s",
				config.Addr.Addr(), max(s.as, ourAS), config.Addr.Port(), flags))
			w.wantReason("mx1", config, s.state, s.reason, s.next)
			if strings.Contains(w.ctl("describe neighbor mx1")+w.ctl("get neighbors -o yaml"), "secret") {
				t.Error("the key is shown")
			}
		})
	}
}

// TestNoRoute: a neighbor to which there is no route says so.
func TestNoRoute(t *testing.T) {
	w := newWorld(t)
	w.buoyd = lab.NewBuoyd(programs, lab.BuoydConfig{
		Dir: w.folder("alone"), AS: ourAS, RouterID: netip.MustParseAddr("10.0.0.2"), Listen: w.host(), Alone: true,
	})
	w.start()
	w.ctl("create neighbor mx1 --address 192.0.2.1 --as 64512")
	w.wantReason("mx1", lab.GatewayConfig{Addr: netip.MustParseAddrPort("192.0.2.1:179"), Peer: w.host()}, "",
		"connect to PEER:179: network is unreachable", "check the address, and this machine's route to it")
}

// TestReasonStays: a router that says why once, and then only closes, is still
// shown with its reason.
func TestReasonStays(t *testing.T) {
	w := newWorld(t)
	w.start()
	config := w.gatewayConfig("mx1", vpnFamilies)
	said := false
	w.play(script{open: func(_ *world, c net.Conn) bool {
		if !said {
			said = true
			lab.SendMessage(c, bgp.NewBGPNotificationMessage(2, 2, nil))
		}
		return false
	}}, config)
	w.ctl(fmt.Sprintf("create neighbor mx1 --address %s --as 64512 --port %d", config.Addr.Addr(), config.Addr.Port()))
	w.wantReason("mx1", config, "",
		"the neighbor sent NOTIFICATION 2/2 OPEN Message Error, Bad Peer AS; since then connection lost: closed by the other side",
		"the router expects another AS of us: our AS is 64512, correct its remote AS")
}

// play runs the router until the test ends.
func (w *world) play(s script, config lab.GatewayConfig) {
	w.t.Helper()
	if s.absent {
		return
	}
	s.socket.Peer = config.Peer.Addr()
	ctx, cancel := context.WithCancel(context.Background())
	var next func() (net.Conn, error)
	if s.connect {
		from := config.Addr.Addr()
		if s.from > 0 {
			from = w.net.Host(s.from).Addr()
		}
		next = func() (net.Conn, error) { return s.socket.Dial(ctx, from, config.Peer) }
	} else {
		l, err := s.socket.Listen(ctx, config.Addr)
		if err != nil {
			w.t.Fatal(err)
		}
		next = l.Accept
		context.AfterFunc(ctx, func() { l.Close() })
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			conn, err := next()
			if err != nil {
				continue
			}
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			s.session(w, conn, config)
			stop()
			conn.Close()
		}
	}()
	w.t.Cleanup(func() { cancel(); <-done })
}

func (s script) session(w *world, conn net.Conn, config lab.GatewayConfig) {
	if s.open != nil {
		s.open(w, conn)
		return
	}
	if lab.SendMessage(conn, lab.OpenMessage(config)) != nil {
		return
	}
	for {
		m, err := lab.ReadMessage(conn)
		if err != nil {
			return
		}
		switch m.Header.Type {
		case bgp.BGP_MSG_OPEN:
			lab.SendMessage(conn, bgp.NewBGPKeepAliveMessage())
		case bgp.BGP_MSG_KEEPALIVE:
			if s.then != nil {
				s.then(w, conn)
			}
			return
		case bgp.BGP_MSG_NOTIFICATION:
			return
		}
	}
}

func notification(code, subcode uint8, data ...byte) func(*world, net.Conn) bool {
	return func(_ *world, c net.Conn) bool {
		lab.SendMessage(c, bgp.NewBGPNotificationMessage(code, subcode, data))
		return false
	}
}

func notificationThen(code, subcode uint8, data string) func(*world, net.Conn) {
	return func(_ *world, c net.Conn) {
		lab.SendMessage(c, bgp.NewBGPNotificationMessage(code, subcode, []byte(data)))
		keepAlive(nil, c)
	}
}

// silence reads and says nothing, until Buoy closes.
func silence(_ *world, c net.Conn) {
	for {
		if _, err := lab.ReadMessage(c); err != nil {
			return
		}
	}
}

// keepAlive answers every KEEPALIVE, until Buoy closes.
func keepAlive(_ *world, c net.Conn) {
	for {
		m, err := lab.ReadMessage(c)
		if err != nil {
			return
		}
		if m.Header.Type == bgp.BGP_MSG_KEEPALIVE {
			lab.SendMessage(c, bgp.NewBGPKeepAliveMessage())
		}
	}
}

var segments = regexp.MustCompile(`\d+ segments`)

// wantReason waits until a neighbor shows a state, a reason and a next step.
func (w *world) wantReason(name string, config lab.GatewayConfig, state, reason, next string) {
	w.t.Helper()
	names := strings.NewReplacer(config.Addr.Addr().String(), "PEER", config.Peer.Addr().String(), "BUOY",
		w.net.Host(77).Addr().String(), "OTHER")
	w.eventually(reason, func(context.Context) error {
		n := w.neighborState(name)
		n.Next = names.Replace(n.Next)
		n.Reason = segments.ReplaceAllString(names.Replace(n.Reason), "N segments")
		// The kernel's counters are the machine's: another test may raise them.
		got, counted, _ := strings.Cut(n.Reason, "; ")
		want, count, _ := strings.Cut(reason, "; ")
		advised := n.Next == next || counted != "" && strings.Contains(n.Next, "the same MD5 key")
		if got != want || !strings.Contains(counted, count) || !advised || state != "" && n.State != state {
			return fmt.Errorf("%s: %s\n%s", n.State, n.Reason, n.Next)
		}
		return nil
	})
}
