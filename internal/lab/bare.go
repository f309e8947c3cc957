package lab

import (
	"context"
	"fmt"
	"net/netip"

	api "github.com/osrg/gobgp/v3/api"
	gobgplog "github.com/osrg/gobgp/v3/pkg/log"
	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
	"github.com/osrg/gobgp/v3/pkg/server"

	"github.com/buoynet/buoy/vrf"
)

// BareEngine is a GoBGP server without anything of Buoy around it: what
// benchmarks are compared with.
type BareEngine struct {
	server *server.BgpServer
}

var bareVPNv4 = &api.Family{Afi: api.Family_AFI_IP, Safi: api.Family_SAFI_MPLS_VPN}

// StartBareEngine runs one that listens nowhere.
func StartBareEngine(ctx context.Context, as uint32, routerID netip.Addr) (*BareEngine, error) {
	e := &BareEngine{server.NewBgpServer(server.LoggerOption(silent{}))}
	go e.server.Serve() // GoBGP has no way to end it
	err := e.server.StartBgp(ctx, &api.StartBgpRequest{Global: &api.Global{Asn: as, RouterId: routerID.String(), ListenPort: -1}})
	if err != nil {
		return nil, fmt.Errorf("start GoBGP: %w", err)
	}
	return e, nil
}

// Stop ends its sessions.
func (e *BareEngine) Stop(ctx context.Context) error {
	return e.server.StopBgp(ctx, &api.StopBgpRequest{})
}

// AddNeighbor makes it dial a router and offer it VPNv4, and more families if
// they are named.
func (e *BareEngine) AddNeighbor(ctx context.Context, addr netip.AddrPort, as uint32, more ...Family) error {
	var families []*api.AfiSafi
	for _, f := range append([]Family{VPNv4}, more...) {
		afi, safi := bgp.RouteFamilyToAfiSafi(routeFamilies[f])
		families = append(families, &api.AfiSafi{Config: &api.AfiSafiConfig{
			Family: &api.Family{Afi: api.Family_Afi(afi), Safi: api.Family_Safi(safi)}, Enabled: true,
		}})
	}
	return e.server.AddPeer(ctx, &api.AddPeerRequest{Peer: &api.Peer{
		Conf:      &api.PeerConf{NeighborAddress: addr.Addr().String(), PeerAsn: as},
		Transport: &api.Transport{RemotePort: uint32(addr.Port())},
		Timers:    &api.Timers{Config: &api.TimersConfig{ConnectRetry: 1, IdleHoldTimeAfterReset: 1}},
		AfiSafis:  families,
	}})
}

// Advertise adds VPNv4 routes to the global table, each as bytes: its fastest
// documented way.
func (e *BareEngine) Advertise(ctx context.Context, routes []vrf.Route) error {
	for _, r := range routes {
		path, err := barePath(r)
		if err == nil {
			_, err = e.server.AddPath(ctx, &api.AddPathRequest{Path: path})
		}
		if err != nil {
			return fmt.Errorf("advertise %s: %w", r.Key, err)
		}
	}
	return nil
}

func barePath(r vrf.Route) (*api.Path, error) {
	nlri := vpnNLRI(Route{RD: r.RD, Prefix: r.Prefix, Label: uint32(r.Label)})
	communities, err := communitiesOf(r.Targets, r.Encapsulations.Slice())
	if err != nil {
		return nil, err
	}
	path := &api.Path{Family: bareVPNv4}
	if path.NlriBinary, err = nlri.Serialize(); err != nil {
		return nil, err
	}
	attributes := []bgp.PathAttributeInterface{
		bgp.NewPathAttributeOrigin(bgp.BGP_ORIGIN_ATTR_TYPE_INCOMPLETE),
		bgp.NewPathAttributeAsPath(nil),
		bgp.NewPathAttributeLocalPref(r.LocalPref),
		bgp.NewPathAttributeExtendedCommunities(communities),
		bgp.NewPathAttributeMpReachNLRI(r.NextHop.String(), []bgp.AddrPrefixInterface{nlri}),
	}
	if r.GracefulShutdown {
		attributes = append(attributes, bgp.NewPathAttributeCommunities([]uint32{gracefulShutdown}))
	}
	for _, a := range attributes {
		b, err := a.Serialize()
		if err != nil {
			return nil, err
		}
		path.PattrsBinary = append(path.PattrsBinary, b)
	}
	return path, nil
}

// silent is a log that keeps nothing.
type silent struct{}

func (silent) Panic(string, gobgplog.Fields) {}
func (silent) Fatal(string, gobgplog.Fields) {}
func (silent) Error(string, gobgplog.Fields) {}
func (silent) Warn(string, gobgplog.Fields)  {}
func (silent) Info(string, gobgplog.Fields)  {}
func (silent) Debug(string, gobgplog.Fields) {}
func (silent) SetLevel(gobgplog.LogLevel)    {}
func (silent) GetLevel() gobgplog.LogLevel   { return gobgplog.PanicLevel }
