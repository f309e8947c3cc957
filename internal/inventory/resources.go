package inventory

import (
	"encoding/json"
	"net/netip"

	"github.com/buoynet/buoy/internal/ipam"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Global is what holds for all resources.
type Global struct {
	AS uint32 `json:"as"` // Buoy's own AS, 1..4294967295
	// NextNetworkID is where the search for a free network id begins, so that
	// the id of a deleted network rests before it is used again.
	NextNetworkID uint16 `json:"next_network_id"`

	Version Version `json:"-"`
	Etag    Etag    `json:"-"`
}

// Network is a virtual network that floating IPs are taken from.
type Network struct {
	Name    string         `json:"name"`
	ID      uint16         `json:"id"` // 1..routetarget.MaxNetworkID, given by Buoy
	Subnets []netip.Prefix `json:"subnets"`
	// The configured targets; the automatic one is not among them.
	Targets        routetarget.Set    `json:"targets"` // both import and export
	ImportTargets  routetarget.Set    `json:"import_targets"`
	ExportTargets  routetarget.Set    `json:"export_targets"`
	Encapsulations vrf.Encapsulations `json:"encapsulations"`     // empty = any
	External       bool               `json:"external,omitempty"` // it has a pool that it made by itself
	Reservations

	Version Version `json:"-"`
	Etag    Etag    `json:"-"`

	vrf    vrf.VRF // in vrfAS; all routes share its target sets
	vrfAS  uint32
	usable ipam.Ranges // see Usable; worked out when the state takes the network over
}

// VRF returns what the network means to BGP in an AS.
func (n *Network) VRF(as uint32) vrf.VRF {
	if n.vrfAS == as {
		return n.vrf
	}
	both := n.Targets.Union(routetarget.NewSet(routetarget.Automatic(as, n.ID)))
	return vrf.VRF{
		ID:             n.ID,
		Import:         both.Union(n.ImportTargets),
		Export:         both.Union(n.ExportTargets),
		Encapsulations: n.Encapsulations,
	}
}

// ComputeNode is a machine that runs workloads and ends the tunnels from the
// gateways.
type ComputeNode struct {
	Name           string             `json:"name"`
	Address        netip.Addr         `json:"address"`        // tunnel address, the routes' next hop
	RouterID       netip.Addr         `json:"router_id"`      // IPv4, unique; part of the route distinguisher
	Encapsulations vrf.Encapsulations `json:"encapsulations"` // empty = any
	// Labels are those that Buoy gives to interfaces itself.
	Labels        LabelRange `json:"labels,omitzero"`
	LabelHoldDown uint32     `json:"label_hold_down,omitempty"` // seconds; 0 = DefaultLabelHoldDown
	Liveness      Liveness   `json:"liveness,omitzero"`
	Drain         Drain      `json:"drain,omitzero"`

	Version Version `json:"-"`
	Etag    Etag    `json:"-"`
}

// UnmarshalJSON implements json.Unmarshaler. A default that is not zero is not
// in the store.
func (n *ComputeNode) UnmarshalJSON(text []byte) error {
	type computeNode ComputeNode // without this method
	v := computeNode{Liveness: DefaultLiveness}
	err := json.Unmarshal(text, &v)
	*n = ComputeNode(v)
	return err
}

// Neighbor is a gateway router. Its Settings carry the short name.
type Neighbor struct {
	neighbor.Settings
	ReadOnly bool    `json:"-"` // defined in the configuration file, not in the store
	Version  Version `json:"-"`
	Etag     Etag    `json:"-"`
}

// ResourceName returns neighbors/NAME.
func (n *Neighbor) ResourceName() string { return NeighborName(n.Name) }

// FloatingIP is a public address that belongs to a workload.
type FloatingIP struct {
	Name         string        `json:"name"`
	Network      string        `json:"network"`
	Pool         string        `json:"pool,omitempty"` // empty: outside any pool
	Address      netip.Addr    `json:"address"`
	Associations []Association `json:"associations,omitempty"`

	Scope     Scope  `json:"scope,omitempty"`     // what decided where the address is from
	Namespace string `json:"namespace,omitempty"` // that it was allocated for; may be empty

	// For the compute node.
	Direction    Direction     `json:"direction,omitempty"`
	PortMappings []PortMapping `json:"port_mappings,omitempty"` // none: all ports, unchanged

	Version Version `json:"-"`
	Changed Version `json:"-"` // of the oldest write known since which it looks like this
	Etag    Etag    `json:"-"`
}

// Association is one place where a floating IP can be reached. There is at
// most one for each compute node: two would be the same route.
type Association struct {
	ComputeNode string     `json:"compute_node"`
	Interface   string     `json:"interface"`
	FixedIP     netip.Addr `json:"fixed_ip"` // the workload's own address
	Label       vrf.Label  `json:"label"`    // the same for all floating IPs of the interface
	Preferred   bool       `json:"preferred,omitempty"`
}
