package bgp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

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
		Engine:   e.Addr(),
		Logger:   cfg.Logger,
	})
	if err != nil {
		return nil, fmt.Errorf("%w; is another BGP speaker running, or is the port below 1024 without the right to bind it?", err)
	}
	return &Speaker{engine: e, wire: w, neighbors: map[netip.Addr]neighbor.Settings{}}, nil
}

// shutdownTime is how long neighbors have to take the NOTIFICATION of a
// shutdown.
const shutdownTime = 2 * time.Second

// Run serves the sessions until the context ends. Then it tells every neighbor
// with a Cease, Administrative Shutdown.
func (s *Speaker) Run(ctx context.Context) error {
	wireCtx, stopWire := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWire()
	done := make(chan error, 1)
	go func() { done <- s.wire.Run(wireCtx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	s.shutdown(context.WithoutCancel(ctx))
	stopWire()
	return errors.Join(<-done, s.engine.Close(context.WithoutCancel(ctx)))
}

// shutdown ends the sessions and waits until the wire has passed on the
// engine's last words.
func (s *Speaker) shutdown(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, shutdownTime)
	defer cancel()
	s.engine.Shutdown(ctx, "buoyd is stopping")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.established() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Speaker) established() (n int) {
	for _, status := range s.wire.Status() {
		if status.State == neighbor.Established {
			n++
		}
	}
	return n
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
func (s *Speaker) SetNeighbors(ctx context.Context, list []neighbor.Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := make(map[netip.Addr]neighbor.Settings, len(list))
	for _, n := range list {
		want[n.Address] = n
	}
	for addr, have := range s.neighbors {
		if want[addr] == have {
			continue
		}
		if err := s.remove(ctx, addr); err != nil {
			return err
		}
	}
	for addr, n := range want {
		if _, ok := s.neighbors[addr]; ok {
			continue
		}
		if err := s.add(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (s *Speaker) add(ctx context.Context, n neighbor.Settings) error {
	link, err := s.engine.AddNeighbor(ctx, n)
	if err != nil {
		return err
	}
	if err := s.wire.Add(n, wire.Link{Local: link.Local, Key: link.Key}); err != nil {
		return errors.Join(err, s.engine.RemoveNeighbor(ctx, n.Address))
	}
	s.neighbors[n.Address] = n
	return nil
}

// remove ends a session: the engine says why, and the wire passes it on.
func (s *Speaker) remove(ctx context.Context, addr netip.Addr) error {
	if err := s.engine.RemoveNeighbor(ctx, addr); err != nil {
		return err
	}
	s.wire.Remove(addr)
	delete(s.neighbors, addr)
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
		return s.engine.AdjRIBOut(ctx, addr, status.Negotiated())
	}
	return nil, nil
}
