package bgp

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// memberships is how many targets a gateway asks for at once.
const memberships = 200

// BenchmarkMembership measures from the UPDATE with which a gateway asks for 200
// targets (RFC 4684), having asked for none before, until it has read the last
// route: either all routes carry the one in the middle, or each target is carried
// by as many. A bare GoBGP looks through all routes for each target.
func BenchmarkMembership(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		for _, kinds := range []int{1, memberships} {
			routes := many(n)
			for i := range routes {
				routes[i].Targets = routetarget.NewSet(wish(memberships/2 + i%kinds))
			}
			b.Run(fmt.Sprintf("routes=%d/carried=%d", n, kinds), func(b *testing.B) {
				for range b.N {
					ours := joinOurs(b, routes)
					b.ReportMetric(ours.Seconds(), "buoy-s")
					if n == 10_000 { // it takes minutes with more
						bare := joinBare(b, routes)
						b.ReportMetric(bare.Seconds(), "gobgp-s")
						b.ReportMetric(bare.Seconds()/ours.Seconds(), "gobgp/buoy")
					}
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// wish is one of the targets that the gateway asks for; there are no more.
func wish(i int) routetarget.Target {
	t, _ := routetarget.ParseTarget(fmt.Sprint("target:64512:", 20_000+i%memberships))
	return t
}

func joinOurs(b *testing.B, routes []vrf.Route) time.Duration {
	gateway := newSink(b, 0, len(routes), lab.RouteTarget)
	s := run(b, "127.0.0.1:0", speakerID)
	settings := settingsOf("mx1", gateway.addr)
	settings.Families = neighbor.NewFamilies(neighbor.InetVPN, neighbor.RouteTarget)
	tell(b, s, settings)
	defer tell(b, s)
	if err := s.Advertise(b.Context(), routes); err != nil {
		b.Fatal(err)
	}
	return join(b, gateway)
}

func joinBare(b *testing.B, routes []vrf.Route) time.Duration {
	gateway := newSink(b, 0, len(routes), lab.RouteTarget)
	e, err := lab.StartBareEngine(b.Context(), as, netip.MustParseAddr(speakerID))
	if err != nil {
		b.Fatal(err)
	}
	defer e.Stop(b.Context())
	if err := e.AddNeighbor(b.Context(), gateway.addr, as, lab.RouteTarget); err != nil {
		b.Fatal(err)
	}
	if err := e.Advertise(b.Context(), routes); err != nil {
		b.Fatal(err)
	}
	return join(b, gateway)
}

// join has a gateway say that it wants nothing, and then ask for all targets.
func join(b *testing.B, gateway *sink) time.Duration {
	<-gateway.Up
	write := func(m *bgp.BGPMessage, err error) {
		if err == nil {
			var data []byte
			if data, err = m.Serialize(); err == nil {
				err = gateway.Write(data)
			}
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	write(bgp.NewEndOfRib(bgp.RF_RTC_UC), nil)
	time.Sleep(200 * time.Millisecond) // until that is read
	if len(gateway.Full) > 0 {
		b.Fatal("the gateway has routes that it did not ask for")
	}
	var wishes []lab.Membership
	for i := range memberships {
		wishes = append(wishes, lab.Membership{AS: as, Target: wish(i)})
	}
	runtime.GC()
	begin := time.Now()
	write(lab.JoinMessage(gateway.addr.Addr(), wishes...))
	return last(b, []*sink{gateway}, begin)
}
