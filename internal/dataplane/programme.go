package dataplane

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Programme is what a compute node was told.
type Programme struct {
	FloatingIPs []FloatingIP `json:"floating_ips"`
	Routes      []Route      `json:"routes"`
}

// FloatingIP is a floating IP that is associated with the node.
type FloatingIP struct {
	Name      string        `json:"name"`
	Network   string        `json:"network"`
	Address   netip.Addr    `json:"address"`
	FixedIP   netip.Addr    `json:"fixed_ip"`
	Interface string        `json:"interface"`
	Label     uint32        `json:"label"`     // 16..1048574
	Direction Direction     `json:"direction"` // empty is Both
	Ports     []PortMapping `json:"port_mappings,omitempty"`
}

// Direction says who may open connections.
type Direction string

// The directions.
const (
	Both    Direction = "both"
	Ingress Direction = "ingress" // only others
	Egress  Direction = "egress"  // only the workload
)

// PortMapping lets one port in. With any of them nothing else comes in.
type PortMapping struct {
	Protocol  Protocol `json:"protocol"`
	Port      uint16   `json:"port"`       // of the floating IP
	FixedPort uint16   `json:"fixed_port"` // of the workload
}

// Protocol is tcp, udp or sctp.
type Protocol string

// protocols are their numbers (IANA).
var protocols = map[Protocol]uint8{"tcp": 6, "udp": 17, "sctp": 132}

// Number returns the protocol's number in the IP header, 0 if there is no such protocol.
func (p Protocol) Number() uint8 { return protocols[p] }

// Route is where packets of a network go that are for a prefix.
type Route struct {
	Network  string       `json:"network"`
	Prefix   netip.Prefix `json:"prefix"`
	NextHops []NextHop    `json:"next_hops"`
}

// NextHop is a gateway that takes packets.
type NextHop struct {
	Address        netip.Addr      `json:"address"`
	Label          uint32          `json:"label"`          // 16..1048575
	Encapsulations []Encapsulation `json:"encapsulations"` // any of these
}

// Encapsulation is a kind of tunnel.
type Encapsulation string

// The encapsulations.
const (
	GRE Encapsulation = "gre" // RFC 4023
	UDP Encapsulation = "udp" // RFC 7510
)

const (
	minLabel = 16 // RFC 3032 §2.1: the others are reserved
	maxLabel = 1<<20 - 1
	// maxPopped is the highest that Linux can take in: its table has no place for another.
	maxPopped = maxLabel - 1
	// maxInterface is what the kernel allows, without the NUL.
	maxInterface = 15
)

// ParseProgramme reads a programme as JSON, as String writes it. Unknown fields and what
// Check refuses are errors.
func ParseProgramme(text []byte) (Programme, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var p Programme
	if err := d.Decode(&p); err != nil {
		return Programme{}, fmt.Errorf("programme: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Programme{}, errors.New("programme: expected one object and nothing behind it")
	}
	twice := map[string]bool{}
	for i, f := range p.FloatingIPs {
		err := f.Check()
		if err == nil && twice[f.Name] {
			err = fmt.Errorf("%s is there twice", f.Name)
		}
		if err != nil {
			return Programme{}, fmt.Errorf("programme: floating_ips[%d]: %w", i, err)
		}
		twice[f.Name] = true
	}
	for i, r := range p.Routes {
		err, key := r.Check(), fmt.Sprintf("%v of %s", r.Prefix, r.Network)
		if err == nil && twice[key] {
			err = fmt.Errorf("%s is there twice", key)
		}
		if err != nil {
			return Programme{}, fmt.Errorf("programme: routes[%d]: %w", i, err)
		}
		twice[key] = true
	}
	return p, nil
}

// JSON returns the programme as ParseProgramme reads it, in order of the names.
func (p Programme) JSON() []byte {
	p.FloatingIPs = slices.Clone(p.FloatingIPs)
	p.Routes = slices.Clone(p.Routes)
	p.sort()
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic("dataplane: " + err.Error()) // there is nothing in it that could fail
	}
	return append(text, '\n')
}

func (p *Programme) sort() {
	slices.SortFunc(p.FloatingIPs, func(a, b FloatingIP) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.Routes, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Network, b.Network), a.Prefix.Addr().Compare(b.Prefix.Addr()), a.Prefix.Bits()-b.Prefix.Bits())
	})
}

// Check refuses what cannot be programmed. The error names the field.
func (f FloatingIP) Check() error {
	switch {
	case f.Name == "":
		return errors.New("name: expected one")
	case f.Network == "":
		return fmt.Errorf("%s: network: expected one", f.Name)
	case !usable(f.Address):
		return fmt.Errorf("%s: address: expected a unicast address, got %v", f.Name, f.Address)
	case !usable(f.FixedIP) || f.FixedIP.Is4() != f.Address.Is4():
		return fmt.Errorf("%s: fixed_ip: expected a unicast address of the family of %v, got %v", f.Name, f.Address, f.FixedIP)
	case !isInterface(f.Interface):
		return fmt.Errorf("%s: interface: expected a name of 1..%d characters as the kernel has them, got %q", f.Name, maxInterface, f.Interface)
	case isOurs(f.Interface):
		return fmt.Errorf("%s: interface: %s is the agent's own", f.Name, f.Interface)
	case f.Label < minLabel || f.Label > maxPopped:
		return fmt.Errorf("%s: label: expected %d..%d, got %d; set the label range of the compute node", f.Name, minLabel, maxPopped, f.Label)
	case !slices.Contains([]Direction{"", Both, Ingress, Egress}, f.Direction):
		return fmt.Errorf("%s: direction: expected both, ingress or egress, got %q", f.Name, f.Direction)
	}
	for _, m := range f.Ports {
		if m.Protocol.Number() == 0 || m.Port == 0 || m.FixedPort == 0 {
			return fmt.Errorf("%s: port_mappings: expected tcp, udp or sctp and two ports, got %s %d %d", f.Name, m.Protocol, m.Port, m.FixedPort)
		}
	}
	return nil
}

// Check refuses what cannot be programmed. The error names the field.
func (r Route) Check() error {
	switch {
	case r.Network == "":
		return errors.New("network: expected one")
	case !r.Prefix.IsValid() || r.Prefix != r.Prefix.Masked() || r.Prefix.Addr().Is4In6():
		return fmt.Errorf("prefix: expected a network address and its length, got %v", r.Prefix)
	case len(r.NextHops) == 0:
		return fmt.Errorf("%v: next_hops: expected at least one", r.Prefix)
	}
	for _, n := range r.NextHops {
		if !usable(n.Address) {
			return fmt.Errorf("%v: next_hops: address: expected a unicast address, got %v", r.Prefix, n.Address)
		}
		if n.Label < minLabel || n.Label > maxLabel {
			return fmt.Errorf("%v: next_hops: %v: label: expected %d..%d, got %d", r.Prefix, n.Address, minLabel, maxLabel, n.Label)
		}
	}
	return nil
}

func usable(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && !a.Is4In6() && a.Zone() == ""
}

// isInterface follows dev_valid_name of the kernel; a colon is for aliases.
func isInterface(name string) bool {
	return name != "" && len(name) <= maxInterface && name != "." && name != ".." &&
		!strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || c == '/' || c == ':' })
}
