package gatewayconfig

import (
	"fmt"
	"net/netip"
	"slices"
)

// Interface is the name of a tunnel's device on Linux.
func (t tunnel) Interface() string {
	if t.UDP {
		return fmt.Sprintf("udp%d", t.N)
	}
	return fmt.Sprintf("gre%d", t.N)
}

// Prefix is the tunnel's far end alone.
func (t tunnel) Prefix() string { return fmt.Sprintf("%s/%d", t.Addr, t.Addr.BitLen()) }

// mapped is where IPv4 addresses are that stand for compute nodes on one router: RFC 8215
// leaves it to whoever has a use for it.
var mapped = netip.MustParsePrefix("64:ff9b:1::/96")

// Via6 is an IPv6 address for the far end, which has one of IPv4.
func (t tunnel) Via6() netip.Addr {
	b, v4 := mapped.Addr().As16(), t.Addr.As4()
	copy(b[12:], v4[:])
	return netip.AddrFrom16(b)
}

// Via6 returns the tunnels that IPv6 routes need an IPv6 next hop for.
func (v view) Via6() []tunnel {
	if !v.V6 || !v.in.Gateway.Address.Is4() {
		return nil
	}
	return v.Tunnels4()
}

// Kernel returns the commands that make the tunnels on Linux. The device that
// the packets leave by is named, because without it the route to the far end
// would lead into the tunnel itself.
func (v view) Kernel() (lines []string) {
	if len(v.Tunnels) == 0 {
		return nil
	}
	if slices.ContainsFunc(v.Tunnels, func(t tunnel) bool { return t.UDP }) {
		lines = append(lines, "ip fou add port 6635 ipproto 137")
	}
	labels := "sysctl -w net.mpls.platform_labels=1048575"
	for _, t := range v.Tunnels {
		kind, ip := "gre", "ip"
		if t.Addr.Is6() {
			kind, ip = "ip6gre", "ip -6"
		}
		end := ""
		if t.UDP {
			kind, end = "ipip", " mode mplsip encap fou encap-sport auto encap-dport 6635"
		}
		lines = append(lines,
			fmt.Sprintf("ip link add %s type %s local %s remote %s dev eth0 ttl 64%s", t.Interface(), kind, t.From, t.Addr, end),
			fmt.Sprintf("ip link set %s up", t.Interface()),
			fmt.Sprintf("%s route add %s dev %s", ip, t.Prefix(), t.Interface()))
		labels += " net.mpls.conf." + t.Interface() + ".input=1"
	}
	return append(lines, labels)
}
