package ribout

import (
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// peer is a neighbor that knows nothing of the sender: it keeps what GoBGP's
// decoder reads in the messages.
type peer struct {
	testing.TB
	session Session
	out     *Out
	routes  map[string]string // what it has, by distinguisher and prefix
	wanted  map[string]string // memberships of ours that it has been told
	changes map[string]int    // how often each was announced
	gone    []string          // every withdrawal
	ends    []string          // every End-of-RIB
	updates int
	longest int

	texts map[vrf.Route]string       // see expected
	names map[vrf.Key]string         // see name
	stale map[string]map[string]bool // by family whose refresh is under way: not sent since its BoRR
	owed  map[string]bool            // families that a refresh was asked for, and no BoRR has come
}

func connect(t testing.TB, table *Table, s Session) *peer {
	return connectWith(t, table, s, neighbor.Policy{})
}

func connectWith(t testing.TB, table *Table, s Session, policy neighbor.Policy) *peer {
	return &peer{
		TB: t, session: s, out: table.Open(s, policy), routes: map[string]string{}, wanted: map[string]string{}, changes: map[string]int{},
		texts: map[vrf.Route]string{}, names: map[vrf.Key]string{}, stale: map[string]map[string]bool{}, owed: map[string]bool{},
	}
}

// receive takes everything that there is to send.
func (p *peer) receive() {
	p.Helper()
	for more := true; more; {
		more = p.step()
	}
	if len(p.stale) > 0 {
		p.Fatalf("no EoRR for %v", p.stale)
	}
}

// refresh asks for the routes of a family, as a router does.
func (p *peer) refresh(f neighbor.Family) {
	p.out.Refresh(f)
	if p.session.EnhancedRefresh && p.session.Families.Contains(f) {
		p.owed[familyName(f.AFI(), f.SAFI())] = true
	}
}

func familyName(afi uint16, safi uint8) string { return fmt.Sprintf("%d/%d", afi, safi) }

// familyOfKey tells from the length of the prefix; a membership has none.
func familyOfKey(key string) string {
	if !strings.Contains(key, "/") {
		return "1/132"
	}
	if strings.HasSuffix(key, "/128") {
		return "2/128"
	}
	return "1/128"
}

// marked reads a ROUTE-REFRESH. What an EoRR finds stale would be lost (RFC
// 7313 §4.2).
func (p *peer) marked(m *bgp.BGPRouteRefresh) {
	p.Helper()
	family := familyName(m.AFI, m.SAFI)
	if !p.session.EnhancedRefresh || !slices.Contains(p.ends, family) {
		p.Fatalf("%+v, after End-of-RIB of %q", m, p.ends)
	}
	stale, under := p.stale[family]
	if !under && len(p.stale) > 0 {
		p.Fatalf("the refresh of %s is inside that of %v", family, p.stale)
	}
	switch {
	case m.Demarcation == BeginOfRefresh:
		p.stale[family] = map[string]bool{}
		for _, table := range []map[string]string{p.routes, p.wanted} {
			for key := range table {
				if familyOfKey(key) == family {
					p.stale[family][key] = true
				}
			}
		}
		delete(p.owed, family)
	case m.Demarcation == EndOfRefresh && under && len(stale) == 0:
		delete(p.stale, family)
	default:
		p.Fatalf("%+v with %d stale routes", m, len(stale))
	}
}

// step takes what one call gives.
func (p *peer) step() (more bool) {
	p.Helper()
	var b []byte
	b, more = p.out.Next(nil, time.Unix(1000, 0))
	for len(b) > 0 {
		length := int(binary.BigEndian.Uint16(b[16:]))
		p.read(b[:length:length])
		b = b[length:]
	}
	return more
}

func (p *peer) read(b []byte) {
	p.Helper()
	m, err := bgp.ParseBGPMessage(b)
	if err != nil {
		p.Fatalf("%x: %v", b, err)
	}
	p.updates++
	p.longest = max(p.longest, len(b))
	if len(b) > p.session.MaxMessage {
		p.Fatalf("a message of %d bytes", len(b))
	}
	if r, ok := m.Body.(*bgp.BGPRouteRefresh); ok {
		p.marked(r)
		return
	}
	u := m.Body.(*bgp.BGPUpdate)
	if len(u.PathAttributes) == 1 {
		if un, ok := u.PathAttributes[0].(*bgp.PathAttributeMpUnreachNLRI); ok {
			p.withdrawn(un)
			return
		}
	}
	var reach *bgp.PathAttributeMpReachNLRI
	var text []string
	for i, a := range u.PathAttributes {
		switch a := a.(type) {
		case *bgp.PathAttributeMpReachNLRI:
			if reach = a; i != 0 {
				p.Fatalf("MP_REACH_NLRI is attribute %d", i)
			}
		default:
			text = append(text, a.String())
		}
	}
	for _, n := range reach.Value {
		key, label := p.nlri(n)
		p.changes[key]++
		delete(p.stale[familyOfKey(key)], key)
		p.tableOf(key)[key] = fmt.Sprint(label, " via ", reach.Nexthop, " ", strings.Join(text, " "))
	}
}

func (p *peer) withdrawn(u *bgp.PathAttributeMpUnreachNLRI) {
	p.Helper()
	if len(u.Value) == 0 {
		p.ends = append(p.ends, familyName(u.AFI, u.SAFI))
	}
	for _, n := range u.Value {
		key, _ := p.nlri(n)
		if _, ok := p.tableOf(key)[key]; !ok {
			p.Fatalf("%s is withdrawn and was not there", key)
		}
		delete(p.tableOf(key), key)
		delete(p.stale[familyOfKey(key)], key)
		p.gone = append(p.gone, key)
	}
}

func (p *peer) tableOf(key string) map[string]string {
	if familyOfKey(key) == "1/132" {
		return p.wanted
	}
	return p.routes
}

func (p *peer) nlri(n bgp.AddrPrefixInterface) (key string, label uint32) {
	p.Helper()
	var prefix *bgp.LabeledVPNIPAddrPrefix
	switch n := n.(type) {
	case *bgp.RouteTargetMembershipNLRI:
		if n.Length != 96 {
			p.Fatalf("a membership of %d bits", n.Length)
		}
		return n.String(), 0
	case *bgp.LabeledVPNIPAddrPrefix:
		prefix = n
	case *bgp.LabeledVPNIPv6AddrPrefix:
		prefix = &n.LabeledVPNIPAddrPrefix
	default:
		p.Fatalf("NLRI %T", n)
	}
	if len(prefix.Labels.Labels) != 1 {
		p.Fatalf("labels %v", prefix.Labels.Labels)
	}
	return n.String(), prefix.Labels.Labels[0]
}

// wants compares what the neighbor has with routes.
func (p *peer) wants(what string, routes ...vrf.Route) {
	p.Helper()
	want := map[string]string{}
	for _, r := range routes {
		want[p.name(r.Key)] = p.expected(r)
	}
	for key, text := range want {
		if p.routes[key] != text {
			p.Errorf("%s: %s\n got %s\nwant %s", what, key, p.routes[key], text)
		}
	}
	for key, text := range p.routes {
		if want[key] == "" {
			p.Errorf("%s: %s: %s is left over", what, key, text)
		}
	}
	var listed []string
	for route := range p.out.Routes(vrf.Key{}) {
		listed = append(listed, p.name(route.Key))
		if r := p.expected(route); want[p.name(route.Key)] != r {
			p.Errorf("%s: the Adj-RIB-Out has %s %s", what, route.Key, r)
		}
	}
	if len(listed) != len(want) {
		p.Errorf("%s: the Adj-RIB-Out has %q", what, listed)
	}
}

// claims checks that what is said to have been sent was read, whatever is still
// to come.
func (p *peer) claims(some vrf.Key) {
	p.Helper()
	for route := range p.out.Routes(vrf.Key{}) {
		key, text := p.name(route.Key), p.expected(route)
		if p.routes[key] != text {
			p.Errorf("the Adj-RIB-Out has %s %s, the neighbor %q", key, text, p.routes[key])
		}
	}
	if _, ok := p.routes[p.name(some)]; !ok && !p.out.Delivery(some).At.IsZero() {
		p.Errorf("%s was not sent: %+v", some, p.out.Delivery(some))
	}
}

// name is Key.String, which is asked often too.
func (p *peer) name(k vrf.Key) string {
	name, ok := p.names[k]
	if !ok {
		name = k.String()
		p.names[k] = name
	}
	return name
}

// wantsMembership compares what it has been told of our membership.
func (p *peer) wantsMembership(what string, set routetarget.Set) {
	p.Helper()
	if !p.session.Families.Contains(neighbor.RouteTarget) {
		set = targets()
	}
	path, as4 := p.path(100)
	want := map[string]string{}
	for t := range set.All() {
		key := fmt.Sprint(p.session.LocalAS, ":", strings.TrimPrefix(t.String(), "target:"))
		want[key] = fmt.Sprintf("0 via 10.0.0.2 {Origin: i} %s%s", path, as4)
	}
	if !maps.Equal(p.wanted, want) {
		p.Errorf("%s: memberships\n got %v\nwant %v", what, p.wanted, want)
	}
}

// path is what the decoder should say of AS_PATH and LOCAL_PREF, and of the
// AS4_PATH behind the rest.
func (p *peer) path(localPref uint32) (path, as4 string) {
	s := p.session
	switch {
	case s.PeerAS == s.LocalAS:
		return fmt.Sprintf("{AsPath: } {LocalPref: %d}", localPref), ""
	case !s.FourOctetAS && s.LocalAS > 65535:
		return "{AsPath: 23456}", fmt.Sprintf(" %d", s.LocalAS)
	}
	return fmt.Sprintf("{AsPath: %d}", s.LocalAS), ""
}

// expected is what the decoder should say of a route. It is asked often.
func (p *peer) expected(r vrf.Route) string {
	text, ok := p.texts[r]
	if !ok {
		text = p.describe(r)
		p.texts[r] = text
	}
	return text
}

func (p *peer) describe(r vrf.Route) string {
	nextHop := r.NextHop.String()
	path, as4 := p.path(r.LocalPref)
	var communities []string
	for t := range r.Targets.All() {
		communities = append(communities, strings.TrimPrefix(t.String(), "target:"))
	}
	for _, e := range r.Encapsulations.Slice() {
		communities = append(communities, bgp.NewEncapExtended(bgp.TunnelType(e)).String())
	}
	if r.GracefulShutdown {
		path += " {Communities: planned-shut}"
	}
	return fmt.Sprintf("%d via %s {Origin: ?} %s {Extcomms: [%s]}%s", r.Label, nextHop, path, strings.Join(communities, "], ["), as4)
}

// joins makes an UPDATE body that announces and withdraws memberships.
func joins(announced, withdrawn []membership) []byte {
	nlris := func(list []membership) (b []byte) {
		for _, m := range list {
			b = append(b, m.bits)
			b = append(b, m.b[:(int(m.bits)+7)/8]...)
		}
		return b
	}
	attribute := func(typ byte, value []byte) []byte {
		b := []byte{flagOptional | flagExtended, typ}
		return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
	}
	var attrs []byte
	if len(announced) > 0 {
		attrs = append(attrs, attribute(attrReach, append([]byte{0, 1, 132, 4, 10, 0, 0, 1, 0}, nlris(announced)...))...)
	}
	if len(withdrawn) > 0 || len(announced) == 0 {
		attrs = append(attrs, attribute(attrUnreach, append([]byte{0, 1, 132}, nlris(withdrawn)...))...)
	}
	return append(binary.BigEndian.AppendUint16([]byte{0, 0}, uint16(len(attrs))), attrs...)
}

func whole(text string) membership {
	t, err := routetarget.ParseTarget(text)
	if err != nil {
		panic(err)
	}
	m := membership{bits: wholeBits, b: [12]byte{0, 0, 0xfc, 0}}
	b := t.Bytes()
	copy(m.b[4:], b[:])
	return m
}

var routerID = netip.AddrFrom4([4]byte{10, 0, 0, 2})

var vpn = neighbor.NewFamilies(neighbor.InetVPN, neighbor.Inet6VPN)

func internal(families neighbor.Families) Session {
	return Session{LocalAS: 64512, PeerAS: 64512, Families: families, FourOctetAS: true, ExtendedNextHop: true, MaxMessage: 4096, RouterID: routerID}
}

func targets(texts ...string) routetarget.Set {
	var set routetarget.Set
	if err := set.UnmarshalText([]byte(strings.Join(texts, " "))); err != nil {
		panic(err)
	}
	return set
}

// route makes a route of a node and an address.
func route(node int, address string, label vrf.Label, set routetarget.Set) vrf.Route {
	addr := netip.MustParseAddr(address)
	nextHop := netip.AddrFrom4([4]byte{10, 0, byte(node >> 8), byte(node)})
	return vrf.Route{
		Key:   vrf.Key{RD: routetarget.IPv4Distinguisher(nextHop, 1), Prefix: netip.PrefixFrom(addr, addr.BitLen())},
		Label: label, LocalPref: 100, NextHop: nextHop, Targets: set, Encapsulations: vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP),
	}
}

func sorted(routes map[vrf.Key]vrf.Route) (list []vrf.Route) {
	for _, r := range routes {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b vrf.Route) int { return a.Key.Compare(b.Key) })
	return list
}

// Len returns the number of routes that should be advertised.
func (t *Table) Len() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.slots {
		if t.slots[i].attrs != 0 {
			n++
		}
	}
	return n
}
