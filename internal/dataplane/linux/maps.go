package linux

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/dataplane"
)

func mapName(m dataplane.Map, v4 bool) string {
	if v4 {
		return string(m) + "4"
	}
	return string(m) + "6"
}

// setOf returns what the kernel knows of a map: the sizes. The types are for nft list.
func setOf(m dataplane.Map, v4 bool) *nftables.Set {
	address := nftables.TypeIP6Addr
	if v4 {
		address = nftables.TypeIPAddr
	}
	key, data := []nftables.SetDatatype{nftables.TypeMark, address}, []nftables.SetDatatype{address}
	switch m {
	case dataplane.From:
		key, data = []nftables.SetDatatype{nftables.TypeIFName, address}, []nftables.SetDatatype{nftables.TypeMark}
	case dataplane.Floating:
		data = []nftables.SetDatatype{nftables.TypeMark}
	case dataplane.InPort:
		key, data = append(key, nftables.TypeInetProto, nftables.TypeInetService), append(data, nftables.TypeInetService)
	case dataplane.Zone:
		data = []nftables.SetDatatype{nftables.TypeInetService} // two bytes
	}
	s := &nftables.Set{Table: inetTable(), Name: mapName(m, v4), IsMap: true, Concatenation: true,
		KeyType: nftables.MustConcatSetType(key...), DataType: data[0]}
	if len(data) > 1 {
		s.DataType = nftables.MustConcatSetType(data...)
	}
	return s
}

// field appends a part of a concatenation: each begins at a register.
func field(b, value []byte) []byte {
	b = append(b, value...)
	return append(b, make([]byte, int(4*words(len(value)))-len(value))...)
}

func port(p uint16) []byte { return binaryutil.BigEndian.PutUint16(p) }

// encode returns an element as the kernel has it.
func encode(e dataplane.Element) nftables.SetElement {
	var key []byte
	if e.Map == dataplane.From {
		key = field(key, name(e.Interface))
	} else {
		key = field(key, native(uint32(e.Mark)))
	}
	key = field(key, e.Address.AsSlice())
	value := e.ToAddress.AsSlice()
	switch e.Map {
	case dataplane.From, dataplane.Floating:
		value = native(uint32(e.ToMark))
	case dataplane.InPort:
		key = field(field(key, []byte{e.Protocol}), port(e.Port))
		value = field(value, port(e.ToPort))
	case dataplane.Zone:
		value = binaryutil.NativeEndian.PutUint16(e.ToZone)
	}
	return nftables.SetElement{Key: key, Val: value}
}

// reader takes a concatenation apart.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(size int) []byte {
	all := int(4 * words(size))
	if len(r.rest) < size {
		r.short = true
		return make([]byte, size)
	}
	value := r.rest[:size]
	r.rest = r.rest[min(all, len(r.rest)):]
	return value
}

func (r *reader) mark() dataplane.Mark {
	return dataplane.Mark(binaryutil.NativeEndian.Uint32(r.take(4)))
}

func (r *reader) port() uint16 { return binaryutil.BigEndian.Uint16(r.take(2)) }

func (r *reader) address(v4 bool) netip.Addr {
	size := 16
	if v4 {
		size = 4
	}
	a, _ := netip.AddrFromSlice(r.take(size))
	return a
}

// decode is the reverse of encode. It is an error if the kernel has something shorter.
func decode(m dataplane.Map, v4 bool, element nftables.SetElement) (dataplane.Element, error) {
	e := dataplane.Element{Map: m}
	key, value := &reader{rest: element.Key}, &reader{rest: element.Val}
	if m == dataplane.From {
		e.Interface = string(bytes.TrimRight(key.take(unix.IFNAMSIZ), "\x00"))
	} else {
		e.Mark = key.mark()
	}
	e.Address = key.address(v4)
	switch m {
	case dataplane.From, dataplane.Floating:
		e.ToMark = value.mark()
	case dataplane.InPort:
		e.Protocol, e.Port = key.take(1)[0], key.port()
		e.ToAddress, e.ToPort = value.address(v4), value.port()
	case dataplane.Zone:
		e.ToZone = binaryutil.NativeEndian.Uint16(value.take(2))
	default:
		e.ToAddress = value.address(v4)
	}
	if key.short || value.short {
		return e, fmt.Errorf("nftables map %s: an element of %d and %d bytes", mapName(m, v4), len(element.Key), len(element.Val))
	}
	return e, nil
}

// readElements adds those of all maps.
func (k *Kernel) readElements(p dataplane.Plan) error {
	sets, err := k.nft.GetSets(inetTable())
	if err != nil {
		return fmt.Errorf("list nftables maps: %w", err)
	}
	for _, m := range dataplane.Maps {
		for _, v4 := range []bool{true, false} {
			s := setOf(m, v4)
			if !slices.ContainsFunc(sets, func(other *nftables.Set) bool { return other.Name == s.Name }) {
				continue
			}
			list, err := k.nft.GetSetElements(s)
			if err != nil {
				return fmt.Errorf("elements of nftables map %s: %w", s.Name, err)
			}
			for _, element := range list {
				e, err := decode(m, v4, element)
				if err != nil {
					return err
				}
				p[e.Key()] = e
			}
		}
	}
	return nil
}

// maxElements is how many go in one transaction: they have to fit into a socket's buffer.
const maxElements = 250

// setElements carries out steps that are all about elements. What takes the place of
// another does so in one transaction.
func (k *Kernel) setElements(steps []dataplane.Step) error {
	for some := range slices.Chunk(steps, maxElements) {
		for _, s := range some {
			for _, part := range []struct {
				item dataplane.Item
				do   func(*nftables.Set, []nftables.SetElement) error
			}{{s.Old, k.nft.SetDeleteElements}, {s.New, k.nft.SetAddElements}} {
				e, ok := part.item.(dataplane.Element)
				if !ok {
					continue
				}
				element := encode(e)
				if part.item == s.Old {
					element.Val = nil // the key says which
				}
				if err := part.do(setOf(e.Map, e.V4()), []nftables.SetElement{element}); err != nil {
					return fmt.Errorf("%s: %w", e, err)
				}
			}
		}
		if err := k.nft.Flush(); err != nil {
			return fmt.Errorf("nftables elements, %s and %d others: %w", some[0], len(some)-1, err)
		}
	}
	return nil
}
