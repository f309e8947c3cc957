package gatewayconfig

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Arrival is a route that was sent to a gateway.
type Arrival struct {
	Network string // projects/PROJECT/networks/NAME
	ID      uint16 // of the network
	RD      routetarget.Distinguisher
	Prefix  netip.Prefix
	NextHop netip.Addr
	Label   vrf.Label
	Targets []routetarget.Target
}

// Look is something to look at on a gateway.
type Look struct {
	What    string
	Command string // in the words of a vendor
}

// looks are the commands of each vendor: whether the route has come, whether its VRF
// has it, whether its next hop is behind a tunnel, and what packets get. The words in
// braces are those of Arrival. IPv6 has commands of its own where they differ.
var looks = map[string][4]string{
	"junos": {
		"show route table {l3vpn} extensive | find {rd}:{prefix}",
		"show route table {vrf}.{inet} {prefix} detail",
		"show dynamic-tunnels database",
		"show route forwarding-table vpn {vrf} destination {prefix}",
	},
	"iosxr": {
		"show bgp {vpnv4} unicast rd {rd} {prefix}",
		"show route vrf {vrf} {ipv4} {prefix}",
		"show route {hop}",
		"show cef vrf {vrf} {ipv4} {prefix} detail",
	},
	"iosxe": {
		"show bgp {vpnv4} unicast rd {rd} {prefix}",
		"show {ip} route vrf {vrf} {address}",
		"show tunnel endpoints",
		"show {ip} cef vrf {vrf} {prefix} detail",
	},
	"sros": {
		"show router bgp routes {prefix} {vpn-ipv4} detail",
		"show router {id} route-table {prefix}",
		"show router tunnel-table {hop}",
		"show router {id} fib 1 {prefix} extensive",
	},
	"eos": {
		"show bgp {vpn-ipv4} {prefix} detail",
		"show {ip} route vrf {vrf} {prefix}",
		"show tunnel rib brief",
		"show {ip} route vrf {vrf} {prefix} detail",
	},
	"frr": {
		"vtysh -c 'show bgp {ipv4} vpn {prefix}'",
		"vtysh -c 'show bgp vrf {vrf} {ipv4} unicast {prefix}'",
		"ip route get {hop}",
		"vtysh -c 'show {ip} route vrf {vrf} {prefix}'",
	},
	"bird": {
		"birdc 'show route {rd} {prefix} table {vpn4all} all'",
		"birdc 'show route {rd} {prefix} table {birdvrf} all'",
		"birdc 'show route for {hop}'",
		"",
	},
	"gobgp": {
		"gobgp global rib -a {vpnv4} | grep {rd}:{prefix}",
		"gobgp vrf {vrf} rib -a {ipv4} | grep {prefix}",
		"",
		"",
	},
}

// LookAt says what to look at on a gateway of a vendor for a route that it was sent,
// with the VRFs called as in the texts of Render.
func LookAt(name string, a Arrival) ([]Look, error) {
	i := slices.IndexFunc(vendors, func(v vendor) bool { return v.name == name })
	if i < 0 {
		return nil, fmt.Errorf("vendor: expected one of %s, got %q", strings.Join(Vendors(), ", "), name)
	}
	own := Network{Name: a.Network, ID: a.ID}
	vrfName := vrfNames([]Network{own}, vendors[i].maxName, vendors[i].underscore)[a.ID]
	of := func(v4, v6 string) string {
		if a.Prefix.Addr().Is4() {
			return v4
		}
		return v6
	}
	words := strings.NewReplacer(
		"{rd}", a.RD.String(), "{prefix}", a.Prefix.String(), "{address}", of(a.Prefix.Addr().String(), a.Prefix.String()),
		"{hop}", a.NextHop.String(), "{vrf}", vrfName, "{id}", strconv.Itoa(int(a.ID)),
		"{l3vpn}", of("bgp.l3vpn.0", "bgp.l3vpn-inet6.0"), "{inet}", of("inet.0", "inet6.0"),
		"{ip}", of("ip", "ipv6"), "{ipv4}", of("ipv4", "ipv6"), "{vpnv4}", of("vpnv4", "vpnv6"), "{vpn-ipv4}", of("vpn-ipv4", "vpn-ipv6"),
		"{vpn4all}", of("vpn4all", "vpn6all"), "{birdvrf}", vrfName+of("4", "6"),
	)
	var list []Look
	for i, what := range a.whats() {
		if command := looks[name][i]; command != "" {
			list = append(list, Look{what, words.Replace(command)})
		}
	}
	return list, nil
}

// whats says what each of the commands should show.
func (a Arrival) whats() [4]string {
	var targets []string
	for _, t := range a.Targets {
		targets = append(targets, t.String())
	}
	return [4]string{
		fmt.Sprintf("the VPN route has come, with label %d and next hop %s", a.Label, a.NextHop),
		"a VRF imports it: one of " + strings.Join(targets, ", ") + " is among its import targets",
		fmt.Sprintf("next hop %s is behind a tunnel that carries MPLS", a.NextHop),
		fmt.Sprintf("packets get label %d and the tunnel to %s", a.Label, a.NextHop),
	}
}
