package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
)

// poison are bodies of UPDATEs that GoBGP's decoder panics on.
var poison = map[string]string{
	"VPNv4 NLRI with length and label only":       "000000264001010040020040050400000064800e150001800c00000000000000000a0000010078000641",
	"VPNv4 withdrawal with length and label only": "0000000a800f0700018078800000",
	"MP_REACH_NLRI of three octets":               "000000144001010040020040050400000064800e03000180",
	"EVPN NLRI that is cut off":                   "00000009800f06001946020100",
	"SR policy NLRI that is cut off":              "0000000d800f0a00014960000000010000",
	"MUP NLRI that is cut off":                    "00000012800f0f000155010003080000000000000000",
	"flow specification NLRI that is cut off":     "0000000a800f0700018503049100",
}

// update returns an UPDATE of attributes, each with its flags, type and value.
func update(attributes ...[]byte) []byte {
	var attrs []byte
	for _, a := range attributes {
		attrs = append(append(attrs, a[0], a[1], byte(len(a)-2)), a[2:]...)
	}
	body := append([]byte{0, 0, byte(len(attrs) >> 8), byte(len(attrs))}, attrs...)
	return message(typeUpdate, body...)
}

var (
	origin    = []byte{0x40, 1, 2}
	asPath    = []byte{0x40, 2}
	localPref = []byte{0x40, 5, 0, 0, 0, 100}
	reach     = []byte{0x80, 14, 0, 1, 128, 12, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 11, 0,
		120, 0, 6, 0x41, 0, 1, 10, 0, 0, 11, 0, 1, 203, 0, 113, 5}
)

// TestJudge goes through RFC 7606.
func TestJudge(t *testing.T) {
	vpnv4 := neighbor.NewFamilies(neighbor.InetVPN)
	for _, tt := range []struct {
		name string
		msg  []byte
		want string // "", discard, withdraw, strange, reset
	}{
		{"a route", update(reach, origin, asPath, localPref), ""},
		{"End-of-RIB", update([]byte{0x80, 15, 0, 1, 128}), ""},
		{"End-of-RIB of IPv4 unicast", update(), ""},
		{"an unknown attribute", update(reach, origin, asPath, localPref, []byte{0xc0, 99, 0}), ""},
		{"§3(g) ORIGIN twice", update(reach, origin, origin, asPath, localPref), "discard"},
		{"§7.6 ATOMIC_AGGREGATE with a value", update(reach, origin, asPath, localPref, []byte{0x40, 6, 1}), "discard"},
		{"§7.7 AGGREGATOR too short", update(reach, origin, asPath, localPref, []byte{0xc0, 7, 1}), "discard"},
		{"§3(c) ORIGIN that is optional", update(reach, []byte{0x80, 1, 2}, asPath, localPref), "withdraw"},
		{"§3(d) no AS_PATH", update(reach, origin, localPref), "withdraw"},
		{"§7.1 ORIGIN 9", update(reach, []byte{0x40, 1, 9}, asPath, localPref), "withdraw"},
		{"§7.1 ORIGIN of two octets", update(reach, []byte{0x40, 1, 0, 0}, asPath, localPref), "withdraw"},
		{"§7.2 AS_PATH cut off", update(reach, origin, []byte{0x40, 2, 2, 5, 0, 0}, localPref), "withdraw"},
		{"§7.5 LOCAL_PREF of three octets", update(reach, origin, asPath, []byte{0x40, 5, 0, 0, 1}), "withdraw"},
		{"§7.14 extended communities of seven octets", update(reach, origin, asPath, localPref, []byte{0xc0, 16, 0, 2, 0, 0, 0, 0, 1}), "withdraw"},
		{"§3(g) MP_REACH_NLRI twice", update(reach, reach, origin, asPath, localPref), "reset"},
		{"§5.3 an NLRI that is cut off", update(reach[:len(reach)-2], origin, asPath, localPref), "reset"},
		{"§4 attributes longer than the message", message(typeUpdate, 0, 0, 0, 9, 0x40), "reset"},
		{"§3 withdrawn routes longer than the message", message(typeUpdate, 0, 9, 0, 0), "reset"},
		{"IPv4 unicast", message(typeUpdate, 0, 4, 24, 203, 0, 113, 0, 0), "strange"},
		{"VPNv6, which was not negotiated", update([]byte{0x80, 15, 0, 2, 128}), "strange"},
	} {
		v, r := judge(tt.msg, vpnv4, false)
		got := ""
		switch {
		case r != nil && r.code == codeUpdate:
			got = "reset"
		case v.withdraw:
			got = "withdraw"
		case strings.HasSuffix(v.problem, "not negotiated"):
			got = "strange"
		case v.problem != "":
			got = "discard"
		}
		if got != tt.want {
			t.Errorf("%s: got %q (%+v, %v), want %q", tt.name, got, v, r, tt.want)
		}
	}
	for name, body := range poison {
		raw, _ := hex.DecodeString(body)
		if _, r := judge(message(typeUpdate, raw...), neighbor.AllFamilies, false); r == nil || r.code != codeUpdate {
			t.Errorf("%s: got %v, want an UPDATE Message Error", name, r)
		}
	}
}

// vpn returns an MP_REACH_NLRI of one route, with a next hop and what follows
// the length of its NLRI.
func vpn(afi byte, hop []byte, bits byte, nlri ...byte) []byte {
	value := append([]byte{0x80, 14, 0, afi, 128, byte(len(hop))}, hop...)
	return append(append(value, 0, bits), nlri...)
}

