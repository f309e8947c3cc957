package dataplane

import (
	"maps"
	"net/netip"
	"slices"
)

// floatingIPs plans them, in order of their names.
func (b *builder) floatingIPs(list []FloatingIP) {
	list = slices.DeleteFunc(list, func(f FloatingIP) bool { return !b.accept(f) })
	zones := b.zones(list)
	for _, f := range list {
		mark := MarkOf(f.Label, b.number(f.Label, f.Network))
		b.ways(f, mark)
		b.translations(f, mark)
		b.zone(zones, f, mark)
	}
}

// accept tells whether a floating IP can be planned.
func (b *builder) accept(f FloatingIP) bool {
	if err := f.Check(); err != nil {
		b.problem("%w", err)
		return false
	}
	if owner, taken := b.owners[f.Label]; taken && owner != f.Interface {
		b.problem("%s: label %d is that of %s already", f.Name, f.Label, owner)
		return false
	}
	b.owners[f.Label] = f.Interface
	if !b.links[f.Interface] {
		b.problem("%s: interface %s is not there, or not up", f.Name, f.Interface)
	}
	return true
}

// ways plans how packets come to the workload, and to the tables of its network.
func (b *builder) ways(f FloatingIP, mark Mark) {
	v4 := f.Address.Is4()
	b.plan.add(Label(f.Label))
	table := uint32(labelTables | f.Label)
	if b.links[f.Interface] {
		b.plan.add(FixedRoute{Table: table, Address: f.FixedIP, Interface: f.Interface})
	}
	b.plan.add(Rule{V4: v4, Priority: labelPriority, Mark: uint32(mark) & labelMask, Mask: labelMask, Table: table})
	b.plan.add(Rule{V4: v4, Priority: networkPriority, Mark: uint32(mark), Mask: ^uint32(0), Table: b.table(f.Network)})
}

// translations plans what its packets become.
func (b *builder) translations(f FloatingIP, mark Mark) {
	b.plan.add(Element{Map: Floating, Mark: MarkOf(f.Label, 0), Address: f.Address, ToMark: mark})
	switch {
	case f.Direction == Egress:
	case len(f.Ports) == 0:
		b.plan.add(Element{Map: In, Mark: mark, Address: f.Address, ToAddress: f.FixedIP})
	default:
		for _, m := range f.Ports {
			b.plan.add(Element{Map: InPort, Mark: mark, Address: f.Address, Protocol: m.Protocol.Number(), Port: m.Port,
				ToAddress: f.FixedIP, ToPort: m.FixedPort})
		}
	}
	// The first that allows it is what the workload is outside.
	from := Element{Map: From, Interface: f.Interface, Address: f.FixedIP, ToMark: mark}
	first, _ := b.plan[from.Key()].(Element)
	_, opens := b.plan[Element{Map: Out, Mark: first.ToMark, Address: f.FixedIP}.Key()]
	switch {
	case f.Direction != Ingress && !opens:
		b.plan.add(from)
		b.plan.add(Element{Map: Out, Mark: mark, Address: f.FixedIP, ToAddress: f.Address})
	case first.Map == "":
		b.plan.add(from)
	}
}

// ZoneKey is what has a conntrack zone.
type ZoneKey struct {
	Label   uint32
	FixedIP netip.Addr
}

// zones returns the zones of fixed IPs, where they are not in the default one: one of
// several workloads with the same address is, as long as that is all the same.
func (b *builder) zones(list []FloatingIP) map[ZoneKey]uint16 {
	workloads := map[netip.Addr][]uint32{}
	for _, f := range list {
		if !slices.Contains(workloads[f.FixedIP], f.Label) {
			workloads[f.FixedIP] = append(workloads[f.FixedIP], f.Label)
		}
	}
	zones := map[ZoneKey]uint16{}
	for addr, labels := range workloads {
		slices.Sort(labels)
		taken := map[uint16]bool{}
		for _, label := range labels { // those that have one keep it
			if zone, ok := b.found[ZoneKey{label, addr}]; ok && !taken[zone] {
				zones[ZoneKey{label, addr}], taken[zone] = zone, true
			}
		}
		for _, label := range labels {
			key := ZoneKey{label, addr}
			if _, has := zones[key]; has {
				continue
			}
			var zone uint16
			if taken[0] {
				for zone = uint16(label); zone == 0 || taken[zone]; zone++ {
				}
			}
			zones[key], taken[zone] = zone, true
		}
	}
	maps.DeleteFunc(zones, func(_ ZoneKey, zone uint16) bool { return zone == 0 })
	return zones
}

func (b *builder) zone(zones map[ZoneKey]uint16, f FloatingIP, mark Mark) {
	zone, ok := zones[ZoneKey{f.Label, f.FixedIP}]
	if !ok {
		return
	}
	b.plan.add(Element{Map: Zone, Mark: mark, Address: f.Address, ToZone: zone})
	b.plan.add(Element{Map: Zone, Mark: mark, Address: f.FixedIP, ToZone: zone})
}

// Zones returns the zones that are found, of all fixed IPs that are.
func (p Plan) Zones() map[ZoneKey]uint16 {
	zones := map[ZoneKey]uint16{}
	for _, i := range p {
		if e, ok := i.(Element); ok && e.Map == From {
			label := e.ToMark.Label()
			zone, _ := p[Element{Map: Zone, Mark: e.ToMark, Address: e.Address}.Key()].(Element)
			zones[ZoneKey{label, e.Address}] = zone.ToZone
		}
	}
	return zones
}

// table returns the routing table of a network.
func (b *builder) table(network string) uint32 {
	if t, ok := b.tables[network]; ok {
		return t
	}
	t := networkTables | free(network, 1<<24, func(n uint32) bool {
		return slices.Contains(slices.Collect(maps.Values(b.tables)), networkTables|n)
	})
	b.tables[network] = t
	return t
}

// number returns a network's number in the marks of a label, 1..255.
func (b *builder) number(label uint32, network string) uint8 {
	numbers := b.numbers[label]
	if numbers == nil {
		numbers = map[string]uint8{}
		b.numbers[label] = numbers
	}
	if n, ok := numbers[network]; ok {
		return n
	}
	if len(numbers) == 255 {
		b.problem("%s: label %d has floating IPs of 255 other networks already", network, label)
		return 255
	}
	n := 1 + free(network, 255, func(n uint8) bool {
		return slices.Contains(slices.Collect(maps.Values(numbers)), n+1)
	})
	numbers[network] = n
	return n
}
