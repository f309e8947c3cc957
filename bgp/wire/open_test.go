package wire

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/neighbor"
)

// rawOpen returns an OPEN with the given bytes from the parameters' length on.
func rawOpen(version, hold byte, as uint16, id [4]byte, rest ...byte) []byte {
	body := []byte{version, byte(as >> 8), byte(as), 0, hold, id[0], id[1], id[2], id[3]}
	return message(typeOpen, append(body, rest...)...)
}

var (
	someID = [4]byte{10, 0, 0, 1}
	as4    = []byte{65, 4, 0, 1, 0x11, 0x70} // 70000
)

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestReadOpen(t *testing.T) {
	plain := neighbor.Open{AS: 64512, RouterID: netip.AddrFrom4(someID), HoldTime: 90 * time.Second}
	with := func(change func(*neighbor.Open)) neighbor.Open {
		o := plain
		change(&o)
		return o
	}
	for _, tt := range []struct {
		name string
		msg  []byte
		want neighbor.Open
	}{
		{"no capabilities", rawOpen(4, 90, 64512, someID, 0), plain},
		{"no hold time", rawOpen(4, 0, 64512, someID, 0), with(func(o *neighbor.Open) { o.HoldTime = 0 })},
		{"shortest hold time", rawOpen(4, 3, 64512, someID, 0), with(func(o *neighbor.Open) { o.HoldTime = 3 * time.Second })},
		{"four octet AS", rawOpen(4, 90, 23456, someID, join([]byte{8, 2, 6}, as4)...),
			with(func(o *neighbor.Open) { o.AS, o.Capabilities = 70000, []byte{65} })},
		{"two parameters", rawOpen(4, 90, 23456, someID, join([]byte{12, 2, 2, 2, 0, 2, 6}, as4)...),
			with(func(o *neighbor.Open) { o.AS, o.Capabilities = 70000, []byte{2, 65} })},
		{"extended length", rawOpen(4, 90, 23456, someID, join([]byte{255, 255, 0, 9, 2, 0, 6}, as4)...),
			with(func(o *neighbor.Open) { o.AS, o.Capabilities = 70000, []byte{65} })},
		{"an empty parameter", rawOpen(4, 90, 64512, someID, 2, 2, 0), plain},
		{"GoBGP's", openOf(4200000000, "10.0.0.1"), with(func(o *neighbor.Open) {
			o.AS = 4200000000
			o.Families = neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget)
			o.Others = []string{"25/70"}
			vpnv4 := neighbor.NewFamilies(neighbor.InetVPN)
			o.Restart = neighbor.Restart{Notification: true, Time: 2 * time.Minute, Families: vpnv4, Preserved: vpnv4}
			o.Capabilities = []byte{1, 1, 1, 2, 64, 73, 65}
		})},
	} {
		m, r := readOpen(tt.msg)
		if r != nil {
			t.Errorf("%s: %s", tt.name, r.reason)
			continue
		}
		if !reflect.DeepEqual(m.Open, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, m.Open, tt.want)
		}
		if _, err := bgp.ParseBGPMessage(m.forEngine()); err != nil {
			t.Errorf("%s: GoBGP refuses what it would get: %v", tt.name, err)
		}
	}
}

func TestReadOpenRefusals(t *testing.T) {
	for _, tt := range []struct {
		name    string
		msg     []byte
		subcode byte
		data    []byte
	}{
		{"version 3", rawOpen(3, 90, 64512, someID, 0), 1, []byte{0, 4}},
		{"version 5", rawOpen(5, 90, 64512, someID, 0), 1, []byte{0, 4}},
		{"identifier 0", rawOpen(4, 90, 64512, [4]byte{}, 0), 3, nil},
		{"hold time 1", rawOpen(4, 1, 64512, someID, 0), 6, nil},
		{"hold time 2", rawOpen(4, 2, 64512, someID, 0), 6, nil},
		{"authentication parameter", rawOpen(4, 90, 64512, someID, 3, 1, 1, 0), 4, nil},
		{"too few parameters", rawOpen(4, 90, 64512, someID, 8, 2, 0), 0, nil},
		{"bytes after the parameters", rawOpen(4, 90, 64512, someID, 0, 0), 0, nil},
		{"half a parameter header", rawOpen(4, 90, 64512, someID, 1, 2), 0, nil},
		{"parameter too long", rawOpen(4, 90, 64512, someID, 3, 2, 2, 2), 0, nil},
		{"half a capability header", rawOpen(4, 90, 64512, someID, 3, 2, 1, 2), 0, nil},
		{"capability too long", rawOpen(4, 90, 64512, someID, 4, 2, 2, 2, 1), 0, nil},
		{"capability across parameters", rawOpen(4, 90, 64512, someID, 8, 2, 4, 65, 4, 0, 0, 2, 0), 0, nil},
		{"short four octet AS", rawOpen(4, 90, 64512, someID, 6, 2, 4, 65, 2, 0, 1), 0, nil},
		{"long multiprotocol", rawOpen(4, 90, 64512, someID, 9, 2, 7, 1, 5, 0, 1, 0, 128, 0), 0, nil},
		{"short graceful restart", rawOpen(4, 90, 64512, someID, 5, 2, 3, 64, 1, 0), 0, nil},
		{"extended length cut off", rawOpen(4, 90, 64512, someID, 255, 255, 0), 0, nil},
		{"extended length wrong", rawOpen(4, 90, 64512, someID, 255, 255, 0, 4, 2, 0, 0), 0, nil},
		{"extended parameter cut off", rawOpen(4, 90, 64512, someID, 255, 255, 0, 2, 2, 0), 0, nil},
		{"more than the engine can be told", rawOpen(4, 90, 64512, someID,
			join([]byte{255, 255, 1, 5, 2, 1, 2}, bytes.Repeat([]byte{1, 4, 0, 1, 0, 128}, 43))...), 0, nil},
	} {
		m, r := readOpen(tt.msg)
		if r == nil {
			t.Errorf("%s: accepted %+v", tt.name, m.Open)
		} else if r.code != 2 || r.subcode != tt.subcode || !bytes.Equal(r.data, tt.data) {
			t.Errorf("%s: got %d/%d %x (%s), want 2/%d %x", tt.name, r.code, r.subcode, r.data, r.reason, tt.subcode, tt.data)
		}
	}
}

