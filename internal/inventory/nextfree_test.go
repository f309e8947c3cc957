package inventory

import (
	"fmt"
	"strings"
	"testing"
)

// next allocates from a pool or a network and returns the address.
func (w *world) next(name, source string, family Family) string {
	w.Helper()
	c := Allocate{Name: name, Network: source, Family: family}
	if KindOf(source) == KindPool {
		c.Network, c.Pool = "", source
	}
	w.do(c)
	f, _ := w.state.FloatingIP(name)
	return f.Address.String()
}

func (w *world) expectNext(name, source, want string) {
	w.Helper()
	if got := w.next(name, source, AnyFamily); got != want {
		w.Errorf("%s got %s, want %s", name, got, want)
	}
}

// TestNextFree follows the cursor: what was released comes back last.
func TestNextFree(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprintf("restarts %t", restarts), func(t *testing.T) {
			w := newWorld(t)
			w.do(network(public, "203.0.113.0/28"), pool(poolA, "203.0.113.3-203.0.113.6"))
			step := func(commands ...Command) {
				t.Helper()
				w.do(commands...)
				if restarts {
					w.restart()
				}
			}
			w.expectNext(fip("a"), poolA, "203.0.113.3")
			step(Release{fip("a")})
			w.expectNext(fip("b"), poolA, "203.0.113.4") // not .3 again
			step(Allocate{Name: fip("c"), Pool: poolA, Address: addr("203.0.113.5")})
			w.expectNext(fip("d"), poolA, "203.0.113.6") // over what was chosen
			w.expectNext(fip("e"), poolA, "203.0.113.3") // around
			w.refused("exhausted", Allocate{Name: web, Pool: poolA}, Error{ResourceExhausted, ReasonPoolExhausted, "pool", poolA,
				poolA + " has no free address: 4 of 4 used in 203.0.113.3-203.0.113.6"})
			step(Release{fip("c")})
			w.expectNext(fip("f"), poolA, "203.0.113.5") // the only one
			// The network outside its pools has a cursor of its own.
			w.expectNext(fip("n"), public, "203.0.113.1")
			w.expectNext(fip("o"), public, "203.0.113.2")
			w.expectNext(fip("p"), public, "203.0.113.7") // over the pool
			step(Release{fip("o")}, Release{fip("p")})
			w.expectNext(fip("q"), public, "203.0.113.8")
		})
	}
}

// TestReleasedRests releases the address that would be next, in every place
// where it could be.
func TestReleasedRests(t *testing.T) {
	for _, tt := range []struct {
		name   string
		taken  []string // with addresses that were chosen: no cursor is there
		free   string
		source string
		want   string
	}{
		{"the lowest", []string{"203.0.113.2"}, "203.0.113.2", poolA, "203.0.113.3"},
		{"before a free one", []string{"203.0.113.4"}, "203.0.113.4", poolA, "203.0.113.2"},
		{"the only one", []string{"203.0.113.2", "203.0.113.3", "203.0.113.4", "203.0.113.5"}, "203.0.113.4", poolA, "203.0.113.4"},
		{"of two", []string{"203.0.113.2", "203.0.113.3", "203.0.113.4"}, "203.0.113.3", poolA, "203.0.113.5"},
		{"IPv6", []string{"2001:db8::1"}, "2001:db8::1", poolB, "2001:db8::2"},
		{"the network's", []string{"203.0.113.1"}, "203.0.113.1", public, "203.0.113.6"},
	} {
		for _, restart := range []bool{false, true} {
			w := newWorld(t)
			w.do(network(public, "203.0.113.0/28", "2001:db8::/120"), pool(poolA, "203.0.113.2-203.0.113.5"), pool(poolB, "2001:db8::/120"))
			for _, a := range tt.taken {
				c := Allocate{Name: fip(strings.ReplaceAll(a, ":", "-")), Pool: tt.source, Address: addr(a)}
				if tt.source == public {
					c.Pool, c.Network = "", public
				}
				w.do(c)
			}
			w.do(Release{fip(strings.ReplaceAll(tt.free, ":", "-"))})
			if restart {
				w.restart()
			}
			if got := w.next(web, tt.source, AnyFamily); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
		}
	}
	// An address that was outside the pools, and is in one when it is released.
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/28"), allocate(web, public, "203.0.113.4"), pool(poolA, "203.0.113.4/30"))
	w.planned("release into a pool", Release{web},
		`delete fip/projects/p/floatingIps/web@3`,
		`delete addr/1/203.0.113.4@any`,
		`put cursor/projects/p/networks/public/pools/a@any {"ipv4":"203.0.113.5"}`,
		`check pool/projects/p/networks/public/pools/a@4`)
	w.do(Release{web})
	w.expectNext(web, poolA, "203.0.113.5")
}

