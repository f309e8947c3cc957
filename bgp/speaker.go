package bgp

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/buoynet/buoy/bgp/engine"
	"github.com/buoynet/buoy/bgp/ribin"
	"github.com/buoynet/buoy/bgp/ribout"
	"github.com/buoynet/buoy/bgp/wire"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Config is what the speaker is.
type Config struct {
	AS       uint32
	RouterID netip.Addr // IPv4
	Listen   []string   // where routers may connect to, as net.Listen takes it
	// LastRun is when an earlier run with the same routes was last alive. Within
	// the restart time of a neighbor from then on, the first session with it is
	// that of a restarted speaker (RFC 4724 §4.1). Zero for a cold start.
	LastRun time.Time
	// Quarantine are addresses of neighbors that get no session, until their
	// settings change.
	Quarantine []netip.Addr
	// Note is told the neighbor before a message of it goes to GoBGP; nil for
	// nobody.
	Note func(addr netip.Addr)
	// Written is told how long after SetCommitted's time routes were written to a
	// neighbor: once for each time and write, by many goroutines; nil for nobody.
	Written func(after time.Duration)
	Logger  *slog.Logger
}

// Speaker is a BGP speaker. Its methods may be called concurrently.
type Speaker struct {
	engine   *engine.Engine
	wire     *wire.Server
	routes   *ribout.Table
	received *ribin.Table

	mu        sync.Mutex
	neighbors map[netip.Addr]neighbor.Settings
}

// Start binds the listeners and starts the engine. No session opens before Run.
func Start(ctx context.Context, cfg Config) (*Speaker, error) {
	e, err := engine.Start(ctx, engine.Config{AS: cfg.AS, RouterID: cfg.RouterID, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	routes, received := ribout.NewTable(), ribin.NewTable(ribin.Local{AS: cfg.AS, RouterID: cfg.RouterID})
	w, err := wire.Listen(wire.Config{
		Listen:   cfg.Listen,
		LocalAS:  cfg.AS,
		RouterID: cfg.RouterID,
		Engine:   e,
		Routes:   routes,
		Received: received,
		LastRun:  cfg.LastRun,

		Quarantine: cfg.Quarantine,
		Note:       cfg.Note,
		Written:    cfg.Written,

		Logger: cfg.Logger,
	})
	if err != nil {
		e.Stop(ctx)
		return nil, fmt.Errorf("%w%s", err, bindHint(err))
	}
	return &Speaker{engine: e, wire: w, routes: routes, received: received, neighbors: map[netip.Addr]neighbor.Settings{}}, nil
}

// bindHint says what to do about an address that cannot be listened on.
func bindHint(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "; another BGP speaker runs there"
	case errors.Is(err, syscall.EACCES):
		return "; a port below 1024 needs root or CAP_NET_BIND_SERVICE"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "; no interface of this machine has the address"
	}
	return ""
}

// Run serves the sessions until the context ends. Then it closes them without a
// word: neighbors with graceful restart keep our routes until we are back, or
// for their restart time (RFC 4724 §4.2).
func (s *Speaker) Run(ctx context.Context) error {
	return errors.Join(s.wire.Run(ctx), s.engine.Stop(context.WithoutCancel(ctx)))
}

// Shutdown is for a speaker that does not come back: it withdraws every route
// from every neighbor, and then ends the sessions with a Cease, Administrative
// Shutdown, and a text for the neighbors' operators (RFC 9003). It waits for the
// withdrawals until the context ends, and then returns its error. Run should end
// next.
func (s *Speaker) Shutdown(ctx context.Context, communication string) error {
	s.routes.WithdrawAll()
	err := s.withdrawn(ctx)
	s.wire.Shutdown(communication)
	return err
}

// withdrawn waits until every neighbor was sent everything.
func (s *Speaker) withdrawn(ctx context.Context) error {
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for !s.routes.Idle() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("withdraw all routes: %w", ctx.Err())
		}
	}
	return nil
}

// Addrs returns where routers may connect to.
func (s *Speaker) Addrs() []netip.AddrPort { return s.wire.Addrs() }

// SetNetworks says which networks there are, and which targets their routes
// carry. No other route leaves; see ribout.Table.
func (s *Speaker) SetNetworks(_ context.Context, networks map[uint16]routetarget.Set) error {
	s.routes.Declare(networks)
	return nil
}

