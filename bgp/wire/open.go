package wire

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
)

// Capability codes (IANA registry "Capability Codes").
const (
	capMultiprotocol   = 1
	capRouteRefresh    = 2
	capExtendedNextHop = 5
	capGracefulRestart = 64
	capFourOctetAS     = 65
	capAddPath         = 69
	capEnhancedRefresh = 70
	capLongLivedGR     = 71
)

// engineCapabilities are those that the engine acts on, and whether a value of
// a length is well-formed. The engine reads past the end of a shorter one, or
// silently drops every capability that follows it.
var engineCapabilities = map[byte]func(length int) bool{
	capMultiprotocol:   func(n int) bool { return n == 4 },
	capRouteRefresh:    func(n int) bool { return n == 0 },
	capExtendedNextHop: func(n int) bool { return n > 0 && n%6 == 0 },
	capGracefulRestart: func(n int) bool { return n >= 2 && n%4 == 2 },
	capFourOctetAS:     func(n int) bool { return n == 4 },
	capAddPath:         func(n int) bool { return n > 0 && n%4 == 0 },
	capEnhancedRefresh: func(n int) bool { return n == 0 },
	capLongLivedGR:     func(n int) bool { return n%7 == 0 },
}

// openMessage is an OPEN that has been read to its last byte.
type openMessage struct {
	neighbor.Open
	fixed        []byte // version, AS, hold time and identifier, as they came
	capabilities []byte // those of engineCapabilities: code, length, value
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
		if wellFormed, ok := engineCapabilities[code]; ok {
			if !wellFormed(len(value)) {
				return openRefusal(0, "capability %d of %d bytes", code, len(value))
			}
			m.capabilities = append(m.capabilities, b[:2+len(value)]...)
		}
		switch code {
		case capFourOctetAS:
			m.AS = binary.BigEndian.Uint32(value)
		case capExtendedNextHop:
			m.ExtendedNextHop = m.ExtendedNextHop || offersVPNv4OverIPv6(value)
		case capMultiprotocol:
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

// offersVPNv4OverIPv6 reads entries of AFI, SAFI and next hop AFI, two octets
// each (RFC 8950 §4).
func offersVPNv4OverIPv6(value []byte) bool {
	for ; len(value) >= 6; value = value[6:] {
		if [6]byte(value) == [6]byte{0, 1, 0, 128, 0, 2} {
			return true
		}
	}
	return false
}

// forEngine returns the OPEN with the capabilities that the engine knows, in
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
