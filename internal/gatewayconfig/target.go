package gatewayconfig

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/buoynet/buoy/routetarget"
)

// Each router writes route targets in its own way. What a router cannot write is
// reported as false: a 4-octet AS below 65536, which is another target than the
// same numbers with a 2-octet AS.

// bare is 64512:10003.
func bare(t routetarget.Target) (string, bool) {
	text := strings.TrimPrefix(t.String(), "target:")
	return text, !longForm(text)
}

// prefixed is target:64512:10003.
func prefixed(t routetarget.Target) (string, bool) {
	text := t.String()
	return text, !longForm(text)
}

// junosTarget marks every 4-octet AS with an L.
func junosTarget(t routetarget.Target) (string, bool) {
	text := t.String()
	if b := t.Bytes(); b[0] == typeAS4 && !longForm(text) {
		i := strings.LastIndexByte(text, ':')
		text = text[:i] + "L" + text[i:]
	}
	return text, true
}

// gobgpTarget writes every 4-octet AS as two numbers with a dot: GoBGP takes one
// without for a 2-octet AS, and of 4200000001 makes 65535.
func gobgpTarget(t routetarget.Target) (string, bool) {
	b := t.Bytes()
	if b[0] != typeAS4 {
		return bare(t)
	}
	return fmt.Sprintf("%d.%d:%d", binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])), true
}

// birdTarget is (rt, 64512, 10003). BIRD chooses the form by the size of the AS,
// so one that it would not choose is written as two numbers.
func birdTarget(t routetarget.Target) (string, bool) {
	text, ok := bare(t)
	if !ok {
		b := t.Bytes()
		return fmt.Sprintf("(generic, 0x%x, 0x%x)", binary.BigEndian.Uint32(b[:4]), binary.BigEndian.Uint32(b[4:])), true
	}
	i := strings.LastIndexByte(text, ':')
	return fmt.Sprintf("(rt, %s, %s)", text[:i], text[i+1:]), true
}

// typeAS4 is the first byte of a target with a 4-octet AS (RFC 5668).
const typeAS4 = 2

// longForm tells whether a text marks its AS as one of four octets.
func longForm(text string) bool { return strings.Contains(text, "L:") }
