package inventory

import (
	"net/netip"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

func (g generator) labels() LabelRange {
	return pick(g, LabelRange{}, LabelRange{16, 17}, LabelRange{16, 17}, LabelRange{16, 18}, LabelRange{17, 19}, LabelRange{15, 17}, LabelRange{18, 17})
}

func (g generator) holdDown() uint32 { return pick[uint32](g, 0, 1, 5, 20) }

func (g generator) liveness() Liveness {
	return pick(g, DefaultLiveness, DefaultLiveness, DefaultLiveness, Liveness{}, Liveness{Session, 3, 0}, Liveness{Session, 3600, 86400}, Liveness{Session, 30, 120},
		Liveness{Session, 2, 0}, Liveness{Session, 3601, 0}, Liveness{Session, 0, 86401})
}

func (g generator) direction() Direction { return pick(g, Both, Both, Both, Ingress, Egress, 3) }

func (g generator) portMappings() []PortMapping {
	return pick(g, nil, nil, nil, []PortMapping{{TCP, 80, 8080}}, []PortMapping{{TCP, 80, 8080}, {UDP, 80, 8081}}, []PortMapping{{UDP, 53, 53}, {UDP, 53, 54}})
}

func (g generator) reservations() Reservations {
	return Reservations{pick(g, ReserveNone, ReserveNone, ReserveLast, ReserveFirst), g.servers(), g.servers()}
}

func (g generator) servers() []netip.Addr {
	return pick(g, nil, nil, nil, addrs("203.0.113.2"), addrs("203.0.113.6"), addrs("203.0.113.1", "2001:db8::3"), addrs("198.51.100.1"))
}

func (g generator) pool() string {
	if g.IntN(30) == 0 {
		return pick(g, "projects/p/networks/none/pools/a", public+"/pools/", "projects/p/pools/a")
	}
	if g.IntN(2) == 0 {
		return oneOf(g, g.model.pools, poolA)
	}
	return pick(g, public, public, private, "projects/q/networks/public") + "/pools/" + pick(g, "a", "a", "b", "public")
}

func (g generator) binding() string {
	return pick(g, devBound, devBound, "namespaces/prod/poolBinding", GlobalBindingName, GlobalBindingName, "namespaces/poolBinding")
}

func (g generator) projects() []string {
	return pick(g, nil, nil, []string{"p", "q"}, []string{"p", "q"}, []string{"*"}, []string{"r"}, []string{"q", "-"})
}

func (g generator) ranges() []ipam.Range {
	return pick(g,
		nil, ranges("203.0.113.0/30"), ranges("203.0.113.0/30"), ranges("203.0.113.4/30"), ranges("203.0.113.2-203.0.113.4"), ranges("203.0.113.5-203.0.113.6"),
		ranges("203.0.113.0/30", "2001:db8::/126"), ranges("2001:db8::4/126"), ranges("203.0.113.1", "203.0.113.1-203.0.113.2"), ranges("203.0.113.6-203.0.113.8"),
		[]ipam.Range{{}})
}

func (g generator) network() string {
	if g.IntN(15) == 0 {
		return pick(g, "projects/p/networks/none", "projects/p/networks/", "projects/P/networks/x")
	}
	return oneOf(g, g.model.networks, pick(g, public, private, "projects/q/networks/public"))
}

func (g generator) node() string {
	if g.IntN(15) == 0 {
		return pick(g, "computeNodes/none", "computeNodes/")
	}
	return oneOf(g, g.model.nodes, pick(g, cmp1, cmp2, "computeNodes/cmp3"))
}

func (g generator) peer() string { return pick(g, mx1, mx2, "neighbors/mx3", static) }

// newName is mostly one that is free.
func (g generator) newName() (name string) {
	for range 4 {
		if name = g.floatingIP(); g.model.floating[name].Name == "" {
			break
		}
	}
	return name
}

func (g generator) floatingIP() string {
	if g.IntN(30) == 0 {
		return "projects/p/floatingIps/"
	}
	return FloatingIPName(pick(g, "p", "p", "q"), pick(g, "a", "b", "c", "d", "e", "f", "g"))
}

func (g generator) subnets() []netip.Prefix {
	return pick(g,
		prefixes("203.0.113.0/29"), prefixes("203.0.113.0/29"), prefixes("203.0.113.0/29", "2001:db8::/125"), prefixes("203.0.113.0/29", "2001:db8::/126"),
		prefixes("203.0.113.0/30", "203.0.113.4/30"), prefixes("203.0.113.4/31", "203.0.113.1/32", "2001:db8::2/127"),
		nil, prefixes("203.0.113.1/29"), prefixes("203.0.113.4/30", "203.0.113.0/29"))
}

func (g generator) address() netip.Addr {
	switch g.IntN(12) {
	case 0:
		return pick(g, netip.Addr{}, addr("224.0.0.1"), addr("::"))
	case 1, 2, 3:
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: byte(g.IntN(5))})
	default:
		return netip.AddrFrom4([4]byte{203, 0, 113, byte(g.IntN(9))})
	}
}

// accepted returns what may be taken from a neighbor.
func (g generator) accepted() neighbor.PrefixFilter {
	f, err := neighbor.ParsePrefixFilter(pick(g, nil, []string{neighbor.NoPrefix}, []string{"10.0.0.0/8 le 24", "::/0"}))
	if err != nil {
		panic(err)
	}
	return f
}

func (g generator) targets() routetarget.Set {
	return pick(g, targets(), targets(), targets("64512:1"), targets("64512:1", "64512:2"), targets("64512:2", "64512:3"),
		targets("64513:7"), targets("64513:8000001"), targets("10.0.0.1:1"), targets(pick(g, "64512:9", "64512:8000001", "64512:8057535", "64512:8000000", "64512:8057536")))
}

func (g generator) encapsulations() vrf.Encapsulations {
	return pick(g, vrf.NewEncapsulations(), vrf.NewEncapsulations(vrf.GRE), vrf.NewEncapsulations(vrf.MPLSInUDP), vrf.NewEncapsulations(vrf.GRE, vrf.MPLSInUDP))
}

func (g generator) nodeAddress() netip.Addr {
	return pick(g, addr("10.0.0.11"), addr("10.0.0.12"), addr("10.0.0.13"), addr("2001:db8:f::11"), addr("2001:db8:f::12"), addr("0.0.0.0"), netip.Addr{})
}

func (g generator) routerID() netip.Addr {
	return pick(g, netip.Addr{}, netip.Addr{}, addr("10.0.0.11"), addr("10.0.0.12"), addr("10.0.0.13"), addr("2001:db8:f::11"))
}

func (g generator) peerAddress() netip.Addr {
	return pick(g, addr("10.0.0.1"), addr("10.0.0.2"), addr("2001:db8:e::1"), modelStatic.Address, addr("224.0.0.1"), netip.Addr{})
}