// TestCursors checks what a plan writes, at both ends of what an address can be.
func TestCursors(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "203.0.113.0/29", "2001:db8::/125"), Allocate{Name: fip("a"), Network: public, Family: IPv6})
	w.planned("the other family stays", Allocate{Name: web, Network: public},
		`put fip/projects/p/floatingIps/web@0 {"name":"projects/p/floatingIps/web","network":"projects/p/networks/public","address":"203.0.113.1"}`,
		`put addr/1/203.0.113.1@0 projects/p/floatingIps/web`,
		`check network/projects/p/networks/public@2`,
		`none above pool/projects/p/networks/public/pools/@3`,
		`put cursor/projects/p/networks/public@any {"ipv4":"203.0.113.2","ipv6":"2001:db8::2"}`)
	w.planned("a release elsewhere", Release{fip("a")},
		`delete fip/projects/p/floatingIps/a@3`,
		`delete addr/1/2001:db8::1@any`)
	w.do(allocate(web, public, "203.0.113.1"))
	w.planned("a release before the cursor of its family", Release{web},
		`delete fip/projects/p/floatingIps/web@4`,
		`delete addr/1/203.0.113.1@any`,
		`put cursor/projects/p/networks/public@any {"ipv4":"203.0.113.2","ipv6":"2001:db8::2"}`)

	// Nothing comes after the last address of all.
	w.do(network(private, "255.255.255.254/31", "203.0.113.8/32"))
	for i, want := range []string{"203.0.113.8", "255.255.255.254"} {
		w.expectNext(fip(i), private, want)
	}
	w.refused("255.255.255.255 is nobody's", allocate(fip("x"), private, "255.255.255.255"),
		Error{InvalidArgument, ReasonInvalid, "address", "", "expected a unicast address without a zone, for example 203.0.113.5, got 255.255.255.255"})
	w.do(Release{fip(1)})
	if got, want := dump(w.state), dump(w.restarted()); got != want {
		t.Errorf("the state:\n got %s\nwant %s", got, want)
	}
}

// TestFamilies: IPv4 where there is any, else IPv6.
func TestFamilies(t *testing.T) {
	w := newWorld(t)
	w.do(network(public, "2001:db8::/64", "203.0.113.8/31", "203.0.113.0/30"), pool(poolA, "203.0.113.1-203.0.113.3"), network(private, "2001:db8::/127"))
	for i, tt := range []struct {
		network string
		family  Family
		want    string
	}{
		{public, AnyFamily, "203.0.113.8"},
		{public, IPv6, "2001:db8::1"},
		{public, IPv4, "203.0.113.9"},
		{public, IPv6, "2001:db8::2"},
		{private, AnyFamily, "2001:db8::"},
		{private, IPv6, "2001:db8::1"},
	} {
		if got := w.next(fip(i), tt.network, tt.family); got != tt.want {
			t.Errorf("%d of %s: got %s, want %s", tt.family, tt.network, got, tt.want)
		}
	}
	exhausted := func(network, usage string) Error {
		return Error{ResourceExhausted, ReasonNetExhausted, "network", network, network + " has no free address: " + usage}
	}
	// IPv6 does not take the place of IPv4 that is used up.
	w.refused("IPv4 is used up", Allocate{Name: web, Network: public}, exhausted(public, "2 of 2 used in 203.0.113.8/31"))
	w.refused("IPv6 is used up", Allocate{Name: web, Network: private}, exhausted(private, "2 of 2 used in 2001:db8::/127"))
	w.refused("no IPv4", Allocate{Name: web, Network: private, Family: IPv4}, Error{InvalidArgument, ReasonFamilyMismatch, "family", "",
		"all addresses of " + private + " are of the other family"})
	w.refused("no IPv6", Allocate{Name: web, Pool: poolA, Family: IPv6}, Error{InvalidArgument, ReasonFamilyMismatch, "family", "",
		"all addresses of " + poolA + " are of the other family"})
	w.do(UpdateNetwork{Name: public, Subnets: ptr(prefixes("2001:db8::/64", "203.0.113.8/31", "203.0.113.0/30"))},
		pool(poolB, "203.0.113.0"), network("projects/p/networks/empty"))
	w.refused("none of any family", Allocate{Name: web, Pool: poolB, Family: IPv6}, Error{ResourceExhausted, ReasonPoolExhausted, "pool", poolB,
		poolB + " has no free address: it holds none that can be given out"})
	w.refused("no subnets", Allocate{Name: web, Network: "projects/p/networks/empty", Family: IPv4}, exhausted("projects/p/networks/empty", "it holds none that can be given out"))
}

