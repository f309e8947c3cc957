package inventory

import (
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// model is what State and the store should amount to, as simple as can be:
// plain maps without indexes, in which every rule is a search.
type model struct {
	as       uint32
	next     int // where the search for a network id begins
	networks map[string]Network
	pools    map[string]Pool
	bindings map[string]Binding // of the store
	filePool string             // the global pool of the configuration file
	nodes    map[string]ComputeNode
	peers    map[string]neighbor.Settings
	floating map[string]FloatingIP
	resting  map[nodeLabel]rest

	now      time.Time
	released map[string]netip.Addr // of a network: nothing happened there since
	rested   int                   // how often such an address could have come next
}

type nodeLabel struct {
	node  string
	label uint64
}

// rest is a label that nobody uses since a time.
type rest struct {
	Interface string `json:"interface"`
	Released  int64  `json:"released"`
}

// modelStatic is the neighbor of the configuration file.
var modelStatic = settings("static", "10.0.0.9")

func newModel() *model {
	return &model{
		as:       64512,
		next:     1,
		networks: map[string]Network{},
		pools:    map[string]Pool{},
		bindings: map[string]Binding{},
		nodes:    map[string]ComputeNode{},
		peers:    map[string]neighbor.Settings{static: modelStatic},
		floating: map[string]FloatingIP{},
		resting:  map[nodeLabel]rest{},
		released: map[string]netip.Addr{},
	}
}

// reasons are the rules that a command breaks, in no order.
type reasons []string

func (r *reasons) add(broken bool, reason string) {
	if broken {
		*r = append(*r, reason)
	}
}

// outcome is what a plan has chosen by itself. The model judges that, and works
// out all the rest.
type outcome struct {
	stale bool        // planned on an old state: right, but not the best choice
	moved bool        // labels may have been woken before one was chosen
	fip   FloatingIP  // as it is written
	woken []nodeLabel // the resting labels that are forgotten
}

func outcomeOf(mutations []Mutation, stale bool) *outcome {
	out := &outcome{stale: stale}
	for _, m := range mutations {
		if strings.HasPrefix(m.Key, "fip/") && m.Op == Put {
			if err := json.Unmarshal(m.Value, &out.fip); err != nil {
				panic(err)
			}
		}
		if parts := strings.Split(m.Key, "/"); parts[0] == "resting" && m.Op == Delete {
			label, _ := strconv.ParseUint(parts[2], 10, 64)
			out.woken = append(out.woken, nodeLabel{"computeNodes/" + parts[1], label})
		}
	}
	return out
}

// do carries out a command, unless it breaks rules. Without an outcome it only
// looks for them.
func (m *model) do(c Command, out *outcome) (broken reasons) {
	switch c := c.(type) {
	case SetGlobal:
		broken.add(c.AS == 0 || c.AS == 23456, ReasonInvalid)
		for _, n := range m.networks {
			broken.add(c.AS != m.as && automaticRules(n, c.AS) != nil, ReasonTargetCollides)
		}
		if broken == nil && out != nil {
			m.as = c.AS
		}
	case CreateNetwork:
		n := c.Network
		broken.add(!nameRule.MatchString(n.Name), ReasonInvalid)
		broken.add(m.networks[n.Name].Name != "", ReasonExists)
		if broken = append(broken, m.networkRules(n)...); broken == nil && out != nil {
			n.ID = m.freeID()
			m.next = int(n.ID)%routetarget.MaxNetworkID + 1
			m.setNetwork(n)
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
		set(&n.External, c.External)
		set(&n.Hosts, c.Hosts)
		set(&n.Gateways, c.Gateways)
		set(&n.DNS, c.DNS)
		broken = append(m.networkRules(n), m.changeRules(m.networks[c.Name], n)...)
		if broken == nil && out != nil {
			m.setNetwork(n)
		}
	case DeleteNetwork:
		broken.add(m.networks[c.Name].Name == "", ReasonNotFound)
		for _, f := range m.floating {
			broken.add(f.Network == c.Name, ReasonInUse)
		}
		for _, p := range m.poolsOf(c.Name) {
			broken.add(!p.Automatic || m.isBound(p.Name), ReasonInUse)
		}
		if broken == nil && out != nil {
			maps.DeleteFunc(m.pools, func(_ string, p Pool) bool { return networkRule(p.Name) == c.Name })
			delete(m.networks, c.Name)
			delete(m.released, c.Name)
		}
	case CreateComputeNode:
		n := c.ComputeNode
		broken.add(!nameRule.MatchString(n.Name), ReasonInvalid)
		broken.add(m.nodes[n.Name].Name != "", ReasonExists)
		if n.RouterID == (netip.Addr{}) && n.Address.Is4() {
			n.RouterID = n.Address
		}
		if broken = append(broken, m.nodeRules(n)...); broken == nil && out != nil {
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
		set(&n.Labels, c.Labels)
		set(&n.LabelHoldDown, c.LabelHoldDown)
		set(&n.Liveness.Mode, c.Liveness)
		set(&n.Liveness.HoldTime, c.HoldTime)
		set(&n.Liveness.StaleTime, c.StaleTime)
		if drained := c.Drained; drained != nil && *drained != (n.Drain.State > 0) {
			n.Drain.State, n.Drain.Until = 0, time.Time{}
			if *drained {
				n.Drain.State = Drained
			}
		}
		if broken = m.nodeRules(n); broken == nil && out != nil {
			m.nodes[n.Name] = n
		}
	case DrainComputeNode, UndrainComputeNode, FinishDrain:
		return m.doDrain(c, out)
	case DeleteComputeNode:
		broken.add(m.nodes[c.Name].Name == "", ReasonNotFound)
		for _, f := range m.floating {
			broken.add(slices.ContainsFunc(f.Associations, func(a Association) bool { return a.ComputeNode == c.Name }), ReasonInUse)
		}
		if broken == nil && out != nil {
			delete(m.nodes, c.Name)
			maps.DeleteFunc(m.resting, func(k nodeLabel, _ rest) bool { return k.node == c.Name })
		}
	case CreateNeighbor, UpdateNeighbor, DeleteNeighbor:
		return m.doNeighbor(c, out)
	case CreatePool, UpdatePool, DeletePool, BindPool, UnbindPool:
		return m.doPool(c, out)
	case Allocate:
		return m.allocate(c, out)
	default:
		return m.doFloating(c, out)
	}
	return broken
}

// setNetwork puts a network and the pool that it makes.
func (m *model) setNetwork(n Network) {
	both := n.ImportTargets.Minus(n.ImportTargets.Minus(n.ExportTargets)).Union(n.Targets)
	n.Targets, n.ImportTargets, n.ExportTargets = both, n.ImportTargets.Minus(both), n.ExportTargets.Minus(both)
	was := m.networks[n.Name].External
	m.networks[n.Name] = n
	delete(m.released, n.Name)
	if n.External && !was {
		name := n.Name + "/pools/public"
		m.pools[name] = Pool{Name: name, Automatic: true}
	}
	if was && !n.External {
		maps.DeleteFunc(m.pools, func(_ string, p Pool) bool { return p.Automatic && networkRule(p.Name) == n.Name })
	}
}

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
