package ribout

import (
	"encoding/binary"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

const (
	typeUpdate       = 2
	typeRouteRefresh = 5
)

// withdrawnLabel stands in a withdrawn NLRI, where the label means nothing
// (RFC 8277 §2.4).
const withdrawnLabel = 0x800000

// builder writes messages. finish ends an UPDATE.
type builder struct {
	b     []byte
	limit int // of a message

	start    int // of the message that is being written
	attrs    int // where its attributes begin
	value    int // where the value of its MP attribute begins
	trailing int // how many bytes follow the NLRI
}

// begin writes an UPDATE up to where its NLRI begin: the MP attribute is the
// first one (RFC 7606 §5.1).
func (m *builder) begin(attribute byte, family neighbor.Family, trailing int) {
	m.header(typeUpdate)
	m.trailing = trailing
	m.b = append(m.b, 0, 0, 0, 0) // no withdrawn routes, length of attributes
	m.attrs = len(m.b)
	m.b = append(m.b, flagOptional|flagExtended, attribute, 0, 0)
	m.value = len(m.b)
	m.b = binary.BigEndian.AppendUint16(m.b, family.AFI())
	m.b = append(m.b, family.SAFI())
}

// header begins a message; end writes its length (RFC 4271 §4.1).
func (m *builder) header(typ byte) {
	m.start = len(m.b)
	for range 16 {
		m.b = append(m.b, 0xff)
	}
	m.b = append(m.b, 0, 0, typ)
}

func (m *builder) end() {
	binary.BigEndian.PutUint16(m.b[m.start+16:], uint16(len(m.b)-m.start))
}

// room reports whether another NLRI fits.
func (m *builder) room(nlri int) bool { return len(m.b)-m.start+m.trailing+nlri <= m.limit }

// finish writes what follows the NLRI, and the lengths.
func (m *builder) finish(trailing []byte) {
	binary.BigEndian.PutUint16(m.b[m.value-2:], uint16(len(m.b)-m.value))
	m.b = append(m.b, trailing...)
	binary.BigEndian.PutUint16(m.b[m.attrs-2:], uint16(len(m.b)-m.attrs))
	m.end()
}

// nlriSize returns how long an NLRI is: its length, label, distinguisher and
// address.
func nlriSize(family neighbor.Family) int {
	if family == neighbor.InetVPN {
		return 1 + 3 + 8 + 4
	}
	return 1 + 3 + 8 + 16
}

// nlri writes a labeled VPN prefix (RFC 8277 §2.2, RFC 4364 §4.3.4). The label
// is 24 bits with the bottom of the stack marked.
func (m *builder) nlri(k key, label uint32) {
	rd, addr := k.rd.Bytes(), k.addr[:]
	if k.family() == neighbor.InetVPN {
		addr = addr[12:]
	}
	m.b = append(m.b, byte(24+64+8*len(addr)), byte(label>>16), byte(label>>8), byte(label))
	m.b = append(m.b, rd[:]...)
	m.b = append(m.b, addr...)
}

// membershipSize is how long an NLRI of route-target with a whole target is.
const membershipSize = 1 + wholeBits/8

func (m *builder) membership(as uint32, t routetarget.Target) {
	target := t.Bytes()
	m.b = binary.BigEndian.AppendUint32(append(m.b, wholeBits), as)
	m.b = append(m.b, target[:]...)
}

// bottomOfStack returns a label as it stands in an NLRI (RFC 3032 §2.1).
func bottomOfStack(l vrf.Label) uint32 { return uint32(l)<<4 | 1 }

// endOfRIB writes the marker of a family: an empty MP_UNREACH_NLRI (RFC 4724
// §2).
func (m *builder) endOfRIB(family neighbor.Family) {
	m.begin(attrUnreach, family, 0)
	m.finish(nil)
}
