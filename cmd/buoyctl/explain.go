package main

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/buoynet/buoy/internal/gatewayconfig"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// errUnhealthy makes the exit status say that something is not well. What that is was
// written already.
var errUnhealthy = errors.New("something is unhealthy")

func (a *app) explain() *cobra.Command {
	req, vendor := &buoyv1.ExplainRequest{}, ""
	cmd := &cobra.Command{
		Use:   "explain ADDRESS|NAME",
		Short: "Say why a floating IP can be reached, or why not",
		Long: `Say why a floating IP can be reached, or why not: step by step from its network to
each gateway, and the way back. An address may also be one that nobody has.

  ✓ holds   ✗ fails, and is why   ! is not as it should be   – was not looked at

It is reachable as far as Buoy can see when one gateway was sent one route for it:
the exit status is 0 then, and 7 if it is not. With --neighbor only that gateway
counts. What gateways do with a route only they know: the last lines say what to look
at there, in the words of --vendor. The commands for frr, bird and gobgp are tested.`,
		Example: "  buoyctl explain 203.0.113.5\n" +
			"  buoyctl explain web-1 --neighbor mx1 --vendor junos\n" +
			"  buoyctl explain 203.0.113.5 --from 198.51.100.7",
		Args: takes(1, 1),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if vendor != "" && !slices.Contains(gatewayconfig.Vendors(), vendor) {
				return misused(cmd, "--vendor: expected one of %s; got %q", strings.Join(gatewayconfig.Vendors(), ", "), vendor)
			}
			return a.shownWhole(cmd)
		},
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			if address, ok := addressIn(args[0]); ok {
				req.Address = address
			} else {
				req.FloatingIp = a.floatingIPName(args[0])
			}
			if req.Network != "" {
				req.Network = a.networkName(req.Network)
			}
			if req.Neighbor != "" {
				n, err := findPeer(ctx, c, req.Neighbor)
				if err != nil {
					return err
				}
				req.Neighbor = n.Name
			}
			e, err := c.Explanations.Explain(ctx, req)
			if err != nil {
				return err
			}
			if err := a.writeExplanation(e, vendor); err != nil {
				return err
			}
			if !e.Healthy {
				return errUnhealthy
			}
			return nil
		}),
	}
	flags := cmd.Flags()
	flags.StringVar(&req.Neighbor, "neighbor", "", "look at one gateway alone, by name or address")
	flags.StringVar(&req.Network, "network", "", "the network that is meant, if several have the address")
	flags.StringVar(&req.Client, "from", "", "address of a client: look for the way back to it, in place of a default route")
	flags.StringVar(&vendor, "vendor", "", "of the gateways, for what to look at there: "+strings.Join(gatewayconfig.Vendors(), "|")+" (default junos and frr)")
	a.outputFlag(cmd)
	cmd.Flag("output").Usage = "table, json or yaml"
	return cmd
}

// addressIn reads an address, or a host prefix as routers write it.
func addressIn(text string) (address string, ok bool) {
	if p, err := netip.ParsePrefix(text); err == nil && p.IsSingleIP() {
		return p.Addr().String(), true
	}
	a, err := netip.ParseAddr(text)
	return a.String(), err == nil
}

func (a *app) writeExplanation(e *buoyv1.Explanation, vendor string) error {
	if a.output != asTable {
		return printOne(a, e, (*buoyv1.Explanation).GetAddress, nil)
	}
	looks, err := looksFor(e, vendor)
	if err != nil {
		return err
	}
	return writeSteps(a.stdout, e, looks)
}
