package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// wellFormed says, for the capabilities that Buoy reads, whether a value of a
// length is well-formed.
var wellFormed = map[neighbor.Capability]func(length int) bool{
	neighbor.CapMultiprotocol:   func(n int) bool { return n == 4 },
	neighbor.CapRouteRefresh:    func(n int) bool { return n == 0 },
	neighbor.CapExtendedNextHop: func(n int) bool { return n > 0 && n%6 == 0 },
	neighbor.CapExtendedMessage: func(n int) bool { return n == 0 },
	neighbor.CapGracefulRestart: func(n int) bool { return n >= 2 && n%4 == 2 },
	neighbor.CapFourOctetAS:     func(n int) bool { return n == 4 },
	neighbor.CapAddPath:         func(n int) bool { return n > 0 && n%4 == 0 },
	neighbor.CapEnhancedRefresh: func(n int) bool { return n == 0 },
	neighbor.CapLongLivedGR:     func(n int) bool { return n%7 == 0 },
}

// forTheEngine are the capabilities that the state machine acts on. What the
// others promise, the wire and the Adj-RIB-Out keep.
func forTheEngine(c neighbor.Capability) bool {
	return c == neighbor.CapMultiprotocol || c == neighbor.CapFourOctetAS
}

// openMessage is an OPEN that has been read to its last byte.
type openMessage struct {
	neighbor.Open
	fixed        []byte // version, AS, hold time and identifier, as they came
	capabilities []byte // those for the engine: code, length, value
}

func openRefusal(subcode byte, format string, args ...any) *refusal {
	return &refusal{codeOpen, subcode, nil, "an OPEN with " + fmt.Sprintf(format, args...)}
}

// readOpen reads an OPEN that has passed the screen (RFC 4271 §4.2, §6.2).
func readOpen(msg []byte) (*openMessage, *refusal) {
	body := msg[headerLength:]
	if version := body[0]; version != 4 {
		r := openRefusal(1, "version %d", version)
		r.data = []byte{0, 4} // the largest that we speak
		return nil, r
	}
	hold := binary.BigEndian.Uint16(body[3:])
	m := &openMessage{
		Open: neighbor.Open{
			AS:       uint32(binary.BigEndian.Uint16(body[1:])),
			RouterID: netip.AddrFrom4([4]byte(body[5:9])),
			HoldTime: time.Duration(hold) * time.Second,
		},
		fixed: append([]byte(nil), body[:9]...),
	}
	if hold == 1 || hold == 2 {
		return nil, openRefusal(6, "a hold time of %d s", hold)
	}
	if m.RouterID.IsUnspecified() {
		return nil, openRefusal(3, "BGP identifier 0.0.0.0")
	}
	if r := m.readParameters(body[9:]); r != nil {
		return nil, r
	}
	if !m.Has(neighbor.CapGracefulRestart) { // RFC 9494 §4.1: nothing without it
		m.Restart = neighbor.Restart{}
	}
	if len(m.capabilities) > 253 {
		return nil, openRefusal(0, "%d bytes of capabilities", len(m.capabilities))
	}
	return m, nil
}

// readParameters reads the optional parameters from their length on.
func (m *openMessage) readParameters(b []byte) *refusal {
	length, b := int(b[0]), b[1:]
	lengthSize := 1
	// RFC 9072 §2: a type of 255 where the first parameter would be. The
	// length before it is 255 by convention, and any but 0 has to be taken.
	if length != 0 && len(b) >= 3 && b[0] == 255 {
		length, b = int(binary.BigEndian.Uint16(b[1:])), b[3:]
		lengthSize = 2
	}
	if length != len(b) {
		return openRefusal(0, "optional parameters of %d bytes in %d", length, len(b))
	}
	for len(b) > 0 {
		if len(b) < 1+lengthSize {
			return openRefusal(0, "an optional parameter that is cut off")
		}
		typ, size := b[0], int(b[1])
		if lengthSize == 2 {
			size = int(binary.BigEndian.Uint16(b[1:]))
		}
		b = b[1+lengthSize:]
		if size > len(b) {
			return openRefusal(0, "an optional parameter that is cut off")
		}
		if typ != 2 { // RFC 5492 §4: capabilities
			return openRefusal(4, "optional parameter of type %d", typ)
		}
		if r := m.readCapabilities(b[:size]); r != nil {
			return r
		}
		b = b[size:]
	}
	return nil
}

func (m *openMessage) readCapabilities(b []byte) *refusal {
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return openRefusal(0, "a capability that is cut off")
		}
		code, value := b[0], b[2:2+int(b[1])]
		m.Capabilities = append(m.Capabilities, code)
		if ok, known := wellFormed[code]; known && !ok(len(value)) {
			return openRefusal(0, "capability %d of %d bytes", code, len(value))
		}
		if forTheEngine(code) {
			m.capabilities = append(m.capabilities, b[:2+len(value)]...)
		}
		switch code {
		case neighbor.CapFourOctetAS:
			m.AS = binary.BigEndian.Uint32(value)
		case neighbor.CapExtendedNextHop:
			m.ExtendedNextHop = m.ExtendedNextHop || offersVPNv4OverIPv6(value)
		case neighbor.CapGracefulRestart:
			m.Restart = readRestart(value, m.Restart.LongLived)
		case neighbor.CapLongLivedGR:
			m.Restart.LongLived = readStaleTimes(value)
		case neighbor.CapMultiprotocol:
			afi, safi := binary.BigEndian.Uint16(value), value[3]
			if f, ok := neighbor.FamilyOf(afi, safi); ok {
				m.Families |= neighbor.NewFamilies(f)
			} else {
				m.Others = append(m.Others, fmt.Sprintf("%d/%d", afi, safi))
			}
		}
		b = b[2+len(value):]
	}
	return nil
}

// vpnv4OverIPv6 is the entry for VPNv4 routes with an IPv6 next hop.
var vpnv4OverIPv6 = []byte{0, 1, 0, 128, 0, 2}

// offersVPNv4OverIPv6 reads entries of AFI, SAFI and next hop AFI, two octets
// each (RFC 8950 §4).
func offersVPNv4OverIPv6(value []byte) bool {
	for ; len(value) >= 6; value = value[6:] {
		if bytes.Equal(value[:6], vpnv4OverIPv6) {
			return true
		}
	}
	return false
}

// forEngine returns the OPEN with the capabilities for the engine, in
// one parameter of the classic encoding.
func (m *openMessage) forEngine() []byte {
	body := append([]byte(nil), m.fixed...)
	if n := len(m.capabilities); n > 0 {
		body = append(body, byte(n+2), 2, byte(n))
		body = append(body, m.capabilities...)
	} else {
		body = append(body, 0)
	}
	return message(typeOpen, body...)
}
