package wire

import (
	"encoding/binary"
)

// The path attributes that carry VPN routes (RFC 4760 §3, §4).
const (
	attrMPReach   = 14
	attrMPUnreach = 15
	flagExtended  = 0x10 // the length of the attribute has two octets
	flagOptional  = 0x80
)

// unusableNextHop is the guard for neighbors that have not offered the Extended
// Next Hop capability for VPNv4. RFC 8950 §4 allows an IPv6 next hop only with
// it; without it routers end the session. The engine sends one anyway, so such
// an UPDATE is turned into the withdrawal of its routes: the neighbor must not
// keep an earlier form of them either. Other messages are returned as they are.
func unusableNextHop(msg []byte) []byte {
	if msg[18] != typeUpdate {
		return msg
	}
	withdrawn := int(binary.BigEndian.Uint16(msg[19:]))
	if len(msg) < headerLength+4+withdrawn {
		return msg
	}
	attrs := msg[headerLength+4+withdrawn:]
	for len(attrs) >= 4 {
		typ, header, size := attrs[1], 3, int(attrs[2])
		if attrs[0]&flagExtended != 0 {
			header, size = 4, int(binary.BigEndian.Uint16(attrs[2:]))
		}
		if len(attrs) < header+size {
			return msg
		}
		if value := attrs[header : header+size]; typ == attrMPReach {
			if nlri, ok := vpnv4OverIPv6(value); ok {
				return withdrawal(nlri)
			}
			return msg
		}
		attrs = attrs[header+size:]
	}
	return msg
}

// vpnv4OverIPv6 returns the NLRIs of an MP_REACH_NLRI for VPNv4 whose next hop
// is not an IPv4 one: a distinguisher of eight octets, then four.
func vpnv4OverIPv6(value []byte) (nlri []byte, ok bool) {
	if len(value) < 5 || value[0] != 0 || value[1] != 1 || value[2] != 128 {
		return nil, false
	}
	nextHop := int(value[3])
	if nextHop == 12 || len(value) < 5+nextHop {
		return nil, false
	}
	return value[5+nextHop:], true // one reserved octet follows the next hop
}

// withdrawal returns an UPDATE that withdraws VPNv4 routes.
func withdrawal(nlri []byte) []byte {
	size := 3 + len(nlri)
	body := []byte{0, 0, 0, 0, flagOptional | flagExtended, attrMPUnreach, byte(size >> 8), byte(size), 0, 1, 128}
	binary.BigEndian.PutUint16(body[2:], uint16(4+size))
	return message(typeUpdate, append(body, nlri...)...)
}
