package lab

import (
	"fmt"
	"net/netip"
	"strings"
)

// birdVPN are the names of the VPN tables, birdSuffix what follows the name of
// a VRF in those of its tables.
var (
	birdVPN    = map[Family]string{VPNv4: "vpn4all", VPNv6: "vpn6all"}
	birdSuffix = map[Family]string{VPNv4: "4", VPNv6: "6"}
)

// birdLabTunnel is the interface that stands for the tunnels: BIRD installs
// nothing here, but a next hop must lead somewhere.
const birdLabTunnel = "lo"

// birdConfig returns the configuration of configs/gateways/bird.conf. The
// tunnel is the interface towards the compute nodes. A port that is not BGP's
// own is a lab's: there only one side connects.
func birdConfig(c GatewayConfig, vrfs []VRF, tunnel string) (string, error) {
	var b strings.Builder
	if c.Addr.Port() != ianaBGPPort {
		b.WriteString("log stderr all;\n") // which is its log file
	}
	fmt.Fprintf(&b, `router id %s;

vpn4 table vpn4all;
vpn6 table vpn6all;

protocol device { }

protocol static tunnels { ipv4; route 10.0.0.0/24 via "%s"; }
`, c.RouterID, tunnel)
	for i, peer := range c.peers() {
		if err := birdNeighbor(&b, c, []string{"buoy", "buoy2"}[i], peer); err != nil {
			return "", err
		}
	}
	for _, v := range vrfs {
		b.WriteString(birdVRF(v))
	}
	return b.String(), nil
}

func birdNeighbor(b *strings.Builder, c GatewayConfig, name string, peer netip.AddrPort) error {
	fmt.Fprintf(b, `
protocol bgp %s {
  local %s%s as %d;
  neighbor %s%s as %d;
`, name, c.Addr.Addr(), birdPort(c.Addr.Port()), c.AS, peer.Addr(), birdPort(peer.Port()), c.PeerAS)
	if c.Addr.Port() != ianaBGPPort {
		// By default it listens on all addresses, and other labs have theirs.
		b.WriteString("  strict bind;\n")
		if !c.Active {
			b.WriteString("  passive;\n")
		}
	}
	b.WriteString(`  hold time 9;
  keepalive time 3;
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 2;
  enable extended messages;
`)
	export := "none"
	if len(c.Origins) > 0 {
		export = `where proto = "origins4" || proto = "origins6"`
		b.WriteString("  graceful restart on;\n")
	}
	for _, f := range c.Families {
		table, ok := birdVPN[f]
		if !ok {
			return fmt.Errorf("bird has no family %s", f)
		}
		fmt.Fprintf(b, "  vpn%s mpls { table %s; import all; export %s; extended next hop; };\n", birdSuffix[f], table, export)
	}
	b.WriteString("}\n")
	return nil
}

// birdVRF returns the tables of a VRF and the pipes that fill them.
func birdVRF(v VRF) string {
	var conditions []string
	for _, t := range v.Targets {
		conditions = append(conditions, birdTarget(t)+" ~ bgp_ext_community")
	}
	return fmt.Sprintf(`
vpn4 table %[1]s4;
vpn6 table %[1]s6;
filter %[1]s_targets { if %[2]s then accept; reject; }
protocol pipe %[1]s_vpn4 { table %[1]s4; peer table vpn4all; import filter %[1]s_targets; export none; }
protocol pipe %[1]s_vpn6 { table %[1]s6; peer table vpn6all; import filter %[1]s_targets; export none; }
`, v.Name, strings.Join(conditions, " || "))
}

// ianaBGPPort goes without saying in a configuration.
const ianaBGPPort = 179

func birdPort(port uint16) string {
	if port == ianaBGPPort {
		return ""
	}
	return fmt.Sprintf(" port %d", port)
}
