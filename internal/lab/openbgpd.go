package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Where Debian's package has the programs. FRR has another bgpd, elsewhere.
const (
	openBGPDProgram    = "/usr/sbin/bgpd"
	openBGPDCtlProgram = "/usr/sbin/bgpctl"
)

// openBGPDRoot is the home of the user _openbgpd. The unprivileged processes
// of bgpd lock themselves up there, and it stays empty; no option moves it.
// When the package's own service runs, systemd makes it.
const openBGPDRoot = "/run/openbgpd"

// OpenBGPD is OpenBSD's bgpd, driven by its own command line, bgpctl. It must
// be started by root.
type OpenBGPD struct {
	config  GatewayConfig
	process *Process // nil before the first start
}

// NewOpenBGPD returns a bgpd that does not run yet.
func NewOpenBGPD(config GatewayConfig) *OpenBGPD { return &OpenBGPD{config: config} }

// Kind returns "openbgpd".
func (o *OpenBGPD) Kind() string { return "openbgpd" }

// Config returns what it was made with.
func (o *OpenBGPD) Config() GatewayConfig { return o.config }

// PID returns the process id of the parent of its processes.
func (o *OpenBGPD) PID() int { return o.process.PID() }

// LogFile returns the path of its log.
func (o *OpenBGPD) LogFile() string { return filepath.Join(o.config.Dir, "bgpd.log") }

// Stop ends it. It tells Buoy.
func (o *OpenBGPD) Stop() error { return o.process.Stop() }

func (o *OpenBGPD) socket() string { return filepath.Join(o.config.Dir, "bgpd.sock") }

// openBGPDFamilies are its names: in the configuration, and on the command
// line.
var openBGPDFamilies = map[Family]struct{ config, show string }{
	VPNv4: {"IPv4 vpn", "vpnv4"},
	VPNv6: {"IPv6 vpn", "vpnv6"},
}

func (o *OpenBGPD) conf() (string, error) {
	c := o.config
	var b strings.Builder
	fmt.Fprintf(&b, `AS %d
router-id %s
listen on %s port %d
fib-update no
connect-retry 1
socket "%s"
neighbor %s {
  remote-as %d
  local-address %[3]s
  port %[8]d
  announce IPv4 none
  announce IPv6 none
`, c.AS, c.RouterID, c.Addr.Addr(), c.Addr.Port(), o.socket(), c.Peer.Addr(), c.PeerAS, c.Peer.Port())
	for _, f := range c.Families {
		names, ok := openBGPDFamilies[f]
		if !ok {
			return "", fmt.Errorf("it has no family %s", f)
		}
		fmt.Fprintf(&b, "  announce %s\n", names.config)
	}
	if !c.Active {
		b.WriteString("  passive\n")
	}
	// Without a filter a router of another AS accepts nothing (RFC 8212).
	b.WriteString("}\nallow from any\n")
	return b.String(), nil
}

// Start starts it and waits until it knows its neighbor.
func (o *OpenBGPD) Start(ctx context.Context) error {
	text, err := o.conf()
	if err != nil {
		return fmt.Errorf("start openbgpd: %w", err)
	}
	if err := os.MkdirAll(openBGPDRoot, 0o755); err != nil {
		return fmt.Errorf("start openbgpd: %w", err)
	}
	file := filepath.Join(o.config.Dir, "bgpd.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil { // it refuses one that others can write
		return fmt.Errorf("start openbgpd: %w", err)
	}
	process, err := Command{
		Path:     openBGPDProgram,
		Args:     []string{"-d", "-f", file},
		Dir:      o.config.Dir,
		Log:      o.LogFile(),
		Detached: o.config.Detached,
	}.Start()
	if err != nil {
		return err
	}
	o.process = process
	return process.Ready(ctx, func(ctx context.Context) error {
		_, err := o.Session(ctx)
		return err
	})
}

// CLI runs bgpctl and returns what it says.
func (o *OpenBGPD) CLI(ctx context.Context, args ...string) (string, error) {
	result, err := Command{Path: openBGPDCtlProgram, Args: append([]string{"-s", o.socket()}, args...)}.Run(ctx)
	if err != nil {
		return "", err
	}
	if result.Code != 0 {
		return "", fmt.Errorf("bgpctl %s: %s", strings.Join(args, " "), strings.TrimSpace(result.Stdout+result.Stderr))
	}
	return result.Stdout, nil
}

// errOpenBGPDVRF: its VRFs are routing domains of OpenBSD's kernel.
var errOpenBGPDVRF = fmt.Errorf("openbgpd outside OpenBSD: %w", ErrNoVRF)

// ImportVRF fails.
func (o *OpenBGPD) ImportVRF(context.Context, VRF) error { return errOpenBGPDVRF }

// VRF fails.
func (o *OpenBGPD) VRF(context.Context, string, Family) ([]Route, error) { return nil, errOpenBGPDVRF }

// ShowVRF fails.
func (o *OpenBGPD) ShowVRF(context.Context, string, Family) (command, text string, err error) {
	return "", "", errOpenBGPDVRF
}

// VPN returns the routes of the VPN table. They have no labels.
func (o *OpenBGPD) VPN(ctx context.Context, family Family) ([]Route, error) {
	text, err := o.CLI(ctx, "-j", "show", "rib", openBGPDFamilies[family].show, "detail")
	if err != nil {
		return nil, err
	}
	return parseOpenBGPDTable([]byte(text))
}

// ShowVPN shows the VPN table.
func (o *OpenBGPD) ShowVPN(ctx context.Context, family Family) (command, text string, err error) {
	args := []string{"show", "rib", openBGPDFamilies[family].show, "detail"}
	text, err = o.CLI(ctx, args...)
	return "bgpctl " + strings.Join(args, " "), text, err
}

// Hints returns bgpctl commands.
func (o *OpenBGPD) Hints(string) (commands []string) {
	for _, command := range []string{"show rib detail", "show neighbor"} {
		commands = append(commands, "bgpctl -s "+o.socket()+" "+command)
	}
	return commands
}

// Session asks for the state of the session.
func (o *OpenBGPD) Session(ctx context.Context) (Session, error) {
	text, err := o.CLI(ctx, "-j", "show", "neighbor", o.config.Peer.Addr().String())
	if err != nil {
		return Session{}, err
	}
	var answer struct{ Neighbors []Session }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return Session{}, fmt.Errorf("decode bgpctl neighbor: %w", err)
	}
	if len(answer.Neighbors) != 1 {
		return Session{}, errors.New("bgpctl: it does not know its neighbor yet")
	}
	return answer.Neighbors[0], nil
}
