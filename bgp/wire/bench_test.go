package wire

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/bgp/ribout"
	"github.com/buoynet/buoy/internal/neighbor"
)

// BenchmarkUpdate measures what an UPDATE costs that comes from the router,
// without the socket: the screen, the verdict, the counters, and the router's
// membership. Beside it, GoBGP's decoder alone.
func BenchmarkUpdate(b *testing.B) {
	for _, f := range []neighbor.Family{neighbor.InetVPN, neighbor.RouteTarget} {
		for _, n := range []int{1, 200} {
			msg := updateOf(b, f, n)
			b.Run(fmt.Sprintf("%s/nlris=%d/wire", f, n), func(b *testing.B) {
				c := receiving()
				r := newMessageReader(&repeat{msg: msg})
				measure(b, msg, func() error {
					got, err := r.next()
					if err != nil {
						return err
					}
					if refused := c.received(got); refused != nil {
						return refused
					}
					return nil
				})
				if s := c.peer.status.Received; s.Malformed != 0 || s.Updates == 0 {
					b.Fatalf("counters %+v", s)
				}
			})
			b.Run(fmt.Sprintf("%s/nlris=%d/decoder", f, n), func(b *testing.B) {
				measure(b, msg, func() error {
					_, err := bgp.ParseBGPMessage(msg)
					return err
				})
			})
		}
	}
}

// measure reports the time for each byte, too.
func measure(b *testing.B, msg []byte, f func() error) {
	b.ReportAllocs()
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(msg)), "ns/byte")
}

// receiving returns a connection in an established session, with no sockets.
func receiving() *connection {
	p := &peer{config: Config{LocalAS: ourAS, RouterID: ourID, Routes: ribout.NewTable()}, settings: settings()}
	c := &connection{
		peer: p, ctx: context.Background(), up: make(chan struct{}),
		open:     &neighbor.Open{AS: ourAS, Families: neighbor.AllFamilies},
		openSent: true, keepaliveSent: true, keepaliveReceived: true,
	}
	p.status.OpenSent = c.open
	c.establish()
	return c
}

// updateOf returns an UPDATE as GoBGP writes it.
func updateOf(b *testing.B, f neighbor.Family, nlris int) []byte {
	target, err := bgp.ParseRouteTarget("64512:1")
	if err != nil {
		b.Fatal(err)
	}
	rd, label := bgp.NewRouteDistinguisherIPAddressAS("10.0.0.11", 1), *bgp.NewMPLSLabelStack(100)
	var list []bgp.AddrPrefixInterface
	for i := range nlris {
		if f == neighbor.InetVPN {
			list = append(list, bgp.NewLabeledVPNIPAddrPrefix(32, fmt.Sprintf("20.0.0.%d", i), label, rd))
		} else {
			list = append(list, bgp.NewRouteTargetMembershipNLRI(uint32(i), target))
		}
	}
	msg, err := bgp.NewBGPUpdateMessage(nil, []bgp.PathAttributeInterface{
		bgp.NewPathAttributeMpReachNLRI("10.0.0.11", list),
		bgp.NewPathAttributeOrigin(bgp.BGP_ORIGIN_ATTR_TYPE_INCOMPLETE),
		bgp.NewPathAttributeAsPath(nil),
		bgp.NewPathAttributeLocalPref(100),
		bgp.NewPathAttributeExtendedCommunities([]bgp.ExtendedCommunityInterface{target}),
	}, nil).Serialize()
	if err != nil {
		b.Fatal(err)
	}
	return msg
}

// repeat is a stream of one message without end.
type repeat struct {
	msg []byte
	at  int
}

func (r *repeat) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], r.msg[r.at:])
		n, r.at = n+k, (r.at+k)%len(r.msg)
	}
	return n, nil
}

// BenchmarkKeepalive measures how long a KEEPALIVE takes from the router through
// the wire to the engine, and the engine's one back. Beside it, the same over
// one TCP connection.
func BenchmarkKeepalive(b *testing.B) {
	b.Run("wire", func(b *testing.B) {
		w := newWorld(b, nil)
		router, session := established(b, w)
		for b.Loop() {
			router.send(keepalive...)
			session.expect(typeKeepalive)
			session.send(keepalive...)
			router.expect(typeKeepalive)
		}
	})
	b.Run("direct", func(b *testing.B) {
		l := listenAs(b, "127.0.0.1")
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		router, engine := newEnd(b, conn), accept(b, l)
		session := &engineSession{engine, make(chan []byte, 1)}
		go session.run()
		for b.Loop() {
			router.send(keepalive...)
			session.expect(typeKeepalive)
			session.send(keepalive...)
			router.expect(typeKeepalive)
		}
	})
}
