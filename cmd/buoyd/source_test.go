package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// source is a router that announces routes to whoever dials it.
type source struct {
	*lab.Sink
	addr netip.AddrPort
}

func newSource(b *testing.B) *source {
	l, err := net.Listen("tcp4", "127.0.0.2:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	s := &source{lab.NewSink(benchAS, netip.MustParseAddr("10.0.0.1"), math.MaxInt), l.Addr().(*net.TCPAddr).AddrPort()}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		b.Cleanup(func() { conn.Close() })
		s.Run(conn) // until whoever dialed is done
	}()
	return s
}

// send writes messages one after the other.
func (s *source) send(b *testing.B, messages [][]byte) {
	for _, m := range messages {
		if err := s.Write(m); err != nil {
			b.Fatal(err)
		}
	}
}

// foreignTargets are what the routes of elsewhere carry.
func foreignTargets() routetarget.Set {
	t, _ := routetarget.ParseTarget("target:64512:10003")
	return routetarget.NewSet(t)
}

// foreign returns routes of 100 compute nodes elsewhere.
func foreign(n int) []vrf.Route {
	set := foreignTargets()
	routes := make([]vrf.Route, n)
	for i := range routes {
		node := netip.AddrFrom4([4]byte{10, 0, 1, byte(i % 100)})
		routes[i] = vrf.Route{
			Key:   vrf.Key{RD: routetarget.IPv4Distinguisher(node, 1), Prefix: netip.PrefixFrom(fipAddr(i), 32)},
			Label: vrf.Label(16 + i), LocalPref: vrf.LocalPrefDefault, NextHop: node, Targets: set,
			Encapsulations: vrf.NewEncapsulations(vrf.GRE),
		}
	}
	return routes
}

// packed encodes routes, so many at most in an UPDATE.
func packed(routes []vrf.Route, most int) (messages [][]byte) {
	lab.Pack(routes, most, func(m []byte) { messages = append(messages, m) })
	return messages
}

// importer starts a daemon that so many networks of import what a router
// announces, once their session is up.
func importer(b *testing.B, router *source, networks int) *daemon {
	d := startDaemon(b, neighbor.Settings{
		Name: "mx1", Address: router.addr.Addr(), Port: router.addr.Port(), AS: benchAS,
		Families: neighbor.NewFamilies(neighbor.InetVPN),
		Policy:   neighbor.Policy{MaxReceived: 1_000_000},
	})
	for i := range networks {
		d.must(b, inventory.CreateNetwork{Network: inventory.Network{
			Name: fmt.Sprintf("%s-%d", benchNetwork, i), ImportTargets: foreignTargets(),
		}})
	}
	<-router.Up
	return d
}

// imported waits until there are so many routes in the tables of all VRFs.
func (d *daemon) imported(b *testing.B, n int) {
	for limit := time.Now().Add(time.Minute); d.imports.Tables().Len() != n; time.Sleep(200 * time.Microsecond) {
		if time.Now().After(limit) {
			b.Fatalf("%d routes are imported, want %d", d.imports.Tables().Len(), n)
		}
	}
}

// bareImporter starts a bare GoBGP with a session to a router.
func bareImporter(b *testing.B, router *source) *lab.BareEngine {
	e, err := lab.StartBareEngine(b.Context(), benchAS, netip.MustParseAddr("10.0.0.2"))
	if err == nil {
		err = e.AddNeighbor(b.Context(), router.addr, benchAS)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Stop(context.Background()) })
	<-router.Up
	return e
}

// received waits until a bare GoBGP has all routes.
func received(b *testing.B, e *lab.BareEngine, routes []vrf.Route) {
	if err := e.WaitFor(b.Context(), routes[len(routes)-1].Key); err != nil {
		b.Fatal(err)
	}
}
