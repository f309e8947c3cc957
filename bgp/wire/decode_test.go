package wire

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
)

// poison are bodies of UPDATEs that the engine's decoder panics on.
var poison = map[string]string{
	"VPNv4 NLRI with length and label only":       "000000264001010040020040050400000064800e150001800c00000000000000000a0000010078000641",
	"VPNv4 withdrawal with length and label only": "0000000a800f0700018078800000",
	"MP_REACH_NLRI of three octets":               "000000144001010040020040050400000064800e03000180",
	"EVPN NLRI that is cut off":                   "00000009800f06001946020100",
	"SR policy NLRI that is cut off":              "0000000d800f0a00014960000000010000",
	"MUP NLRI that is cut off":                    "00000012800f0f000155010003080000000000000000",
	"flow specification NLRI that is cut off":     "0000000a800f0700018503049100",
}

func TestDecodable(t *testing.T) {
	for name, body := range poison {
		raw, err := hex.DecodeString(body)
		if err != nil {
			t.Fatal(err)
		}
		if r := decodable(message(typeUpdate, raw...)); r == nil || r.code != codeUpdate {
			t.Errorf("%s: got %v, want an UPDATE Message Error", name, r)
		}
	}
	for name, msg := range map[string][]byte{
		"End-of-RIB":           message(typeUpdate, 0, 0, 0, 0),
		"KEEPALIVE":            message(typeKeepalive),
		"refresh":              message(typeRouteRefresh, 0, 1, 0, 128),
		"an unknown attribute": message(typeUpdate, 0, 0, 0, 4, 0xc0, 99, 1, 0),
		"wrong, but decodable": message(typeUpdate, 0, 0, 0, 5, 0x40, 1, 1, 9, 0),
	} {
		if r := decodable(msg); r != nil {
			t.Errorf("%s: %v", name, r)
		}
	}
}

// TestPoison: what the engine's decoder panics on never reaches it.
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

func FuzzDecodable(f *testing.F) {
	for _, body := range poison {
		raw, _ := hex.DecodeString(body)
		f.Add(byte(typeUpdate), raw)
	}
	f.Fuzz(func(t *testing.T, typ byte, body []byte) {
		msg := message(1+typ%5, body...)
		r := newMessageReader(bytes.NewReader(msg))
		if whole, err := r.next(); err == nil && len(whole) == len(msg) {
			decodable(whole) // must not panic
		}
	})
}
