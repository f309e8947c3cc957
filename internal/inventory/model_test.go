package inventory

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// model is what State and the store should amount to, as simple as can be:
// plain maps without indexes, in which every rule is a search.
type model struct {
	next     int // where the search for a network id begins
	networks map[string]Network
	nodes    map[string]ComputeNode
	peers    map[string]neighbor.Settings
	floating map[string]FloatingIP
}

// modelAS is the AS of the model, and modelStatic the neighbor of its
// configuration file.
const modelAS = 64512

var modelStatic = settings("static", "10.0.0.9")

func newModel() *model {
	return &model{
		next:     1,
		networks: map[string]Network{},
		nodes:    map[string]ComputeNode{},
		peers:    map[string]neighbor.Settings{static: modelStatic},
		floating: map[string]FloatingIP{},
	}
}

// reasons are the rules that a command breaks, in no order.
type reasons []string

func (r *reasons) add(broken bool, reason string) {
	if broken {
		*r = append(*r, reason)
	}
}

// do carries out a command, unless it breaks rules.
func (m *model) do(c Command) (broken reasons) {
	switch c := c.(type) {
	case CreateNetwork:
		n := c.Network
		broken.add(!nameRule.MatchString(n.Name), ReasonInvalid)
		broken.add(m.networks[n.Name].Name != "", ReasonExists)
		if broken = append(broken, networkRules(n)...); broken == nil {
			n.ID = m.freeID()
			m.next = int(n.ID)%routetarget.MaxNetworkID + 1
			m.networks[n.Name] = n
		}
	case UpdateNetwork:
		n, ok := m.networks[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		set(&n.Subnets, c.Subnets)
		set(&n.Targets, c.Targets)
		set(&n.ImportTargets, c.ImportTargets)
		set(&n.ExportTargets, c.ExportTargets)
		set(&n.Encapsulations, c.Encapsulations)
		for _, f := range m.floating {
			broken.add(f.Network == n.Name && addressRule(n, f.Address) != "", ReasonInUse)
		}
		if broken = append(broken, networkRules(n)...); broken == nil {
			m.networks[n.Name] = n
		}
	case DeleteNetwork:
		broken.add(m.networks[c.Name].Name == "", ReasonNotFound)
		for _, f := range m.floating {
			broken.add(f.Network == c.Name, ReasonInUse)
		}
		if broken == nil {
			delete(m.networks, c.Name)
		}
	case CreateComputeNode:
		n := c.ComputeNode
		broken.add(!nameRule.MatchString(n.Name), ReasonInvalid)
		broken.add(m.nodes[n.Name].Name != "", ReasonExists)
		if n.RouterID == (netip.Addr{}) && n.Address.Is4() {
			n.RouterID = n.Address
		}
		if broken = append(broken, m.nodeRules(n)...); broken == nil {
			m.nodes[n.Name] = n
		}
	case UpdateComputeNode:
		n, ok := m.nodes[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		set(&n.Address, c.Address)
		set(&n.RouterID, c.RouterID)
		set(&n.Encapsulations, c.Encapsulations)
		if broken = m.nodeRules(n); broken == nil {
			m.nodes[n.Name] = n
		}
	case DeleteComputeNode:
		broken.add(m.nodes[c.Name].Name == "", ReasonNotFound)
		for _, f := range m.floating {
			broken.add(slices.ContainsFunc(f.Associations, func(a Association) bool { return a.ComputeNode == c.Name }), ReasonInUse)
		}
		if broken == nil {
			delete(m.nodes, c.Name)
		}
	default:
		return m.doMore(c)
	}
	return broken
}

func (m *model) doMore(c Command) (broken reasons) {
	switch c := c.(type) {
	case CreateNeighbor:
		name := "neighbors/" + c.Settings.Name
		broken.add(!nameRule.MatchString(name), ReasonInvalid)
		broken.add(m.peers[name].Name != "", ReasonExists)
		if broken = append(broken, m.peerRules(c.Settings)...); broken == nil {
			m.peers[name] = c.Settings
		}
	case UpdateNeighbor:
		s, ok := m.peers[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		set(&s.Address, c.Address)
		set(&s.AS, c.AS)
		set(&s.Passive, c.Passive)
		broken.add(c.Name == static, ReasonReadOnly)
		if broken = append(broken, m.peerRules(s)...); broken == nil {
			m.peers[c.Name] = s
		}
	case DeleteNeighbor:
		broken.add(m.peers[c.Name].Name == "", ReasonNotFound)
		broken.add(c.Name == static, ReasonReadOnly)
		if broken == nil {
			delete(m.peers, c.Name)
		}
	case Allocate:
		broken.add(!nameRule.MatchString(c.Name), ReasonInvalid)
		broken.add(m.floating[c.Name].Name != "", ReasonExists)
		n, ok := m.networks[c.Network]
		broken.add(!ok, ReasonNotFound)
		broken.add(!nameRule.MatchString(c.Network), ReasonInvalid)
		rule := addressRule(n, c.Address)
		broken.add(ok && rule != "", rule)
		for _, f := range m.floating {
			broken.add(f.Network == c.Network && f.Address == c.Address, ReasonAddressTaken)
		}
		if broken == nil {
			m.floating[c.Name] = FloatingIP{Name: c.Name, Network: c.Network, Address: c.Address}
		}
	case Associate:
		f, ok := m.floating[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		if broken = m.associationRules(f, c.Association); broken == nil {
			f.Associations = append(slices.Clone(f.Associations), c.Association)
			m.floating[c.Name] = f
		}
	case Disassociate:
		f, ok := m.floating[c.Name]
		if !ok {
			return reasons{ReasonNotFound}
		}
		left := slices.DeleteFunc(slices.Clone(f.Associations), func(a Association) bool {
			return (c.Interface == "" || a.Interface == c.Interface) && (c.ComputeNode == "" || a.ComputeNode == c.ComputeNode)
		})
		if broken.add(len(left) == len(f.Associations), ReasonNotAssociated); broken == nil {
			f.Associations = left
			m.floating[c.Name] = f
		}
	case Release:
		broken.add(m.floating[c.Name].Name == "", ReasonNotFound)
		broken.add(len(m.floating[c.Name].Associations) > 0, ReasonInUse)
		if broken == nil {
			delete(m.floating, c.Name)
		}
	}
	return broken
}

// nameRule knows the shapes that the random test makes.
var nameRule = regexp.MustCompile(`^(projects/[a-z]+/(networks|floatingIps)|computeNodes|neighbors)/[a-z0-9]+$`)

func (m *model) freeID() uint16 {
	for id := m.next; ; id = id%routetarget.MaxNetworkID + 1 {
		taken := false
		for _, n := range m.networks {
			taken = taken || int(n.ID) == id
		}
		if !taken {
			return uint16(id)
		}
	}
}

func networkRules(n Network) (broken reasons) {
	for i, p := range n.Subnets {
		broken.add(p.Addr() != p.Masked().Addr(), ReasonInvalid)
		for _, q := range n.Subnets[:i] {
			broken.add(p.Contains(q.Addr()) || q.Contains(p.Addr()), ReasonOverlap)
		}
	}
	for _, set := range []routetarget.Set{n.Targets, n.ImportTargets, n.ExportTargets} {
		for target := range set.All() {
			var as, number int
			fmt.Sscanf(target.String(), "target:%d:%d", &as, &number)
			broken.add(as == modelAS && number > 8000000 && number <= 8057535, ReasonAutomatic)
		}
	}
	return broken
}

// addressRule returns the rule that an address of a network breaks.
func addressRule(n Network, a netip.Addr) string {
	if !a.IsValid() || a.IsMulticast() || a.IsUnspecified() {
		return ReasonInvalid
	}
	for _, p := range n.Subnets {
		if !p.Contains(a) {
			continue
		}
		host := a.BitLen() - p.Bits()
		raw := a.AsSlice()
		low := binary.BigEndian.Uint32(raw[len(raw)-4:]) & (1<<host - 1) // the subnets of the test are small
		if host > 1 && (low == 0 || a.Is4() && low == 1<<host-1) {
			return ReasonReserved
		}
		return ""
	}
	return ReasonOutsideSubnets
}

func (m *model) nodeRules(n ComputeNode) (broken reasons) {
	broken.add(!n.Address.IsValid() || n.Address.IsUnspecified(), ReasonInvalid)
	broken.add(!n.RouterID.Is4(), ReasonInvalid)
	for _, other := range m.nodes {
		broken.add(other.Name != n.Name && other.Address == n.Address, ReasonAddressTaken)
		broken.add(other.Name != n.Name && other.RouterID == n.RouterID, ReasonRouterIDTaken)
	}
	return broken
}

func (m *model) peerRules(s neighbor.Settings) (broken reasons) {
	broken.add(!s.Address.IsValid() || s.Address.IsMulticast() || s.AS == 0, ReasonInvalid)
	for _, other := range m.peers {
		broken.add(other.Name != s.Name && other.Address == s.Address, ReasonAddressTaken)
	}
	return broken
}

func (m *model) associationRules(f FloatingIP, a Association) (broken reasons) {
	broken.add(m.nodes[a.ComputeNode].Name == "", ReasonNotFound)
	broken.add(!nameRule.MatchString(a.ComputeNode), ReasonInvalid)
	broken.add(a.Label < 16 || a.Interface == "tap/", ReasonInvalid)
	broken.add(!a.FixedIP.IsValid(), ReasonInvalid)
	broken.add(a.FixedIP.IsValid() && a.FixedIP.Is4() != f.Address.Is4(), ReasonFamilyMismatch)
	for _, other := range m.floating {
		for _, b := range other.Associations {
			if b.ComputeNode != a.ComputeNode {
				continue
			}
			broken.add(other.Name == f.Name, ReasonAssociated)
			broken.add(b.Interface == a.Interface && b.Label != a.Label, ReasonLabelDiffers)
			broken.add(b.Interface != a.Interface && b.Label == a.Label, ReasonLabelTaken)
		}
	}
	return broken
}
