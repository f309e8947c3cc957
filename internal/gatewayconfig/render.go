package gatewayconfig

import (
	"cmp"
	"embed"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

//go:embed templates/*.tmpl
var files embed.FS

var templates = template.Must(template.New("").Option("missingkey=error").
	Funcs(template.FuncMap{"join": strings.Join, "add": func(a, b int) int { return a + b }}).ParseFS(files, "templates/*.tmpl"))

// Render returns the configuration of a gateway, and says for each placeholder in
// it what has to take its place.
func Render(name string, in Input) (text string, missing []string, err error) {
	i := slices.IndexFunc(vendors, func(v vendor) bool { return v.name == name })
	if i < 0 {
		return "", nil, fmt.Errorf("vendor: expected one of %s, got %q", strings.Join(Vendors(), ", "), name)
	}
	if err := in.check(); err != nil {
		return "", nil, err
	}
	v := newView(vendors[i], in)
	var b strings.Builder
	if err := templates.ExecuteTemplate(&b, name+".tmpl", v); err != nil {
		return "", nil, fmt.Errorf("write the configuration for %s: %w", name, err)
	}
	return b.String(), v.missing(), nil
}

// view is what the templates see. All its texts are safe to write.
type view struct {
	vendor vendor
	in     Input

	Us, Router   string // addresses, or placeholders
	RouterID     string
	Key          string
	OurAS, AS    uint32
	OurPort      uint16 // 0 for 179
	Port         uint16 // likewise
	V4, V6, RTC  bool
	TTLSecurity  int
	Multihop     int
	VRFs         []vrfView
	Tunnels      []tunnel // that the router can have
	Destinations []destination
	notes        []string
}

// vrfView is a VRF of the router.
type vrfView struct {
	Name           string
	Network        string
	ID             uint16
	RD             string
	Import, Export []string // as the gateway sees it
}

// destination is where tunnels made on demand lead, by kind.
type destination struct {
	Prefix netip.Prefix
	UDP    bool
}

func newView(vendor vendor, in Input) view {
	g := in.Gateway
	v := view{
		vendor: vendor, in: in,
		Us: address(in.Buoy.Address, unknownAddress), Router: g.Address.String(), RouterID: address(in.routerID(), unknownRouterID),
		OurAS: in.Buoy.AS, AS: g.AS, V4: g.InetVPN, V6: g.Inet6VPN, RTC: g.RouteTarget && !vendor.noRTC,
		OurPort: in.Buoy.Port, Port: g.Port, TTLSecurity: int(g.TTLSecurity), Multihop: int(g.Multihop),
	}
	if g.Key != "" {
		v.Key = unknownKey
	}
	for _, port := range []*uint16{&v.OurPort, &v.Port} {
		if *port == bgpPort {
			*port = 0
		}
	}
	if g.RouteTarget && vendor.noRTC {
		v.note("Buoy offers this neighbor route-target (RFC 4684), which this router does not have: it is sent the routes of all networks. So that Buoy does not miss it: buoyctl set neighbor %s --families %s",
			comment(g.Name), strings.Join(v.families("inet-vpn", "inet6-vpn"), ","))
	}
	v.addVRFs()
	v.addTunnels()
	return v
}

func address(a netip.Addr, placeholder string) string {
	if a.IsValid() {
		return a.String()
	}
	return placeholder
}

func (v *view) note(format string, args ...any) {
	v.notes = append(v.notes, fmt.Sprintf(format, args...))
}

func (v *view) addVRFs() {
	names := vrfNames(v.in.Networks, v.vendor.maxName, v.vendor.underscore)
	for _, n := range slices.SortedFunc(slices.Values(v.in.Networks), func(a, b Network) int { return cmp.Compare(a.ID, b.ID) }) {
		if n.Left {
			continue
		}
		r := vrfView{Name: names[n.ID], Network: comment(n.Name), ID: n.ID, RD: v.RouterID + ":" + strconv.Itoa(int(n.ID))}
		for _, t := range n.Export {
			if text, ok := v.vendor.target(t); ok {
				r.Import = append(r.Import, text)
			} else {
				v.note("Network %s: %s is left out; this router has no way to write it.", r.Network, t)
			}
		}
		for _, t := range n.Import {
			if text, ok := v.vendor.target(t); ok {
				r.Export = append(r.Export, text)
			} else if !slices.Contains(n.Export, t) {
				v.note("Network %s: %s is left out; this router has no way to write it.", r.Network, t)
			}
		}
		if len(r.Import) == 0 {
			v.note("Network %s has no VRF here: no target is left to import.", r.Network)
			continue
		}
		v.VRFs = append(v.VRFs, r)
	}
	if !slices.ContainsFunc(v.in.Networks, Network.written) {
		v.note("There is no network yet, so there is no VRF.")
	}
}

func (v *view) addTunnels() {
	if v.vendor.noTunnels != "" {
		v.note("%s", v.vendor.noTunnels)
		return
	}
	if len(v.in.Nodes) == 0 && len(v.in.Prefixes) == 0 {
		v.note("There is no compute node yet, so there is no tunnel.")
	}
	for _, t := range v.in.tunnels() {
		switch {
		case t.UDP && v.vendor.noUDP:
			v.note("Compute node %s takes MPLS over UDP only, which is not written for this router. If the node takes GRE: buoyctl set computenode %[1]s --encapsulation gre", t.Node)
		case t.Addr.Is6() && !v.vendor.overIPv6:
			v.note("Compute node %s has the address %s: a tunnel over IPv6 is not written for this router.", t.Node, t.Addr)
		default:
			v.Tunnels = append(v.Tunnels, t)
		}
	}
	v.addDestinations()
}

// addDestinations finds where tunnels that are made on demand lead. A router
// makes tunnels of one kind to a destination.
func (v *view) addDestinations() {
	for _, p := range v.in.Prefixes {
		if p.Addr().Is6() {
			v.note("%s: a tunnel over IPv6 is not written for this router.", p)
			continue
		}
		udp, gre := false, false
		for _, t := range v.Tunnels {
			udp, gre = udp || t.UDP && p.Contains(t.Addr), gre || !t.UDP && p.Contains(t.Addr)
		}
		if udp && gre {
			v.note("%s has compute nodes that take MPLS over UDP only beside others; it is written with GRE.", p)
		}
		v.Destinations = append(v.Destinations, destination{p, udp && !gre})
	}
	for _, t := range v.Tunnels {
		inside := func(p netip.Prefix) bool { return p.Contains(t.Addr) }
		if !slices.ContainsFunc(v.in.Prefixes, inside) {
			v.Destinations = append(v.Destinations, destination{netip.PrefixFrom(t.Addr, t.Addr.BitLen()), t.UDP})
		}
	}
}

// External tells whether the session is between two ASes.
func (v view) External() bool { return v.OurAS != v.AS }

// GRE and UDP are the destinations of a kind.
func (v view) GRE() []destination { return v.destinations(false) }
func (v view) UDP() []destination { return v.destinations(true) }

func (v view) destinations(udp bool) []destination {
	return slices.DeleteFunc(slices.Clone(v.Destinations), func(d destination) bool { return d.UDP != udp })
}

// MinTTL is what packets of Buoy have left after the allowed hops (RFC 5082 §3).
func (v view) MinTTL() int { return 256 - v.TTLSecurity }

// Source is where the tunnels to addresses of IPv4 begin.
func (v view) Source() string { return v.in.source(netip.IPv4Unspecified()) }
