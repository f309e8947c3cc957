package inventory

import "strings"

// Direction says which connections a floating IP is for. The compute node
// enforces it; it does not decide whether there is a route, since answers need
// one too.
type Direction uint8

// The directions.
const (
	Both    Direction = iota
	Ingress           // only those that come to the workload
	Egress            // only those that the workload opens
)

var directions = names[Direction]{"both", "ingress", "egress"}

// ParseDirection reads both, ingress or egress.
func ParseDirection(text string) (Direction, error) { return directions.parse(text) }

func (d Direction) String() string { return directions.text(d) }

// MarshalText implements encoding.TextMarshaler.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Direction) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDirection(string(text))
	return err
}

// Protocol is one whose ports can be mapped.
type Protocol uint8

// The protocols.
const (
	TCP Protocol = iota
	UDP
	SCTP
)

var protocols = names[Protocol]{"tcp", "udp", "sctp"}

// ParseProtocol reads tcp, udp or sctp.
func ParseProtocol(text string) (Protocol, error) { return protocols.parse(text) }

func (p Protocol) String() string { return protocols.text(p) }

// MarshalText implements encoding.TextMarshaler.
func (p Protocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Protocol) UnmarshalText(text []byte) (err error) {
	*p, err = ParseProtocol(string(text))
	return err
}

// PortMapping leads a port of the floating IP to one of the workload. With a
// mapping, the compute node drops what is mapped nowhere.
type PortMapping struct {
	Protocol  Protocol `json:"protocol"`
	Port      uint16   `json:"port"`       // of the floating IP, 1..65535
	FixedPort uint16   `json:"fixed_port"` // of the workload, 1..65535
}

// maxPortMappings bounds what a compute node has to program for one address.
const maxPortMappings = 256

func checkPortMappings(list []PortMapping) error {
	if len(list) > maxPortMappings {
		return invalid(ReasonInvalid, "port_mappings", "expected at most %d, got %d", maxPortMappings, len(list))
	}
	type external struct {
		protocol Protocol
		port     uint16
	}
	seen := map[external]bool{}
	for _, m := range list {
		if int(m.Protocol) >= len(protocols) {
			return invalid(ReasonInvalid, "port_mappings", "expected the protocol %s", strings.Join(protocols, ", "))
		}
		if m.Port == 0 || m.FixedPort == 0 {
			return invalid(ReasonInvalid, "port_mappings", "expected ports 1..65535, got %d:%d", m.Port, m.FixedPort)
		}
		if seen[external{m.Protocol, m.Port}] {
			return invalid(ReasonInvalid, "port_mappings", "port %d of %s is mapped twice", m.Port, m.Protocol)
		}
		seen[external{m.Protocol, m.Port}] = true
	}
	return nil
}

func checkTraffic(direction Direction, mappings []PortMapping) error {
	if int(direction) >= len(directions) {
		return invalid(ReasonInvalid, "direction", "expected %s", strings.Join(directions, ", "))
	}
	return checkPortMappings(mappings)
}
