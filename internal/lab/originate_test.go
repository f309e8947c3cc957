package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/buoynet/buoy/routetarget"
)

// originator starts a router that announces routes, and a recorder that gets
// them.
func originator(t *testing.T, kind string, routes ...Route) (Originator, *Recorder) {
	t.Helper()
	if missing := MissingPackages(kind); len(missing) > 0 {
		cannot(t, "not installed: apt-get install "+strings.Join(missing, " "))
	}
	programs, err := Build(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	net, err := NewLoopback()
	if err != nil {
		t.Fatal(err)
	}
	config := GatewayConfig{
		Dir: t.TempDir(), Addr: net.Host(2), AS: 64512, RouterID: netip.MustParseAddr("10.0.1.2"),
		Peer: net.Host(1), PeerAS: 64512, Families: []Family{VPNv4, VPNv6}, Origins: routes,
	}
	g, err := NewGateway(kind, programs, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(deadline(t)); errors.Is(err, ErrNeedsRoot) {
		cannot(t, err.Error())
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%s:\n%s", g.LogFile(), Tail(g.LogFile(), 50))
		}
	})
	r, err := Record(GatewayConfig{
		Addr: config.Peer, AS: config.PeerAS, RouterID: netip.MustParseAddr("10.0.1.1"), Peer: config.Addr, Active: true, Families: config.Families,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return g.(Originator), r
}

// announcedNow returns the routes that a recorder was sent in its last session.
func announcedNow(r *Recorder) string {
	routes := map[string]string{}
	for _, e := range r.Events() {
		switch key := e.Route.Key(); {
		case e.EndOfRIB:
		case e.Withdrawn:
			delete(routes, key)
		default:
			routes[key] = e.Route.String() + "\n"
		}
	}
	return strings.Join(slices.Sorted(maps.Values(routes)), "")
}

// originRoute returns a route of the nth VRF of a router.
func originRoute(t *testing.T, n uint16, prefix, nextHop string, targets ...string) Route {
	t.Helper()
	r := Route{
		RD: routetarget.IPv4Distinguisher(netip.MustParseAddr("10.0.1.2"), n), Prefix: netip.MustParsePrefix(prefix), Label: 24000 + uint32(n),
		NextHop: netip.MustParseAddr(nextHop),
	}
	if err := r.Targets.UnmarshalText([]byte(strings.Join(targets, " "))); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestOriginators: each router announces what it is told, of both families, and
// one route changes or goes while the others stay.
func TestOriginators(t *testing.T) {
	for _, tt := range []struct {
		kind string
		self bool  // its own address is the next hop
		own  Route // what it says where nothing is set
	}{
		{kind: "bird", own: Route{Origin: "igp"}},
		{kind: "frr", own: Route{Origin: "incomplete", Others: []string{"attribute:{Med: 0}"}}, self: true},
		{kind: "gobgp", own: Route{Origin: "incomplete"}},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			t.Parallel()
			four := originRoute(t, 7, "0.0.0.0/0", "10.0.0.9", "target:64512:10003", "target:64512:7")
			six := originRoute(t, 7, "::/0", "fd00::9", "target:64512:10003")
			tuned := originRoute(t, 8, "198.51.100.0/24", "10.0.0.9", "target:64512:8")
			tuned.MED, tuned.LocalPref, tuned.Origin = 50, 150, "egp"
			mapped := originRoute(t, 8, "2001:db8:9::/48", "::ffff:10.0.0.9", "target:64512:8")
			g, r := originator(t, tt.kind, four, six, tuned, mapped)

			// line returns a route as the router should announce it.
			line := func(r Route) string {
				if tt.self {
					r.NextHop = g.Config().Addr.Addr()
					if r.Family() == VPNv6 {
						r.NextHop = netip.AddrFrom16(r.NextHop.As16())
					}
				}
				if r.LocalPref == 0 {
					r.LocalPref = 100
				}
				if r.Origin == "" {
					r.Origin = tt.own.Origin
				}
				if r.Others = tt.own.Others; r.MED != 0 {
					r.Others = []string{fmt.Sprintf("attribute:{Med: %d}", r.MED)}
				}
				r.ASPath = "[]"
				return r.String() + "\n"
			}
			is := func(what string, routes ...Route) {
				t.Helper()
				var want []string
				for _, r := range routes {
					want = append(want, line(r))
				}
				slices.Sort(want)
				err := Poll(deadline(t), what, func(context.Context) error {
					if got := announcedNow(r); got != strings.Join(want, "") {
						return fmt.Errorf("got\n%swant\n%s", got, strings.Join(want, ""))
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			is("all", four, six, tuned, mapped)
			must(g.Withdraw(deadline(t), four))
			is("one is withdrawn", six, tuned, mapped)
			must(g.Announce(deadline(t), four))
			is("it is back", four, six, tuned, mapped)

			plain := originRoute(t, 8, "198.51.100.0/24", "10.0.0.9", "target:64512:10004")
			must(g.Announce(deadline(t), plain))
			is("one has other targets", four, six, plain, mapped)
			later := originRoute(t, 9, "192.0.2.0/24", "10.0.0.9", "target:64512:9")
			must(g.Announce(deadline(t), later))
			is("another one", four, six, plain, mapped, later)

			must(g.Withdraw(deadline(t)))
			is("all are withdrawn")
			must(g.Announce(deadline(t)))
			is("all are back", four, six, plain, mapped, later)
		})
	}
}

// TestFRROrigins: a VRF has one label and one set of targets.
func TestFRROrigins(t *testing.T) {
	one, other := originRoute(t, 7, "0.0.0.0/0", "10.0.0.9", "target:64512:7"), originRoute(t, 7, "192.0.2.0/24", "10.0.0.9", "target:64512:7")
	if _, err := frrOrigins(documented, originated{one, other}); err != nil {
		t.Error(err)
	}
	other.Label++
	if text, err := frrOrigins(documented, originated{one, other}); err == nil {
		t.Errorf("two labels: got %s", text)
	}
}
