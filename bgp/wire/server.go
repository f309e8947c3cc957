package wire

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/buoynet/buoy/bgp/ribin"
	"github.com/buoynet/buoy/bgp/ribout"
	"github.com/buoynet/buoy/internal/neighbor"
)

// Config is what all neighbors have in common.
type Config struct {
	Listen   []string // "0.0.0.0:179", "[::]:179"; port 0 takes any
	LocalAS  uint32
	RouterID netip.Addr
	Engine   Engine
	Routes   *ribout.Table // what is advertised
	Received *ribin.Table  // what the neighbors announce
	// LastRun is when an earlier run of this speaker, which routers may still
	// have routes of, was last alive; zero when there is none.
	LastRun time.Time
	// Quarantine are addresses of neighbors that get no session, until their
	// settings change: their messages may have ended the process.
	Quarantine []netip.Addr
	// Note is told the neighbor before a message of it goes to the engine; nil
	// for nobody.
	Note func(addr netip.Addr)
	// Written is told how long after its commit a route was written; nil for nobody.
	Written func(after time.Duration)
	Logger  *slog.Logger
}

// Engine is the BGP state machine behind the wire. Its methods may be called
// concurrently.
type Engine interface {
	// Open makes the engine expect one session with a neighbor. It is followed
	// by Close.
	Open(ctx context.Context, settings neighbor.Settings) (Link, error)
	// Close makes the engine forget the session.
	Close(link Link)
}

// Link is how the engine knows one session.
type Link struct {
	Engine netip.AddrPort // where the engine listens
	Local  netip.Addr     // the loopback address from which it must be dialed
	Key    string         // TCP MD5, at most 80 bytes; empty for none
}

// Server owns the sockets that face the routers.
type Server struct {
	config    Config
	timers    timers
	listeners []*net.TCPListener
	refusals  refusals
	changes   changes

	mu    sync.Mutex
	ctx   context.Context // nil before Run, and after it was told to end
	ended bool
	peers map[netip.Addr]*peer
	group sync.WaitGroup // of peers; grows only while ctx is not nil
	// What neighbors announced that had a session in this run, and are about to be
	// added again.
	suspended map[netip.Addr]*adjIn
	// Neighbors that were removed in this run: they have dropped our routes.
	told map[netip.Addr]bool
	// Neighbors that get no session, until their settings change.
	quarantine map[netip.Addr]bool
}

// Run accepts and dials. It returns when ctx has ended and every session with
// it, without a word: routers with graceful restart keep our routes (RFC 4724
// §4.1). It can be called once.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	s.mu.Lock()
	s.ctx = ctx
	for _, p := range s.peers {
		s.start(p)
	}
	s.mu.Unlock()
	for _, l := range s.listeners {
		g.Go(func() error { return s.accept(ctx, l) })
	}
	g.Go(func() error {
		<-ctx.Done()
		s.close()
		return nil
	})
	err := g.Wait()

	s.mu.Lock()
	s.ctx, s.ended = nil, true
	s.mu.Unlock()
	s.group.Wait()
	return err
}

// Add starts a neighbor, as soon as Run runs.
func (s *Server) Add(settings neighbor.Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return fmt.Errorf("add neighbor %s: the server has ended", settings.Name)
	case s.peers[settings.Address] != nil:
		return fmt.Errorf("add neighbor %s: there is one with the address %s", settings.Name, settings.Address)
	}
	p := newPeer(s, settings)
	p.told = s.told[settings.Address]
	if in := s.suspended[settings.Address]; in != nil {
		in.SetPolicy(settings.Policy)
		p.known, p.in = true, in
		delete(s.suspended, settings.Address)
	} else {
		p.in = s.newAdjIn(settings.Policy)
	}
	if s.quarantine[settings.Address] {
		p.quarantined()
	}
	s.peers[settings.Address] = p
	s.changes.note()
	if s.ctx != nil {
		s.start(p)
	}
	return nil
}

// start runs a peer. The caller holds s.mu.
func (s *Server) start(p *peer) {
	ctx, cancel := context.WithCancel(s.ctx)
	p.cancel = cancel
	p.begin(ctx)
	s.group.Go(func() { p.run(ctx) })
}

