package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// Recorder is a router that waits for Buoy, takes every route and keeps what
// it was told in order. A table shows only how things are; a recorder also
// shows what happened on the way.
type Recorder struct {
	config   GatewayConfig
	listener net.Listener
	done     chan struct{} // closed when serve has returned

	mu           sync.Mutex
	conn         net.Conn // nil when there is no session
	events       []Event
	notification string // the last one that Buoy sent
	err          error
}

// Event is one route that was announced or withdrawn.
type Event struct {
	Withdrawn bool
	Route     Route // when withdrawn, only its key
}

// String returns the event as "+ <route>" or "- <key>".
func (e Event) String() string {
	if e.Withdrawn {
		return "- " + e.Route.Key()
	}
	return "+ " + e.Route.String()
}

// holdTime is what the recorder offers. It sends no keepalives but those that
// answer Buoy's, which come three times as often.
const holdTime = 90

// Record starts a recorder. Only one session at a time is served.
func Record(config GatewayConfig) (*Recorder, error) {
	l, err := net.Listen("tcp", config.Addr.String())
	if err != nil {
		return nil, fmt.Errorf("start recorder: %w", err)
	}
	r := &Recorder{config: config, listener: l, done: make(chan struct{})}
	go r.serve()
	return r, nil
}

// Close ends the recorder and its session.
func (r *Recorder) Close() {
	r.listener.Close()
	r.mu.Lock()
	if r.conn != nil {
		r.conn.Close()
	}
	r.mu.Unlock()
	<-r.done
}

// Config returns what it was made with.
func (r *Recorder) Config() GatewayConfig { return r.config }

// Events returns everything since the start.
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
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.mu.Lock()
		r.conn, r.err = conn, nil
		r.mu.Unlock()
		err = r.session(conn)
		conn.Close()
		r.mu.Lock()
		r.conn, r.err = nil, err
		r.mu.Unlock()
	}
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
		case *bgp.BGPOpen, *bgp.BGPKeepAlive:
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

// notificationText returns "<code>/<subcode>", and the shutdown communication
// if there is one (RFC 9003).
func notificationText(n *bgp.BGPNotification) string {
	text := fmt.Sprintf("%d/%d", n.ErrorCode, n.ErrorSubcode)
	if len(n.Data) > 1 && int(n.Data[0]) == len(n.Data)-1 {
		text += " " + string(n.Data[1:])
	}
	return text
}

// OpenMessage returns the OPEN of a gateway.
func OpenMessage(config GatewayConfig) *bgp.BGPMessage {
	families := map[Family]bgp.RouteFamily{VPNv4: bgp.RF_IPv4_VPN, VPNv6: bgp.RF_IPv6_VPN, RouteTarget: bgp.RF_RTC_UC}
	var capabilities []bgp.ParameterCapabilityInterface
	for _, f := range config.Families {
		capabilities = append(capabilities, bgp.NewCapMultiProtocol(families[f]))
	}
	capabilities = append(capabilities, bgp.NewCapFourOctetASNumber(config.AS))
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
