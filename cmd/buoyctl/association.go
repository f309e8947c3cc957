package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func (a *app) associate() *cobra.Command {
	as := &buoyv1.Association{}
	cmd := &cobra.Command{
		Use:     "floatingip NAME",
		Aliases: []string{"fip"},
		Short:   "Make a floating IP reachable at a compute node",
		Example: "  buoyctl associate floatingip web-1 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.249 --label 100",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			as.ComputeNode = a.computeNodeName(as.ComputeNode)
			f, err := c.FloatingIPs.Associate(ctx, &buoyv1.AssociateRequest{Name: a.floatingIPName(args[0]), Association: as})
			if err != nil {
				return err
			}
			return report(a, f, nameOfFloatingIP, floatingIPColumns, "associated with "+withLabel(f, as.ComputeNode))
		}),
	}
	associationFlags(cmd.Flags(), as)
	require(cmd, "computenode", "interface", "fixed-ip")
	a.outputFlag(cmd)
	return cmd
}

func (a *app) move() *cobra.Command {
	req := &buoyv1.MoveRequest{Association: &buoyv1.Association{}}
	cmd := &cobra.Command{
		Use:     "floatingip NAME",
		Aliases: []string{"fip"},
		Short:   "Move a floating IP to another compute node or interface, without a gap",
		Example: "  buoyctl move floatingip web-1 --from cmp1 --computenode cmp2 --interface tap0 --fixed-ip 10.47.255.249",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			req.Name = a.floatingIPName(args[0])
			req.From = a.computeNodeName(req.From)
			req.Association.ComputeNode = a.computeNodeName(req.Association.ComputeNode)
			f, err := c.FloatingIPs.Move(ctx, req)
			if err != nil {
				return err
			}
			return report(a, f, nameOfFloatingIP, floatingIPColumns, "moved to "+withLabel(f, req.Association.ComputeNode))
		}),
	}
	cmd.Flags().StringVar(&req.From, "from", "", "compute node to leave; not needed when there is one association")
	associationFlags(cmd.Flags(), req.Association)
	require(cmd, "computenode", "interface", "fixed-ip")
	a.outputFlag(cmd)
	return cmd
}

func associationFlags(flags *pflag.FlagSet, as *buoyv1.Association) {
	flags.StringVar(&as.ComputeNode, "computenode", "", "compute node that the workload runs on")
	flags.StringVar(&as.Interface, "interface", "", "the workload's interface on the compute node")
	flags.StringVar(&as.FixedIp, "fixed-ip", "", "the workload's own address")
	flags.Uint32Var(&as.Label, "label", 0, "MPLS label that the compute node expects, 16..1048575 (default the interface's, or a free one of the node's range)")
	flags.BoolVar(&as.Preferred, "preferred", false, "LOCAL_PREF 200 instead of 100")
}

// withLabel names a compute node, and the label that a floating IP has there.
func withLabel(f *buoyv1.FloatingIP, node string) string {
	for _, as := range f.Associations {
		if as.ComputeNode == node {
			return fmt.Sprintf("%s, label %d", node, as.Label)
		}
	}
	return node
}

func (a *app) disassociate() *cobra.Command {
	req := &buoyv1.DisassociateRequest{}
	cmd := &cobra.Command{
		Use:     "floatingip NAME",
		Aliases: []string{"fip"},
		Short:   "End the associations of a floating IP: all, or those that match",
		Example: "  buoyctl disassociate floatingip web-1 --interface tap0",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			req.Name = a.floatingIPName(args[0])
			req.ComputeNode = a.computeNodeName(req.ComputeNode)
			f, err := c.FloatingIPs.Disassociate(ctx, req)
			if err != nil {
				return err
			}
			what := "disassociated"
			if left := len(f.Associations); left > 0 {
				what = fmt.Sprintf("disassociated, still associated with %s", eachAssociation(f, describeAssociation))
			}
			return report(a, f, nameOfFloatingIP, floatingIPColumns, what)
		}),
	}
	cmd.Flags().StringVar(&req.Interface, "interface", "", "only the association with this interface")
	cmd.Flags().StringVar(&req.ComputeNode, "computenode", "", "only the association with this compute node")
	a.outputFlag(cmd)
	return cmd
}

func describeAssociation(as *buoyv1.Association) string {
	return short(as.ComputeNode) + " " + describeInterface(as)
}

func describeInterface(as *buoyv1.Association) string {
	text := fmt.Sprintf("interface %s, fixed IP %s, label %d", as.Interface, as.FixedIp, as.Label)
	if as.Preferred {
		text += ", preferred"
	}
	return text
}
