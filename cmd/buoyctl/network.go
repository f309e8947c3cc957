package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	buoy "github.com/buoynet/buoy/api/client"
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
	{"EXTERNAL", true, func(n *buoyv1.Network) string { return yesNo(n.External) }},
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
			n, err := c.Networks.CreateNetwork(ctx, &buoyv1.CreateNetworkRequest{Network: create})
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
		n, err := c.Networks.UpdateNetwork(ctx, &buoyv1.UpdateNetworkRequest{Network: set, UpdateMask: mask})
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
		kind: "network", event: (*buoyv1.WatchResponse).GetNetwork,
		deletable: "Delete a network that no floating IP and no pool uses",
		columns:   networkColumns,
		nameOf:    nameOfNetwork,
		fullName:  always(a.networkName),
		ofProject: true,
		get: func(ctx context.Context, c *client, name string) (*buoyv1.Network, error) {
			return c.Networks.GetNetwork(ctx, &buoyv1.GetNetworkRequest{Name: name})
		},
		list: listNetworks,
		remove: func(ctx context.Context, c *client, name string) error {
			_, err := c.Networks.DeleteNetwork(ctx, &buoyv1.DeleteNetworkRequest{Name: name})
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

	"external":       "external",
	"reserved-hosts": "reserved_hosts",
	"gateway":        "gateways",
	"dns-server":     "dns_servers",
}

func networkFlags(flags *pflag.FlagSet, n *buoyv1.Network) {
	flags.StringSliceVar(&n.Subnets, "subnet", nil, "prefix that floating IPs are taken from; may be repeated")
	flags.StringSliceVar(&n.RouteTargets, "route-target", nil, "target for import and export, like target:64512:10003; may be repeated")
	flags.StringSliceVar(&n.ImportTargets, "import-target", nil, "further target for import only; may be repeated")
	flags.StringSliceVar(&n.ExportTargets, "export-target", nil, "further target for export only; may be repeated")
	flags.StringSliceVar(&n.Encapsulations, "encapsulation", nil, "gre, udp; any when not given")
	flags.BoolVar(&n.External, "external", false, "the network has a pool of all its addresses, made by itself")
	flags.Var(choice[buoyv1.Network_ReservedHosts]{&n.ReservedHosts}, "reserved-hosts", "hosts of a subnet kept for a gateway and a DNS server that are not given (default last-two)")
	flags.StringSliceVar(&n.Gateways, "gateway", nil, "address that is a gateway: no floating IP gets it; may be repeated")
	flags.StringSliceVar(&n.DnsServers, "dns-server", nil, "address that is a DNS server: no floating IP gets it; may be repeated")
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
	fips, err := listFloatingIPs(ctx, c, &buoyv1.ListFloatingIPsRequest{Network: n.Name})
	if err != nil {
		return err
	}
	pools, err := listPools(ctx, c, n.Name)
	if err != nil {
		return err
	}
	routes, err := listRoutes(ctx, c, &buoyv1.ListRoutesRequest{Network: n.Name})
	if err != nil {
		return err
	}
	s := newSection(a.stdout)
	s.line("Name", n.Name)
	s.line("Id", strconv.Itoa(int(n.Id)))
	s.list("Subnets", n.Subnets)
	s.list("Route targets", n.RouteTargets)
	s.list("Import targets", n.ImportTargets)
	s.list("Export targets", n.ExportTargets)
	s.line("Automatic target", n.AutomaticTarget)
	s.lines("Shared targets", len(n.SharedTargets), func(i int) string { return describeSharedTarget(n.SharedTargets[i]) })
	s.line("Encapsulations", orAny(n.Encapsulations))
	s.line("External", yesNo(n.External))
	s.line("Reserved hosts", word(n.ReservedHosts))
	s.lines("Reserved addresses", len(n.ReservedAddresses), func(i int) string { return n.ReservedAddresses[i] })
	s.lines("Pools", len(pools), func(i int) string { return describeUse(pools[i]) })
	describeFloatingIPs(s, fips)
	own := 0
	for _, r := range routes {
		if ours(r) {
			own++
		}
	}
	s.line("Routes", strconv.Itoa(own))
	s.line("Imported routes", strconv.Itoa(len(routes)-own))
	return s.flush()
}

func describeSharedTarget(t *buoyv1.SharedTarget) string {
	return t.Target + " also of " + strings.Join(t.Networks, ", ")
}

// describeFloatingIPs counts floating IPs, and names the first ones.
func describeFloatingIPs(s section, fips []*buoyv1.FloatingIP) {
	s.line("Floating IPs", strconv.Itoa(len(fips)))
	for _, f := range fips[:min(len(fips), maxDescribed)] {
		s.more(f.Address + " (" + short(f.Name) + ")")
	}
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func orAny(encapsulations []string) string {
	if len(encapsulations) == 0 {
		return "any"
	}
	return strings.Join(encapsulations, ", ")
}

func listNetworks(ctx context.Context, c *client, parent string) ([]*buoyv1.Network, error) {
	return buoy.EveryPage(func(token string) ([]*buoyv1.Network, string, error) {
		resp, err := c.Networks.ListNetworks(ctx, &buoyv1.ListNetworksRequest{Parent: parent, PageToken: token})
		return resp.GetNetworks(), resp.GetNextPageToken(), err
	})
}
