package inventory

import (
	"net/netip"

	"github.com/buoynet/buoy/vrf"
)

// Programme is a part of what a compute node must do, in the order of the
// fields: what is removed may make room for what is new.
type Programme struct {
	RemovedFloatingIPs []string // names
	RemovedNetworks    []string // names: all their routes go
	Withdrawn          []NetworkPrefix
	FloatingIPs        []Placement // new and changed ones
	Routes             []NetworkRoute

	// BeginOfSnapshot says, before all other fields, that a snapshot begins, also in
	// place of one that has not come to its end. EndOfFloatingIPs and EndOfRoutes say,
	// behind them, that this part of it is complete: what it did not mention goes.
	BeginOfSnapshot               bool
	EndOfFloatingIPs, EndOfRoutes bool
	ResumeToken                   string // empty within a snapshot
	Revision                      uint64 // of the store: all that it had then was told; 0 where more belongs to it
}

// Placement is a floating IP at a compute node.
type Placement struct {
	*FloatingIP
	Association Association
}

// NetworkPrefix is a prefix in the table of a network.
type NetworkPrefix struct {
	Network string // its name
	Prefix  netip.Prefix
}

// NetworkRoute is where packets of a network go that are for a prefix.
type NetworkRoute struct {
	NetworkPrefix
	NextHops []NextHop // packets may take any of them
}

// NextHop is a gateway.
type NextHop struct {
	Address        netip.Addr
	Label          vrf.Label
	Encapsulations vrf.Encapsulations // never empty
}
