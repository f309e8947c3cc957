package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// Recorder is a router that takes every route and keeps what it was told, in
// order. A table shows only how things are; a recorder also shows what happened
// on the way. It knows nothing of Buoy but its address.
type Recorder struct {
	config   GatewayConfig
	listener net.Listener    // nil when it connects
	ctx      context.Context // ended by Close
	cancel   context.CancelFunc
	done     chan struct{} // closed when serve has returned

	mu           sync.Mutex
	conn         net.Conn // nil when there is no session
	opens        []*bgp.BGPOpen
	events       []Event
	notification string // the last one that Buoy sent
	err          error
}

// holdTime is what the recorder offers. It sends no keepalives but those that
// answer Buoy's, which come three times as often.
const holdTime = 90

// Record starts a recorder, which waits for Buoy, or connects again and again
// when it is active. Only one session at a time is served.
func Record(config GatewayConfig) (*Recorder, error) {
	r := &Recorder{config: config, done: make(chan struct{})}
	if !config.Active {
		l, err := net.Listen("tcp", config.Addr.String())
		if err != nil {
			return nil, fmt.Errorf("start recorder: %w", err)
		}
		r.listener = l
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	go r.serve()
	return r, nil
}

// Close ends the recorder and its session.
func (r *Recorder) Close() {
	r.cancel()
	if r.listener != nil {
		r.listener.Close()
	}
	r.mu.Lock()
	if r.conn != nil {
		r.conn.Close()
	}
	r.mu.Unlock()
	<-r.done
}

// Config returns what it was made with.
func (r *Recorder) Config() GatewayConfig { return r.config }

// Events returns everything since the start, in all sessions.
func (r *Recorder) Events() []Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.events...)
}

// Notification returns the last NOTIFICATION, as "6/2 text", or "".
func (r *Recorder) Notification() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notification
}

// Opens returns the OPENs that Buoy sent, in all sessions.
func (r *Recorder) Opens() []*bgp.BGPOpen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.opens)
}

// Connected reports whether there is a session, or one begins.
func (r *Recorder) Connected() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conn != nil
}

// WaitFor polls until an event has a text, and returns its index.
func (r *Recorder) WaitFor(ctx context.Context, event string) (index int, err error) {
	err = Poll(ctx, "wait for "+event, func(context.Context) error {
		text := ""
		for i, e := range r.Events() {
			if e.String() == event {
				index = i
				return nil
			}
			text += "\n" + e.String()
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		return fmt.Errorf("the session ended with %v; recorded was%s", r.err, text)
	})
	return index, err
}

func (r *Recorder) serve() {
	defer close(r.done)
	for r.ctx.Err() == nil {
		conn, err := r.connect()
		if err == nil && r.begin(conn) {
			err = r.session(conn)
			conn.Close()
		}
		r.mu.Lock()
		r.conn, r.err = nil, err
		r.mu.Unlock()
	}
}

// connect returns the next connection with Buoy.
func (r *Recorder) connect() (net.Conn, error) {
	if r.listener != nil {
		return r.listener.Accept()
	}
	conn, err := DialAs(r.ctx, r.config.Addr.Addr(), r.config.Peer)
	if err != nil {
		select { // nobody is there yet
		case <-time.After(pollInterval):
		case <-r.ctx.Done():
		}
	}
	return conn, err
}

// begin makes the connection the one that Close ends.
func (r *Recorder) begin(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil { // Close was first
		conn.Close()
		return false
	}
	r.conn, r.err = conn, nil
	return true
}

// session speaks as much BGP as it takes to stay established.
func (r *Recorder) session(conn net.Conn) error {
	if err := SendMessage(conn, OpenMessage(r.config)); err != nil {
		return err
	}
	for {
		conn.SetReadDeadline(time.Now().Add(holdTime * time.Second))
		msg, err := ReadMessage(conn)
		if err != nil {
			return err
		}
		switch body := msg.Body.(type) {
		case *bgp.BGPOpen:
			r.mu.Lock()
			r.opens = append(r.opens, body)
			r.mu.Unlock()
			if err := SendMessage(conn, bgp.NewBGPKeepAliveMessage()); err != nil {
				return err
			}
		case *bgp.BGPKeepAlive:
			if err := SendMessage(conn, bgp.NewBGPKeepAliveMessage()); err != nil {
				return err
			}
		case *bgp.BGPUpdate:
			events, err := eventsOf(body)
			if err != nil {
				return err
			}
			r.mu.Lock()
			r.events = append(r.events, events...)
			r.mu.Unlock()
		case *bgp.BGPNotification:
			r.mu.Lock()
			r.notification = notificationText(body)
			r.mu.Unlock()
			return errors.New("NOTIFICATION " + notificationText(body))
		}
	}
}

// notificationText returns "<code>/<subcode>", and the shutdown communication if
// there is one (RFC 9003), or what a Hard Reset carries (RFC 8538 §3).
func notificationText(n *bgp.BGPNotification) string {
	text := fmt.Sprintf("%d/%d", n.ErrorCode, n.ErrorSubcode)
	if n.ErrorCode == bgp.BGP_ERROR_CEASE && n.ErrorSubcode == bgp.BGP_ERROR_SUB_HARD_RESET && len(n.Data) >= 2 {
		return text + " with " + notificationText(&bgp.BGPNotification{ErrorCode: n.Data[0], ErrorSubcode: n.Data[1], Data: n.Data[2:]})
	}
	if len(n.Data) > 1 && int(n.Data[0]) == len(n.Data)-1 {
		text += " " + string(n.Data[1:])
	}
	return text
}

// OpenMessage returns the OPEN of a gateway.
func OpenMessage(config GatewayConfig) *bgp.BGPMessage {
	var capabilities []bgp.ParameterCapabilityInterface
	for _, f := range config.Families {
		capabilities = append(capabilities, bgp.NewCapMultiProtocol(routeFamilies[f]))
	}
	capabilities = append(capabilities, bgp.NewCapRouteRefresh(), bgp.NewCapFourOctetASNumber(config.AS))
	if config.Helper {
		capabilities = append(capabilities, bgp.NewCapGracefulRestart(false, true, 120, nil))
	}
	as := uint16(bgp.AS_TRANS)
	if config.AS <= 0xffff {
		as = uint16(config.AS)
	}
	return bgp.NewBGPOpenMessage(as, holdTime, config.RouterID.String(),
		[]bgp.OptionParameterInterface{bgp.NewOptionParameterCapability(capabilities)})
}

// DialAs connects to a BGP listener from an address, as a router that has it.
func DialAs(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	return d.DialContext(ctx, "tcp", to.String())
}

// SendMessage writes a message.
func SendMessage(conn net.Conn, msg *bgp.BGPMessage) error {
	data, err := msg.Serialize()
	if err == nil {
		_, err = conn.Write(data)
	}
	return err
}

// ReadMessage reads the next message.
func ReadMessage(conn net.Conn) (*bgp.BGPMessage, error) {
	header := make([]byte, bgp.BGP_HEADER_LENGTH)
	if _, err := io.ReadFull(conn, header); err != nil {
		return nil, err
	}
	h := &bgp.BGPHeader{}
	if err := h.DecodeFromBytes(header); err != nil {
		return nil, err
	}
	if h.Len < bgp.BGP_HEADER_LENGTH {
		return nil, fmt.Errorf("a message with the length %d", h.Len)
	}
	body := make([]byte, h.Len-bgp.BGP_HEADER_LENGTH)
	if _, err := io.ReadFull(conn, body); err != nil {
		return nil, err
	}
	return bgp.ParseBGPBody(h, body)
}
