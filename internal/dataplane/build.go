package dataplane

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"strings"
)

// Settings are what a node is.
type Settings struct {
	Address netip.Addr // the local end of the tunnels
	MTU     int        // bytes of the largest packet between this node and the gateways
	// What the agent may use, the best first. Each of them is taken in, too.
	Encapsulations []Encapsulation
	UDPPort        uint16 // of MPLS-over-UDP, 6635 (RFC 7510 §3)
}

// Sizes of headers, in bytes.
const (
	labelSize = 4
	ipv4Size  = 20
	ipv6Size  = 40
	greSize   = 4
	udpSize   = 8
	// ip6gre of Linux adds a tunnel encapsulation limit (RFC 2473 §5.1).
	limitSize = 8
)

// Overhead returns what a tunnel adds to an IP packet, in bytes: 28 for one label over GRE
// over IPv4.
func (s Settings) Overhead(e Encapsulation) int {
	size := labelSize + ipv4Size
	if s.Address.Is6() {
		size = labelSize + ipv6Size + limitSize
	}
	if e == UDP {
		return size + udpSize
	}
	return size + greSize
}

// inner returns the MTU that IP packets of workloads find.
func (s Settings) inner() int {
	mtu := s.MTU
	for _, e := range s.Encapsulations {
		mtu = min(mtu, s.MTU-s.Overhead(e))
	}
	return mtu
}

const (
	labelTables   = 0xb1 << 24
	networkTables = 0xb2 << 24
	// Rules of ours come before the main table's, 32766.
	labelPriority   = 21000
	networkPriority = 21001
)

// Build returns what a node must have. Links are the interfaces that are there and up:
// what needs another one waits for it. Zones says in which conntrack zone what is found
// there already is, since a connection does not outlive a change of it. Problems are what
// could not be planned, and why; the rest is.
func Build(p Programme, s Settings, links map[string]bool, zones map[ZoneKey]uint16) (Plan, []error) {
	b := &builder{Settings: s, links: links, found: zones, plan: Plan{}, owners: map[uint32]string{},
		tables: map[string]uint32{}, numbers: map[uint32]map[string]uint8{}}
	p.FloatingIPs, p.Routes = slices.Clone(p.FloatingIPs), slices.Clone(p.Routes)
	p.sort()
	b.base()
	b.floatingIPs(p.FloatingIPs)
	b.routes(p.Routes)
	return b.plan, b.problems
}

type builder struct {
	Settings
	links    map[string]bool
	found    map[ZoneKey]uint16
	plan     Plan
	problems []error

	owners  map[uint32]string           // label → interface
	tables  map[string]uint32           // network → table
	numbers map[uint32]map[string]uint8 // label → network → its number in marks
}

func (b *builder) problem(format string, a ...any) {
	b.problems = append(b.problems, fmt.Errorf(format, a...))
}

// base plans what is there without any floating IP.
func (b *builder) base() {
	b.plan.add(Pair{})
	b.plan.add(Ruleset{MTU: b.inner()})
	for _, e := range b.Encapsulations {
		if e == UDP {
			b.plan.add(Listener{Port: b.UDPPort})
		}
		b.tunnel(e, netip.Addr{})
	}
}

// tunnel plans one and returns its name.
func (b *builder) tunnel(e Encapsulation, remote netip.Addr) string {
	t := Tunnel{Encapsulation: e, Local: b.Address, Remote: remote, MTU: b.MTU - b.Overhead(e) + labelSize}
	t.Name = Prefix + "any-" + string(e)
	if remote.IsValid() {
		t.Name = fmt.Sprintf("%s%c%08x", Prefix, e[0], hash(remote.String()))
	}
	b.plan.add(t)
	return t.Name
}

func (b *builder) routes(list []Route) {
	for _, r := range list {
		if err := r.Check(); err != nil {
			b.problem("route of %s: %w", r.Network, err)
			continue
		}
		table, wanted := b.tables[r.Network]
		if !wanted {
			continue // nobody here would follow it
		}
		g := GatewayRoute{Table: table, Prefix: r.Prefix}
		for _, n := range r.NextHops {
			if n.Address.Is4() != b.Address.Is4() {
				b.problem("route %v of %s: no tunnel from %v to %v: they are of different families", r.Prefix, r.Network, b.Address, n.Address)
				continue
			}
			e, ok := b.choose(n.Encapsulations)
			if !ok {
				b.problem("route %v of %s: %v takes %v, this node sends %v", r.Prefix, r.Network, n.Address, n.Encapsulations, b.Encapsulations)
				continue
			}
			g.Hops = append(g.Hops, Hop{Tunnel: b.tunnel(e, n.Address), Label: n.Label})
		}
		slices.SortFunc(g.Hops, func(x, y Hop) int {
			return strings.Compare(fmt.Sprint(x.Tunnel, " ", x.Label), fmt.Sprint(y.Tunnel, " ", y.Label))
		})
		g.Hops = slices.Compact(g.Hops)
		if len(g.Hops) > 0 {
			b.plan.add(g)
		}
	}
}

// choose returns the best encapsulation that both ends know. A next hop that says nothing
// takes GRE.
func (b *builder) choose(offered []Encapsulation) (Encapsulation, bool) {
	if len(offered) == 0 {
		offered = []Encapsulation{GRE}
	}
	for _, e := range b.Encapsulations {
		if slices.Contains(offered, e) {
			return e, true
		}
	}
	return "", false
}

// free returns a number below size for a name: the same as long as no other has it.
func free[N uint8 | uint32](name string, size uint32, taken func(N) bool) N {
	n := hash(name) % size
	for taken(N(n)) {
		n = (n + 1) % size
	}
	return N(n)
}

func hash(text string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text))
	return h.Sum32()
}
