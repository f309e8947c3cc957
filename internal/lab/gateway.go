package lab

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/buoynet/buoy/routetarget"
)

// Family is an address family, by the name that Buoy has for it.
type Family string

// The families.
const (
	VPNv4       Family = "inet-vpn"
	VPNv6       Family = "inet6-vpn"
	RouteTarget Family = "route-target"
)

// Gateway is a router that peers with Buoy.
type Gateway interface {
	Kind() string // "gobgp"
	Config() GatewayConfig

	// Start starts the router and waits until it answers its operator.
	Start(ctx context.Context) error
	Stop() error
	PID() int
	LogFile() string

	// ImportVRF makes a VRF that imports routes with any of the targets. The
	// router runs already.
	ImportVRF(ctx context.Context, v VRF) error

	// VRF returns the routes of a VRF, and VPN those of the VPN table, ordered
	// by their text.
	VRF(ctx context.Context, name string, family Family) ([]Route, error)
	VPN(ctx context.Context, family Family) ([]Route, error)

	// ShowVRF and ShowVPN return a command of the router's operator, and what
	// the router answers.
	ShowVRF(ctx context.Context, name string, family Family) (command, text string, err error)
	ShowVPN(ctx context.Context, family Family) (command, text string, err error)

	// Session returns the state of the session with Buoy.
	Session(ctx context.Context) (Session, error)

	// Hints are commands with which an operator looks at a VRF and at more.
	Hints(vrf string) []string
}

// GatewayConfig says what a gateway is.
type GatewayConfig struct {
	Dir      string         // its configuration, sockets and log; not shared with another gateway
	Addr     netip.AddrPort // where it listens; its sessions come from the address
	AS       uint32
	RouterID netip.Addr
	Peer     netip.AddrPort // Buoy
	Second   netip.AddrPort // another Buoy of the same AS, if there is one; FRR and BIRD only
	PeerAS   uint32
	Active   bool // connects to Buoy; otherwise it waits for Buoy
	Families []Family
	Detached bool
	// Recorders only: it keeps routes over a lost session (RFC 4724), also over
	// a NOTIFICATION (RFC 8538). Other gateways do by themselves.
	Helper bool
	// Originators only: the routes that it announces from the start. One that is to
	// announce any later has some. A native IPv6 next hop is for BIRD and GoBGP; that
	// of FRR is itself. LocalPref, MED and Origin are the router's own where zero.
	Origins []Route
	// FRR, BIRD and GoBGP only: its configuration as it stands, in place of what
	// follows from all this. ImportVRF is not for such a gateway.
	Text string
	Wire *Wire // where it runs, in place of the machine's own network; may be nil
}

// peers returns the addresses of all Buoys.
func (c GatewayConfig) peers() []netip.AddrPort {
	if c.Second.IsValid() {
		return []netip.AddrPort{c.Peer, c.Second}
	}
	return []netip.AddrPort{c.Peer}
}

// CreateNeighbor returns the arguments of the buoyctl command that makes the
// gateway a neighbor. Only one side connects.
func (c GatewayConfig) CreateNeighbor(name string) []string {
	var families []string
	for _, f := range c.Families {
		families = append(families, string(f))
	}
	args := []string{"create", "neighbor", name, "--address", c.Addr.Addr().String(), "--as", fmt.Sprint(c.AS),
		"--families", strings.Join(families, ",")}
	if c.Active {
		return append(args, "--passive")
	}
	return append(args, "--port", fmt.Sprint(c.Addr.Port()))
}

// VRF is a VRF of a gateway.
type VRF struct {
	Name    string
	RD      routetarget.Distinguisher
	Targets []routetarget.Target // to import and to export
}

// Session is what a gateway says of its session with Buoy.
type Session struct {
	State string // as RFC 4271 writes it: "Established"
}

// kinds are the gateways that NewGateway knows.
var kinds = map[string]func(Programs, GatewayConfig) Gateway{
	"bird":     func(_ Programs, c GatewayConfig) Gateway { return NewBird(c) },
	"exabgp":   func(_ Programs, c GatewayConfig) Gateway { return NewExaBGP(c) },
	"frr":      func(_ Programs, c GatewayConfig) Gateway { return NewFRR(c) },
	"gobgp":    func(p Programs, c GatewayConfig) Gateway { return NewGoBGP(p, c) },
	"openbgpd": func(_ Programs, c GatewayConfig) Gateway { return NewOpenBGPD(c) },
}

// NewGateway returns a gateway of a kind. It does not run yet.
func NewGateway(kind string, programs Programs, config GatewayConfig) (Gateway, error) {
	build, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("unknown gateway %q: expected %s", kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
	}
	return build(programs, config), nil
}

// PIDs returns the process ids of all that a gateway runs.
func PIDs(g Gateway) []int {
	if several, ok := g.(interface{ PIDs() []int }); ok {
		return several.PIDs()
	}
	return []int{g.PID()}
}
