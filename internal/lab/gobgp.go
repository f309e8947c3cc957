package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/routetarget"
)

// GoBGP is gobgpd, driven by its own command line, gobgp.
type GoBGP struct {
	programs Programs
	config   GatewayConfig
	process  *Process // nil before the first start
	monitor  *Process // nil before the first Trace
	book     book     // since the last one
	origins  originated
}

// NewGoBGP returns a gobgpd that does not run yet.
func NewGoBGP(programs Programs, config GatewayConfig) *GoBGP {
	return &GoBGP{programs: programs, config: config}
}

// Kind returns "gobgp".
func (g *GoBGP) Kind() string { return "gobgp" }

// Config returns what it was made with.
func (g *GoBGP) Config() GatewayConfig { return g.config }

// PID returns its process id.
func (g *GoBGP) PID() int { return g.process.PID() }

// LogFile returns the path of its log.
func (g *GoBGP) LogFile() string { return filepath.Join(g.config.Dir, "gobgpd.log") }

// Stop ends it. It tells Buoy.
func (g *GoBGP) Stop() error {
	if g.monitor != nil {
		g.monitor.Kill()
	}
	return g.process.Stop()
}

// gobgpFamilies are its names: in the configuration, and on the command line.
var gobgpFamilies = map[Family]struct{ config, vpn, vrf string }{
	VPNv4:       {"l3vpn-ipv4-unicast", "vpnv4", "ipv4"},
	VPNv6:       {"l3vpn-ipv6-unicast", "vpnv6", "ipv6"},
	RouteTarget: {"rtc", "rtc", ""},
}

func (g *GoBGP) toml() string {
	c := g.config
	if c.Text != "" {
		return c.Text
	}
	var b strings.Builder
	fmt.Fprintf(&b, `[global.config]
  as = %d
  router-id = "%s"
  port = %d
  local-address-list = ["%s"]
[[neighbors]]
  [neighbors.config]
    neighbor-address = "%s"
    peer-as = %d
  [neighbors.transport.config]
    local-address = "%[4]s"
    remote-port = %[7]d
    passive-mode = %[8]t
  [neighbors.graceful-restart.config]
    enabled = true
    helper-only = %[9]t
    restart-time = 120
`, c.AS, c.RouterID, c.Addr.Port(), c.Addr.Addr(), c.Peer.Addr(), c.PeerAS, c.Peer.Port(), !c.Active, len(c.Origins) == 0)
	for _, f := range c.Families {
		fmt.Fprintf(&b, "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = %q\n"+
			"    [neighbors.afi-safis.mp-graceful-restart.config]\n      enabled = true\n", gobgpFamilies[f].config)
	}
	return b.String()
}

// Start starts it and waits until it knows its neighbor.
func (g *GoBGP) Start(ctx context.Context) error {
	if err := g.start(ctx); err != nil {
		return err
	}
	return g.Announce(ctx, g.config.Origins...)
}

func (g *GoBGP) start(ctx context.Context, options ...string) error {
	file := filepath.Join(g.config.Dir, "gobgpd.toml")
	if err := os.WriteFile(file, []byte(g.toml()), 0o644); err != nil {
		return fmt.Errorf("start gobgpd: %w", err)
	}
	process, err := g.config.Wire.atGateway(Command{
		Path: g.programs.GoBGPd,
		Args: append(options, "-f", file, "--pprof-disable",
			"--api-hosts", fmt.Sprintf("%s:%d", g.config.Addr.Addr(), controlPort)),
		// With Go's Multipath TCP listeners TCP MD5 silently does not work.
		Env:      []string{"GODEBUG=multipathtcp=0"},
		Dir:      g.config.Dir,
		Log:      g.LogFile(),
		Detached: g.config.Detached,
	}).Start()
	if err != nil {
		return err
	}
	g.process = process
	return process.Ready(ctx, func(ctx context.Context) error {
		_, err := g.Session(ctx)
		return err
	})
}

// Options returns the options that point gobgp at it.
func (g *GoBGP) Options() []string {
	return []string{"-u", g.config.Addr.Addr().String(), "-p", strconv.Itoa(controlPort)}
}

