package ribout

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestIndex compares the index with a map, also when it is nearly full and
// much is removed.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	x, want := newIndex(), map[key]uint32{}
	var slots []slot
	var free []uint32
	keyAt := func(i int) (k key) {
		binary.BigEndian.PutUint32(k.addr[12:], uint32(i))
		return k
	}
	for i := range 200_000 {
		limit := 50 + i/100
		k := keyAt(r.IntN(limit))
		n, ok := x.find(slots, k)
		if had, known := want[k]; ok != known || n != had {
			t.Fatalf("%v is %d, %t, want %d, %t", k, n, ok, had, known)
		}
		switch {
		case ok && r.IntN(3) > 0:
			x.remove(k, n)
			free = append(free, n)
			delete(want, k)
		case !ok:
			if len(free) == 0 {
				free = append(free, uint32(len(slots)))
				slots = append(slots, slot{})
			}
			n, free = free[len(free)-1], free[:len(free)-1]
			slots[n].key = k
			x.add(k, n)
			want[k] = n
		}
		if x.used != len(want) {
			t.Fatalf("%d used, want %d", x.used, len(want))
		}
	}
	for k, n := range want {
		if got, ok := x.find(slots, k); !ok || got != n {
			t.Errorf("%v is %d, %t, want %d", k, got, ok, n)
		}
	}
}
