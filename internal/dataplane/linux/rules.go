package linux

import (
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/buoynet/buoy/internal/dataplane"
)

// rule is the expressions of one rule, written as nft would: from left to right.
type rule []expr.Any

// The registers: 4 bytes each, so that a concatenation is in those that follow another.
const (
	r0      = unix.NFT_REG32_00
	r1      = unix.NFT_REG32_01
	scratch = unix.NFT_REG32_10 // for what nobody reads
)

func native(v uint32) []byte { return binaryutil.NativeEndian.PutUint32(v) }

func words(bytes int) uint32 { return uint32(bytes+3) / 4 }

func (r rule) equal(data []byte) rule {
	return append(r, &expr.Cmp{Op: expr.CmpOpEq, Register: r0, Data: data})
}

func (r rule) unequal(data []byte) rule {
	return append(r, &expr.Cmp{Op: expr.CmpOpNeq, Register: r0, Data: data})
}

func (r rule) masked(mask uint32) rule {
	return append(r, &expr.Bitwise{SourceRegister: r0, DestRegister: r0, Len: 4, Mask: native(mask), Xor: native(0)})
}

func (r rule) meta(key expr.MetaKey, register uint32) rule {
	return append(r, &expr.Meta{Key: key, Register: register})
}

func (r rule) ct(key expr.CtKey) rule { return append(r, &expr.Ct{Key: key, Register: r0}) }

// family goes on with packets of one family.
func (r rule) family(v4 bool) rule {
	family := byte(unix.NFPROTO_IPV6)
	if v4 {
		family = unix.NFPROTO_IPV4
	}
	return r.meta(expr.MetaKeyNFPROTO, r0).equal([]byte{family})
}

// name is an interface's as it is compared: with all of the register.
func name(device string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, device)
	return b
}

func (r rule) in(device string) rule { return r.meta(expr.MetaKeyIIFNAME, r0).equal(name(device)) }

// tunnel goes on with what leaves through a tunnel, or does not.
func (r rule) tunnel(yes bool) rule {
	r = r.meta(expr.MetaKeyOIFNAME, r0)
	if yes {
		return r.equal([]byte(dataplane.Prefix))
	}
	return r.unequal([]byte(dataplane.Prefix))
}

// state goes on with packets of connections in one of these states.
func (r rule) state(bits uint32) rule {
	return r.ct(expr.CtKeySTATE).masked(bits).unequal(native(0))
}

// answers goes on with packets to whoever has opened the connection.
func (r rule) answers() rule { return r.ct(expr.CtKeyDIRECTION).equal([]byte{1}) }

// ours goes on with packets that have a mark of ours.
func (r rule) ours() rule {
	return r.meta(expr.MetaKeyMARK, r0).masked(dataplane.TagMask).equal(native(dataplane.Tag))
}

func (r rule) setMark(register uint32) rule {
	return append(r, &expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: register})
}

func (r rule) setCt(key expr.CtKey, register uint32) rule {
	return append(r, &expr.Ct{Key: key, SourceRegister: true, Register: register})
}

func (r rule) noMark() rule {
	return append(r, &expr.Immediate{Register: r0, Data: native(0)}).setMark(r0)
}

// address loads the source or the destination.
func (r rule) address(v4, source bool, register uint32) rule {
	p := &expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: 24, Len: 16}
	if v4 {
		p.Offset, p.Len = 16, 4
	}
	if source {
		p.Offset -= p.Len
	}
	return append(r, p)
}

// lookup goes on if a map has what begins in r0.
func (r rule) lookup(m dataplane.Map, v4 bool, to uint32) rule {
	return append(r, &expr.Lookup{SourceRegister: r0, DestRegister: to, IsDestRegSet: true, SetName: mapName(m, v4)})
}

// marked looks the mark and an address up.
func (r rule) marked(m dataplane.Map, v4, source bool, to uint32) rule {
	return r.family(v4).meta(expr.MetaKeyMARK, r0).address(v4, source, r1).lookup(m, v4, to)
}

// port looks the mark, the destination, the protocol and the port up.
func (r rule) port(v4 bool, to uint32) rule {
	address := words(4)
	if !v4 {
		address = words(16)
	}
	r = r.family(v4).meta(expr.MetaKeyMARK, r0).address(v4, false, r1).meta(expr.MetaKeyL4PROTO, r1+address)
	r = append(r, &expr.Payload{DestRegister: r1 + address + 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2})
	return r.lookup(dataplane.InPort, v4, to)
}

func (r rule) verdict(kind expr.VerdictKind) rule { return append(r, &expr.Verdict{Kind: kind}) }

func (r rule) jump(chain string) rule {
	return append(r, &expr.Verdict{Kind: expr.VerdictJump, Chain: chain})
}

// nat translates to the address in r0, and to a port behind it.
func (r rule) nat(kind expr.NATType, v4, port bool) rule {
	n := &expr.NAT{Type: kind, Family: unix.NFPROTO_IPV6, RegAddrMin: r0}
	address := words(16)
	if v4 {
		n.Family, address = unix.NFPROTO_IPV4, words(4)
	}
	if port {
		n.RegProtoMin = r0 + address
	}
	return append(r, n)
}

// clamp lowers the segment size that a TCP SYN offers. The kernel never raises it.
func (r rule) clamp(v4 bool, mss uint16) rule {
	const syn, flags = 2, 13
	r = r.family(v4).meta(expr.MetaKeyL4PROTO, r0).equal([]byte{unix.IPPROTO_TCP})
	r = append(r, &expr.Payload{DestRegister: r0, Base: expr.PayloadBaseTransportHeader, Offset: flags, Len: 1},
		&expr.Bitwise{SourceRegister: r0, DestRegister: r0, Len: 1, Mask: []byte{syn}, Xor: []byte{0}}).equal([]byte{syn})
	return append(r, &expr.Immediate{Register: r0, Data: binaryutil.BigEndian.PutUint16(mss)},
		&expr.Exthdr{Op: expr.ExthdrOpTcpopt, Type: unix.TCPOPT_MAXSEG, Offset: 2, Len: 2, SourceRegister: r0})
}
