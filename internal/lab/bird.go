package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Where Debian's package has the programs.
const (
	birdDaemon = "/usr/sbin/bird"
	birdClient = "/usr/sbin/birdc"
)

// Bird is bird, driven by its own command line, birdc. What it calls a VRF
// here is a pair of tables that have the VPN routes with its targets: BIRD 2.0
// goes no further.
type Bird struct {
	config  GatewayConfig
	vrfs    []VRF
	process *Process // nil before the first start
	book    book     // since the last Trace

	origins   originated
	withdrawn map[string]bool // of the origins, by key
}

// NewBird returns a bird that does not run yet.
func NewBird(config GatewayConfig) *Bird { return &Bird{config: config, withdrawn: map[string]bool{}} }

// Kind returns "bird".
func (b *Bird) Kind() string { return "bird" }

// Config returns what it was made with.
func (b *Bird) Config() GatewayConfig { return b.config }

// PID returns its process id.
func (b *Bird) PID() int { return b.process.PID() }

// LogFile returns the path of its log.
func (b *Bird) LogFile() string { return filepath.Join(b.config.Dir, "bird.log") }

func (b *Bird) configFile() string { return filepath.Join(b.config.Dir, "bird.conf") }

func (b *Bird) socket() string { return filepath.Join(b.config.Dir, "bird.ctl") }

// Stop ends it. It tells Buoy.
func (b *Bird) Stop() error {
	if b.process == nil {
		return nil
	}
	return b.process.Stop()
}

func (b *Bird) writeConfig() error {
	if b.config.Text != "" {
		return os.WriteFile(b.configFile(), []byte(b.config.Text), 0o644)
	}
	text, err := birdConfig(b.config, b.vrfs, birdLabTunnel)
	if err != nil {
		return err
	}
	if len(b.config.Origins) > 0 {
		text += birdOrigins(b.announced(), birdLabTunnel)
	}
	return os.WriteFile(b.configFile(), []byte(text), 0o644)
}

// Start starts it and waits until it answers.
func (b *Bird) Start(ctx context.Context) error {
	b.origins.put(b.config.Origins)
	return b.start(ctx)
}

func (b *Bird) start(ctx context.Context, options ...string) error {
	if err := b.writeConfig(); err != nil {
		return fmt.Errorf("start bird: %w", err)
	}
	foreground := "-f"
	if b.config.Text != "" {
		foreground = "-d" // its log is on stderr without a word of that in the configuration
	}
	process, err := b.config.Wire.atGateway(Command{
		Path:     birdDaemon,
		Args:     append(options, foreground, "-c", b.configFile(), "-s", b.socket(), "-P", filepath.Join(b.config.Dir, "bird.pid")),
		Dir:      b.config.Dir,
		Log:      b.LogFile(),
		Detached: b.config.Detached,
	}).Start()
	if err != nil {
		return err
	}
	b.process = process
	return process.Ready(ctx, func(ctx context.Context) error {
		_, err := b.Session(ctx)
		return err
	})
}

// CLI runs birdc and returns what it says.
func (b *Bird) CLI(ctx context.Context, args ...string) (string, error) {
	result, err := Command{Path: birdClient, Args: append([]string{"-s", b.socket()}, args...)}.Run(ctx)
	if err != nil {
		return "", err
	}
	// Its errors of syntax come with status 0 and on the standard output.
	_, text, ready := strings.Cut(result.Stdout, " ready.\n")
	if result.Code != 0 || !ready || strings.HasPrefix(text, "syntax error") {
		return "", fmt.Errorf("birdc %s: %s", strings.Join(args, " "), strings.TrimSpace(result.Stdout+result.Stderr))
	}
	return text, nil
}

// ImportVRF makes tables for the VRF, and pipes that fill them. The session
// with Buoy is not touched.
func (b *Bird) ImportVRF(ctx context.Context, v VRF) error {
	b.vrfs = append(b.vrfs, v)
	if err := b.configure(ctx); err != nil {
		b.vrfs = b.vrfs[:len(b.vrfs)-1]
		return fmt.Errorf("import VRF %s: %w", v.Name, err)
	}
	return nil
}

// configure has it read its configuration again.
func (b *Bird) configure(ctx context.Context) error {
	if err := b.writeConfig(); err != nil {
		return err
	}
	text, err := b.CLI(ctx, "configure")
	if err == nil && !strings.Contains(text, "Reconfigured") {
		err = fmt.Errorf("birdc configure: %s", strings.TrimSpace(text))
	}
	return err
}

// VRF returns the routes of a VRF whose next hops can be reached.
func (b *Bird) VRF(ctx context.Context, name string, family Family) ([]Route, error) {
	routes, err := b.routes(ctx, name+birdSuffix[family])
	if err != nil {
		return nil, err
	}
	return birdRoutes(slices.DeleteFunc(routes, func(r birdRoute) bool { return r.unreachable })), nil
}

// VPN returns the routes of the VPN table.
func (b *Bird) VPN(ctx context.Context, family Family) ([]Route, error) {
	routes, err := b.routes(ctx, birdVPN[family])
	return birdRoutes(routes), err
}

func (b *Bird) routes(ctx context.Context, table string) ([]birdRoute, error) {
	_, text, err := b.show(ctx, table)
	if err != nil {
		return nil, err
	}
	return parseBirdTable(text)
}

// ShowVRF shows the routes of a VRF.
func (b *Bird) ShowVRF(ctx context.Context, name string, family Family) (command, text string, err error) {
	return b.show(ctx, name+birdSuffix[family])
}

// ShowVPN shows the VPN table.
func (b *Bird) ShowVPN(ctx context.Context, family Family) (command, text string, err error) {
	return b.show(ctx, birdVPN[family])
}

func (b *Bird) show(ctx context.Context, table string) (command, text string, err error) {
	args := []string{"show", "route", "table", table, "all"}
	text, err = b.CLI(ctx, args...)
	return "birdc " + strings.Join(args, " "), text, err
}

// Hints returns birdc commands.
func (b *Bird) Hints(vrf string) (commands []string) {
	for _, command := range []string{
		"show route table " + vrf + birdSuffix[VPNv4] + " all",
		"show route table " + birdVPN[VPNv4] + " all",
		"show protocols all buoy",
	} {
		commands = append(commands, birdClient+" -s "+b.socket()+" "+command)
	}
	return commands
}

var birdState = regexp.MustCompile(`(?m)^  BGP state: +(\S+)$`)

// Session asks for the state of the session.
func (b *Bird) Session(ctx context.Context) (Session, error) {
	text, err := b.CLI(ctx, "show", "protocols", "all", "buoy")
	if err != nil {
		return Session{}, err
	}
	state := birdState.FindStringSubmatch(text)
	if state == nil {
		return Session{}, fmt.Errorf("birdc show protocols: no BGP state in %q", text)
	}
	return Session{State: state[1]}, nil
}