func TestExhaustion(t *testing.T) {
	w := newWorld(t)
	w.do(CreateNetwork{Network{
		Name: public, Subnets: prefixes("203.0.113.0/29", "203.0.113.16/29", "203.0.113.32/31", "203.0.113.64/31", "203.0.113.96/31", "203.0.113.128/31", "203.0.113.160/31"),
		Reservations: Reservations{Hosts: ReserveLast}}},
		pool(poolA, "203.0.113.5-203.0.113.7"), pool(poolB, "203.0.113.16/30", "203.0.113.32/31"))
	for i := range 5 {
		w.do(Allocate{Name: fip(i), Pool: poolB})
	}
	exhausted := func(reason, field, source, usage string) Error {
		return Error{ResourceExhausted, reason, field, source, source + " has no free address: " + usage}
	}
	w.refused("only reserved ones", Allocate{Name: web, Pool: poolA}, exhausted(ReasonPoolExhausted, "pool", poolA, "it holds none that can be given out"))
	w.refused("a pool", Allocate{Name: web, Pool: poolB}, exhausted(ReasonPoolExhausted, "pool", poolB,
		"3 of 3 used in 203.0.113.17-203.0.113.19; 2 of 2 used in 203.0.113.32/31"))
	w.do(BindPool{devBound, poolB}, BindPool{GlobalBindingName, poolB})
	w.refused("a namespace's", Allocate{Name: web, Namespace: "dev"}, exhausted(ReasonPoolExhausted, "namespace", poolB,
		"3 of 3 used in 203.0.113.17-203.0.113.19; 2 of 2 used in 203.0.113.32/31"))
	w.refused("the cluster's", Allocate{Name: web}, exhausted(ReasonPoolExhausted, "pool", poolB,
		"3 of 3 used in 203.0.113.17-203.0.113.19; 2 of 2 used in 203.0.113.32/31"))
	for i := 5; i < 18; i++ {
		w.do(Allocate{Name: fip(i), Network: public})
	}
	w.refused("a network", Allocate{Name: web, Network: public}, exhausted(ReasonNetExhausted, "network", public,
		"4 of 4 used in 203.0.113.1-203.0.113.4; 1 of 1 used in 203.0.113.20; 2 of 2 used in 203.0.113.64/31; 2 of 2 used in 203.0.113.96/31; 2 of 2 used in 203.0.113.128/31 and 1 more"))
}

// TestRequestedAddress checks an address that somebody wants against pools.
func TestRequestedAddress(t *testing.T) {
	w := newWorld(t)
	w.do(reserving(ReserveFirst, public, "203.0.113.0/24"), pool(poolA, "203.0.113.0/28", "203.0.113.32"), pool(poolB, "203.0.113.64/28"))
	for _, tt := range []struct {
		name    string
		command Allocate
		want    Error
	}{
		{"outside the pool", Allocate{Name: web, Pool: poolA, Address: addr("203.0.113.33")},
			Error{InvalidArgument, ReasonOutsidePool, "address", "", "203.0.113.33 is outside " + poolA + ": 203.0.113.0/28, 203.0.113.32"}},
		{"in another pool", Allocate{Name: web, Pool: poolA, Address: addr("203.0.113.64")},
			Error{InvalidArgument, ReasonOutsidePool, "address", "", "203.0.113.64 is outside " + poolA + ": 203.0.113.0/28, 203.0.113.32"}},
		{"outside the network", Allocate{Name: web, Pool: poolA, Address: addr("198.51.100.1")},
			Error{InvalidArgument, ReasonOutsidePool, "address", "", "198.51.100.1 is outside " + poolA + ": 203.0.113.0/28, 203.0.113.32"}},
		{"network address", Allocate{Name: web, Pool: poolA, Address: addr("203.0.113.0")},
			Error{InvalidArgument, ReasonReserved, "address", "", "203.0.113.0 is the network or broadcast address of 203.0.113.0/24"}},
		{"reserved", Allocate{Name: web, Pool: poolA, Address: addr("203.0.113.2")},
			Error{InvalidArgument, ReasonReserved, "address", "", "203.0.113.2 is reserved for the DNS of 203.0.113.0/24"}},
		{"of a pool", allocate(web, public, "203.0.113.64"),
			Error{InvalidArgument, ReasonInPool, "address", "", "203.0.113.64 belongs to " + poolB + "; name that pool"}},
		{"reserved, in a pool", allocate(web, public, "203.0.113.1"),
			Error{InvalidArgument, ReasonReserved, "address", "", "203.0.113.1 is reserved for the gateway of 203.0.113.0/24"}},
	} {
		w.refused(tt.name, tt.command, tt.want)
	}
	w.do(Allocate{Name: web, Pool: poolA, Address: addr("203.0.113.32")}, allocate(mail, public, "203.0.113.33"))
}
