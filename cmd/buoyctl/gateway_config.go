package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/buoynet/buoy/internal/gatewayconfig"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// gatewayConfigFlags say what the daemon does not know, or what of it to write.
type gatewayConfigFlags struct {
	vendor, neighbor string
	local            string
	networks         []string
	prefixes         []string
}

func (a *app) gatewayConfig() *cobra.Command {
	f := gatewayConfigFlags{}
	vendors := strings.Join(gatewayconfig.Vendors(), "|")
	cmd := &cobra.Command{
		Use:   "gateway-config",
		Short: "Write what a gateway router has to be told, in the language of its vendor",
		Long: `Write what a gateway router has to be told, in the language of its vendor: the
session with Buoy, a VRF for each network that imports by its targets, and the
tunnels to the compute nodes. It is made from what is configured in the daemon.

Tests load what is written for frr, bird and gobgp into these routers. What is
written for the others comes from the vendors' manuals; it says so itself.

A neighbor has to be there already; --neighbor may be left out if there is only
one. The MD5 key is never written: the daemon does not give it to anybody. Words
like BUOY-ADDRESS stand for what is not known, and are listed on standard error.`,
		Example: "  buoyctl gateway-config --vendor frr --neighbor mx1 --local-address 10.0.0.2",
		Args:    takes(0, 0),
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, _ []string) error { return a.writeGatewayConfig(ctx, c, f) })
	cmd.Flags().StringVar(&f.vendor, "vendor", "", vendors)
	cmd.Flags().StringVar(&f.neighbor, "neighbor", "", "the gateway, by name or address")
	cmd.Flags().StringVar(&f.local, "local-address", "", "our ADDRESS or ADDRESS:PORT as the gateway sees it (default that of the session)")
	cmd.Flags().StringSliceVar(&f.networks, "network", nil, "only these networks (default all that --project may see)")
	cmd.Flags().StringSliceVar(&f.prefixes, "compute-prefix", nil, "where the compute nodes are, in place of the addresses within it; for junos")
	require(cmd, "vendor")
	missing := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if err := missing(cmd, args); err != nil {
			return err
		}
		if !slices.Contains(gatewayconfig.Vendors(), f.vendor) {
			return misused(cmd, "--vendor: expected one of %s; got %q", strings.Join(gatewayconfig.Vendors(), ", "), f.vendor)
		}
		_, err := f.input()
		return err
	}
	return cmd
}

// input returns what the flags alone say.
func (f gatewayConfigFlags) input() (in gatewayconfig.Input, err error) {
	if f.local != "" {
		if in.Buoy, err = localEnd(f.local); err != nil {
			return in, err
		}
	}
	for _, text := range f.prefixes {
		p, err := netip.ParsePrefix(text)
		if err != nil || p != p.Masked() {
			return in, &usageError{fmt.Sprintf("gateway-config: --compute-prefix: expected a prefix without host bits like 10.0.0.0/24, got %q", text)}
		}
		in.Prefixes = append(in.Prefixes, p)
	}
	return in, nil
}

// localEnd reads an address with or without a port.
func localEnd(text string) (b gatewayconfig.Buoy, err error) {
	if b.Address, err = netip.ParseAddr(text); err != nil {
		var both netip.AddrPort
		both, err = netip.ParseAddrPort(text)
		b.Address, b.Port = both.Addr(), both.Port()
	}
	b.Address = b.Address.Unmap()
	if err != nil || b.Address.IsUnspecified() || b.Address.Zone() != "" {
		return b, &usageError{fmt.Sprintf("gateway-config: --local-address: expected an address like 10.0.0.2, or one with a port like 10.0.0.2:1790, got %q", text)}
	}
	return b, nil
}

func (a *app) writeGatewayConfig(ctx context.Context, c *client, f gatewayConfigFlags) error {
	in, err := f.input()
	if err != nil {
		return err
	}
	n, err := chooseNeighbor(ctx, c, f.neighbor)
	if err != nil {
		return err
	}
	global, err := c.Globals.GetGlobal(ctx, &buoyv1.GetGlobalRequest{})
	if err != nil {
		return err
	}
	networks, left, err := a.chooseNetworks(ctx, c, f.networks)
	if err != nil {
		return err
	}
	nodes, err := listComputeNodes(ctx, c)
	if err != nil {
		return err
	}
	if err := fillInput(&in, global, n, networks, nodes); err != nil {
		return err
	}
	for i := range in.Networks {
		in.Networks[i].Left = left[in.Networks[i].Name]
	}
	if ours, theirs := in.Buoy.Address, in.Gateway.Address; ours.IsValid() && ours.Is4() != theirs.Is4() {
		return &usageError{fmt.Sprintf("gateway-config: --local-address: expected one of the same family as %s of neighbor %s, got %s", theirs, short(n.Name), ours)}
	}
	text, missing, err := gatewayconfig.Render(f.vendor, in)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(a.stdout, text); err != nil {
		return err
	}
	for _, m := range missing {
		fmt.Fprintln(a.stderr, m)
	}
	return nil
}

// chooseNeighbor finds the one that was named, or the only one.
func chooseNeighbor(ctx context.Context, c *client, peer string) (*buoyv1.Neighbor, error) {
	if peer != "" {
		return findPeer(ctx, c, peer)
	}
	list, err := listNeighbors(ctx, c)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, n := range list {
		names = append(names, short(n.Name))
	}
	switch len(list) {
	case 0:
		return nil, notFound("there is no neighbor yet: buoyctl create neighbor NAME --address ADDRESS --as AS")
	case 1:
		return list[0], nil
	}
	return nil, &usageError{"gateway-config: --neighbor: there are several, expected one of " + strings.Join(names, ", ")}
}

// chooseNetworks returns all networks, and which of them were not named if any
// was: they are not written, but have their say in how VRFs are called.
func (a *app) chooseNetworks(ctx context.Context, c *client, names []string) (list []*buoyv1.Network, left map[string]bool, err error) {
	parent := ""
	if a.asProject {
		parent = a.parent()
	}
	if list, err = listNetworks(ctx, c, parent); err != nil || len(names) == 0 {
		return list, nil, err
	}
	left = map[string]bool{}
	for _, n := range list {
		left[n.Name] = true
	}
	for _, name := range names {
		if name = a.networkName(name); !slices.ContainsFunc(list, func(n *buoyv1.Network) bool { return n.Name == name }) {
			return nil, nil, notFound("%s does not exist", name)
		}
		delete(left, name)
	}
	return list, left, nil
}
