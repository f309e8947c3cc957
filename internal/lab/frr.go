package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buoynet/buoy/vrf"
)

// Where Debian's package has the programs. OpenBGPD has another bgpd,
// elsewhere.
const (
	frrBGPd  = "/usr/lib/frr/bgpd"
	frrZebra = "/usr/lib/frr/zebra"
	frrVtysh = "/usr/bin/vtysh"
)

// FRR is FRR's bgpd, driven by its own command line, vtysh. It has VRFs if
// there is a zebra, which tells it of them: see frrZebraWorld. Otherwise it
// has only the VPN tables.
type FRR struct {
	config   GatewayConfig
	bgpd     *Process           // nil before the first start
	world    *frrZebraWorld     // nil when there is no zebra
	noVRF    error              // why there is none
	versions map[vrf.Key]uint64 // at the last Trace
	origins  originated
}

// NewFRR returns an FRR that does not run yet.
func NewFRR(config GatewayConfig) *FRR { return &FRR{config: config} }

// Kind returns "frr".
func (f *FRR) Kind() string { return "frr" }

// Config returns what it was made with.
func (f *FRR) Config() GatewayConfig { return f.config }

// PID returns the process id of bgpd.
func (f *FRR) PID() int { return f.bgpd.PID() }

// PIDs returns the process ids of bgpd and zebra.
func (f *FRR) PIDs() []int {
	if f.world == nil {
		return []int{f.PID()}
	}
	return []int{f.PID(), f.world.zebra.PID()}
}

// errActiveFRR: without zebra's approval bgpd opens no session from an address
// of 127.0.0.0/8.
var errActiveFRR = errors.New("a lab's FRR that connects to Buoy itself has no zebra, and so no VRFs")

// LogFile returns the path of the log of both daemons.
func (f *FRR) LogFile() string { return filepath.Join(f.config.Dir, "frr.log") }

// Start starts it and waits until it knows its neighbor.
func (f *FRR) Start(ctx context.Context) error {
	if err := f.startZebra(ctx); err != nil {
		return fmt.Errorf("start frr: %w", err)
	}
	err := f.startOrigins(ctx)
	if err == nil {
		err = f.startBGPd()
	}
	if err != nil {
		f.world.close()
		return fmt.Errorf("start frr: %w", err)
	}
	return f.ready(ctx)
}

// ready waits until bgpd knows its neighbor.
func (f *FRR) ready(ctx context.Context) error {
	return f.bgpd.Ready(ctx, func(ctx context.Context) error {
		_, err := f.Session(ctx)
		return err
	})
}

// startZebra starts zebra, unless there can be none.
func (f *FRR) startZebra(ctx context.Context) (err error) {
	f.world, f.noVRF = nil, nil
	if f.config.Active {
		f.noVRF = errActiveFRR
		return nil
	}
	f.world, err = startFRRZebra(ctx, f.config)
	if errors.Is(err, ErrNeedsRoot) {
		f.noVRF, err = err, nil
	}
	return err
}

func (f *FRR) startBGPd() error {
	file := filepath.Join(f.config.Dir, "bgpd.conf")
	text, err := f.text()
	if err != nil {
		return err
	}
	origins, err := frrOrigins(f.config, f.origins)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(text+origins), 0o644); err != nil {
		return err
	}
	bgpd := Command{
		Path: frrBGPd,
		// -S: as the user that we are. The package's own user could not enter
		// the folder.
		Args: []string{"-S", "-f", file, "-i", filepath.Join(f.config.Dir, "bgpd.pid"),
			"--vty_socket", f.config.Dir, "-P", "0", "--log", "stdout",
			"-l", f.config.Addr.Addr().String(), "-p", fmt.Sprint(f.config.Addr.Port())},
		Dir:      f.config.Dir,
		Log:      f.LogFile(),
		Detached: f.config.Detached,
	}
	if f.world == nil {
		bgpd.Args = append(bgpd.Args, "-Z")
	} else {
		bgpd.Args = append(bgpd.Args, "-z", frrZebraSocket)
		bgpd = f.config.Wire.atGateway(f.world.mounts(bgpd))
	}
	f.bgpd, err = bgpd.Start()
	return err
}

func (f *FRR) text() (string, error) {
	if f.config.Text != "" {
		return f.config.Text, nil
	}
	return frrConfig(f.config, f.world != nil)
}

// Stop ends it. It tells Buoy.
func (f *FRR) Stop() error {
	defer f.world.close()
	if f.bgpd == nil {
		return nil
	}
	return f.bgpd.Stop()
}

// ImportVRF makes a VRF. The session with Buoy is not touched.
func (f *FRR) ImportVRF(ctx context.Context, v VRF) error {
	if f.noVRF != nil {
		return fmt.Errorf("import VRF %s: %w", v.Name, f.noVRF)
	}
	if err := f.world.addVRF(ctx, v.Name); err != nil {
		return fmt.Errorf("import VRF %s: %w", v.Name, err)
	}
	commands := []string{"configure terminal"}
	for line := range strings.Lines(frrVRFConfig(f.config, v)) {
		commands = append(commands, strings.TrimSpace(line))
	}
	_, err := f.CLI(ctx, commands...)
	if err == nil {
		err = Poll(ctx, "bgpd should know it", func(ctx context.Context) error { return f.knowsVRF(ctx, v.Name) })
	}
	if err != nil {
		return fmt.Errorf("import VRF %s: %w", v.Name, err)
	}
	return nil
}

// MakeVRF makes a VRF of the kernel, for a configuration that has it already.
func (f *FRR) MakeVRF(ctx context.Context, name string) error {
	if f.noVRF != nil {
		return fmt.Errorf("make VRF %s: %w", name, f.noVRF)
	}
	if err := f.world.addVRF(ctx, name); err != nil {
		return fmt.Errorf("make VRF %s: %w", name, err)
	}
	return Poll(ctx, "bgpd should know VRF "+name, func(ctx context.Context) error { return f.knowsVRF(ctx, name) })
}

// knowsVRF checks that zebra has told bgpd of a VRF: before, it only has the
// configuration.
func (f *FRR) knowsVRF(ctx context.Context, name string) error {
	text, err := f.CLI(ctx, "show bgp vrfs json")
	if err != nil {
		return err
	}
	var list struct {
		VRFs map[string]struct{ VRFID int }
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return fmt.Errorf("decode vtysh VRFs: %w", err)
	}
	if v, ok := list.VRFs[name]; !ok || v.VRFID < 0 {
		return fmt.Errorf("not in %s", text)
	}
	return nil
}
