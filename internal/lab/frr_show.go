package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// CLI runs commands of vtysh and returns what it says.
func (f *FRR) CLI(ctx context.Context, commands ...string) (string, error) {
	args := f.options()
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	result, err := Command{Path: frrVtysh, Args: args}.Run(ctx)
	if err != nil {
		return "", err
	}
	// Some of its errors come with status 0.
	if result.Code != 0 || strings.HasPrefix(result.Stdout, "% ") {
		return "", fmt.Errorf("vtysh %s: %s", strings.Join(commands, "; "), strings.TrimSpace(result.Stdout+result.Stderr))
	}
	return result.Stdout, nil
}

// options point vtysh at it, and keep it off the files of the user.
func (f *FRR) options() []string {
	return []string{"--vty_socket", f.config.Dir, "--config_dir", f.config.Dir, "-H", os.DevNull}
}

// frrFamilies are its names, of the VPN table and of that of a VRF.
var frrFamilies = map[Family]struct{ vpn, vrf string }{
	VPNv4: {"ipv4 vpn", "ipv4 unicast"},
	VPNv6: {"ipv6 vpn", "ipv6 unicast"},
}

// VRF returns the routes that a VRF uses: an imported route whose next hop is
// not behind a tunnel is copied, but not valid. They have no distinguishers.
func (f *FRR) VRF(ctx context.Context, name string, family Family) ([]Route, error) {
	return f.routes(ctx, frrVRFCommand(name, family))
}

// VPN returns the routes of the VPN table.
func (f *FRR) VPN(ctx context.Context, family Family) ([]Route, error) {
	return f.routes(ctx, frrVPNCommand(family))
}

// routes asks for a table, and then for each of its prefixes: only the answer
// to that has labels and communities.
func (f *FRR) routes(ctx context.Context, show string) ([]Route, error) {
	text, err := f.CLI(ctx, show+" json")
	if err != nil {
		return nil, err
	}
	prefixes, err := parseFRRPrefixes([]byte(text))
	if err != nil || len(prefixes) == 0 {
		return nil, err
	}
	var commands []string
	for _, p := range prefixes {
		commands = append(commands, fmt.Sprintf("%s %s json", show, p))
	}
	if text, err = f.CLI(ctx, commands...); err != nil {
		return nil, err
	}
	return parseFRRRoutes([]byte(text))
}

// ShowVRF shows the routes of a VRF.
func (f *FRR) ShowVRF(ctx context.Context, name string, family Family) (command, text string, err error) {
	return f.show(ctx, frrVRFCommand(name, family))
}

// ShowVPN shows the VPN table.
func (f *FRR) ShowVPN(ctx context.Context, family Family) (command, text string, err error) {
	return f.show(ctx, frrVPNCommand(family))
}

func frrVPNCommand(family Family) string { return "show bgp " + frrFamilies[family].vpn }

func frrVRFCommand(name string, family Family) string {
	return "show bgp vrf " + name + " " + frrFamilies[family].vrf
}

func (f *FRR) show(ctx context.Context, show string) (command, text string, err error) {
	text, err = f.CLI(ctx, show)
	return "vtysh -c '" + show + "'", text, err
}

// Hints returns vtysh commands.
func (f *FRR) Hints(vrf string) (commands []string) {
	for _, command := range []string{frrVRFCommand(vrf, VPNv4), frrVPNCommand(VPNv4), "show bgp neighbors"} {
		commands = append(commands, fmt.Sprintf("%s --vty_socket %s -c '%s'", frrVtysh, f.config.Dir, command))
	}
	return commands
}

// Session asks for the state of the session.
func (f *FRR) Session(ctx context.Context) (Session, error) {
	text, err := f.CLI(ctx, "show bgp neighbors "+f.config.Peer.Addr().String()+" json")
	if err != nil {
		return Session{}, err
	}
	var neighbors map[netip.Addr]struct{ BGPState string }
	if err := json.Unmarshal([]byte(text), &neighbors); err != nil {
		return Session{}, fmt.Errorf("decode vtysh neighbor: %w", err)
	}
	state := neighbors[f.config.Peer.Addr()].BGPState
	if state == "" {
		return Session{}, fmt.Errorf("vtysh show bgp neighbors: no state in %s", text)
	}
	return Session{State: state}, nil
}
