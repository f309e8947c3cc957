package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

var floatingIPColumns = []column[*buoyv1.FloatingIP]{
	{"NAME", false, func(f *buoyv1.FloatingIP) string { return short(f.Name) }},
	{"ADDRESS", false, func(f *buoyv1.FloatingIP) string { return f.Address }},
	{"NETWORK", false, func(f *buoyv1.FloatingIP) string { return short(f.Network) }},
	{"COMPUTENODE", false, func(f *buoyv1.FloatingIP) string {
		return eachAssociation(f, func(as *buoyv1.Association) string { return short(as.ComputeNode) })
	}},
	{"STATE", false, func(f *buoyv1.FloatingIP) string { return strings.ToLower(f.State.String()) }},
	{"INTERFACE", true, func(f *buoyv1.FloatingIP) string {
		return eachAssociation(f, func(as *buoyv1.Association) string { return as.Interface })
	}},
	{"FIXED-IP", true, func(f *buoyv1.FloatingIP) string {
		return eachAssociation(f, func(as *buoyv1.Association) string { return as.FixedIp })
	}},
	{"LABEL", true, func(f *buoyv1.FloatingIP) string {
		return eachAssociation(f, func(as *buoyv1.Association) string { return strconv.Itoa(int(as.Label)) })
	}},
	{"REASON", true, func(f *buoyv1.FloatingIP) string { return f.StateReason }},
}

func nameOfFloatingIP(f *buoyv1.FloatingIP) string { return f.Name }

func eachAssociation(f *buoyv1.FloatingIP, value func(*buoyv1.Association) string) string {
	var values []string
	for _, as := range f.Associations {
		values = append(values, value(as))
	}
	return strings.Join(values, ",")
}

// floatingIPs adds what can be done with floating IPs to the verbs.
func (a *app) floatingIPs(verbs map[string]*cobra.Command) {
	verbs["allocate"].AddCommand(a.allocate())
	verbs["associate"].AddCommand(a.associate())
	verbs["disassociate"].AddCommand(a.disassociate())
	release := func(ctx context.Context, c *client, name string) error {
		_, err := c.floatingIPs.Release(ctx, &buoyv1.ReleaseRequest{Name: name})
		return err
	}
	verbs["release"].AddCommand(&cobra.Command{
		Use:     "floatingip NAME",
		Aliases: []string{"fip"},
		Short:   "Give the address of a floating IP back; it must not be associated",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			name := a.floatingIPName(args[0])
			if err := release(ctx, c, name); err != nil {
				return err
			}
			_, err := fmt.Fprintln(a.stdout, name, "released")
			return err
		}),
	})
	addNoun(a, verbs, noun[*buoyv1.FloatingIP]{
		singular: "floatingip", plural: "floatingips", aliases: []string{"fip", "fips"},
		deletable: "The same as release",
		columns:   floatingIPColumns,
		nameOf:    nameOfFloatingIP,
		fullName:  a.floatingIPName,
		get: func(ctx context.Context, c *client, name string) (*buoyv1.FloatingIP, error) {
			return c.floatingIPs.GetFloatingIP(ctx, &buoyv1.GetFloatingIPRequest{Name: name})
		},
		list: func(ctx context.Context, c *client) ([]*buoyv1.FloatingIP, error) {
			resp, err := c.floatingIPs.ListFloatingIPs(ctx, &buoyv1.ListFloatingIPsRequest{Parent: a.parent()})
			return resp.GetFloatingIps(), err
		},
		remove:   release,
		describe: a.describeFloatingIP,
	})
}

func (a *app) allocate() *cobra.Command {
	req := &buoyv1.AllocateRequest{}
	cmd := &cobra.Command{
		Use:     "floatingip NAME",
		Aliases: []string{"fip"},
		Short:   "Take an address of a network for a new floating IP",
		Example: "  buoyctl allocate floatingip web-1 --network vn-public --address 203.0.113.5",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			req.Name = a.floatingIPName(args[0])
			req.Network = a.networkName(req.Network)
			f, err := c.floatingIPs.Allocate(ctx, req)
			if err != nil {
				return err
			}
			return report(a, f, nameOfFloatingIP, floatingIPColumns, "allocated, address "+f.Address)
		}),
	}
	cmd.Flags().StringVar(&req.Network, "network", "", "network to take the address from")
	cmd.Flags().StringVar(&req.Address, "address", "", "the address")
	require(cmd, "network", "address")
	a.outputFlag(cmd)
	return cmd
}

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
			f, err := c.floatingIPs.Associate(ctx, &buoyv1.AssociateRequest{Name: a.floatingIPName(args[0]), Association: as})
			if err != nil {
				return err
			}
			return report(a, f, nameOfFloatingIP, floatingIPColumns, "associated with "+as.ComputeNode)
		}),
	}
	cmd.Flags().StringVar(&as.ComputeNode, "computenode", "", "compute node that the workload runs on")
	cmd.Flags().StringVar(&as.Interface, "interface", "", "the workload's interface on the compute node")
	cmd.Flags().StringVar(&as.FixedIp, "fixed-ip", "", "the workload's own address")
	cmd.Flags().Uint32Var(&as.Label, "label", 0, "MPLS label that the compute node expects, 16..1048575")
	cmd.Flags().BoolVar(&as.Preferred, "preferred", false, "LOCAL_PREF 200 instead of 100")
	require(cmd, "computenode", "interface", "fixed-ip", "label")
	a.outputFlag(cmd)
	return cmd
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
			f, err := c.floatingIPs.Disassociate(ctx, req)
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

func (a *app) describeFloatingIP(ctx context.Context, c *client, f *buoyv1.FloatingIP) error {
	routes, err := c.routes.ListRoutes(ctx, &buoyv1.ListRoutesRequest{Network: f.Network})
	if err != nil {
		return err
	}
	s := newSection(a.stdout)
	s.line("Name", f.Name)
	s.line("Address", f.Address)
	s.line("Network", f.Network)
	s.line("State", strings.ToLower(f.State.String()))
	s.line("Reason", f.StateReason)
	for _, as := range f.Associations {
		s.line("Association", describeAssociation(as))
	}
	for _, r := range routes.Routes {
		if r.FloatingIp == f.Name {
			s.line("Route", describeRoute(r))
		}
	}
	return s.flush()
}
