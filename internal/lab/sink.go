package lab

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// Sink is a router that only counts: it takes UPDATEs as fast as it can, for
// benchmarks, and sends what it is told to. It has one session; until that is up,
// Run may be tried again.
type Sink struct {
	Up   chan struct{}  // closed when the session is established
	Full chan time.Time // when the last of the VPNv4 NLRIs that it waits for was there

	config GatewayConfig
	want   int
	conn   net.Conn // there once Up is closed
}

// NewSink returns one that waits for so many NLRIs. It has VPNv4, and more
// families if they are named.
func NewSink(as uint32, routerID netip.Addr, want int, more ...Family) *Sink {
	return &Sink{
		Up: make(chan struct{}), Full: make(chan time.Time, 1), want: want,
		config: GatewayConfig{AS: as, RouterID: routerID, Families: append([]Family{VPNv4}, more...)},
	}
}

// Write sends whole messages. Up is closed.
func (s *Sink) Write(messages []byte) error {
	_, err := s.conn.Write(messages)
	return err
}

// Run is the router's part of the session, until that ends.
func (s *Sink) Run(conn net.Conn) error {
	keepalive, err := bgp.NewBGPKeepAliveMessage().Serialize()
	if err != nil {
		return err
	}
	if err := SendMessage(conn, OpenMessage(s.config)); err != nil {
		return err
	}
	r := bufio.NewReaderSize(conn, 1<<20)
	count, established := 0, false
	for header := make([]byte, 19); ; {
		if _, err := io.ReadFull(r, header); err != nil {
			return err
		}
		body := make([]byte, int(binary.BigEndian.Uint16(header[16:]))-len(header))
		if _, err := io.ReadFull(r, body); err != nil {
			return err
		}
		switch header[18] {
		case bgp.BGP_MSG_OPEN, bgp.BGP_MSG_KEEPALIVE: // the answer to either is a KEEPALIVE
			if _, err := conn.Write(keepalive); err != nil {
				return err
			}
			if header[18] == bgp.BGP_MSG_KEEPALIVE && !established {
				established, s.conn = true, conn
				close(s.Up)
			}
		case bgp.BGP_MSG_UPDATE:
			if count += countNLRIs(body); count >= s.want {
				s.Full <- time.Now()
				count = -1 << 30
			}
		}
	}
}

// countNLRIs counts the VPNv4 NLRIs of an UPDATE with an IPv4 next hop.
func countNLRIs(body []byte) int {
	for attrs := body[4:]; len(attrs) >= 3; {
		header, size := 3, int(attrs[2])
		if attrs[0]&0x10 != 0 {
			header, size = 4, int(binary.BigEndian.Uint16(attrs[2:]))
		}
		if attrs[1] == 14 {
			return (size - 17) / 16 // AFI, SAFI, next hop, reserved
		}
		attrs = attrs[header+size:]
	}
	return 0
}
