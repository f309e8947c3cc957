package packet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
)

// gateway is FRR, as its Debian package runs it, with a VRF of the kernel.
type gateway struct {
	dir         string
	zebra, bgpd *lab.Process
}

// startGateway makes what the text says that the kernel needs, and starts FRR on it.
func startGateway(ctx context.Context, dir, text string) (*gateway, error) {
	g := &gateway{dir: dir}
	if err := g.prepare(ctx, text); err != nil {
		return nil, fmt.Errorf("prepare the gateway: %w", err)
	}
	if err := os.WriteFile(g.config(), []byte(text+announcements), 0o644); err != nil {
		return nil, err
	}
	// FRR gives up its privileges.
	if err := command(ctx, "/bin/chown", "-R", "frr:frr", dir); err != nil {
		return nil, err
	}
	var err error
	if g.zebra, err = g.start("zebra", "-f", "/dev/null"); err != nil {
		return nil, err
	}
	if err := lab.Poll(ctx, "zebra should answer", func(ctx context.Context) error {
		_, err := g.vtysh(ctx, "show ip route vrf vn-public")
		return err
	}); err != nil {
		return nil, err
	}
	return g, g.startBGP(ctx)
}

// announcements is what the operator of a gateway adds, so that workloads can answer.
const announcements = `
router bgp 64512 vrf vn-public
 address-family ipv4 unicast
  redistribute connected
  label vpn export auto
  export vpn
 exit-address-family
 address-family ipv6 unicast
  redistribute connected
  label vpn export auto
  export vpn
 exit-address-family
`

func (g *gateway) config() string { return filepath.Join(g.dir, "frr.conf") }

// prepare runs the commands for the kernel that gateway-config prints, and plugs the client
// into the VRF.
func (g *gateway) prepare(ctx context.Context, text string) error {
	for line := range strings.Lines(text) {
		c := strings.Fields(strings.TrimPrefix(line, "!"))
		if len(c) > 1 && strings.HasPrefix(line, "!   ") && (c[0] == "ip" || c[0] == "sysctl") {
			if err := runWell(ctx, lab.Command{Path: "/usr/sbin/" + c[0], Args: c[1:]}.At("gw")); err != nil {
				return err
			}
		}
	}
	b := &batch{}
	b.in("gw", "link set c0 master vn-public up", "address add 198.51.100.1/24 dev c0", "address add 2001:db8:51::1/64 dev c0 nodad")
	return b.run(ctx)
}

// start starts one of FRR's daemons.
func (g *gateway) start(name string, args ...string) (*lab.Process, error) {
	return lab.Command{
		Path: "/usr/lib/frr/" + name,
		Args: append([]string{"-i", filepath.Join(g.dir, name+".pid"), "-z", filepath.Join(g.dir, "zserv.api"), "--vty_socket", g.dir, "-P", "0", "--log", "stdout"}, args...),
		Dir:  g.dir,
		Log:  filepath.Join(artefacts, name+".log"),
	}.At("gw").Start()
}

// startBGP starts bgpd, for the first time or again.
func (g *gateway) startBGP(ctx context.Context) (err error) {
	if g.bgpd, err = g.start("bgpd", "-f", g.config()); err != nil {
		return err
	}
	return g.bgpd.Ready(ctx, func(ctx context.Context) error {
		_, err := g.vtysh(ctx, "show bgp ipv4 vpn")
		return err
	})
}

// vtysh types commands.
func (g *gateway) vtysh(ctx context.Context, commands ...string) (string, error) {
	args := []string{"--vty_socket", g.dir}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	text, err := output(ctx, lab.Command{Path: "/usr/bin/vtysh", Args: args})
	if err == nil && strings.Contains(text, "% ") {
		err = fmt.Errorf("vtysh %v: %s", commands, text)
	}
	return text, err
}

// routes returns what the gateway's kernel does with an address, in words of ip(8).
func (g *gateway) routes(ctx context.Context, addr string) (string, error) {
	family := "-4"
	if strings.Contains(addr, ":") {
		family = "-6"
	}
	return output(ctx, lab.Command{Path: "/usr/sbin/ip", Args: []string{family, "route", "show", "vrf", "vn-public", addr}}.At("gw"))
}

// stop ends it.
func (g *gateway) stop() error {
	if g == nil {
		return nil
	}
	var errs []error
	for _, p := range []*lab.Process{g.bgpd, g.zebra} {
		if p != nil {
			errs = append(errs, p.Stop())
		}
	}
	return errors.Join(errs...)
}
