package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/routetarget"
	"github.com/buoynet/buoy/vrf"
)

// What the demo configures.
const (
	as      = 64512
	vrfName = "red"
)

var (
	prefix       = netip.MustParsePrefix("203.0.113.5/32")
	computeNode  = netip.MustParseAddr("10.0.0.11")
	target       = mustTarget("target:64512:10003")
	automatic    = routetarget.Automatic(as, 1)
	allocate     = "allocate floatingip web-1 --network vn-public --address 203.0.113.5"
	associate    = "associate floatingip web-1 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.249 --label 100"
	disassociate = "disassociate floatingip web-1"
	release      = "release floatingip web-1"
)

func mustTarget(s string) routetarget.Target {
	t, err := routetarget.ParseTarget(s)
	if err != nil {
		panic(err)
	}
	return t
}

// wanted is the route as the gateway's VPN table must have it.
var wanted = lab.Route{
	RD:             routetarget.IPv4Distinguisher(computeNode, 1),
	Prefix:         prefix,
	Label:          100,
	NextHop:        computeNode,
	LocalPref:      vrf.LocalPrefDefault,
	Origin:         "incomplete",
	ASPath:         "[]",
	Targets:        routetarget.NewSet(target, automatic),
	Encapsulations: []vrf.Encapsulation{vrf.GRE, vrf.MPLSInUDP},
}

// demo is a buoyd and a gateway in a folder.
type demo struct {
	dir     string
	keep    bool
	kept    bool // what runs is to stay
	buoyd   *lab.Buoyd
	gateway lab.Gateway
	noVRF   error // why the gateway has no VRF; nil if it has
	started []interface{ Stop() error }
}

func newDemo(programs lab.Programs, kind string, keep bool) (*demo, error) {
	d := &demo{keep: keep}
	if err := d.makeFolder(); err != nil {
		return nil, err
	}
	// The same addresses each time, unless another demo has them.
	loopback, err := lab.LoopbackAt(netip.MustParseAddr("127.0.10.0"))
	if err != nil {
		if loopback, err = lab.NewLoopback(); err != nil {
			return nil, err
		}
	}
	d.buoyd = lab.NewBuoyd(programs, lab.BuoydConfig{
		Dir:      d.dir,
		AS:       as,
		RouterID: netip.MustParseAddr("10.0.0.2"),
		Listen:   loopback.Host(1),
		Detached: keep,
	})
	families := []lab.Family{lab.VPNv4, lab.VPNv6}
	if kind == "gobgp" {
		families = append(families, lab.RouteTarget) // the only one that has it
	}
	d.gateway, err = lab.NewGateway(kind, programs, lab.GatewayConfig{
		Dir:      d.dir,
		Addr:     loopback.Host(2),
		AS:       as,
		RouterID: netip.MustParseAddr("10.0.0.1"),
		Peer:     loopback.Host(1),
		PeerAS:   as,
		Families: families,
		Detached: keep,
	})
	return d, err
}

// makeFolder makes a new folder: one that can be found again if the demo is to
// be kept.
func (d *demo) makeFolder() (err error) {
	if !d.keep {
		d.dir, err = os.MkdirTemp("", "buoy-demo-")
		return err
	}
	d.dir = filepath.Join(os.TempDir(), "buoy-demo")
	if stop, err := os.ReadFile(d.stopFile()); err == nil {
		return fmt.Errorf("a demo was kept in %s; end it with\n  %s", d.dir, strings.TrimSpace(string(stop)))
	}
	if err := os.RemoveAll(d.dir); err != nil {
		return err
	}
	return os.Mkdir(d.dir, 0o700)
}

// stopFile holds the command that ends a demo that was kept.
func (d *demo) stopFile() string { return filepath.Join(d.dir, "stop") }

// clean ends what the demo started.
func (d *demo) clean() {
	if d.kept {
		return
	}
	for _, program := range d.started {
		if err := program.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err)
		}
	}
	os.RemoveAll(d.dir)
}

// logs returns the ends of what the programs wrote.
func (d *demo) logs() string {
	var b strings.Builder
	for _, file := range []string{d.buoyd.LogFile(), d.gateway.LogFile()} {
		fmt.Fprintf(&b, "\nThe end of %s:\n%s\n", filepath.Base(file), lab.Tail(file, 15))
	}
	return b.String()
}

