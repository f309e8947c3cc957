package linux

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/dataplane"
)

// The highest bytes of our tables; see dataplane.Build.
const (
	labelTables   = 0xb1
	networkTables = 0xb2
)

// tunnelGateway is a next hop behind every tunnel: Linux takes several next hops of an
// IPv6 route only if they have an address. A tunnel does not look at it.
var tunnelGateway = net.ParseIP("fe80::1")

func prefixOf(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

func (k *Kernel) index(device string) (int, error) {
	link, err := k.links.LinkByName(device)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", device, err)
	}
	return link.Attrs().Index, nil
}

// fixedRoute returns the kernel's form of one.
func (k *Kernel) fixedRoute(r dataplane.FixedRoute) (*netlink.Route, error) {
	index, err := k.index(r.Interface)
	return &netlink.Route{Table: int(r.Table), Dst: prefixOf(netip.PrefixFrom(r.Address, r.Address.BitLen())),
		LinkIndex: index, Scope: netlink.SCOPE_LINK, Protocol: protocol}, err
}

// setFixedRoute also has the kernel find the way back to a workload by the packet's mark
// when it checks sources (rp_filter).
func (k *Kernel) setFixedRoute(r dataplane.FixedRoute) error {
	if r.Address.Is4() {
		if err := k.setSysctls(setting{"ipv4/conf/" + r.Interface + "/src_valid_mark", "1", false}); err != nil {
			return err
		}
	}
	return k.setRoute(r, func() (*netlink.Route, error) { return k.fixedRoute(r) })
}

func (k *Kernel) gatewayRoute(r dataplane.GatewayRoute) (*netlink.Route, error) {
	route := &netlink.Route{Table: int(r.Table), Dst: prefixOf(r.Prefix), Protocol: protocol}
	if r.Prefix.Addr().Is4() {
		route.Scope = netlink.SCOPE_LINK
	}
	for _, h := range r.Hops {
		index, err := k.index(h.Tunnel)
		if err != nil {
			return nil, err
		}
		hop := &netlink.NexthopInfo{LinkIndex: index, Encap: &netlink.MPLSEncap{Labels: []int{int(h.Label)}}}
		if r.Prefix.Addr().Is6() {
			hop.Gw, hop.Flags = tunnelGateway, int(netlink.FLAG_ONLINK)
		}
		route.MultiPath = append(route.MultiPath, hop)
	}
	if len(route.MultiPath) == 1 {
		h := route.MultiPath[0]
		route.LinkIndex, route.Encap, route.Gw, route.Flags, route.MultiPath = h.LinkIndex, h.Encap, h.Gw, h.Flags, nil
	}
	return route, nil
}

func (k *Kernel) setRoute(i dataplane.Item, form func() (*netlink.Route, error)) error {
	route, err := form()
	if err == nil {
		err = k.links.RouteReplace(route)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", i, err)
	}
	return nil
}

// removeRoute removes a route by its table and prefix, whatever its scope is.
func (k *Kernel) removeRoute(table uint32, p netip.Prefix) error {
	err := k.links.RouteDel(&netlink.Route{Table: int(table), Dst: prefixOf(p), Protocol: protocol, Scope: netlink.SCOPE_NOWHERE})
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("remove route table %#x %v: %w", table, p, err)
	}
	return nil
}

// label returns the kernel's form of a label that is popped: it has no way on but the
// device, and so is a packet to that device's own address.
func (k *Kernel) label(l dataplane.Label) (*netlink.Route, error) {
	index, err := k.index(dataplane.PopDevice)
	number := int(l)
	return &netlink.Route{MPLSDst: &number, LinkIndex: index, Protocol: protocol}, err
}

func (k *Kernel) removeLabel(l dataplane.Label) error {
	number := int(l)
	err := k.links.RouteDel(&netlink.Route{MPLSDst: &number, Protocol: protocol})
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("remove %s: %w", l, err)
	}
	return nil
}

