package ribout

import (
	"cmp"
	"encoding/binary"
	"net/netip"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// attributesID stands for equal path attributes, as long as some route that
// should be advertised, or that a neighbor has, holds it. 0 stands for none.
type attributesID uint32

// attributes are what routes have in common, apart from prefix and label.
// Routes with equal ones share an UPDATE.
type attributes struct {
	localPref        uint32
	nextHop          netip.Addr
	targets          routetarget.Set
	encapsulations   vrf.Encapsulations
	gracefulShutdown bool
}

// attributesTable gives out the ids. Its Table's mutex guards it.
type attributesTable struct {
	list []held // by id
	ids  map[attributes]attributesID
	free []attributesID

	// recent spares most lookups in ids: routes come with few attributes, by
	// turns. By next hop; what was released since is not taken for another.
	recent [256]attributesID
}

// held is attributes and how many hold them.
type held struct {
	attributes
	holders int
}

func newAttributesTable() attributesTable {
	return attributesTable{list: make([]held, 1), ids: map[attributes]attributesID{}}
}

// of returns the attributes with an id. They are not changed while it is held.
func (t *attributesTable) of(id attributesID) *attributes { return &t.list[id].attributes }

// take returns the id of a route's attributes, held once more.
func (t *attributesTable) take(r *vrf.Route) attributesID {
	a := attributes{r.LocalPref, r.NextHop, r.Targets, r.Encapsulations, r.GracefulShutdown}
	hop := a.nextHop.As16()
	recent := &t.recent[hop[15]^hop[14]]
	if t.list[*recent].attributes == a { // never of 0: a route has a next hop
		return t.hold(*recent)
	}
	id, ok := t.ids[a]
	if !ok {
		if last := len(t.free) - 1; last >= 0 {
			id, t.free = t.free[last], t.free[:last]
		} else {
			id = attributesID(len(t.list))
			t.list = append(t.list, held{})
		}
		t.ids[a] = id
		t.list[id] = held{attributes: a}
	}
	*recent = id
	return t.hold(id)
}

func (t *attributesTable) hold(id attributesID) attributesID {
	t.list[id].holders++
	return id
}

// drop holds an id once less.
func (t *attributesTable) drop(id attributesID) {
	if id == 0 {
		return
	}
	h := &t.list[id]
	if h.holders--; h.holders == 0 {
		delete(t.ids, h.attributes)
		*h = held{}
		t.free = append(t.free, id)
	}
}

// The path attributes that Buoy sends, with their flags (RFC 4271 §4.3, RFC
// 1997, RFC 4760, RFC 4360, RFC 6793).
const (
	attrOrigin              = 1
	attrASPath              = 2
	attrLocalPref           = 5
	attrCommunities         = 8
	attrReach               = 14
	attrUnreach             = 15
	attrExtendedCommunities = 16
	attrAS4Path             = 17

	flagTransitive = 0x40
	flagOptional   = 0x80
	flagExtended   = 0x10 // the length has two octets
)

const (
	originIGP        = 0
	originIncomplete = 2
	asSequence       = 2
)

// gracefulShutdown is a community (RFC 8326 §3.1).
const gracefulShutdown = 0xffff0000

// maxCommunities leaves room for the rest of an UPDATE of 4096 bytes.
const maxCommunities = 3900

func communitiesSize(targets routetarget.Set, encapsulations vrf.Encapsulations) int {
	return 8 * (targets.Len() + len(encapsulations.Slice()))
}

// appendAttributes writes the attributes that stand behind the NLRI.
func (g *group) appendAttributes(b []byte, a *attributes) []byte {
	encapsulations := g.encapsulations(a)
	b = g.session.appendPath(b, originIncomplete, a.localPref)
	if a.gracefulShutdown {
		b = append(b, flagOptional|flagTransitive, attrCommunities, 4)
		b = binary.BigEndian.AppendUint32(b, gracefulShutdown)
	}
	b = append(b, flagOptional|flagTransitive|flagExtended, attrExtendedCommunities)
	b = binary.BigEndian.AppendUint16(b, uint16(communitiesSize(a.targets, encapsulations)))
	for target := range a.targets.All() {
		bytes := target.Bytes()
		b = append(b, bytes[:]...)
	}
	for _, e := range encapsulations.Slice() { // RFC 9012 §4.1
		b = append(b, 0x03, 0x0c, 0, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(e))
	}
	return g.session.appendAS4Path(b)
}

// encapsulations returns the neighbors' own, or else the route's.
func (g *group) encapsulations(a *attributes) vrf.Encapsulations {
	return cmp.Or(g.policy.Encapsulations, a.encapsulations)
}

// appendPath writes the attributes that all UPDATEs have.
func (s *Session) appendPath(b []byte, origin byte, localPref uint32) []byte {
	b = append(b, flagTransitive, attrOrigin, 1, origin)
	b = s.appendASPath(b)
	if s.internal() {
		b = append(b, flagTransitive, attrLocalPref, 4)
		b = binary.BigEndian.AppendUint32(b, localPref)
	}
	return b
}

// appendAS4Path writes what AS_PATH has no room for (RFC 6793 §4.2.2).
func (s *Session) appendAS4Path(b []byte) []byte {
	if s.internal() || s.FourOctetAS || s.LocalAS <= 0xffff {
		return b
	}
	b = append(b, flagOptional|flagTransitive, attrAS4Path, 6, asSequence, 1)
	return binary.BigEndian.AppendUint32(b, s.LocalAS)
}

// appendASPath writes an empty path to an internal neighbor, and our AS to an
// external one.
func (s *Session) appendASPath(b []byte) []byte {
	switch {
	case s.internal():
		return append(b, flagTransitive, attrASPath, 0)
	case s.FourOctetAS:
		b = append(b, flagTransitive, attrASPath, 6, asSequence, 1)
		return binary.BigEndian.AppendUint32(b, s.LocalAS)
	}
	as := s.LocalAS
	if as > 0xffff {
		as = neighbor.ASTrans
	}
	b = append(b, flagTransitive, attrASPath, 4, asSequence, 1)
	return binary.BigEndian.AppendUint16(b, uint16(as))
}

// appendNextHop writes the next hop of MP_REACH_NLRI with its length: a zero
// distinguisher and the address (RFC 4364 §4.3.2, RFC 4659 §3.2.1, RFC 8950
// §4). VPNv6 has an IPv4 next hop as an IPv4-mapped address.
func appendNextHop(b []byte, family neighbor.Family, nextHop netip.Addr) []byte {
	if family == neighbor.InetVPN && nextHop.Is4() {
		a := nextHop.As4()
		b = append(b, 12, 0, 0, 0, 0, 0, 0, 0, 0)
		return append(b, a[:]...)
	}
	a := nextHop.As16()
	b = append(b, 24, 0, 0, 0, 0, 0, 0, 0, 0)
	return append(b, a[:]...)
}
