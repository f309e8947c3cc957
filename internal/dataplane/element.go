package dataplane

import (
	"fmt"
	"net/netip"
)

// Map is one of the maps of the nftables table. Each exists for both families.
type Map string

// The maps.
const (
	From     Map = "from"     // interface, fixed IP → mark: a workload's packets
	Floating Map = "floating" // mark with the label alone, floating IP → mark: packets from gateways
	In       Map = "in"       // mark, floating IP → fixed IP
	InPort   Map = "inport"   // mark, floating IP, protocol, port → fixed IP, port
	Out      Map = "out"      // mark, fixed IP → floating IP
	Zone     Map = "zone"     // mark, address → conntrack zone, where fixed IPs overlap
)

// Maps are all of them.
var Maps = []Map{From, Floating, In, InPort, Out, Zone}

// Element is one of a map. Which fields count depends on the map.
type Element struct {
	Map Map
	// The key.
	Interface string
	Mark      Mark
	Address   netip.Addr
	Protocol  uint8
	Port      uint16
	// What it says.
	ToMark    Mark
	ToAddress netip.Addr
	ToPort    uint16
	ToZone    uint16
}

// V4 tells the family.
func (e Element) V4() bool { return e.Address.Is4() }

// Key is the map and the key in it.
func (e Element) Key() string {
	text := fmt.Sprintf("map %s%d ", e.Map, version(e.V4()))
	if e.Map == From {
		return text + fmt.Sprintf("%s . %v", e.Interface, e.Address)
	}
	text += fmt.Sprintf("%v . %v", e.Mark, e.Address)
	if e.Map == InPort {
		text += fmt.Sprintf(" . %s . %d", protocolName(e.Protocol), e.Port)
	}
	return text
}

func (e Element) String() string {
	text := e.Key() + " : "
	switch e.Map {
	case From, Floating:
		return text + e.ToMark.String()
	case Zone:
		return text + fmt.Sprint(e.ToZone)
	case InPort:
		return text + fmt.Sprintf("%v . %d", e.ToAddress, e.ToPort)
	default:
		return text + e.ToAddress.String()
	}
}

func (Element) phase() phase { return elements }

func protocolName(number uint8) string {
	for name, n := range protocols {
		if n == number {
			return string(name)
		}
	}
	return fmt.Sprint(number)
}

func version(v4 bool) int {
	if v4 {
		return 4
	}
	return 6
}

// Mark says whose a packet is; see the package.
type Mark uint32

// Tag is in each mark of ours, in the bits of TagMask.
const (
	Tag     = 0xb
	TagMask = 0xf
	// NetworkMask are the bits that say the network.
	NetworkMask = 0xff0
	labelShift  = 12
	labelMask   = 0xfffff000 | TagMask
)

// MarkOf returns the mark of a label and a network's number, 1..255; 0 for any network.
func MarkOf(label uint32, network uint8) Mark {
	return Mark(label<<labelShift | uint32(network)<<4 | Tag)
}

// Label returns the label of a mark.
func (m Mark) Label() uint32 { return uint32(m) >> labelShift }

func (m Mark) String() string { return fmt.Sprintf("%#x", uint32(m)) }