// Advertise adds routes, or replaces those with the same keys. When one of them
// cannot be sent, none is taken.
func (s *Speaker) Advertise(_ context.Context, routes []vrf.Route) error {
	return s.routes.Advertise(routes)
}

// SetCommitted says since when what follows is on disk: Config.Written is told how
// long the routes took from then on. The zero time is for what nobody waits for.
func (s *Speaker) SetCommitted(at time.Time) { s.routes.SetCommitted(at) }

// Withdraw removes routes. What is not advertised is not an error.
func (s *Speaker) Withdraw(_ context.Context, routes []vrf.Route) error {
	s.routes.Withdraw(routes)
	return nil
}

// SetMembership announces exactly these targets as wanted to the neighbors
// that negotiate route-target (RFC 4684).
func (s *Speaker) SetMembership(_ context.Context, targets routetarget.Set) error {
	s.routes.SetMembership(targets)
	return nil
}

// SetNeighbors makes these the neighbors, and no others. One whose settings
// changed begins a new session, unless only its policy did; with graceful
// restart it keeps our routes meanwhile. One that is gone is told so, and drops
// them.
func (s *Speaker) SetNeighbors(_ context.Context, list []neighbor.Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := make(map[netip.Addr]neighbor.Settings, len(list))
	for _, n := range list {
		want[n.Address] = n
	}
	var leaving sync.WaitGroup // a router that hangs must not hold up the others
	for addr, have := range s.neighbors {
		wanted, ok := want[addr]
		switch {
		case wanted == have:
			continue
		case ok && wanted.SameSession(have):
			s.wire.SetPolicy(addr, wanted.Policy)
			s.neighbors[addr] = wanted
			continue
		case ok:
			leaving.Go(func() { s.wire.Suspend(addr) })
		default:
			leaving.Go(func() { s.wire.Remove(addr) })
		}
		delete(s.neighbors, addr)
	}
	leaving.Wait()
	for addr, n := range want {
		if _, ok := s.neighbors[addr]; ok {
			continue
		}
		if err := s.wire.Add(n); err != nil {
			return err
		}
		s.neighbors[addr] = n
	}
	return nil
}

// Neighbors returns what is seen of the sessions, sorted by name.
func (s *Speaker) Neighbors() []neighbor.Status { return s.wire.Status() }

// Changed counts the changes of the neighbors' states and their reasons, and their
// End-of-RIBs, not the changes of their counters. The channel is closed at the next
// one.
func (s *Speaker) Changed() (count uint64, next <-chan struct{}) { return s.wire.Changed() }

// Progress counts what may have changed an answer of Delivery for a neighbor that is
// established. The channel is closed at the next step.
func (s *Speaker) Progress() (p neighbor.Progress, next <-chan struct{}) { return s.routes.Progress() }

// Refused returns the connections from addresses that no neighbor has. They get
// no word.
func (s *Speaker) Refused() neighbor.Refused { return s.wire.Refused() }

// CheckKey returns why the next session with a neighbor would not find its MD5 key, or nil.
func CheckKey(source neighbor.KeySource) error { return wire.CheckKey(source) }

// AdjRIBOut yields the routes that a neighbor has been sent, and when, ordered
// by key, from one on; none when its session is not established.
func (s *Speaker) AdjRIBOut(addr netip.Addr, from vrf.Key) iter.Seq2[vrf.Route, time.Time] {
	if out := s.wire.Out(addr); out != nil {
		return out.Routes(from)
	}
	return func(func(vrf.Route, time.Time) bool) {}
}

// AdjRIBIn yields the routes that a neighbor has announced, as far as they are
// taken, ordered by key, from one on.
func (s *Speaker) AdjRIBIn(addr netip.Addr, from vrf.Key) iter.Seq[*vrf.Received] {
	if in := s.wire.In(addr); in != nil {
		return in.Routes(from)
	}
	return func(func(*vrf.Received) bool) {}
}

// Received delivers when the neighbors have announced or withdrawn something,
// or a session was lost.
func (s *Speaker) Received() <-chan struct{} { return s.received.Wake() }

// TakeReceived returns what has changed since the last call.
func (s *Speaker) TakeReceived() []vrf.Update { return s.received.Take() }

// Delivery reports whether a neighbor has a route as it should be now.
func (s *Speaker) Delivery(addr netip.Addr, key vrf.Key) neighbor.Delivery {
	if out := s.wire.Out(addr); out != nil {
		return out.Delivery(key)
	}
	return neighbor.Delivery{Reason: "is not established", Check: neighbor.CheckSession}
}
