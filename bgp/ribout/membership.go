package ribout

import "github.com/buoynet/buoy/internal/neighbor"

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

// prefix returns which targets an NLRI stands for, whoever originates them.
func (m membership) prefix() prefix {
	return prefixOf([8]byte(m.b[4:]), max(int(m.bits)-originBits, 0))
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
