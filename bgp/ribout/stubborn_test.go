package ribout

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/vrf"
)

// TestRefreshKeepsTheRecord: what a router was sent it has, also while it is
// sent again.
func TestRefreshKeepsTheRecord(t *testing.T) {
	table := NewTable()
	one := route(11, "203.0.113.5", 100, targets("64512:1"))
	table.Advertise([]vrf.Route{one})
	p := connect(t, table, internal(vpn))
	p.receive()
	p.out.Refresh(neighbor.InetVPN) // and the router does not read now
	for r := range p.out.Routes(vrf.Key{}) {
		if r != one {
			t.Errorf("it has %+v, want %+v", r, one)
		}
	}
	if d := p.out.Delivery(one.Key); d.At.IsZero() {
		t.Errorf("it has the route, and is said to have %+v", d)
	}
}

// others returns so many memberships that no route has.
func others(n int) (list []membership) {
	for i := range n {
		m := membership{bits: wholeBits, b: [12]byte{0, 0, 0xfc, 0, 0, 2, 0xfb, 0}}
		binary.BigEndian.PutUint32(m.b[8:], uint32(i))
		list = append(list, m)
	}
	return list
}

// TestEveryRouteGetsItsTurn: a router that goes on changing its membership gets
// its routes all the same, and End-of-RIB when it is done.
func TestEveryRouteGetsItsTurn(t *testing.T) {
	table := NewTable()
	var routes []vrf.Route
	for i := range 3 * batch {
		routes = append(routes, route(i%50, address4(i), 100, targets("64512:1")))
	}
	table.Advertise(routes)
	p := connect(t, table, internal(neighbor.AllFamilies))
	p.out.ReceivedUpdate(joins([]membership{whole("64512:1")}, nil))
	p.out.EndMembership()
	for _, m := range others(5) {
		p.out.ReceivedUpdate(joins([]membership{m}, nil))
		p.step()
	}
	if len(p.routes) != len(routes) {
		t.Errorf("it has %d of %d routes", len(p.routes), len(routes))
	}
	p.receive()
	if len(p.ends) != 3 {
		t.Errorf("End-of-RIB of %q", p.ends)
	}
}

// TestConcurrent lets sessions come and go while routes change and others look
// on. The race detector is one judge; that nothing is left over, the other.
func TestConcurrent(t *testing.T) {
	table := NewTable()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 2000 {
				var b []vrf.Route
				for range 20 {
					b = append(b, route(rand.IntN(4), address4(rand.IntN(300)), vrf.Label(16+rand.IntN(5)), targets("64512:1")))
				}
				if rand.IntN(2) == 0 {
					table.Advertise(b)
				} else {
					table.Withdraw(b)
				}
			}
		})
	}
	for range 4 {
		wg.Go(func() {
			for range 30 {
				families := []neighbor.Families{neighbor.AllFamilies, vpn}[rand.IntN(2)]
				o := table.Open(internal(families), neighbor.Policy{MaxAdvertised: 100 * rand.Uint32N(2)})
				var in sync.WaitGroup
				for range 2 {
					in.Go(func() {
						for range 50 {
							switch rand.IntN(6) {
							case 0:
								o.Refresh(neighbor.InetVPN)
							case 1:
								o.ReceivedUpdate(joins([]membership{{}}, nil))
							case 2:
								o.EndMembership()
							case 3:
								for range o.Routes(vrf.Key{}) {
								}
							case 4:
								o.SetPolicy(neighbor.Policy{MaxAdvertised: 100 * rand.Uint32N(2)})
							default:
								o.Delivery(route(1, address4(5), 16, targets("64512:1")).Key)
							}
						}
					})
				}
				for range 50 {
					o.Next(nil, time.Now())
				}
				o.Close()
				in.Wait()
			}
		})
	}
	wg.Wait()
	var left []vrf.Route
	for _, s := range table.slots {
		left = append(left, vrf.Route{Key: s.key.key()})
	}
	table.Withdraw(left)
	if table.index.used != 0 || table.Sessions() != 0 || len(table.attributes.ids) != 0 || len(table.free) != len(table.slots) {
		t.Errorf("left over: %d routes, %d sessions, %d attributes, %d of %d slots",
			table.index.used, table.Sessions(), len(table.attributes.ids), len(table.slots)-len(table.free), len(table.slots))
	}
}

// BenchmarkMembership measures one look at 8192 routes that nobody wants, with
// so many memberships; the last of them is a prefix.
func BenchmarkMembership(b *testing.B) {
	var routes []vrf.Route
	for i := range batch {
		routes = append(routes, route(i%50, address4(i), 100, targets("64512:1")))
	}
	for _, n := range []int{1, 200, 100_000} {
		b.Run(fmt.Sprint("memberships=", n), func(b *testing.B) {
			table := NewTable()
			table.Advertise(routes)
			o := table.Open(internal(neighbor.AllFamilies), neighbor.Policy{})
			for _, m := range others(n) {
				o.ReceivedUpdate(joins([]membership{m}, nil))
			}
			o.ReceivedUpdate(joins([]membership{{bits: 64, b: [12]byte{0, 0, 0xfc, 0, 0, 2, 0xfb, 1}}}, nil))
			o.EndMembership()
			for b.Loop() {
				o.Refresh(neighbor.InetVPN)
				o.Next(nil, time.Unix(1, 0))
			}
		})
	}
}
