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

	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// Config is what the engine must know.
type Config struct {
	AS       uint32
	RouterID netip.Addr // IPv4
	Logger   *slog.Logger
}

// Link is how bgp/wire reaches the engine on behalf of one neighbor.
type Link struct {
	Local netip.Addr // the source address that the engine knows the neighbor by
	Key   string     // the TCP MD5 key of the connection
}

// Engine is a running GoBGP server. Its methods may be called concurrently;
// GoBGP carries them out one after the other.
type Engine struct {
	cfg    Config
	server *server.BgpServer
	addr   netip.AddrPort

	mu         sync.Mutex
	links      map[netip.Addr]Link // by the neighbor's address
	nextLink   netip.Addr
	membership routetarget.Set
	targets    map[vrf.Key]routetarget.Set // of every route in the global table
}

// loopback is where the engine and its links live. The machine's own services
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
		cfg:     cfg,
		links:   map[netip.Addr]Link{},
		targets: map[vrf.Key]routetarget.Set{},
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
	e.nextLink = e.addr.Addr()
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

// Addr returns where the engine listens.
func (e *Engine) Addr() netip.AddrPort { return e.addr }

// newLink takes the next loopback address. The caller holds mu.
func (e *Engine) newLink() (Link, error) {
	key := make([]byte, 20)
	if _, err := rand.Read(key); err != nil {
		return Link{}, err
	}
	if e.nextLink = e.nextLink.Next(); !loopback.Contains(e.nextLink) {
		e.nextLink = loopback.Addr().Next()
	}
	if e.nextLink == e.addr.Addr() {
		e.nextLink = e.nextLink.Next()
	}
	return Link{Local: e.nextLink, Key: hex.EncodeToString(key)}, nil
}

// AddNeighbor makes the engine expect a neighbor.
func (e *Engine) AddNeighbor(ctx context.Context, s neighbor.Settings) (Link, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	link, err := e.newLink()
	if err != nil {
		return Link{}, err
	}
	peer := &api.Peer{
		Conf: &api.PeerConf{
			NeighborAddress: link.Local.String(),
			PeerAsn:         s.AS,
			AuthPassword:    link.Key,
			Description:     s.Name,
		},
		Transport: &api.Transport{PassiveMode: true},
	}
	for _, f := range s.Families.Slice() {
		peer.AfiSafis = append(peer.AfiSafis, &api.AfiSafi{
			Config: &api.AfiSafiConfig{Family: apiFamily(f), Enabled: true},
		})
	}
	if err := e.server.AddPeer(ctx, &api.AddPeerRequest{Peer: peer}); err != nil {
		return Link{}, fmt.Errorf("add neighbor %s to the engine: %w", s.Name, err)
	}
	e.links[s.Address] = link
	return link, nil
}

// RemoveNeighbor makes the engine forget a neighbor. A session ends with a
// Cease, Peer De-configured.
func (e *Engine) RemoveNeighbor(ctx context.Context, addr netip.Addr) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	link, ok := e.links[addr]
	if !ok {
		return nil
	}
	if err := e.server.DeletePeer(ctx, &api.DeletePeerRequest{Address: link.Local.String()}); err != nil {
		return fmt.Errorf("remove neighbor %s from the engine: %w", addr, err)
	}
	delete(e.links, addr)
	return nil
}

// Shutdown sends every neighbor a Cease, Administrative Shutdown, with a text
// for its operator (RFC 9003), and stops listening.
func (e *Engine) Shutdown(ctx context.Context, communication string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, link := range e.links {
		// GoBGP takes the message only for a session that is up.
		_ = e.server.DisablePeer(ctx, &api.DisablePeerRequest{Address: link.Local.String(), Communication: communication})
	}
	return nil
}

// Close ends what Shutdown has left. Sessions that are still up end with a
// Cease, Peer De-configured.
func (e *Engine) Close(ctx context.Context) error {
	return e.server.StopBgp(ctx, &api.StopBgpRequest{})
}

func apiFamily(f neighbor.Family) *api.Family {
	return &api.Family{Afi: api.Family_Afi(f.AFI()), Safi: api.Family_Safi(f.SAFI())}
}
