package lab

import (
	"fmt"
	"net/netip"
	"strings"
)

// frrConfig returns the configuration of configs/gateways/frr.conf. A port that
// is not BGP's own is a lab's: there the addresses are loopback, and only one
// side connects.
func frrConfig(c GatewayConfig, zebra bool) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, `route-map COMPUTE-NODES permit 10
 set l3vpn next-hop encapsulation gre
!
router bgp %d
 bgp router-id %s
 no bgp default ipv4-unicast
`, c.AS, c.RouterID)
	if len(c.Origins) > 0 {
		b.WriteString(" bgp graceful-restart\n bgp graceful-restart preserve-fw-state\n")
	}
	for _, peer := range c.peers() {
		frrNeighbor(&b, c, peer, zebra)
	}
	for _, family := range c.Families {
		names, ok := frrFamilies[family]
		if !ok {
			return "", fmt.Errorf("frr has no family %s", family)
		}
		fmt.Fprintf(&b, " !\n address-family %s\n", names.vpn)
		for _, peer := range c.peers() {
			fmt.Fprintf(&b, "  neighbor %s activate\n  neighbor %[1]s route-map COMPUTE-NODES in\n", peer.Addr())
		}
		b.WriteString(" exit-address-family\n")
	}
	return b.String(), nil
}

func frrNeighbor(b *strings.Builder, c GatewayConfig, address netip.AddrPort, zebra bool) {
	peer := address.Addr()
	fmt.Fprintf(b, " neighbor %s remote-as %d\n", peer, c.PeerAS)
	if address.Port() != ianaBGPPort {
		fmt.Fprintf(b, " neighbor %s port %d\n", peer, address.Port())
		switch {
		case c.Active:
			fmt.Fprintf(b, " neighbor %s update-source %s\n", peer, c.Addr.Addr())
		case zebra:
			// zebra ignores addresses of 127.0.0.0/8, and bgpd refuses a
			// session from an address that no interface of zebra's has.
			fmt.Fprintf(b, " neighbor %s update-source lo\n", peer)
			fallthrough
		default:
			fmt.Fprintf(b, " neighbor %s passive\n", peer)
		}
	}
	fmt.Fprintf(b, ` neighbor %s timers 3 9
 neighbor %[1]s timers connect 1
 neighbor %[1]s advertisement-interval 0
`, peer)
}

// frrVRFConfig returns the part for a VRF, which may come later.
func frrVRFConfig(c GatewayConfig, v VRF) string {
	var targets []string
	for _, t := range v.Targets {
		targets = append(targets, strings.TrimPrefix(t.String(), "target:"))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "router bgp %d vrf %s\n bgp router-id %s\n", c.AS, v.Name, c.RouterID)
	for _, family := range []Family{VPNv4, VPNv6} {
		fmt.Fprintf(&b, ` !
 address-family %s
  rd vpn export %s
  rt vpn import %s
  import vpn
 exit-address-family
`, frrFamilies[family].vrf, v.RD, strings.Join(targets, " "))
	}
	return b.String()
}
