package gatewayconfig

import "github.com/buoynet/buoy/routetarget"

// vendor is a kind of router, with what is particular about it.
type vendor struct {
	name   string
	title  string // with where the text goes
	mark   string // begins a comment
	tested bool

	maxName    int  // of a VRF
	underscore bool // it takes no hyphen in a name
	target     func(routetarget.Target) (text string, ok bool)

	noRTC     bool   // route target membership (RFC 4684)
	noUDP     bool   // MPLS over UDP (RFC 7510)
	noTunnels string // why it has none at all
	overIPv6  bool   // tunnels over IPv6
}

var vendors = []vendor{
	{name: "junos", title: "Junos (MX): load merge terminal", mark: "#", maxName: 32, target: junosTarget},
	{name: "iosxr", title: "Cisco IOS XR", mark: "!", maxName: 32, target: bare, noUDP: true},
	{name: "iosxe", title: "Cisco IOS XE", mark: "!", maxName: 32, target: bare, noUDP: true},
	{name: "sros", title: "Nokia SR OS, MD-CLI: load merge", mark: "#", maxName: 32, target: prefixed},
	{name: "eos", title: "Arista EOS", mark: "!", maxName: 32, target: bare, noUDP: true},
	// 15 is what Linux allows an interface, and a VRF is one.
	{name: "frr", title: "FRR: /etc/frr/frr.conf, with bgpd=yes in /etc/frr/daemons", mark: "!", tested: true,
		maxName: 15, target: bare, noRTC: true, overIPv6: true},
	{name: "bird", title: "BIRD 2: /etc/bird/bird.conf", mark: "#", tested: true, maxName: 40, underscore: true, target: birdTarget,
		noRTC: true, overIPv6: true},
	{name: "gobgp", title: "GoBGP: /etc/gobgpd.conf, for gobgpd -f", mark: "#", tested: true, maxName: 32, target: gobgpTarget,
		noTunnels: "gobgpd forwards nothing, so there are no tunnels here: it shows what a gateway learns, or feeds one that does."},
}

// Vendors returns the names that Render takes.
func Vendors() (names []string) {
	for _, v := range vendors {
		names = append(names, v.name)
	}
	return names
}