// labeled is a label with the bottom of stack and an RD, with the octets of a
// prefix.
func labeled(label byte, prefix ...byte) []byte {
	return append([]byte{0, label >> 4, label<<4 | 1, 0, 1, 10, 0, 0, 11, 0, 1}, prefix...)
}

// membership returns an MP_REACH_NLRI, or MP_UNREACH_NLRI, of one NLRI of so many
// bits, and a whole one behind it.
func membership(typ, bits byte) []byte {
	value := []byte{0x80, typ, 0, 1, 132}
	if typ == 14 {
		value = append(value, 4, 10, 0, 0, 1, 0)
	}
	value = append(append(value, bits), make([]byte, (int(bits)+7)/8)...)
	return append(value, 96, 0, 0, 0xfc, 0, 0, 2, 0xfc, 0, 0, 0, 0x27, 0x13)
}

// TestJudgeNLRI: what is no route resets the session (RFC 7606 §5.3), and what is
// only a strange one does not.
func TestJudgeNLRI(t *testing.T) {
	hop := []byte{0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 11}
	hop6 := append(make([]byte, 8), netip.MustParseAddr("2001:db8::1").AsSlice()...)
	both := append(slices.Clone(hop6), append(make([]byte, 8), netip.MustParseAddr("fe80::1").AsSlice()...)...)
	for _, tt := range []struct {
		name  string
		attr  []byte
		reset bool
	}{
		{"a default route", vpn(1, hop, 88, labeled(100)...), false},
		{"explicit null", vpn(1, hop, 120, labeled(0, 203, 0, 113, 5)...), false},
		{"implicit null", vpn(1, hop, 120, labeled(3, 203, 0, 113, 5)...), false},
		{"host bits", vpn(1, hop, 112, labeled(100, 203, 0, 113)...), false},
		{"host bits within an octet", vpn(1, hop, 88+20, labeled(100, 203, 0, 255)...), false},
		{"longer than IPv4", vpn(1, hop, 88+33, labeled(100, 203, 0, 113, 5, 0)...), true},
		{"as long as IPv6, in IPv4", vpn(1, hop, 88+128, labeled(100, make([]byte, 16)...)...), true},
		{"IPv6", vpn(2, hop6, 88+128, labeled(100, make([]byte, 16)...)...), false},
		{"longer than IPv6", vpn(2, hop6, 88+129, labeled(100, make([]byte, 17)...)...), true},
		{"no room for an RD", vpn(1, hop, 24, 0, 6, 0x41), true},
		{"IPv4 by IPv6 (RFC 8950)", vpn(1, hop6, 120, labeled(100, 203, 0, 113, 5)...), false},
		{"a link-local next hop, too", vpn(2, both, 88, labeled(100)...), false},
		{"a next hop of five octets", vpn(1, hop[:5], 120, labeled(100, 203, 0, 113, 5)...), true},
		{"the default membership", membership(14, 0), false},
		{"which goes", membership(15, 0), false},
		{"a membership without a whole AS", membership(14, 31), true},
		{"of an AS", membership(14, 32), false},
		{"an odd one", membership(14, 33), false},
		{"which goes", membership(15, 33), false},
		{"almost a whole one", membership(14, 95), false},
		{"one bit too many", membership(14, 97), true},
		{"which goes", membership(15, 97), true},
		{"far too many", membership(14, 255), true},
	} {
		msg := update(tt.attr)
		if tt.attr[1] == 14 {
			msg = update(tt.attr, origin, asPath, localPref)
		}
		v, r := judge(msg, neighbor.AllFamilies, false)
		if v.problem != "" || (r != nil) != tt.reset {
			t.Errorf("%s: got %+v, %v", tt.name, v, r)
		}
	}
}

// TestMalformed: the session goes on, and what was malformed is kept.
func TestMalformed(t *testing.T) {
	w := newWorld(t, nil)
	router, _ := established(t, w)
	bad := update(reach, origin, localPref)
	router.send(bad...)
	router.send(update(reach, origin, asPath, localPref)...)
	s := w.wait("both UPDATEs", func(s neighbor.Status) bool { return s.Received.Updates == 2 })
	if s.State != neighbor.Established || s.Received.Malformed != 1 || s.Received.Refused != 0 {
		t.Errorf("%s, counters %+v", s.State, s.Received)
	}
	if kept := s.BadMessages; len(kept) != 1 || !bytes.Equal(kept[0].Bytes, bad) ||
		kept[0].Reason != "an UPDATE: treated as a withdrawal: well-known mandatory attributes are not present. type : 2" {
		t.Errorf("kept %+v", kept)
	}
}

// TestPoison: what GoBGP's decoder panics on ends the session and nothing else.
func TestPoison(t *testing.T) {
	for name, body := range poison {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			router, session := established(t, w)
			raw, _ := hex.DecodeString(body)
			router.send(message(typeUpdate, raw...)...)
			router.expectNotification(3, 0)
			session.expectClosed()
			w.wait("the message to be counted", func(s neighbor.Status) bool {
				return s.Received.Refused == 1 && s.Cause == neighbor.CauseMalformed
			})
		})
	}
}

func FuzzJudge(f *testing.F) {
	for _, body := range poison {
		raw, _ := hex.DecodeString(body)
		f.Add(raw)
	}
	f.Add(update(reach, origin, asPath, localPref)[headerLength:])
	f.Fuzz(func(t *testing.T, body []byte) {
		msg := message(typeUpdate, body...)
		r := newMessageReader(bytes.NewReader(msg))
		if whole, err := r.next(); err == nil && len(whole) == len(msg) {
			judge(whole, neighbor.AllFamilies, len(body)%2 == 0) // must not panic
		}
	})
}
