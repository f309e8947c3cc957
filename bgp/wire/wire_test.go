package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/bgp/ribin"
	"github.com/buoynet/buoy/bgp/ribout"
	"github.com/buoynet/buoy/internal/neighbor"
)

const (
	ourAS       = 64512
	patience    = 10 * time.Second // before a test gives up
	routerAddr  = "127.0.0.2"
	anotherAddr = "127.0.0.3"
)

var ourID = netip.MustParseAddr("10.0.0.2")

// Everything at once, except what a test makes it wait for.
var testTimers = timers{
	connectRetry: 20 * time.Millisecond,
	connect:      5 * time.Second,
	delayOpen:    time.Minute,
	collision:    time.Minute,
	openHold:     time.Minute,
	engineRetry:  5 * time.Millisecond,
	sendHold:     time.Minute,
	linger:       500 * time.Millisecond,
	holdSlack:    100 * time.Millisecond,
	membership:   time.Minute,
	endOfRIB:     time.Minute,
}

// world is a Server that runs, between a fake engine and fake routers.
type world struct {
	t      testing.TB
	server *Server
	engine *fakeEngine
	end    func() // ends Run and waits for it
}

func newWorld(t testing.TB, change func(*timers)) *world {
	t.Helper()
	engine := newFakeEngine(t, "")
	s, err := Listen(Config{
		Routes:   ribout.NewTable(),
		Received: ribin.NewTable(ribin.Local{AS: ourAS, RouterID: ourID}),
		Listen:   []string{"127.0.0.1:0"},
		LocalAS:  ourAS,
		RouterID: ourID,
		Engine:   engine,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.timers = testTimers
	if change != nil {
		change(&s.timers)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	end := sync.OnceFunc(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(end)
	eventually(t, "Run to begin", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.ctx != nil
	}, func() any { return nil })
	return &world{t, s, engine, end}
}

func settings(change ...func(*neighbor.Settings)) neighbor.Settings {
	s := neighbor.Settings{
		Name:     "mx1",
		Address:  netip.MustParseAddr(routerAddr),
		Port:     179,
		AS:       ourAS,
		Families: neighbor.AllFamilies,
		Passive:  true,
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

// dialed makes the server dial l.
func dialed(l *net.TCPListener) func(*neighbor.Settings) {
	return func(s *neighbor.Settings) {
		s.Passive = false
		s.Port = addrPort(l.Addr()).Port()
	}
}

func (w *world) add(s neighbor.Settings) {
	w.t.Helper()
	if err := w.server.Add(s); err != nil {
		w.t.Fatal(err)
	}
}

// wait polls the only neighbor's status.
func (w *world) wait(what string, ok func(neighbor.Status) bool) neighbor.Status {
	w.t.Helper()
	var s neighbor.Status
	eventually(w.t, what, func() bool {
		s = w.server.Status()[0]
		return ok(s)
	}, func() any { return s })
	return s
}

func (w *world) waitState(state neighbor.State) neighbor.Status {
	w.t.Helper()
	return w.wait(state.String(), func(s neighbor.Status) bool { return s.State == state })
}

func (w *world) waitReason(reason string) neighbor.Status {
	w.t.Helper()
	return w.wait(reason, func(s neighbor.Status) bool {
		// Strangers of an earlier part of the test are mentioned too.
		known, _, _ := strings.Cut(s.Reason, "; a connection from")
		return known == reason
	})
}

func eventually(t testing.TB, what string, ok func() bool, last func() any) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s, last: %+v", what, last())
		}
	}
}

// connect makes a router connect to the server.
func (w *world) connect(from string) *end {
	w.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	d.SetMultipathTCP(false)
	conn, err := d.Dial("tcp", w.server.Addrs()[0].String())
	if err != nil {
		w.t.Fatal(err)
	}
	return newEnd(w.t, conn)
}

func listenAs(t testing.TB, addr string) *net.TCPListener {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(addr)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t testing.TB, l *net.TCPListener) *end {
	t.Helper()
	l.SetDeadline(time.Now().Add(patience))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return newEnd(t, conn)
}

// end is the other end of a connection: a router, or the engine.
type end struct {
	t    testing.TB
	conn *net.TCPConn
	r    *messageReader
}

func newEnd(t testing.TB, conn net.Conn) *end {
	t.Cleanup(func() { conn.Close() })
	return &end{t, conn.(*net.TCPConn), newMessageReader(conn)}
}

func (e *end) send(msg ...byte) {
	e.t.Helper()
	if _, err := e.conn.Write(msg); err != nil {
		e.t.Fatalf("send: %v", err)
	}
}

func (e *end) expect(typ byte) []byte {
	e.t.Helper()
	e.conn.SetReadDeadline(time.Now().Add(patience))
	msg, err := e.r.next()
	if err != nil {
		e.t.Fatalf("expected type %d: %v", typ, err)
	}
	if msg[18] != typ {
		e.t.Fatalf("expected type %d, got %x", typ, msg)
	}
	return append([]byte(nil), msg...)
}

// expectNotification also expects that nothing follows.
func (e *end) expectNotification(code, subcode byte) neighbor.Notification {
	e.t.Helper()
	n := readNotification(e.expect(typeNotification))
	if n.Code != code || n.Subcode != subcode {
		e.t.Fatalf("got NOTIFICATION %s, want %d/%d", n, code, subcode)
	}
	e.expectClosed()
	return n
}

func (e *end) expectClosed() {
	e.t.Helper()
	e.conn.SetReadDeadline(time.Now().Add(patience))
	msg, err := e.r.next()
	if err == nil {
		e.t.Fatalf("expected the end, got %x", msg)
	}
	if errors.Is(err, syscall.ECONNRESET) {
		e.t.Fatalf("expected an orderly end: %v", err)
	}
	e.conn.Close()
}

// establish is a router's part, from its OPEN to the End-of-RIB of our
// membership, which is the first that it is sent.
func (e *end) establish(id string) {
	e.t.Helper()
	e.establishWith(openOf(ourAS, id))
}

func (e *end) establishWith(open []byte) {
	e.t.Helper()
	e.send(open...)
	e.expect(typeOpen)
	e.expect(typeKeepalive)
	e.send(message(typeKeepalive)...)
	e.expect(typeUpdate)
}

// lastWords returns the NOTIFICATION before the end, or nothing.
func (e *end) lastWords() string {
	e.t.Helper()
	for {
		e.conn.SetReadDeadline(time.Now().Add(patience))
		switch msg, err := e.r.next(); {
		case errors.Is(err, io.EOF):
			return ""
		case err != nil:
			e.t.Fatal(err)
		case msg[18] == typeNotification:
			return readNotification(msg).String()
		}
	}
}

// fakeEngine accepts connections, says OPEN, and answers an OPEN with a KEEPALIVE.
type fakeEngine struct {
	l        *net.TCPListener
	deaf     atomic.Int32 // how many connections it still closes at once
	accepted atomic.Int32
	expected atomic.Int32 // sessions opened and not closed
	linkKey  string
	refuse   error
	sessions chan *engineSession
}

func (e *fakeEngine) Open(context.Context, neighbor.Settings) (Link, error) {
	if e.refuse != nil {
		return Link{}, e.refuse
	}
	e.expected.Add(1)
	return Link{addrPort(e.l.Addr()), netip.MustParseAddr("127.0.0.100"), e.linkKey}, nil
}

func (e *fakeEngine) Close(Link) { e.expected.Add(-1) }

type engineSession struct {
	*end
	received chan []byte // closed at the end
}

func newFakeEngine(t testing.TB, key string) *fakeEngine {
	t.Helper()
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	lc.Control = func(_, _ string, c syscall.RawConn) error {
		if key == "" {
			return nil
		}
		return setMD5(c, netip.MustParseAddr("127.0.0.100"), key)
	}
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := &fakeEngine{l: l.(*net.TCPListener), sessions: make(chan *engineSession, 100)}
	go e.run(t)
	return e
}

func (e *fakeEngine) run(t testing.TB) {
	for {
		conn, err := e.l.Accept()
		if err != nil {
			return
		}
		e.accepted.Add(1)
		if e.deaf.Add(-1) >= 0 {
			conn.Close()
			continue
		}
		conn.Write(openOf(ourAS, ourID.String()))
		s := &engineSession{newEnd(t, conn), make(chan []byte, 1000)}
		e.sessions <- s
		go s.run()
	}
}

func (s *engineSession) run() {
	defer close(s.received)
	defer s.conn.Close()
	for {
		msg, err := s.r.next()
		if err != nil {
			return
		}
		if msg[18] == typeOpen {
			s.conn.Write(message(typeKeepalive))
		}
		s.received <- append([]byte(nil), msg...)
	}
}

func (e *fakeEngine) session(t testing.TB) *engineSession {
	t.Helper()
	select {
	case s := <-e.sessions:
		return s
	case <-time.After(patience):
		t.Fatal("nothing reached the engine")
		return nil
	}
}

// expect returns the next message that the engine got.
func (s *engineSession) expect(typ byte) []byte {
	s.t.Helper()
	select {
	case msg, ok := <-s.received:
		if !ok || msg[18] != typ {
			s.t.Fatalf("the engine got %x, want type %d", msg, typ)
		}
		return msg
	case <-time.After(patience):
		s.t.Fatalf("the engine got no message of type %d", typ)
		return nil
	}
}

func (s *engineSession) expectClosed() {
	s.t.Helper()
	select {
	case msg, ok := <-s.received:
		if ok {
			s.t.Fatalf("the engine got %x, want the end", msg)
		}
	case <-time.After(patience):
		s.t.Fatal("the engine's connection is still open")
	}
}

// restartCapability returns graceful restart for VPNv4 with these flags.
func restartCapability(flags byte) []byte {
	return []byte{neighbor.CapGracefulRestart, 6, flags, 120, 0, 1, 128, 0x80}
}

// openWith returns an OPEN for VPNv4 with one more capability.
func openWith(capability []byte) []byte {
	caps := append([]byte{neighbor.CapMultiprotocol, 4, 0, 1, 0, 128}, capability...)
	return rawOpen(4, 90, ourAS, someID, append([]byte{byte(len(caps) + 2), 2, byte(len(caps))}, caps...)...)
}

// openOf returns an OPEN as GoBGP writes it.
func openOf(as uint32, id string) []byte {
	caps := []bgp.ParameterCapabilityInterface{
		bgp.NewCapMultiProtocol(bgp.RF_IPv4_VPN),
		bgp.NewCapMultiProtocol(bgp.RF_RTC_UC),
		bgp.NewCapMultiProtocol(bgp.RF_EVPN),
		bgp.NewCapRouteRefresh(),
		bgp.NewCapGracefulRestart(false, true, 120, []*bgp.CapGracefulRestartTuple{bgp.NewCapGracefulRestartTuple(bgp.RF_IPv4_VPN, true)}),
		bgp.NewCapFQDN("mx1", "example.net"),
		bgp.NewCapFourOctetASNumber(as),
	}
	as2 := uint16(as)
	if as > 65535 {
		as2 = bgp.AS_TRANS
	}
	b, err := bgp.NewBGPOpenMessage(as2, 90, id, []bgp.OptionParameterInterface{bgp.NewOptionParameterCapability(caps)}).Serialize()
	if err != nil {
		panic(err)
	}
	return b
}
