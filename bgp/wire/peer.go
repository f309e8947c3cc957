package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// timers are how long things take. Tests shorten them.
type timers struct {
	connectRetry time.Duration // after a failure or a loss (ConnectRetryTime)
	connect      time.Duration // for a TCP handshake
	delayOpen    time.Duration // for the router's OPEN before ours goes out (DelayOpenTime)
	collision    time.Duration // for a connection that would win
	openHold     time.Duration // for the router's OPEN
	engineRetry  time.Duration // while the engine does not answer
	sendHold     time.Duration // for a write to the router (RFC 9687)
	linger       time.Duration // for the last words
	holdSlack    time.Duration // what the engine gets to notice a silent router first
	membership   time.Duration // for the end of the router's route target membership
	refresh      time.Duration // between two refreshes of a family that the router asks for
	endOfRIB     time.Duration // for the router's End-of-RIBs, while some of its routes are stale
}

var defaultTimers = timers{
	connectRetry: time.Second,
	connect:      5 * time.Second,
	delayOpen:    300 * time.Millisecond,
	collision:    time.Second,
	openHold:     4 * time.Minute,
	engineRetry:  100 * time.Millisecond,
	sendHold:     90 * time.Second, // the engine gives up after the hold time
	linger:       time.Second,
	holdSlack:    5 * time.Second,
	membership:   5 * time.Second,
	refresh:      time.Second,
	endOfRIB:     5 * time.Minute,
}

// maxConnections bounds what one address can make us keep.
const maxConnections = 8

// peer is everything about one neighbor. run owns its life.
type peer struct {
	config   Config
	settings neighbor.Settings
	timers   timers
	// listenerKey installs a TCP MD5 key for the neighbor's connections.
	listenerKey func(netip.Addr, string) error
	changes     *changes

	cancel context.CancelFunc // guarded by Server.mu; nil before it was started
	done   chan struct{}      // closed when run has returned

	mu          sync.Mutex
	ctx         context.Context // nil before begin, and after the end of ctx
	serving     sync.WaitGroup  // grows only while ctx is not nil
	connections map[*connection]struct{}
	current     *connection // the one that may reach the engine
	sequence    uint64
	changed     chan struct{} // closed and replaced when current or connections change
	status      neighbor.Status
	signatures  string // what the kernel dropped since the neighbor was last up
	key         string // TCP MD5; installed on the listeners when it is not empty
	keyed       time.Time
	ceased      bool   // no new connection is wanted
	stopped     string // why, when another policy lets the neighbor in again
	known       bool   // the router had a session with an earlier peer of this run, and kept the routes
	told        bool   // it had one, and was told to drop them
	in          *adjIn // it is the next peer's when settings change
	failure     string // how the last connection ended
	diagnosis   diagnosis
	logged      neighbor.Cause // the last one that the operator's log has
}

func newPeer(s *Server, settings neighbor.Settings) *peer {
	return &peer{
		config:      s.config,
		settings:    settings,
		timers:      s.timers,
		listenerKey: s.setListenerKey,
		changes:     &s.changes,
		done:        make(chan struct{}),
		connections: map[*connection]struct{}{},
		changed:     make(chan struct{}),
		status:      neighbor.Status{Settings: settings, Since: time.Now(), Reason: "just added"},
	}
}

// quarantined makes the peer take and make no connection.
func (p *peer) quarantined() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ceased = true
	p.config.Logger.Warn("the neighbor gets no session: the daemon crashed again and again right after its messages", "neighbor", p.settings.Name)
	p.setState(neighbor.Idle, neighbor.CauseQuarantined, "quarantined: the daemon crashed again and again right after the neighbor's messages")
}

// begin makes accept take connections. run has to follow.
func (p *peer) begin(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ctx = ctx
	if p.settings.Passive && !p.ceased {
		p.setState(neighbor.Active, neighbor.CauseWaiting, "waiting for the neighbor to connect")
	}
}

// run dials until ctx ends, and returns when every connection has ended.
func (p *peer) run(ctx context.Context) {
	defer close(p.done)
	p.connectLoop(ctx)

	p.mu.Lock()
	p.ctx = nil
	p.mu.Unlock()
	p.serving.Wait()
	p.mu.Lock()
	p.setState(neighbor.Idle, neighbor.CauseStopped, "removed")
	p.mu.Unlock()
}

// connectLoop keeps the key up to date and connects, whenever there is no
// current connection.
func (p *peer) connectLoop(ctx context.Context) {
	before := readSignatures()
	for {
		if p.idle() {
			p.noteSignatures(readSignatures().since(before, !p.settings.MD5Key.IsZero()))
			if err := p.refreshKey(); err != nil {
				p.failed(neighbor.CauseKey, err.Error())
			} else if !p.settings.Passive {
				p.connect(ctx)
			} else {
				p.keyFound()
			}
		} else {
			before = readSignatures()
		}
		if !sleep(ctx, p.timers.connectRetry) {
			return
		}
	}
}

