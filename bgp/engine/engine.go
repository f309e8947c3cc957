package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/netip"
	"sync"
	"syscall"

	api "github.com/osrg/gobgp/v3/api"
	"github.com/osrg/gobgp/v3/pkg/server"

	"github.com/buoynet/buoy/bgp/wire"
	"github.com/buoynet/buoy/internal/neighbor"
)

// Config is what the engine must know.
type Config struct {
	AS       uint32
	RouterID netip.Addr // IPv4
	Logger   *slog.Logger
}

// Engine is a running GoBGP server. Its methods may be called concurrently;
// GoBGP carries them out one after the other.
type Engine struct {
	cfg    Config
	server *server.BgpServer
	addr   netip.AddrPort

	mu      sync.Mutex
	next    netip.Addr   // the next address that no session has had
	rested  []netip.Addr // addresses of sessions that ended, the longest ago first
	stopped bool
}

// loopback is where the engine and its sessions live. The machine's own services
// are on 127.0.0.1, far from it.
var loopback = netip.MustParsePrefix("127.64.0.0/10")

// The engine's port is outside the usual range of ephemeral ports.
const (
	minPort = 20000
	maxPort = 30000
)

// Start runs an engine without neighbors.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	e := &Engine{
		cfg: cfg,
	}
	e.server = server.NewBgpServer(server.LoggerOption(&logger{cfg.Logger}))
	go e.server.Serve() // GoBGP has no way to end it

	// GoBGP wants a port to listen on and does not tell which one it got.
	var err error
	for range 20 {
		e.addr = netip.AddrPortFrom(randomLoopback(), uint16(minPort+mathrand.IntN(maxPort-minPort)))
		err = e.server.StartBgp(ctx, &api.StartBgpRequest{Global: &api.Global{
			Asn:             cfg.AS,
			RouterId:        cfg.RouterID.String(),
			ListenPort:      int32(e.addr.Port()),
			ListenAddresses: []string{e.addr.Addr().String()},
			Families:        []uint32{familyIPv4VPN, familyIPv6VPN, familyRTC},
		}})
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("start engine on %s: %w", e.addr, err)
	}
	e.next = e.addr.Addr()
	if err := e.installPolicy(ctx); err != nil {
		return nil, fmt.Errorf("install the engine's policy: %w", err)
	}
	return e, nil
}

// The engine's own numbers for the address families.
const (
	familyIPv4VPN = 4
	familyIPv6VPN = 5
	familyRTC     = 12
)

// randomLoopback returns an address of the loopback prefix, so that two
// daemons on one machine do not meet.
func randomLoopback() netip.Addr {
	a := loopback.Addr().As4()
	n := mathrand.Uint32N(1 << (32 - loopback.Bits()))
	return netip.AddrFrom4([4]byte{a[0], a[1] | byte(n>>16), byte(n >> 8), byte(n)})
}

// Open makes the engine expect one session with a neighbor, from a loopback
// address and with a TCP MD5 key that only the caller gets to know. Every
// session is a new neighbor to the engine.
func (e *Engine) Open(ctx context.Context, s neighbor.Settings) (wire.Link, error) {
	key := make([]byte, 20)
	rand.Read(key) // never fails
	e.mu.Lock()
	defer e.mu.Unlock()
	link := wire.Link{Engine: e.addr, Local: e.nextAddr(), Key: hex.EncodeToString(key)}
	peer := &api.Peer{
		Conf: &api.PeerConf{
			NeighborAddress: link.Local.String(),
			PeerAsn:         s.AS,
			AuthPassword:    link.Key,
			Description:     s.Name,
		},
		Transport: &api.Transport{PassiveMode: true},
		Timers: &api.Timers{Config: &api.TimersConfig{
			HoldTime:          uint64(s.Hold()),
			KeepaliveInterval: uint64(s.KeepaliveTime), // 0: a third of the hold time
		}},
	}
	for _, f := range s.Families.Slice() {
		peer.AfiSafis = append(peer.AfiSafis, &api.AfiSafi{
			Config: &api.AfiSafiConfig{Family: apiFamily(f), Enabled: true},
		})
	}
	if err := e.server.AddPeer(ctx, &api.AddPeerRequest{Peer: peer}); err != nil {
		e.rested = append(e.rested, link.Local)
		return wire.Link{}, fmt.Errorf("open a session with %s in the engine: %w", s.Name, err)
	}
	return link, nil
}

// nextAddr returns an address for a session. The caller holds mu. Addresses are
// used again: GoBGP does not take the TCP MD5 key of a deleted neighbor off its
// listener, and the kernel has room for some hundred keys. A key for the same
// address replaces the old one.
func (e *Engine) nextAddr() netip.Addr {
	if len(e.rested) > 0 {
		addr := e.rested[0]
		e.rested = e.rested[1:]
		return addr
	}
	addr := e.next
	if e.next = addr.Next(); !loopback.Contains(e.next) {
		e.next = loopback.Addr().Next()
	}
	if addr == e.addr.Addr() {
		return e.nextAddr()
	}
	return addr
}

// Close makes the engine forget a session and what it received in it.
func (e *Engine) Close(link wire.Link) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rested = append(e.rested, link.Local)
	err := e.server.DeletePeer(context.Background(), &api.DeletePeerRequest{Address: link.Local.String()})
	if err != nil && !e.stopped {
		e.cfg.Logger.Error("the engine does not forget a session", "address", link.Local, "error", err)
	}
}

// Stop ends the engine. No session may be open.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	e.mu.Unlock()
	return e.server.StopBgp(ctx, &api.StopBgpRequest{})
}

func apiFamily(f neighbor.Family) *api.Family {
	return &api.Family{Afi: api.Family_Afi(f.AFI()), Safi: api.Family_Safi(f.SAFI())}
}
