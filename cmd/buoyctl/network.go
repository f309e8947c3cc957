package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

var networkColumns = []column[*buoyv1.Network]{
	{"NAME", false, func(n *buoyv1.Network) string { return short(n.Name) }},
	{"ID", false, func(n *buoyv1.Network) string { return strconv.Itoa(int(n.Id)) }},
	{"SUBNETS", false, func(n *buoyv1.Network) string { return strings.Join(n.Subnets, ",") }},
	{"ROUTE-TARGETS", false, func(n *buoyv1.Network) string { return strings.Join(n.RouteTargets, ",") }},
	{"AUTOMATIC-TARGET", true, func(n *buoyv1.Network) string { return n.AutomaticTarget }},
	{"IMPORT-TARGETS", true, func(n *buoyv1.Network) string { return strings.Join(n.ImportTargets, ",") }},
	{"EXPORT-TARGETS", true, func(n *buoyv1.Network) string { return strings.Join(n.ExportTargets, ",") }},
	{"ENCAPSULATIONS", true, func(n *buoyv1.Network) string { return strings.Join(n.Encapsulations, ",") }},
}

func nameOfNetwork(n *buoyv1.Network) string { return n.Name }

// networks adds what can be done with networks to the verbs.
func (a *app) networks(verbs map[string]*cobra.Command) {
	create := &buoyv1.Network{}
	createCmd := &cobra.Command{
		Use:     "network NAME",
		Short:   "Create a network: subnets for floating IPs, and route targets",
		Example: "  buoyctl create network vn-public --subnet 203.0.113.0/24 --route-target target:64512:10003",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			create.Name = a.networkName(args[0])
			n, err := c.networks.CreateNetwork(ctx, &buoyv1.CreateNetworkRequest{Network: create})
			if err != nil {
				return err
			}
			return report(a, n, nameOfNetwork, networkColumns, "created, id "+strconv.Itoa(int(n.Id)))
		}),
	}
	networkFlags(createCmd.Flags(), create)
	a.outputFlag(createCmd)
	verbs["create"].AddCommand(createCmd)

	set := &buoyv1.Network{}
	setCmd := &cobra.Command{
		Use:     "network NAME",
		Short:   "Change a network in place; lists are replaced, and its routes are sent anew",
		Example: "  buoyctl set network vn-public --route-target target:64512:10004",
		Args:    takes(1, 1),
	}
	setCmd.RunE = a.do(func(ctx context.Context, c *client, args []string) error {
		set.Name = a.networkName(args[0])
		mask, err := maskOf(setCmd.Flags(), networkFields)
		if err != nil {
			return err
		}
		n, err := c.networks.UpdateNetwork(ctx, &buoyv1.UpdateNetworkRequest{Network: set, UpdateMask: mask})
		if err != nil {
			return err
		}
		return report(a, n, nameOfNetwork, networkColumns, "changed")
	})
	networkFlags(setCmd.Flags(), set)
	a.outputFlag(setCmd)
	verbs["set"].AddCommand(setCmd)

	addNoun(a, verbs, noun[*buoyv1.Network]{
		singular: "network", plural: "networks",
		deletable: "Delete a network that no floating IP uses",
		columns:   networkColumns,
		nameOf:    nameOfNetwork,
		fullName:  a.networkName,
		get: func(ctx context.Context, c *client, name string) (*buoyv1.Network, error) {
			return c.networks.GetNetwork(ctx, &buoyv1.GetNetworkRequest{Name: name})
		},
		list: func(ctx context.Context, c *client) ([]*buoyv1.Network, error) {
			resp, err := c.networks.ListNetworks(ctx, &buoyv1.ListNetworksRequest{Parent: a.parent()})
			return resp.GetNetworks(), err
		},
		remove: func(ctx context.Context, c *client, name string) error {
			_, err := c.networks.DeleteNetwork(ctx, &buoyv1.DeleteNetworkRequest{Name: name})
			return err
		},
		describe: a.describeNetwork,
	})
}

// networkFields maps the flags to the fields of the API.
var networkFields = map[string]string{
	"subnet":        "subnets",
	"route-target":  "route_targets",
	"import-target": "import_targets",
	"export-target": "export_targets",
	"encapsulation": "encapsulations",
}

func networkFlags(flags *pflag.FlagSet, n *buoyv1.Network) {
	flags.StringSliceVar(&n.Subnets, "subnet", nil, "prefix that floating IPs are taken from; may be repeated")
	flags.StringSliceVar(&n.RouteTargets, "route-target", nil, "target for import and export, like target:64512:10003; may be repeated")
	flags.StringSliceVar(&n.ImportTargets, "import-target", nil, "further target for import only; may be repeated")
	flags.StringSliceVar(&n.ExportTargets, "export-target", nil, "further target for export only; may be repeated")
	flags.StringSliceVar(&n.Encapsulations, "encapsulation", nil, "gre, udp; any when not given")
}

// maskOf lists the fields whose flags were given.
func maskOf(flags *pflag.FlagSet, fields map[string]string) (*fieldmaskpb.FieldMask, error) {
	mask := &fieldmaskpb.FieldMask{}
	flags.Visit(func(f *pflag.Flag) {
		if field, ok := fields[f.Name]; ok {
			mask.Paths = append(mask.Paths, field)
		}
	})
	if len(mask.Paths) == 0 {
		return nil, errNothingToSet
	}
	return mask, nil
}

func (a *app) describeNetwork(ctx context.Context, c *client, n *buoyv1.Network) error {
	fips, err := c.floatingIPs.ListFloatingIPs(ctx, &buoyv1.ListFloatingIPsRequest{})
	if err != nil {
		return err
	}
	routes, err := c.routes.ListRoutes(ctx, &buoyv1.ListRoutesRequest{Network: n.Name})
	if err != nil {
		return err
	}
	var used []string
	for _, f := range fips.FloatingIps {
		if f.Network == n.Name {
			used = append(used, f.Address+" ("+short(f.Name)+")")
		}
	}
	s := newSection(a.stdout)
	s.line("Name", n.Name)
	s.line("Id", strconv.Itoa(int(n.Id)))
	s.list("Subnets", n.Subnets)
	s.list("Route targets", n.RouteTargets)
	s.list("Import targets", n.ImportTargets)
	s.list("Export targets", n.ExportTargets)
	s.line("Automatic target", n.AutomaticTarget)
	s.line("Encapsulations", orAny(n.Encapsulations))
	s.line("Floating IPs", strconv.Itoa(len(used)))
	for _, u := range used[:min(len(used), maxDescribed)] {
		s.more(u)
	}
	s.line("Routes", strconv.Itoa(len(routes.Routes)))
	return s.flush()
}

// maxDescribed is how many parts of a resource describe lists.
const maxDescribed = 20

func orAny(encapsulations []string) string {
	if len(encapsulations) == 0 {
		return "any"
	}
	return strings.Join(encapsulations, ", ")
}