// CLI runs gobgp and returns what it says.
func (g *GoBGP) CLI(ctx context.Context, args ...string) (string, error) {
	result, err := g.config.Wire.atGateway(Command{Path: g.programs.GoBGP, Args: append(g.Options(), args...)}).Run(ctx)
	if err != nil {
		return "", err
	}
	// Some of its errors come with status 0 and on the standard output.
	failure := struct{ Error string }{}
	json.Unmarshal([]byte(result.Stdout), &failure) // a table of routes is none
	if result.Code != 0 || failure.Error != "" {
		return "", fmt.Errorf("gobgp %s: %s", strings.Join(args, " "), strings.TrimSpace(result.Stdout+result.Stderr))
	}
	return result.Stdout, nil
}

// ImportVRF makes a VRF. With the family route-target it also announces what
// the VRF imports.
func (g *GoBGP) ImportVRF(ctx context.Context, v VRF) error {
	args := []string{"vrf", "add", v.Name, "rd", v.RD.String(), "rt", "both"}
	for _, t := range v.Targets {
		args = append(args, gobgpTarget(t))
	}
	_, err := g.CLI(ctx, args...)
	return err
}

// gobgpTarget returns a target as gobgp reads it.
func gobgpTarget(t routetarget.Target) string { return strings.TrimPrefix(t.String(), "target:") }

// VRF returns the routes of a VRF. They have neither labels nor communities.
func (g *GoBGP) VRF(ctx context.Context, name string, family Family) ([]Route, error) {
	return g.routes(ctx, "vrf", name, "rib", "-a", gobgpFamilies[family].vrf)
}

// VPN returns the routes of the VPN table.
func (g *GoBGP) VPN(ctx context.Context, family Family) ([]Route, error) {
	return g.routes(ctx, "global", "rib", "-a", gobgpFamilies[family].vpn)
}

// Memberships returns the route target membership that Buoy announces.
func (g *GoBGP) Memberships(ctx context.Context) ([]string, error) {
	text, err := g.CLI(ctx, "neighbor", g.config.Peer.Addr().String(), "adj-in", "-a", "rtc", "-j")
	if err != nil {
		return nil, err
	}
	return parseGoBGPMemberships([]byte(text))
}

func (g *GoBGP) routes(ctx context.Context, args ...string) ([]Route, error) {
	text, err := g.CLI(ctx, append(args, "-j")...)
	if err != nil {
		return nil, err
	}
	return parseGoBGPTable([]byte(text))
}

// ShowVRF shows the routes of a VRF.
func (g *GoBGP) ShowVRF(ctx context.Context, name string, family Family) (command, text string, err error) {
	return g.show(ctx, "vrf", name, "rib", "-a", gobgpFamilies[family].vrf)
}

// ShowVPN shows the VPN table.
func (g *GoBGP) ShowVPN(ctx context.Context, family Family) (command, text string, err error) {
	return g.show(ctx, "global", "rib", "-a", gobgpFamilies[family].vpn)
}

func (g *GoBGP) show(ctx context.Context, args ...string) (command, text string, err error) {
	text, err = g.CLI(ctx, args...)
	return "gobgp " + strings.Join(args, " "), text, err
}

// Hints returns gobgp commands.
func (g *GoBGP) Hints(vrf string) (commands []string) {
	for _, command := range []string{"vrf " + vrf + " rib", "global rib -a vpnv4", "neighbor"} {
		commands = append(commands, "gobgp "+strings.Join(g.Options(), " ")+" "+command)
	}
	return commands
}

// Session asks for the state of the session.
func (g *GoBGP) Session(ctx context.Context) (Session, error) {
	text, err := g.CLI(ctx, "neighbor", g.config.Peer.Addr().String(), "-j")
	if err != nil {
		return Session{}, err
	}
	var neighbor struct {
		State struct {
			SessionState int `json:"session_state"`
		}
	}
	if err := json.Unmarshal([]byte(text), &neighbor); err != nil {
		return Session{}, fmt.Errorf("decode gobgp neighbor: %w", err)
	}
	states := []string{"Unknown", "Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"}
	if n := neighbor.State.SessionState; n >= 0 && n < len(states) {
		return Session{State: states[n]}, nil
	}
	return Session{}, errors.New("gobgp neighbor: unknown session state")
}
