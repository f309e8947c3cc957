package ribout

import (
	"slices"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
)

// FuzzMembership reads the bodies of UPDATEs. What is read is well-formed, and
// is read again when it is written; whatever it was, an Out goes on.
func FuzzMembership(f *testing.F) {
	f.Add(joins([]membership{whole("64512:1"), {}}, []membership{whole("64512:2")}))
	f.Add(joins(nil, nil))
	f.Add(joins([]membership{{bits: 33, b: [12]byte{0, 0, 0xfc, 0, 0x80}}}, nil))
	f.Add([]byte{0, 0, 0, 4, 0x80, attrReach, 0, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		u := readMembership(body)
		for _, m := range slices.Concat(u.announced, u.withdrawn) {
			if m.bits != 0 && (m.bits < originBits || m.bits > wholeBits) {
				t.Fatalf("%d bits", m.bits)
			}
		}
		if u.end && len(u.announced)+len(u.withdrawn) > 0 {
			t.Fatal("an End-of-RIB with NLRIs")
		}
		if len(u.announced)+len(u.withdrawn) > 0 {
			again := readMembership(joins(u.announced, u.withdrawn))
			if !slices.Equal(again.announced, u.announced) || !slices.Equal(again.withdrawn, u.withdrawn) {
				t.Fatalf("read %v, then %v", u, again)
			}
		}
		o := NewTable().Open(internal(neighbor.AllFamilies), neighbor.Policy{})
		o.ReceivedUpdate(body)
		o.ReceivedUpdate(body) // again: nothing changes
		if wanted := len(o.interest.nlris); wanted > len(u.announced) {
			t.Fatalf("%d memberships of %d", wanted, len(u.announced))
		}
	})
}
