package contract

import (
	"context"
	"iter"
	"net/netip"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Speaker is what Buoy needs of BGP. Its methods may be called concurrently.
type Speaker interface {
	// Run serves the sessions until the context ends. It is called once. When it
	// returns every session has ended without a word, such that neighbors with
	// graceful restart keep the routes, and no socket is left.
	Run(ctx context.Context) error
	// Shutdown withdraws every route from every neighbor, and then ends the
	// sessions with a Cease, Administrative Shutdown, and a text. It waits for the
	// withdrawals until the context ends.
	Shutdown(ctx context.Context, communication string) error
	// Addrs returns where routers may connect to.
	Addrs() []netip.AddrPort

	// SetNetworks says which networks there are, by id, and which targets their
	// routes carry. From then on no other route is taken; before, any.
	SetNetworks(ctx context.Context, networks map[uint16]routetarget.Set) error
	// Advertise adds routes, or replaces those with the same keys. When one of
	// them cannot be sent, none is taken.
	Advertise(ctx context.Context, routes []vrf.Route) error
	// Withdraw removes routes. What is not advertised is not an error.
	Withdraw(ctx context.Context, routes []vrf.Route) error
	// SetMembership announces exactly these targets as wanted (RFC 4684).
	SetMembership(ctx context.Context, targets routetarget.Set) error
	// SetNeighbors makes these the neighbors, and no others.
	SetNeighbors(ctx context.Context, neighbors []neighbor.Settings) error

	// Neighbors returns what is seen of the sessions, sorted by name.
	Neighbors() []neighbor.Status
	// AdjRIBOut yields the routes that a neighbor has been sent, as they were
	// sent, and when; ordered by key.
	AdjRIBOut(addr netip.Addr, from vrf.Key) iter.Seq2[vrf.Route, time.Time]
	// AdjRIBIn yields the routes that a neighbor has announced, as far as they are
	// taken, ordered by key, from one on.
	AdjRIBIn(addr netip.Addr, from vrf.Key) iter.Seq[*vrf.Received]
	// Delivery reports whether a neighbor has a route as it should be now.
	Delivery(addr netip.Addr, key vrf.Key) neighbor.Delivery
}

// Config is what a clause wants its speaker to be.
type Config struct {
	AS       uint32
	RouterID netip.Addr
	Listen   netip.AddrPort
	LastRun  time.Time // when an earlier speaker was last alive; zero if none was
}

// Start returns a speaker that listens and has no neighbors. The suite calls
// its Run.
type Start func(t *testing.T, c Config) Speaker

// clause is one part of the contract. One that is alone looks at the whole
// process.
type clause struct {
	name     string
	alone    bool
	speakers byte // one unless it says two
	check    func(*world)
	after    time.Duration // since an earlier speaker was last alive; 0: there was none
}

// Run holds a speaker to the contract.
func Run(t *testing.T, start Start) {
	for _, c := range []clause{
		{name: "Stop", alone: true, check: stop},
		{name: "StopBeforeSessions", alone: true, check: stopBeforeSessions},
		{name: "Shutdown", check: shutdown},
		{name: "ShutdownBesideDeaf", check: shutdownBesideDeaf},

		{name: "ColdStart", check: coldStart},
		{name: "Restart", check: restart, after: time.Second},
		{name: "RestartTooLate", check: coldStart, after: (neighbor.DefaultRestartTime + 1) * time.Second},
		{name: "RestartSettings", check: restartSettings, after: time.Second},
		{name: "Ends", check: ends},

		{name: "Received", check: received},
		{name: "ReceivedFilter", check: receivedFilter},
		{name: "ReceivedTooMany", check: receivedTooMany},
		{name: "ReceivedOverRestart", check: receivedOverRestart},
		{name: "ReceivedBesideOurs", check: receivedBesideOurs},

		{name: "Hostile", check: hostile},
		{name: "Malformed", check: malformed},

		{name: "Active", check: active},
		{name: "Passive", check: passive},
		{name: "Stranger", check: stranger},
		{name: "FlapsOfActive", check: flapsOfActive},
		{name: "FlapsOfPassive", check: flapsOfPassive},
		{name: "TwoSpeakers", speakers: 2, check: twoSpeakers},
		{name: "NeighborsChange", check: neighborsChange},
		{name: "PolicyChange", check: policyChange},
		{name: "MaxAdvertised", check: maxAdvertised},

		{name: "RoutesBeforeSession", check: routesBeforeSession},
		{name: "RoutesChange", check: routesChange},
		{name: "RoutesUnchanged", check: routesUnchanged},
		{name: "RoutesWithdrawn", check: routesWithdrawn},
		{name: "RoutesRefused", check: routesRefused},
		{name: "RoutesUndeclared", check: routesUndeclared},
		{name: "Families", check: families},
		{name: "NextHopIPv6", check: nextHopIPv6},
		{name: "ExternalNeighbor", check: externalNeighbor},
		{name: "Concurrently", check: concurrently},

		{name: "EndOfRIBEmpty", check: endOfRIBEmpty},
		{name: "EndOfRIBAfterRoutes", check: endOfRIBAfterRoutes},
		{name: "EndOfRIBEachSession", check: endOfRIBEachSession},

		{name: "MembershipWithoutEnd", check: membershipWithoutEnd},
		{name: "OwnMembership", check: ownMembership},
		{name: "MembershipFirst", check: membershipFirst},
		{name: "MembershipChange", check: membershipChange},
		{name: "MembershipDefault", check: membershipDefault},
		{name: "MembershipTargetChange", check: membershipTargetChange},
		{name: "MembershipNextSession", check: membershipNextSession},

		{name: "RefreshFamily", check: refreshFamily},
		{name: "RefreshMembership", check: refreshMembership},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, start, c)
			if !c.alone {
				t.Parallel() // only now: an engine may not like others to start beside it
			}
			c.check(w)
		})
	}
}
