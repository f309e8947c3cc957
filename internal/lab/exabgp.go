package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// exaBGPProgram is where Debian's package has it.
const exaBGPProgram = "/usr/sbin/exabgp"

// ExaBGP is exabgp. It keeps no table: it tells a process of ours what it
// receives, and that writes it down. The tables here come from reading it
// back from the beginning.
type ExaBGP struct {
	config  GatewayConfig
	process *Process // nil before the first start
}

// NewExaBGP returns an exabgp that does not run yet.
func NewExaBGP(config GatewayConfig) *ExaBGP { return &ExaBGP{config: config} }

// Kind returns "exabgp".
func (e *ExaBGP) Kind() string { return "exabgp" }

// Config returns what it was made with.
func (e *ExaBGP) Config() GatewayConfig { return e.config }

// PID returns its process id.
func (e *ExaBGP) PID() int { return e.process.PID() }

// LogFile returns the path of its log.
func (e *ExaBGP) LogFile() string { return filepath.Join(e.config.Dir, "exabgp.log") }

// EventsFile returns the path of what it told, a line of JSON for each event.
func (e *ExaBGP) EventsFile() string { return filepath.Join(e.config.Dir, "events.json") }

// Stop ends it. It closes its session without a word.
func (e *ExaBGP) Stop() error { return e.process.Stop() }

// exaBGPFamilies are its names.
var exaBGPFamilies = map[Family]string{VPNv4: "ipv4 mpls-vpn", VPNv6: "ipv6 mpls-vpn"}

func (e *ExaBGP) conf(script string) (string, error) {
	c := e.config
	var b strings.Builder
	fmt.Fprintf(&b, `process events {
  run /bin/sh %s;
  encoder json;
}
neighbor %s {
  router-id %s;
  local-address %s;
  local-as %d;
  peer-as %d;
  api { processes [ events ]; neighbor-changes; receive { parsed; update; } }
`, script, c.Peer.Addr(), c.RouterID, c.Addr.Addr(), c.AS, c.PeerAS)
	if c.Active {
		fmt.Fprintf(&b, "  connect %d;\n", c.Peer.Port())
	} else {
		fmt.Fprintf(&b, "  passive true;\n  listen %d;\n", c.Addr.Port())
	}
	b.WriteString("  family {\n")
	for _, f := range c.Families {
		name, ok := exaBGPFamilies[f]
		if !ok {
			return "", fmt.Errorf("it has no family %s", f)
		}
		fmt.Fprintf(&b, "    %s;\n", name)
	}
	b.WriteString("  }\n}\n")
	return b.String(), nil
}

// exaBGPEnv has the settings that are not in the configuration. What
// /etc/exabgp says does not count beside them.
var exaBGPEnv = []string{
	"exabgp.api.ack=false",     // its process only listens
	"exabgp.api.cli=false",     // or it looks for named pipes of its command line in /run
	"exabgp.daemon.drop=false", // or as root it becomes another user, who may not write here
	"exabgp.daemon.daemonize=false",
	"exabgp.log.destination=stdout",
	"exabgp.tcp.bind=", // it listens where the neighbor's section says, and nowhere else
	"exabgp.tcp.once=false",
}

// Start starts it and waits until it has read its configuration. It listens
// an instant later.
func (e *ExaBGP) Start(ctx context.Context) error {
	// The third descriptor keeps the pipe to exabgp open, which takes its
	// closing for the end of the process.
	script := filepath.Join(e.config.Dir, "events.sh")
	if err := os.WriteFile(script, []byte("exec cat 3>&1 >>"+e.EventsFile()+"\n"), 0o644); err != nil {
		return fmt.Errorf("start exabgp: %w", err)
	}
	text, err := e.conf(script)
	if err != nil {
		return fmt.Errorf("start exabgp: %w", err)
	}
	file := filepath.Join(e.config.Dir, "exabgp.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return fmt.Errorf("start exabgp: %w", err)
	}
	// What an earlier start told is over.
	for _, old := range []string{e.EventsFile(), e.LogFile()} {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("start exabgp: %w", err)
		}
	}
	process, err := Command{
		Path:     exaBGPProgram,
		Args:     []string{file},
		Env:      exaBGPEnv,
		Dir:      e.config.Dir,
		Log:      e.LogFile(),
		Detached: e.config.Detached,
	}.Start()
	if err != nil {
		return err
	}
	e.process = process
	return process.Ready(ctx, func(context.Context) error {
		log, err := os.ReadFile(e.LogFile())
		if err == nil && !strings.Contains(string(log), "loaded new configuration successfully") {
			err = errors.New("its configuration is not loaded")
		}
		return err
	})
}

// ErrNoVRF: a gateway has no VRFs. What it shows is the VPN table alone.
var ErrNoVRF = errors.New("it has no VRFs")

var errExaBGPVRF = fmt.Errorf("exabgp: %w", ErrNoVRF)

// ImportVRF fails.
func (e *ExaBGP) ImportVRF(context.Context, VRF) error { return errExaBGPVRF }

// VRF fails.
func (e *ExaBGP) VRF(context.Context, string, Family) ([]Route, error) { return nil, errExaBGPVRF }

// ShowVRF fails.
func (e *ExaBGP) ShowVRF(context.Context, string, Family) (command, text string, err error) {
	return "", "", errExaBGPVRF
}

// VPN returns the routes that it was sent since the session began, and that
// were not withdrawn.
func (e *ExaBGP) VPN(_ context.Context, family Family) ([]Route, error) {
	state, err := e.replay()
	if err != nil {
		return nil, err
	}
	routes := slices.AppendSeq([]Route{}, maps.Values(state.table[family]))
	sortRoutes(routes)
	return routes, nil
}

// ShowVPN shows the last message about each route since the session began, the
// withdrawn ones too: all of the message, but not when it came and who told
// it. How many came before is a matter of timing.
func (e *ExaBGP) ShowVPN(_ context.Context, family Family) (command, text string, err error) {
	state, err := e.replay()
	if err != nil {
		return "", "", err
	}
	told := state.told[family]
	for _, key := range slices.Sorted(maps.Keys(told)) {
		text += told[key] + "\n"
	}
	return "cat " + e.EventsFile(), text, nil
}

// Hints returns a command that shows all that it tells.
func (e *ExaBGP) Hints(string) []string { return []string{"tail -f " + e.EventsFile()} }

// Session returns the state of the session, as far as it tells.
func (e *ExaBGP) Session(context.Context) (Session, error) {
	state, err := e.replay()
	if err != nil {
		return Session{}, err
	}
	return Session{State: state.session}, nil
}

func (e *ExaBGP) replay() (*exaBGPState, error) {
	data, err := os.ReadFile(e.EventsFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // it has not told anything yet
		return nil, fmt.Errorf("read what exabgp told: %w", err)
	}
	return replayExaBGP(data)
}