func (p *peer) connect(ctx context.Context) {
	address := netip.AddrPortFrom(p.settings.Address, p.settings.Port)
	p.connecting(address)
	conn, err := p.dialer().DialContext(ctx, "tcp", address.String())
	switch {
	case ctx.Err() != nil && err != nil:
	case err != nil:
		p.failed(causeOf(err), fmt.Sprintf("connect to %s: %s", address, rootCause(err)))
	default:
		p.mu.Lock()
		if p.ceased { // meanwhile
			p.mu.Unlock()
			conn.Close()
			return
		}
		c := p.open(ctx, conn.(*net.TCPConn), true)
		p.mu.Unlock()
		c.serve()
	}
}

// accept takes a connection from the neighbor.
func (p *peer) accept(conn *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil || p.ceased || len(p.connections) >= maxConnections || time.Since(p.keyed) < keySettles {
		conn.Close()
		return
	}
	if cause, err := p.checkAccepted(conn); err != nil {
		conn.Close()
		if p.current == nil {
			p.setState(neighbor.Active, cause, err.Error())
		}
		return
	}
	p.serving.Go(p.open(p.ctx, conn, false).serve)
}

// checkAccepted checks what the kernel did not, and sets up the connection. The
// caller holds p.mu.
func (p *peer) checkAccepted(conn *net.TCPConn) (neighbor.Cause, error) {
	if p.key == "" && !p.settings.MD5Key.IsZero() {
		return neighbor.CauseKey, errors.New("a connection was refused because the MD5 key is not installed")
	}
	if local := addrPort(conn.LocalAddr()).Addr(); !p.acceptable(local) {
		return neighbor.CauseLocalAddress, fmt.Errorf("the neighbor connected to %s; configured is %s", local, p.settings.LocalAddress)
	}
	return neighbor.CauseConnectionLost, p.prepare(conn)
}

// open registers a connection. The caller holds p.mu.
func (p *peer) open(ctx context.Context, conn *net.TCPConn, outbound bool) *connection {
	p.sequence++
	c := &connection{
		peer:     p,
		conn:     conn,
		outbound: outbound,
		late:     p.current != nil && p.current.established(),
		sequence: p.sequence,
		router:   writer{conn: conn, sendHold: p.timers.sendHold, linger: p.timers.linger},
		opened:   make(chan struct{}),

		refreshed: map[neighbor.Family]time.Time{},
		begun:     map[neighbor.Family]time.Time{},
		up:        make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	p.connections[c] = struct{}{}
	return c
}

// cease ends every connection with a NOTIFICATION after which the router drops
// our routes, and takes no new one.
func (p *peer) cease(subcode byte, communication, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, notified := p.agreedRestart()
	p.finish(&ending{cause: neighbor.CauseStopped, reason: reason, last: ceaseMessage(subcode, communication, notified)})
}

// leave ends every connection such that a router with graceful restart keeps our
// routes, and takes no new one. It reports whether there was a session in this
// run.
func (p *peer) leave(reason string) (known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lost, notified := p.agreedRestart()
	var last []byte // without a word is graceful, too
	if notified || !lost {
		last = ceaseMessage(ceaseChanged, "", false)
	}
	p.finish(&ending{cause: neighbor.CauseStopped, reason: reason, last: last})
	return p.known || p.status.Established > 0
}

// finish ends every connection, and takes no new one. The caller holds p.mu.
func (p *peer) finish(e *ending) {
	p.ceased, p.stopped = true, ""
	for c := range p.connections {
		c.end(e)
	}
}

// remove makes room for another connection, and says why this one ended.
func (p *peer) remove(c *connection, e *ending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.connections, c)
	p.left(c, e)
	if !e.collision && p.ctx != nil && (p.current == c || p.current == nil) {
		switch {
		case p.stopped != "":
			p.setState(neighbor.Idle, neighbor.CauseMaxReceived, p.stopped)
		case e.cause == neighbor.CauseMaxReceived: // and let in again
			p.rest()
		default:
			p.failure = e.reason
			cause, reason := p.diagnosed(e.cause, e.reason)
			p.setState(neighbor.Active, cause, reason)
		}
	}
	if p.current == c {
		p.setCurrent(nil)
		return
	}
	p.announce()
}

// setCurrent makes c the one that may reach the engine. The caller holds p.mu.
func (p *peer) setCurrent(c *connection) {
	p.current = c
	p.status.LocalAddress, p.status.RemoteAddress = netip.AddrPort{}, netip.AddrPort{}
	if c != nil {
		p.status.LocalAddress = addrPort(c.conn.LocalAddr())
		p.status.RemoteAddress = addrPort(c.conn.RemoteAddr())
		p.status.OpenSent, p.status.OpenReceived = nil, c.open
		state := neighbor.Active // RFC 4271 §8.2.2 stays there with DelayOpen
		if c.outbound {
			state = neighbor.Connect
		}
		p.setState(state, p.status.Cause, p.withFailure("connected"))
	}
	p.announce()
}

// announce tells those who wait in admitted. The caller holds p.mu.
func (p *peer) announce() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// addrPort returns a TCP address as everything else knows it.
func addrPort(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
