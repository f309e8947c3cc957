package bgp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"github.com/buoynet/buoy/bgp/engine"
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
	Logger   *slog.Logger
}

// Speaker is a BGP speaker. Its methods may be called concurrently.
type Speaker struct {
	engine *engine.Engine
	wire   *wire.Server

	mu        sync.Mutex
	neighbors map[netip.Addr]neighbor.Settings
}

// Start binds the listeners and starts the engine. No session opens before Run.
func Start(ctx context.Context, cfg Config) (*Speaker, error) {
	e, err := engine.Start(ctx, engine.Config{AS: cfg.AS, RouterID: cfg.RouterID, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	w, err := wire.Listen(wire.Config{
		Listen:   cfg.Listen,
		LocalAS:  cfg.AS,
		RouterID: cfg.RouterID,
		Engine:   e,
		Logger:   cfg.Logger,
	})
	if err != nil {
		e.Stop(ctx)
		return nil, fmt.Errorf("%w%s", err, bindHint(err))
	}
	return &Speaker{engine: e, wire: w, neighbors: map[netip.Addr]neighbor.Settings{}}, nil
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

// Run serves the sessions until the context ends. Then it tells every neighbor
// with a Cease, Administrative Shutdown.
func (s *Speaker) Run(ctx context.Context) error {
	wireCtx, stopWire := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWire()
	go func() {
		select {
		case <-ctx.Done():
			s.wire.Shutdown("buoyd is stopping")
			stopWire()
		case <-wireCtx.Done():
		}
	}()
	return errors.Join(s.wire.Run(wireCtx), s.engine.Stop(wireCtx))
}

// Addrs returns where routers may connect to.
func (s *Speaker) Addrs() []netip.AddrPort { return s.wire.Addrs() }

// Advertise adds routes, or replaces those with the same keys. After an error
// some of them may be advertised; to repeat it is harmless.
func (s *Speaker) Advertise(ctx context.Context, routes []vrf.Route) error {
	return s.engine.Advertise(ctx, routes)
}

// Withdraw removes routes. What is not advertised is not an error.
func (s *Speaker) Withdraw(ctx context.Context, routes []vrf.Route) error {
	return s.engine.Withdraw(ctx, routes)
}

// SetMembership announces exactly these targets as wanted to the neighbors
// that negotiate route-target (RFC 4684).
func (s *Speaker) SetMembership(ctx context.Context, targets routetarget.Set) error {
	return s.engine.SetMembership(ctx, targets)
}

// SetNeighbors makes these the neighbors, and no others. One whose settings
// changed begins a new session.
func (s *Speaker) SetNeighbors(_ context.Context, list []neighbor.Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := make(map[netip.Addr]neighbor.Settings, len(list))
	for _, n := range list {
		want[n.Address] = n
	}
	var leaving sync.WaitGroup // a router that hangs must not hold up the others
	for addr, have := range s.neighbors {
		if want[addr] == have {
			continue
		}
		leaving.Go(func() { s.wire.Remove(addr) })
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

// AdjRIBOut returns the routes that a neighbor has been given, ordered by key;
// none when its session is not established.
func (s *Speaker) AdjRIBOut(ctx context.Context, addr netip.Addr) ([]vrf.Route, error) {
	for _, status := range s.wire.Status() {
		if status.Settings.Address != addr {
			continue
		}
		if status.State != neighbor.Established {
			return nil, nil
		}
		routes, err := s.engine.AdjRIBOut(ctx, addr, status.Negotiated())
		return slices.DeleteFunc(routes, func(r vrf.Route) bool { return !status.Takes(r.Prefix.Addr(), r.NextHop) }), err
	}
	return nil, nil
}
