package dataplane

import (
	"fmt"
	"net/netip"
	"strings"
)

// Item is something that the kernel has, or should have, for us.
type Item interface {
	// Key says which one it is: of two with the same key only one can be there.
	Key() string
	// String is the item in one line. Two with the same line are the same.
	String() string
	phase() phase
}

// phase is when an item is made: what stands on others comes later, and goes earlier.
type phase uint8

const (
	devices phase = iota
	ruleset
	elements
	workloads
	routes
	rules
	labels // the last: from here on packets come
	phases
)

// Names of what is ours. Everything that begins with Prefix is.
const (
	Prefix = "buoy-"
	// PopDevice is where packets go when their label is popped, In where they come out.
	PopDevice = Prefix + "pop"
	InDevice  = Prefix + "in"
)

func isOurs(name string) bool { return strings.HasPrefix(name, Prefix) }

// Pair is the two ends through which popped packets enter the IP stack: as if they came
// in by an interface, with all of netfilter's hooks.
type Pair struct{}

func (Pair) Key() string    { return "pair" }
func (Pair) String() string { return "pair " + PopDevice + " " + InDevice }
func (Pair) phase() phase   { return devices }

// Listener takes MPLS-over-UDP in (RFC 7510).
type Listener struct{ Port uint16 }

func (l Listener) Key() string    { return fmt.Sprintf("listen udp %d", l.Port) }
func (l Listener) String() string { return l.Key() }
func (Listener) phase() phase     { return devices }

// Tunnel is one to a gateway. Without a remote address it takes in what any other sends.
type Tunnel struct {
	Name          string
	Encapsulation Encapsulation
	Local, Remote netip.Addr
	MTU           int // bytes of what it carries: a label and an IP packet
}

func (t Tunnel) Key() string { return "tunnel " + t.Name }
func (t Tunnel) String() string {
	remote := "any"
	if t.Remote.IsValid() {
		remote = t.Remote.String()
	}
	return fmt.Sprintf("%s %s local %v remote %s mtu %d", t.Key(), t.Encapsulation, t.Local, remote, t.MTU)
}
func (Tunnel) phase() phase { return devices }

// Ruleset is the fixed part of the nftables rules: the table, its chains and maps.
type Ruleset struct {
	MTU int // bytes of the largest IP packet that every tunnel carries
}

func (Ruleset) Key() string { return "nftables" }
func (r Ruleset) String() string {
	return fmt.Sprintf("nftables table inet buoy, TCP segments for %d bytes", r.MTU)
}
func (Ruleset) phase() phase { return ruleset }

// MSS returns the largest TCP segment (RFC 879): without the headers of IP and TCP.
func (r Ruleset) MSS(v4 bool) uint16 {
	if v4 {
		return uint16(r.MTU - 40)
	}
	return uint16(r.MTU - 60)
}

// FixedRoute is the way to a workload, in the table of its label.
type FixedRoute struct {
	Table     uint32
	Address   netip.Addr
	Interface string
}

func (r FixedRoute) Key() string    { return fmt.Sprintf("route table %#x %v", r.Table, r.Address) }
func (r FixedRoute) String() string { return r.Key() + " dev " + r.Interface }
func (FixedRoute) phase() phase     { return workloads }

// GatewayRoute is the way to the outside, in the table of a network.
type GatewayRoute struct {
	Table  uint32
	Prefix netip.Prefix
	Hops   []Hop // in order, none twice
}

// Hop is a label and the tunnel that it is sent through.
type Hop struct {
	Tunnel string
	Label  uint32
}

func (r GatewayRoute) Key() string { return fmt.Sprintf("route table %#x %v", r.Table, r.Prefix) }
func (r GatewayRoute) String() string {
	var b strings.Builder
	b.WriteString(r.Key())
	for _, h := range r.Hops {
		fmt.Fprintf(&b, " label %d dev %s", h.Label, h.Tunnel)
	}
	return b.String()
}
func (GatewayRoute) phase() phase { return routes }

// Rule sends packets with a mark to a table.
type Rule struct {
	V4         bool
	Priority   int
	Mark, Mask uint32
	Table      uint32
}

func (r Rule) Key() string {
	return fmt.Sprintf("rule %s %d fwmark %#x/%#x lookup %#x", family(r.V4), r.Priority, r.Mark, r.Mask, r.Table)
}
func (r Rule) String() string { return r.Key() }
func (Rule) phase() phase     { return rules }

// Label is one that is popped.
type Label uint32

func (l Label) Key() string    { return fmt.Sprintf("label %d", uint32(l)) }
func (l Label) String() string { return l.Key() + " pop" }
func (Label) phase() phase     { return labels }

func family(v4 bool) string {
	if v4 {
		return "ip"
	}
	return "ip6"
}