// play is the whole demo.
func (d *demo) play(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	create := d.gateway.Config().CreateNeighbor("mx1")
	for _, line := range []string{
		"create network vn-public --subnet 203.0.113.0/24 --route-target " + target.String(),
		"create computenode cmp1 --address " + computeNode.String() + " --encapsulation gre,udp",
		strings.Join(create, " "),
		allocate,
		associate,
	} {
		if err := d.ctl(ctx, line); err != nil {
			return err
		}
	}
	if err := d.awaitRoute(ctx); err != nil {
		return err
	}
	if err := d.showBoth(ctx); err != nil {
		return err
	}
	for _, line := range []string{disassociate, release} {
		if err := d.ctl(ctx, line); err != nil {
			return err
		}
	}
	if err := d.awaitLoss(ctx); err != nil {
		return err
	}
	fmt.Printf("\nThe gateway has learned the floating IP, and has lost it again.\n")
	if d.keep {
		return d.stay(ctx)
	}
	return nil
}

func (d *demo) start(ctx context.Context) error {
	d.started = append(d.started, d.gateway)
	if err := d.gateway.Start(ctx); err != nil {
		return err
	}
	d.started = append(d.started, d.buoyd)
	if err := d.buoyd.Start(ctx); err != nil {
		return err
	}
	c := d.gateway.Config()
	red := lab.VRF{Name: vrfName, RD: routetarget.IPv4Distinguisher(c.RouterID, 10), Targets: []routetarget.Target{target}}
	err := d.gateway.ImportVRF(ctx, red)
	if errors.Is(err, lab.ErrNeedsRoot) || errors.Is(err, lab.ErrNoVRF) {
		d.noVRF = err
	} else if err != nil {
		return err
	}
	heading("Running")
	fmt.Printf("Buoy at %s and the gateway, %s, at %s.\n", c.Peer, d.gateway.Kind(), c.Addr)
	if d.noVRF == nil {
		fmt.Printf("Its VRF %s imports %s.\n", vrfName, target)
	} else {
		fmt.Printf("It has no VRF, so that this shows its VPN table only: %s.\n", d.noVRF)
	}
	heading("What an operator types")
	return nil
}

// ctl runs buoyctl as an operator would, and shows it.
func (d *demo) ctl(ctx context.Context, line string) error {
	fmt.Println("$ buoyctl", line)
	result, err := d.buoyd.Ctl(ctx, strings.Fields(line)...)
	if err != nil {
		return err
	}
	fmt.Print(result.Stdout, result.Stderr)
	if result.Code != 0 {
		return fmt.Errorf("buoyctl %s: exit status %d", line, result.Code)
	}
	return nil
}

// stay leaves the programs running, and says how to look around.
func (d *demo) stay(ctx context.Context) error {
	heading("Once more, so that there is something to look at")
	for _, line := range []string{allocate, associate} {
		if err := d.ctl(ctx, line); err != nil {
			return err
		}
	}
	if err := d.awaitRoute(ctx); err != nil {
		return err
	}
	stop := fmt.Sprintf("kill %d", d.buoyd.PID())
	for _, pid := range lab.PIDs(d.gateway) {
		stop += fmt.Sprintf(" %d", pid)
	}
	stop += "; rm -r " + d.dir
	if err := os.WriteFile(d.stopFile(), []byte(stop+"\n"), 0o600); err != nil {
		return err
	}
	d.kept = true
	heading("Both are still running")
	fmt.Println("Look around:")
	fmt.Printf("  export BUOY_SERVER=%s\n", d.buoyd.Server())
	for _, line := range []string{"get floatingips -o wide", "show route table bgp.l3vpn.0 detail", "describe neighbor mx1"} {
		fmt.Println("  bin/buoyctl", line)
	}
	for _, line := range d.gateway.Hints(vrfName) {
		if !filepath.IsAbs(line) { // it is built here
			line = "bin/" + line
		}
		fmt.Println("  " + line)
	}
	fmt.Printf("The logs are in %s. End both:\n  %s\n", d.dir, stop)
	return nil
}