// Remove ends the neighbor's sessions with a Cease, Peer De-configured, and
// returns when they have ended.
func (s *Server) Remove(addr netip.Addr) {
	s.take(addr, func(p *peer) (keep bool) {
		p.cease(ceaseDeconfigured, "", "removed")
		s.told[addr] = true
		return false
	})
}

// Suspend is Remove for a neighbor that is about to be added again, with other
// settings: a router with graceful restart keeps our routes.
func (s *Server) Suspend(addr netip.Addr) {
	s.take(addr, func(p *peer) (keep bool) {
		if keep = p.leave("changed"); keep {
			s.suspended[addr] = p.in
		}
		return keep
	})
}

// take removes a neighbor and returns when its sessions have ended. It calls end,
// which says whether what was received is kept, with s.mu held.
func (s *Server) take(addr netip.Addr, end func(*peer) (keep bool)) {
	s.mu.Lock()
	p := s.peers[addr]
	delete(s.peers, addr)
	delete(s.quarantine, addr)
	s.changes.note()
	if p == nil || p.cancel == nil {
		s.mu.Unlock()
		if p != nil {
			p.in.close()
		}
		return
	}
	keep := end(p)
	p.cancel()
	s.mu.Unlock()
	<-p.done
	if !keep {
		p.in.close()
	}
	if !p.settings.MD5Key.IsZero() {
		s.setListenerKey(addr, "")
	}
}

// Shutdown ends every session with a Cease, Administrative Shutdown, and a text
// for the neighbor's operator (RFC 9003): routers drop our routes. No new session
// begins before Run is told to end, which should come next.
func (s *Server) Shutdown(communication string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		p.cease(ceaseShutdown, communication, "shut down")
	}
}

// Status returns a snapshot of every neighbor, sorted by name.
func (s *Server) Status() []neighbor.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]neighbor.Status, 0, len(s.peers))
	for _, p := range s.peers {
		list = append(list, s.withStranger(p.snapshot()))
	}
	slices.SortFunc(list, func(a, b neighbor.Status) int { return cmp.Compare(a.Settings.Name, b.Settings.Name) })
	return list
}

// SetPolicy changes what a neighbor is sent, and what is taken from it. Its
// session goes on, and one that was stopped for too many routes is let in again.
func (s *Server) SetPolicy(addr netip.Addr, policy neighbor.Policy) {
	p := s.peer(addr)
	if p == nil {
		return
	}
	p.mu.Lock()
	p.status.Settings.Policy = policy
	p.changes.note()
	p.mu.Unlock()
	if out := p.out(); out != nil {
		out.SetPolicy(policy)
	}
	if p.in.SetPolicy(policy) {
		p.ask()
	}
	p.reconsider()
}

// Out returns the Adj-RIB-Out of a neighbor, or nil when its session is not
// established.
func (s *Server) Out(addr netip.Addr) *ribout.Out {
	if p := s.peer(addr); p != nil {
		return p.out()
	}
	return nil
}

func (p *peer) out() *ribout.Out {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == nil || p.status.State != neighbor.Established {
		return nil
	}
	return p.current.out
}

// In returns what a neighbor has announced, or nil when there is no such
// neighbor.
func (s *Server) In(addr netip.Addr) *ribin.In {
	if p := s.peer(addr); p != nil {
		return p.in.In
	}
	return nil
}

// peer returns what is about a neighbor, or nil when there is no such neighbor.
func (s *Server) peer(addr netip.Addr) *peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peers[addr]
}

// strangerTime is how long a refused connection from an address that no
// neighbor has may explain why a neighbor is missing.
const strangerTime = 5 * time.Minute

// withStranger adds to the reason of a missing neighbor that somebody unknown
// has tried to connect: it may be the neighbor, from another address. The
// caller holds s.mu.
func (s *Server) withStranger(status neighbor.Status) neighbor.Status {
	r := s.refusals.snapshot()
	recent := r.Count > 0 && time.Since(r.Time) < strangerTime && s.peers[r.Address] == nil
	if recent && status.State < neighbor.OpenSent && r.Address.Is4() == status.Settings.Address.Is4() {
		status.Stranger = r.Address
		status.Reason += fmt.Sprintf("; a connection from %s was refused, which no neighbor has as its address", r.Address)
	}
	return status
}

// Refused returns what came from addresses that no neighbor has.
func (s *Server) Refused() neighbor.Refused { return s.refusals.snapshot() }
