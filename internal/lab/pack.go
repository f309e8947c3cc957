package lab

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

var marker = slices.Repeat([]byte{0xff}, 16) // RFC 4271 §4.1

// attributes are what routes of one UPDATE have in common.
type attributes struct {
	nextHop        netip.Addr
	localPref      uint32
	targets        routetarget.Set
	encapsulations vrf.Encapsulations
	shutdown       bool
}

// Pack encodes VPNv4 routes with IPv4 next hops as a router of the same AS
// does, and hands over whole UPDATEs, some at a time. Those with equal attributes
// stand together, in the order of the first of them, so many at most in an
// UPDATE; 0 for as many as there is room for.
func Pack(routes []vrf.Route, most int, emit func(messages []byte)) {
	groups := map[attributes][]int{}
	var order []attributes
	for i := range routes {
		r := &routes[i]
		a := attributes{r.NextHop, r.LocalPref, r.Targets, r.Encapsulations, r.GracefulShutdown}
		if groups[a] == nil {
			order = append(order, a)
		}
		groups[a] = append(groups[a], i)
	}
	var messages []byte
	for _, a := range order {
		trailing := a.trailing()
		const nlri, reach = 16, 4 + 3 + 13 + 1 // header, family, next hop, reserved
		room := (bgp.BGP_MAX_MESSAGE_LENGTH - 19 - 4 - reach - len(trailing)) / nlri
		if most > 0 {
			room = min(room, most)
		}
		hop := a.nextHop.As4()
		for some := range slices.Chunk(groups[a], room) {
			messages = append(messages, marker...)
			messages = binary.BigEndian.AppendUint16(messages, uint16(19+4+reach+nlri*len(some)+len(trailing)))
			messages = append(messages, bgp.BGP_MSG_UPDATE, 0, 0)
			messages = binary.BigEndian.AppendUint16(messages, uint16(reach+nlri*len(some)+len(trailing)))
			messages = binary.BigEndian.AppendUint16(append(messages, 0x90, 14), uint16(reach-4+nlri*len(some)))
			messages = append(append(append(messages, 0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0), hop[:]...), 0)
			for _, i := range some {
				rd, addr, label := routes[i].RD.Bytes(), routes[i].Prefix.Addr().As4(), uint32(routes[i].Label)<<4|1
				messages = append(messages, 120, byte(label>>16), byte(label>>8), byte(label))
				messages = append(append(messages, rd[:]...), addr[:]...)
			}
			messages = append(messages, trailing...)
			if len(messages) >= 1<<16 {
				emit(messages)
				messages = nil
			}
		}
	}
	if len(messages) > 0 {
		emit(messages)
	}
}

// trailing are the attributes behind the NLRIs.
func (a attributes) trailing() []byte {
	b := []byte{0x40, 1, 1, 2, 0x40, 2, 0, 0x40, 5, 4} // INCOMPLETE, empty, LOCAL_PREF
	b = binary.BigEndian.AppendUint32(b, a.localPref)
	if a.shutdown {
		b = binary.BigEndian.AppendUint32(append(b, 0xc0, 8, 4), gracefulShutdown)
	}
	b = append(b, 0xc0, 16, byte(8*(a.targets.Len()+len(a.encapsulations.Slice()))))
	for t := range a.targets.All() {
		bytes := t.Bytes()
		b = append(b, bytes[:]...)
	}
	for _, e := range a.encapsulations.Slice() {
		b = append(b, 0x03, 0x0c, 0, 0, 0, 0, 0, byte(e))
	}
	return b
}
