package api

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// tables are the names that network operators know the tables by.
var (
	vpnTables = map[string]neighbor.Family{
		"bgp.l3vpn.0":       neighbor.InetVPN,
		"bgp.l3vpn-inet6.0": neighbor.Inet6VPN,
	}
	networkTables = map[string]neighbor.Family{
		"inet.0":  neighbor.InetVPN,
		"inet6.0": neighbor.Inet6VPN,
	}
)

// tableOf returns the name of the table of a network that has a prefix.
func tableOf(network string, prefix netip.Prefix) string {
	if prefix.Addr().Is4() {
		return network + ".inet.0"
	}
	return network + ".inet6.0"
}

// routeFilter says which routes a request asks for. What the viewer must not see
// is left out by the lists, but for our own routes.
type routeFilter struct {
	*ribs
	families neighbor.Families
	network  *inventory.Network // nil: all
	whole    bool               // all that a table has: no floating IP, no neighbor
	holder   string             // the floating IP; empty: all
	prefix   netip.Prefix       // not valid: all
	addr     netip.Addr         // of which the prefix is the host route; may be invalid
	wanted   filter             // nil: all
	reach    bool               // what is wanted may depend on who has the route
}

func (s *ribs) filter(req *buoyv1.ListRoutesRequest) (*routeFilter, error) {
	f := &routeFilter{ribs: s, families: neighbor.VPNFamilies, holder: req.GetFloatingIp()}
	if err := f.readTable(req.GetTable(), req.GetNetwork()); err != nil {
		return nil, err
	}
	if f.holder != "" {
		if _, err := find(s.viewer, s.state, s.state.FloatingIP, "floating_ip", f.holder); err != nil {
			return nil, err
		}
	}
	_, vpn := vpnTables[req.GetTable()]
	f.whole = !vpn && f.holder == "" && req.GetDirection() == buoyv1.ListRoutesRequest_DIRECTION_UNSPECIFIED
	var in fields
	f.wanted, f.reach = in.filter(req.GetFilter(), &buoyv1.Route{}), req.GetNeighbor() == ""
	if in.err != nil {
		return nil, in.err
	}
	return f, f.readPrefix(req.GetPrefix())
}

// wants reports whether a route fulfils the conditions of the request. It is
// written out to be compared.
func (f *routeFilter) wants(l line) bool {
	return f.wanted == nil || f.wanted.matches(f.write([]line{l}, f.reach)[0])
}

// readTable reads the name of a table, and that of a network.
func (f *routeFilter) readTable(table, network string) error {
	field, name := "network", network
	family, vpn := vpnTables[table]
	if !vpn && table != "" {
		of, suffix := "", table
		if cut := strings.LastIndex(strings.TrimSuffix(table, ".0"), "."); cut > 0 {
			of, suffix = table[:cut], table[cut+1:]
		}
		var ok bool
		if family, ok = networkTables[suffix]; !ok || of == "" && network == "" || of != "" && inventory.KindOf(of) != inventory.KindNetwork {
			return invalid("table", fmt.Errorf("expected bgp.l3vpn.0, bgp.l3vpn-inet6.0, or the table of a network, "+
				"projects/PROJECT/networks/NAME.inet.0 or .inet6.0; got %q", table))
		}
		if of != "" && network != "" && of != network {
			return invalid("table", fmt.Errorf("expected one of %s, or no network, got %q", network, table))
		}
		if of != "" {
			field, name = "table", of
		}
	}
	if table != "" {
		f.families = neighbor.NewFamilies(family)
	}
	if name == "" {
		return nil
	}
	n, err := find(f.viewer, f.state, f.state.Network, field, name)
	f.network = n
	return err
}

func (f *routeFilter) readPrefix(text string) error {
	if text == "" {
		return nil
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		f.addr = addr.Unmap()
		f.prefix = netip.PrefixFrom(f.addr, f.addr.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return invalid("prefix", fmt.Errorf("expected an address, or a prefix like 203.0.113.0/24, got %q", text))
	case prefix != prefix.Masked():
		return invalid("prefix", fmt.Errorf("expected %s, without host bits, or an address, got %q", prefix.Masked(), text))
	}
	f.prefix = prefix
	return nil
}

// first is a key that is not behind any route that the filter takes.
func (f *routeFilter) first() vrf.Key {
	switch {
	case f.prefix.IsValid():
		return vrf.Key{Prefix: f.prefix}
	case !f.families.Contains(neighbor.InetVPN):
		return vrf.Key{Prefix: netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
	}
	return vrf.Key{}
}

// past reports whether what the filter takes is before a prefix.
func (f *routeFilter) past(p netip.Prefix) bool {
	return f.prefix.IsValid() && comparePrefixes(p, f.prefix) > 0 || !f.families.Contains(neighbor.Inet6VPN) && p.Addr().Is6()
}

// takes reports whether a route is asked for, apart from its place in the order.
func (f *routeFilter) takes(l *line) bool {
	if !f.families.Contains(neighbor.VPNFamily(l.key().Prefix.Addr())) {
		return false
	}
	if l.received != nil {
		return f.network == nil || f.imports.Holds(f.network.ID, l.received)
	}
	if f.network != nil && vrf.NetworkID(l.own.RD) != f.network.ID || !f.shows(l.own.Key) {
		return false
	}
	if f.holder == "" {
		return true
	}
	_, floatingIP := origin(f.state, l.own.Key)
	return floatingIP == f.holder
}
