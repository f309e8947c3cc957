package gatewayconfig

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Input is what is known of a gateway and of what it is to import.
type Input struct {
	Buoy     Buoy
	Gateway  Gateway
	Networks []Network
	Nodes    []Node
	// Prefixes are where the compute nodes are, for routers that make tunnels on
	// demand; without any, they get the address of each node.
	Prefixes []netip.Prefix
}

// Buoy is our end of the session.
type Buoy struct {
	AS      uint32
	Address netip.Addr // as the gateway sees it; zero if it is not known
	Port    uint16     // where we listen; 0 for 179
}

// Gateway is the neighbor.
type Gateway struct {
	Name     string
	Address  netip.Addr
	Port     uint16 // where it listens; 0 for 179
	AS       uint32
	RouterID netip.Addr // zero if it is not known

	InetVPN, Inet6VPN, RouteTarget bool // the families

	Key            string // where buoyd finds the MD5 key; empty if there is none
	TTLSecurity    uint8  // hops, 0 for no GTSM (RFC 5082)
	Multihop       uint8  // TTL of our packets, 0 for the default
	Encapsulations vrf.Encapsulations
}

// Network is a virtual network, which is to be a VRF of the gateway.
type Network struct {
	Name           string // projects/PROJECT/networks/NAME
	ID             uint16
	Import, Export []routetarget.Target // as the network sees it: a gateway imports what it exports
	Encapsulations vrf.Encapsulations
	Left           bool // it is not written; but its name is taken
}

func (n Network) written() bool { return !n.Left }

// Node is a compute node, the far end of a tunnel.
type Node struct {
	Name           string
	Address        netip.Addr
	Encapsulations vrf.Encapsulations
}

const bgpPort = 179

// The placeholders for what is not known.
const (
	unknownAddress  = "BUOY-ADDRESS"
	unknownKey      = "THE-MD5-KEY"
	unknownRouterID = "GATEWAY-ROUTER-ID"
	unknownSource   = "TUNNEL-SOURCE"
)

// routerID returns the router's id: the one of its OPEN, or else the address.
func (in Input) routerID() netip.Addr {
	if in.Gateway.RouterID.Is4() {
		return in.Gateway.RouterID
	}
	if in.Gateway.Address.Is4() {
		return in.Gateway.Address
	}
	return netip.Addr{}
}

// check refuses an Input that no router could be configured for.
func (in Input) check() error {
	switch {
	case in.Buoy.AS == 0 || in.Gateway.AS == 0:
		return fmt.Errorf("AS: expected that of Buoy and of the gateway, got %d and %d", in.Buoy.AS, in.Gateway.AS)
	case !in.Gateway.Address.IsValid() || in.Gateway.Address.Zone() != "":
		return fmt.Errorf("address of the gateway: expected one without a zone, got %s", in.Gateway.Address)
	case in.Buoy.Address.IsValid() && (in.Buoy.Address.Is4() != in.Gateway.Address.Is4() || in.Buoy.Address.Zone() != ""):
		return fmt.Errorf("address of Buoy: expected one of the family of %s, got %s", in.Gateway.Address, in.Buoy.Address)
	case !in.Gateway.InetVPN && !in.Gateway.Inet6VPN:
		return fmt.Errorf("families of the gateway: expected inet-vpn, inet6-vpn or both")
	}
	for _, n := range in.Nodes {
		if !n.Address.IsValid() || n.Address.Zone() != "" {
			return fmt.Errorf("compute node %s: expected an address without a zone, got %s", comment(n.Name), n.Address)
		}
	}
	for _, p := range in.Prefixes {
		if !p.IsValid() || p != p.Masked() {
			return fmt.Errorf("prefix of the compute nodes: expected one without host bits, got %s", p)
		}
	}
	return nil
}

// source returns where a tunnel to an address begins.
func (in Input) source(far netip.Addr) string {
	if far.Is4() == in.Gateway.Address.Is4() {
		return in.Gateway.Address.String()
	}
	return unknownSource
}

// tunnel is the way to a compute node.
type tunnel struct {
	N    int // from 1
	Node string
	Addr netip.Addr
	UDP  bool // MPLS over UDP; otherwise over GRE
	From string
}

// tunnels returns one for each compute node, ordered by address.
func (in Input) tunnels() (list []tunnel) {
	nodes := slices.SortedFunc(slices.Values(in.Nodes), func(a, b Node) int {
		return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.Name, b.Name))
	})
	for i, n := range nodes {
		list = append(list, tunnel{N: i + 1, Node: comment(n.Name), Addr: n.Address, UDP: in.needsUDP(n), From: in.source(n.Address)})
	}
	return list
}

// needsUDP tells whether routes to a node come without GRE. Where both are
// allowed it is GRE, which every router has; --encapsulation of the neighbor
// decides otherwise.
func (in Input) needsUDP(n Node) bool {
	gre, udp := vrf.NewEncapsulations(vrf.GRE), vrf.NewEncapsulations(vrf.MPLSInUDP)
	if in.Gateway.Encapsulations != 0 {
		return in.Gateway.Encapsulations == udp
	}
	if !slices.ContainsFunc(in.Networks, Network.written) {
		return n.Encapsulations == udp
	}
	for _, network := range in.Networks {
		set := n.Encapsulations.Intersect(network.Encapsulations)
		if network.written() && (set == 0 || set&gre != 0) { // with nothing in common the routes say GRE
			return false
		}
	}
	return true
}