func ruleOf(r dataplane.Rule) *netlink.Rule {
	rule := netlink.NewRule()
	rule.Family = familyOf(r.V4)
	rule.Priority, rule.Table, rule.Mark, rule.Mask = r.Priority, int(r.Table), r.Mark, &r.Mask
	rule.Protocol = protocol
	return rule
}

func familyOf(v4 bool) int {
	if v4 {
		return netlink.FAMILY_V4
	}
	return netlink.FAMILY_V6
}

func (k *Kernel) setRule(r dataplane.Rule) error {
	if err := k.links.RuleAdd(ruleOf(r)); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%s: %w", r, err)
	}
	return nil
}

func (k *Kernel) removeRule(r dataplane.Rule) error {
	if err := k.links.RuleDel(ruleOf(r)); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove %s: %w", r, err)
	}
	return nil
}

// readRules adds those that have our protocol.
func (k *Kernel) readRules(p dataplane.Plan) error {
	for _, v4 := range []bool{true, false} {
		list, err := k.links.RuleList(familyOf(v4))
		if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) {
			continue // without IPv6
		}
		if err != nil {
			return fmt.Errorf("list rules: %w", err)
		}
		for _, r := range list {
			if r.Protocol != protocol || r.Mask == nil {
				continue
			}
			rule := dataplane.Rule{V4: v4, Priority: r.Priority, Mark: r.Mark, Mask: *r.Mask, Table: uint32(r.Table)}
			p[rule.Key()] = rule
		}
	}
	return nil
}

// readRoutes adds the labels and the routes that have our protocol.
func (k *Kernel) readRoutes(p dataplane.Plan) error {
	links, err := k.links.LinkList()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	filter := &netlink.Route{Protocol: protocol, Table: unix.RT_TABLE_UNSPEC}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6, netlink.FAMILY_MPLS} {
		list, err := k.links.RouteListFiltered(family, filter, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
		if err != nil {
			return fmt.Errorf("list routes: %w", err)
		}
		for _, r := range list {
			if i := itemOf(r, family, names); i != nil {
				p[i.Key()] = i
			}
		}
	}
	return nil
}

// itemOf returns what a route of ours is, nil if it is none that we make.
func itemOf(r netlink.Route, family int, names map[int]string) dataplane.Item {
	if r.MPLSDst != nil {
		if names[r.LinkIndex] != dataplane.PopDevice {
			return nil
		}
		return dataplane.Label(*r.MPLSDst)
	}
	prefix := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	if family == netlink.FAMILY_V6 {
		prefix = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	if r.Dst != nil {
		bits, _ := r.Dst.Mask.Size()
		prefix = netip.PrefixFrom(address4or6(r.Dst.IP, family), bits)
	}
	switch r.Table >> 24 {
	case labelTables:
		return dataplane.FixedRoute{Table: uint32(r.Table), Address: prefix.Addr(), Interface: names[r.LinkIndex]}
	case networkTables:
		g := dataplane.GatewayRoute{Table: uint32(r.Table), Prefix: prefix}
		if len(r.MultiPath) == 0 {
			g.Hops = append(g.Hops, hopOf(names[r.LinkIndex], r.Encap))
		}
		for _, h := range r.MultiPath {
			g.Hops = append(g.Hops, hopOf(names[h.LinkIndex], h.Encap))
		}
		slices.SortFunc(g.Hops, func(a, b dataplane.Hop) int {
			return cmp.Or(cmp.Compare(a.Tunnel, b.Tunnel), cmp.Compare(a.Label, b.Label))
		})
		return g
	}
	return nil
}

func address4or6(ip net.IP, family int) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	if family == netlink.FAMILY_V4 {
		return a.Unmap()
	}
	return a
}

func hopOf(device string, encap netlink.Encap) dataplane.Hop {
	h := dataplane.Hop{Tunnel: device}
	if m, ok := encap.(*netlink.MPLSEncap); ok && len(m.Labels) == 1 {
		h.Label = uint32(m.Labels[0])
	}
	return h
}
