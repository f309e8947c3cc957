package inventory

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/buoynet/buoy/routetarget"
)

// nameRule knows the shapes that the random test makes.
var nameRule = regexp.MustCompile(`^(projects/[a-z]+/(networks|floatingIps)|computeNodes|neighbors)/[a-z0-9]+$|` +
	`^projects/[a-z]+/networks/[a-z]+/pools/[a-z]+$|^namespaces/[a-z]+/poolBinding$|^global/poolBinding$`)

var poolRule = regexp.MustCompile(`^(projects/([a-z]+)/networks/[a-z]+)/pools/[a-z]+$`)

// networkRule returns the network of a pool.
func networkRule(pool string) string {
	if parts := poolRule.FindStringSubmatch(pool); parts != nil {
		return parts[1]
	}
	return ""
}

// projectRule returns the project of a resource.
func projectRule(name string) (project string) {
	if parts := strings.SplitN(name, "/", 3); parts[0] == "projects" {
		return parts[1]
	}
	return ""
}

func (m *model) networkRules(n Network) (broken reasons) {
	for i, p := range n.Subnets {
		broken.add(p.Addr() != p.Masked().Addr(), ReasonInvalid)
		for _, q := range n.Subnets[:i] {
			broken.add(p.Contains(q.Addr()) || q.Contains(p.Addr()), ReasonOverlap)
		}
	}
	for _, list := range [][]netip.Addr{n.Gateways, n.DNS} {
		for _, a := range list {
			inside := false
			for _, p := range n.Subnets {
				inside = inside || p.Contains(a)
			}
			broken.add(!inside, ReasonOutsideSubnets)
		}
	}
	broken.add(n.Hosts > 2, ReasonInvalid)
	return append(broken, automaticRules(n, m.as)...)
}

func automaticRules(n Network, as uint32) (broken reasons) {
	first, last := 8000001, 8057535
	if as > 65535 {
		first, last = 8001, 65535
	}
	for _, set := range []routetarget.Set{n.Targets, n.ImportTargets, n.ExportTargets} {
		for target := range set.All() {
			var of uint32
			var number int
			fmt.Sscanf(target.String(), "target:%d:%d", &of, &number)
			broken.add(of == as && number >= first && number <= last, ReasonAutomatic)
		}
	}
	return broken
}

// changeRules are those of a network that becomes another one.
func (m *model) changeRules(old, n Network) (broken reasons) {
	hosts := addressesIn(n)
	for _, f := range m.floating {
		use, inside := hosts[f.Address]
		broken.add(f.Network == n.Name && (!inside || use != ""), ReasonInUse)
	}
	for _, p := range m.poolsOf(n.Name) {
		goes := p.Automatic && !n.External
		broken.add(goes && m.isUsed(p.Name), ReasonInUse)
		for _, r := range p.Ranges {
			for a := r.First; !goes && a.IsValid() && !r.Last.Less(a); a = a.Next() {
				_, inside := hosts[a]
				broken.add(!inside, ReasonInUse)
			}
		}
	}
	if n.External && !old.External {
		p := Pool{Name: n.Name + "/pools/public"}
		broken.add(m.pools[p.Name].Name != "", ReasonExists)
		broken.add(m.overlaps(p, n), ReasonPoolsOverlap)
	}
	return broken
}

// addressesIn returns all addresses of a network, and what they are reserved
// for; the subnets of the test are small.
func addressesIn(n Network) map[netip.Addr]string {
	all := map[netip.Addr]string{}
	for _, subnet := range n.Subnets {
		var list []netip.Addr
		for a := subnet.Addr(); a.IsValid() && subnet.Contains(a); a = a.Next() {
			list = append(list, a)
			all[a] = ""
		}
		hosts := list
		if len(hosts) > 2 {
			all[hosts[0]] = "network"
			hosts = hosts[1:]
			if subnet.Addr().Is4() {
				all[hosts[len(hosts)-1]] = "broadcast"
				hosts = hosts[:len(hosts)-1]
			}
		}
		at := map[string]netip.Addr{}
		switch {
		case len(list) < 8:
		case n.Hosts == ReserveLast:
			at["gateway"], at["dns"] = hosts[len(hosts)-1], hosts[len(hosts)-2]
		case n.Hosts == ReserveFirst:
			at["gateway"], at["dns"] = hosts[0], hosts[1]
		}
		for use, configured := range map[string][]netip.Addr{"gateway": n.Gateways, "dns": n.DNS} {
			for _, a := range configured {
				if subnet.Contains(a) {
					delete(at, use)
					all[a] = use
				}
			}
		}
		for use, a := range at {
			all[a] = use
		}
	}
	return all
}

func (m *model) nodeRules(n ComputeNode) (broken reasons) {
	broken.add(!n.Address.IsValid() || n.Address.IsUnspecified(), ReasonInvalid)
	broken.add(!n.RouterID.Is4(), ReasonInvalid)
	first, last := labelsOf(n)
	broken.add(first < 16 || first > last, ReasonInvalid)
	hold := n.Liveness.HoldTime
	broken.add(hold == 1 || hold == 2 || hold > 3600 || n.Liveness.StaleTime > 86400, ReasonInvalid)
	for _, other := range m.nodes {
		broken.add(other.Name != n.Name && other.Address == n.Address, ReasonAddressTaken)
		broken.add(other.Name != n.Name && other.RouterID == n.RouterID, ReasonRouterIDTaken)
	}
	return broken
}

func trafficRules(d Direction, mappings []PortMapping) (broken reasons) {
	broken.add(d > 2, ReasonInvalid)
	for i, a := range mappings {
		broken.add(a.Port == 0 || a.FixedPort == 0 || a.Protocol > 2, ReasonInvalid)
		for _, b := range mappings[:i] {
			broken.add(a.Port == b.Port && a.Protocol == b.Protocol, ReasonInvalid)
		}
	}
	return broken
}
