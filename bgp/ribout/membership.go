package ribout

import (
	"encoding/binary"
	"maps"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
)

// interest is a neighbor's route target membership (RFC 4684).
type interest struct {
	nlris    map[membership]struct{}
	stale    map[membership]struct{} // of nlris: not announced since the neighbor's refresh began
	prefixes map[prefix]int          // of targets: how many NLRIs have it, whatever their origin
	lengths  [targetBits + 1]int     // how many prefixes have this length
}

// prefix is the first bits of a target. Those behind are zero.
type prefix struct {
	bits uint8
	b    [8]byte
}

// membership is an NLRI: a prefix of origin AS and target (RFC 4684 §4). The
// bits behind the prefix are zero.
type membership struct {
	bits uint8 // 0, the default: every target; or 32..96
	b    [12]byte
}

const (
	originBits = 32
	wholeBits  = 96
	targetBits = wholeBits - originBits
)

// in reports whether the neighbor wants a route with these targets.
func (i *interest) in(targets routetarget.Set) bool {
	for bits, n := range i.lengths {
		if n == 0 {
			continue
		}
		for t := range targets.All() {
			if i.prefixes[prefixOf(t.Bytes(), bits)] > 0 {
				return true
			}
		}
	}
	return false
}

func prefixOf(b [8]byte, bits int) prefix {
	n := binary.BigEndian.Uint64(b[:]) &^ (1<<(targetBits-bits) - 1)
	binary.BigEndian.PutUint64(b[:], n)
	return prefix{uint8(bits), b}
}

// prefix returns which targets an NLRI stands for, whoever originates them.
func (m membership) prefix() prefix {
	return prefixOf([8]byte(m.b[4:]), max(int(m.bits)-originBits, 0))
}

// add notes an NLRI, and reports whether it is new.
func (i *interest) add(m membership) bool {
	delete(i.stale, m)
	if _, ok := i.nlris[m]; ok {
		return false
	}
	if i.nlris == nil {
		i.nlris, i.prefixes = map[membership]struct{}{}, map[prefix]int{}
	}
	i.nlris[m] = struct{}{}
	p := m.prefix()
	if i.prefixes[p]++; i.prefixes[p] == 1 {
		i.lengths[p.bits]++
	}
	return true
}

// remove forgets an NLRI, and reports whether it was there.
func (i *interest) remove(m membership) bool {
	if _, ok := i.nlris[m]; !ok {
		return false
	}
	delete(i.nlris, m)
	delete(i.stale, m)
	p := m.prefix()
	if i.prefixes[p]--; i.prefixes[p] == 0 {
		delete(i.prefixes, p)
		i.lengths[p.bits]--
	}
	return true
}

// age makes all NLRIs stale.
func (i *interest) age() { i.stale = maps.Clone(i.nlris) }

// dropStale forgets what is stale, and reports whether there was something.
func (i *interest) dropStale() bool {
	dropped := len(i.stale) > 0
	for m := range i.stale {
		i.remove(m)
	}
	i.stale = nil
	return dropped
}

// membershipUpdate is what an UPDATE says about route target membership.
type membershipUpdate struct {
	announced, withdrawn []membership
	nothing              bool // is withdrawn: an empty MP_UNREACH_NLRI
	end                  bool // End-of-RIB
}

// readMembership reads the body of an UPDATE. What is cut off or malformed is
// left out: to refuse it is for who reads the rest.
func readMembership(body []byte) (u membershipUpdate) {
	withdrawn, attrs, nlri, ok := splitUpdate(body)
	if !ok {
		return u
	}
	count := 0
	for ; len(attrs) >= minAttribute; count++ {
		typ, value, rest, ok := nextAttribute(attrs)
		if !ok {
			return u
		}
		u.read(typ, value)
		attrs = rest
	}
	// RFC 4724 §2: nothing but an empty MP_UNREACH_NLRI.
	u.end = u.nothing && len(withdrawn)+len(nlri) == 0 && count == 1
	return u
}

func (u *membershipUpdate) read(typ byte, value []byte) {
	if f, ok := familyOf(typ, value); !ok || f != neighbor.RouteTarget {
		return
	}
	value = value[familySize:]
	if typ == attrUnreach {
		u.withdrawn = readNLRIs(value)
		u.nothing = len(value) == 0
		return
	}
	nextHop, ok := cut(&value, 1)
	if !ok || len(value) < nextHop+1 { // and a reserved octet
		return
	}
	u.announced = readNLRIs(value[nextHop+1:])
}

func readNLRIs(b []byte) (list []membership) {
	for len(b) > 0 {
		bits := int(b[0])
		n := (bits + 7) / 8
		if bits > wholeBits || bits > 0 && bits < originBits || len(b) < 1+n {
			return list
		}
		m := membership{bits: b[0]}
		copy(m.b[:], b[1:1+n])
		if rest := bits % 8; rest != 0 {
			m.b[n-1] &= 0xff << (8 - rest)
		}
		list = append(list, m)
		b = b[1+n:]
	}
	return list
}

// ReceivedUpdate reads the neighbor's membership from the body of an UPDATE,
// and lets go of the routes when it is complete.
func (o *Out) ReceivedUpdate(body []byte) {
	u := readMembership(body)
	if len(u.announced)+len(u.withdrawn) == 0 && !u.end {
		return
	}
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	changed := false
	for _, m := range u.withdrawn {
		changed = o.interest.remove(m) || changed
	}
	for _, m := range u.announced {
		changed = o.interest.add(m) || changed
	}
	if u.end {
		o.waiting = false
	}
	if changed { // the comparison finds exactly the difference
		o.round()
	}
	if o.pending() {
		o.signal()
	}
}

// EndMembership lets go of the routes although the neighbor has not said that
// its membership is complete.
func (o *Out) EndMembership() {
	o.table.mu.Lock()
	defer o.table.mu.Unlock()
	o.waiting = false
	if o.pending() {
		o.signal()
	}
}
