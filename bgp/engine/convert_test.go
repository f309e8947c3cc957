package engine

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// TestRoundTrip gives the engine's form of a route back to the reader: what is
// listed as advertised is what was given.
func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		want := randomRoute(r)
		path, err := pathFromRoute(want)
		if err != nil {
			t.Fatalf("%+v: %v", want, err)
		}
		got, err := routeFromPath(neighbor.VPNFamily(want.Prefix.Addr()), path)
		if err != nil || got != want {
			t.Fatalf("got  %+v, %v\nwant %+v", got, err, want)
		}
	}
}

func randomRoute(r *rand.Rand) vrf.Route {
	addr := func(six bool) netip.Addr {
		var b [16]byte
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		b[0] = 0x20 // unicast in both families
		if six {
			return netip.AddrFrom16(b)
		}
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	var targets []routetarget.Target
	for range 1 + r.IntN(5) {
		b := [8]byte{byte(r.IntN(3)), 2}
		for i := 2; i < 8; i++ {
			b[i] = byte(r.Uint32())
		}
		target, _ := routetarget.TargetFromBytes(b)
		targets = append(targets, target)
	}
	prefix := addr(r.IntN(2) == 0)
	return vrf.Route{
		Key: vrf.Key{
			RD:     routetarget.IPv4Distinguisher(addr(false), uint16(1+r.IntN(routetarget.MaxNetworkID))),
			Prefix: netip.PrefixFrom(prefix, prefix.BitLen()),
		},
		Label:          vrf.MinLabel + vrf.Label(r.IntN(int(vrf.MaxLabel-vrf.MinLabel)+1)),
		LocalPref:      r.Uint32(),
		NextHop:        addr(r.IntN(2) == 0),
		Targets:        routetarget.NewSet(targets...),
		Encapsulations: vrf.Encapsulations(1 + r.IntN(3)),
	}
}