func TestForEngineLeavesOut(t *testing.T) {
	// Names and unknown capabilities are of no use to the engine, and need not fit.
	name := join([]byte{73, 252, 250}, bytes.Repeat([]byte("x"), 250), []byte{0})
	caps := join(name, name, []byte{200, 1, 1}, as4)
	n := len(caps)
	m, r := readOpen(rawOpen(4, 90, 23456, someID,
		join([]byte{255, 255, byte((n + 3) >> 8), byte(n + 3), 2, byte(n >> 8), byte(n)}, caps)...))
	if r != nil {
		t.Fatal(r.reason)
	}
	if want := rawOpen(4, 90, 23456, someID, join([]byte{8, 2, 6}, as4)...); !bytes.Equal(m.forEngine(), want) {
		t.Errorf("got %x, want %x", m.forEngine(), want)
	}
	if strings.Compare(string(m.Capabilities), "\x49\x49\xc8\x41") != 0 {
		t.Errorf("capabilities %v", m.Capabilities)
	}
}

func FuzzReadOpen(f *testing.F) {
	f.Add(openOf(ourAS, "10.0.0.1")[headerLength:])
	f.Add(openOf(4200000000, "10.0.0.1")[headerLength:])
	f.Add(rawOpen(4, 0, 64512, someID, 0)[headerLength:])
	f.Add(rawOpen(4, 90, 23456, someID, join([]byte{12, 2, 2, 2, 0, 2, 6}, as4)...)[headerLength:])
	f.Add(rawOpen(4, 90, 23456, someID, join([]byte{255, 255, 0, 9, 2, 0, 6}, as4)...)[headerLength:])
	f.Add(rawOpen(4, 90, 64512, someID, 10, 2, 8, 69, 4, 0, 1, 128, 3, 71, 0)[headerLength:])
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 10 || len(body) > maxLength-headerLength {
			return // the screen's
		}
		m, r := readOpen(message(typeOpen, body...))
		if r != nil {
			if r.code != 2 {
				t.Fatalf("refused with %d/%d", r.code, r.subcode)
			}
			return
		}
		parsed, err := bgp.ParseBGPMessage(m.forEngine())
		if err != nil {
			t.Fatalf("GoBGP refuses what it would get: %v", err)
		}
		open := parsed.Body.(*bgp.BGPOpen)
		as, err := bgp.ValidateOpenMsg(open, 0, 0, nil)
		if err != nil {
			t.Fatalf("GoBGP refuses what it would get: %v", err)
		}
		if id, _ := netip.AddrFromSlice(open.ID); as != m.AS || id != m.RouterID || time.Duration(open.HoldTime)*time.Second != m.HoldTime {
			t.Fatalf("GoBGP reads AS %d, id %s, hold time %d, the wire %+v", as, id, open.HoldTime, m.Open)
		}
		var codes, known []byte
		for _, p := range open.OptParams {
			for _, c := range p.(*bgp.OptionParameterCapability).Capability {
				codes = append(codes, byte(c.Code()))
			}
		}
		for _, code := range m.Capabilities {
			if forTheEngine(code) {
				known = append(known, code)
			}
		}
		if !bytes.Equal(codes, known) {
			t.Fatalf("GoBGP reads capabilities %v, the wire %v", codes, known)
		}
	})
}
