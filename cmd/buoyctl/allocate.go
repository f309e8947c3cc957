package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func (a *app) allocate() *cobra.Command {
	req := &buoyv1.AllocateRequest{}
	cmd := &cobra.Command{
		Use:     "floatingip NAME",
		Aliases: []string{"fip"},
		Short:   "Take an address of a pool or a network for a new floating IP",
		Long: `Take an address for a new floating IP: of --pool, or of --network outside its pools,
or of the pool that --namespace is bound to, or of the one that the cluster is
bound to. Without --address it is the next free one.`,
		Example: "  buoyctl allocate floatingip web-1 --pool pool-public\n" +
			"  buoyctl allocate floatingip web-1 --network vn-public --address 203.0.113.5\n" +
			"  buoyctl allocate floatingip web-1 --namespace dev --direction ingress --port-mapping tcp:80:8080",
		Args: takes(1, 1),
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		flags := cmd.Flags()
		if flags.Changed("pool") && flags.Changed("network") {
			return misused(cmd, "expected --pool or --network, got both; --network is for addresses outside its pools")
		}
		// The server would take another pool than the one that a script meant.
		if flags.Changed("namespace") && req.Namespace == "" {
			return misused(cmd, "--namespace: expected a namespace, got an empty name")
		}
		return nil
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, args []string) (err error) {
		req.Name = a.floatingIPName(args[0])
		if cmd.Flags().Changed("network") {
			req.Network = a.networkName(req.Network)
		}
		if cmd.Flags().Changed("pool") {
			if req.Pool, err = a.poolName(ctx, c, "--pool", req.Pool); err != nil {
				return err
			}
		}
		f, err := c.FloatingIPs.Allocate(ctx, req)
		if err != nil {
			return err
		}
		return report(a, f, nameOfFloatingIP, floatingIPColumns, "allocated, address "+f.Address+" "+a.origin(f))
	})
	flags := cmd.Flags()
	flags.StringVar(&req.Pool, "pool", "", "pool to take the address from")
	flags.StringVar(&req.Network, "network", "", "network to take the address from, outside its pools")
	flags.StringVar(&req.Namespace, "namespace", "", "namespace of the workload; it decides the pool when none is named")
	flags.StringVar(&req.Address, "address", "", "a certain address; the next free one when not given")
	flags.Var(choice[buoyv1.AllocateRequest_Family]{&req.Family}, "family", "of the next free address (default ipv4, if there are any)")
	trafficFlags(flags, &req.Direction, &req.PortMappings)
	a.outputFlag(cmd)
	return cmd
}

// origin says where an address is from, and what decided that.
func (a *app) origin(f *buoyv1.FloatingIP) string {
	if f.Pool == "" {
		return fmt.Sprintf("of network %s, outside its pools", a.inWords(f.Network))
	}
	return fmt.Sprintf("of pool %s (%s)", a.inWords(f.Pool), scope(f))
}

// scope says what decided which pool an address is from.
func scope(f *buoyv1.FloatingIP) string {
	switch f.Scope {
	case buoyv1.FloatingIP_REQUEST:
		return "named in the request"
	case buoyv1.FloatingIP_NAMESPACE:
		return "bound to namespace " + f.Namespace
	case buoyv1.FloatingIP_GLOBAL:
		return "global binding"
	default:
		return word(f.Scope)
	}
}
