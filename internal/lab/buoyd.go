package lab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// BuoydConfig says what a buoyd is.
type BuoydConfig struct {
	Dir       string // its configuration, store, socket and log; a short path
	AS        uint32
	RouterID  netip.Addr
	Listen    netip.AddrPort // where routers connect to; its sessions come from the address
	Metrics   string         // where it serves metrics: "127.0.0.1:0"; empty for nowhere
	Neighbors string         // the neighbors section of the file, as YAML; may be empty
	Detached  bool
	Alone     bool   // in a network namespace of its own, with a loopback and no route
	Wire      *Wire  // where it runs, in place of the machine's own network; may be nil
	Namespace string // a named network namespace, in place of all that; may be empty
	Disk      *Disk  // that it sees beside those of the machine; may be nil
}

// Buoyd is a buoyd with a store of its own. It may be stopped or killed, and
// started again.
type Buoyd struct {
	programs Programs
	config   BuoydConfig
	process  *Process // nil before the first start
}

// NewBuoyd returns a buoyd that does not run yet.
func NewBuoyd(programs Programs, config BuoydConfig) *Buoyd {
	return &Buoyd{programs: programs, config: config}
}

// With returns the same node, run with other programs. Only one of the two runs
// at a time.
func (b *Buoyd) With(programs Programs) *Buoyd { return NewBuoyd(programs, b.config) }

// ConfigFile returns the path of its configuration. Start writes it when there
// is none.
func (b *Buoyd) ConfigFile() string { return filepath.Join(b.config.Dir, "buoyd.yaml") }

// StoreFile returns the path of its store.
func (b *Buoyd) StoreFile() string { return filepath.Join(b.config.Dir, "buoy.db") }

// LogFile returns the path of its log.
func (b *Buoyd) LogFile() string { return filepath.Join(b.config.Dir, "buoyd.log") }

// Server returns where it serves, as buoyctl takes it.
func (b *Buoyd) Server() string { return "unix://" + b.socket() }

// Nodes returns where it serves compute nodes, as an agent takes it.
func (b *Buoyd) Nodes() string { return "unix://" + filepath.Join(b.config.Dir, "nodes.sock") }

func (b *Buoyd) socket() string { return filepath.Join(b.config.Dir, "buoyd.sock") }

// YAML returns the configuration as it stands in the file.
func (b *Buoyd) YAML() string {
	c := b.config
	text := fmt.Sprintf(`bgp:
  as: %d
  router_id: %s
  listen: ["%s"]
api:
  listen: ["%s"]
compute_nodes:
  listen: ["%s"]
metrics:
  listen: ["%s"]
store:
  path: %s
`, c.AS, c.RouterID, c.Listen, b.Server(), b.Nodes(), cmp.Or(c.Metrics, "none"), b.StoreFile())
	if c.Neighbors != "" {
		text += "neighbors:\n" + c.Neighbors
	}
	return text
}

// WriteConfig writes the configuration file.
func (b *Buoyd) WriteConfig(text string) error {
	return os.WriteFile(b.ConfigFile(), []byte(text), 0o644)
}

// Command returns how it is run.
func (b *Buoyd) Command() Command {
	path, args := b.programs.Buoyd, []string{"--config", b.ConfigFile()}
	if b.config.Alone {
		args = append([]string{"--net", "--map-root-user", "--", "sh", "-c", `ip link set lo up && exec "$0" "$@"`, path}, args...)
		path = "/usr/bin/unshare"
	}
	return b.config.Disk.on(b.config.Wire.atBuoy(Command{
		Path:     path,
		Args:     args,
		Env:      []string{"GORACE=atexit_sleep_ms=10"}, // or a race build idles for a second at its end
		Dir:      b.config.Dir,
		Log:      b.LogFile(),
		Detached: b.config.Detached,
	})).At(b.config.Namespace)
}

// Start starts it, with more flags if there are any, and waits until it answers.
func (b *Buoyd) Start(ctx context.Context, flags ...string) error {
	if _, err := os.Stat(b.ConfigFile()); errors.Is(err, os.ErrNotExist) {
		if err := b.WriteConfig(b.YAML()); err != nil {
			return fmt.Errorf("start buoyd: %w", err)
		}
	}
	command := b.Command()
	command.Args = append(command.Args, flags...)
	process, err := command.Start()
	if err != nil {
		return err
	}
	b.process = process
	return process.Ready(ctx, func(ctx context.Context) error {
		result, err := b.Ctl(ctx, "get", "networks", "-o", "name")
		if err == nil && result.Code != 0 {
			err = errors.New(strings.TrimSpace(result.Stderr))
		}
		return err
	})
}

// PID returns the process id of its supervisor, which is the one to signal.
func (b *Buoyd) PID() int { return b.process.PID() }

// DaemonPID returns the process id of the daemon itself, which the supervisor
// runs.
func (b *Buoyd) DaemonPID() (int, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", b.PID()))
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		if list := strings.Fields(string(data)); len(list) > 0 {
			return strconv.Atoi(list[0])
		}
	}
	return 0, errors.New("buoyd has no daemon")
}

// Stop asks it to end. The error says how it ended, if not with status 0.
func (b *Buoyd) Stop() error { return b.process.Stop() }

// Kill ends it without a warning.
func (b *Buoyd) Kill() { b.process.Kill() }

// Ctl runs buoyctl against it.
func (b *Buoyd) Ctl(ctx context.Context, args ...string) (Result, error) {
	return Command{Path: b.programs.Buoyctl, Args: args, Dir: b.config.Dir, Env: []string{"BUOY_SERVER=" + b.Server()}}.Run(ctx)
}

// Routes returns what it says that it advertises, ordered by the text. Origin
// and AS path are not shown.
func (b *Buoyd) Routes(ctx context.Context) ([]Route, error) {
	result, err := b.Ctl(ctx, "get", "routes", "-o", "json")
	if err != nil {
		return nil, err
	}
	var list []struct {
		Prefix         netip.Prefix
		RD             routetarget.Distinguisher `json:"route_distinguisher"`
		Label          uint32
		NextHop        netip.Addr `json:"next_hop"`
		LocalPref      uint32     `json:"local_pref"`
		Targets        []string   `json:"route_targets"`
		Encapsulations []string
		Communities    []string
		Source         string // who announced it, if it is not our own
	}
	if err := json.Unmarshal([]byte(result.Stdout), &list); err != nil {
		return nil, fmt.Errorf("buoyctl get routes: %w: %s", err, result.Stderr)
	}
	routes := make([]Route, 0, len(list))
	for _, l := range list {
		if l.Source != "" {
			continue
		}
		r := Route{RD: l.RD, Prefix: l.Prefix, Label: l.Label, NextHop: l.NextHop, Communities: l.Communities}
		r.setLocalPref(l.LocalPref)
		if err := r.Targets.UnmarshalText([]byte(strings.Join(l.Targets, " "))); err != nil {
			return nil, err
		}
		set, err := vrf.ParseEncapsulations(l.Encapsulations)
		if err != nil {
			return nil, err
		}
		r.Encapsulations = set.Slice()
		routes = append(routes, r)
	}
	sortRoutes(routes)
	return routes, nil
}
