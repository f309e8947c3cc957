package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	buoy "github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// routes adds get routes to the verbs. Routes are derived: they cannot be
// created or deleted.
func (a *app) routes(verbs map[string]*cobra.Command) {
	const byNeighbor = "  buoyctl get routes --neighbor mx1 --direction advertised"
	req, watch := &buoyv1.ListRoutesRequest{}, false
	cmd := &cobra.Command{
		Use: "routes [PREFIX]", Aliases: []string{"route"},
		Short: "List the routes, or those of one prefix",
		Long: `List the routes: our own, and what neighbors have announced.

--network shows the table of a network: its floating IPs, and what it imports of
what neighbors have announced. There BEST has * for what BGP prefers for a prefix,
and + for each of several equally good ones, which packets may follow side by side.
An address in place of PREFIX stands there for the longest prefix that contains it.
What neighbors have announced is shown to projects in the tables of their networks
alone.

--watch shows the table of a network, or those of all networks, and then each prefix
whose routes change, with all its routes as they are then; "gone" is one without any.
It ends with Ctrl-C. With -o json each line is one prefix.`,
		Example: "  buoyctl get routes --network vn-public -o wide\n" +
			"  buoyctl get routes --network vn-public 198.51.100.7\n" +
			"  buoyctl get routes --network vn-public --watch\n" +
			"  buoyctl get routes --table vn-public.inet6.0\n" +
			"  buoyctl get routes --table bgp.l3vpn.0\n" +
			byNeighbor + "\n" +
			"  buoyctl get routes --neighbor mx1 --direction received -o wide\n" +
			"  buoyctl get routes 203.0.113.5 -o json",
		Args: takes(0, 1),
	}
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case watch && (len(args) > 0 || req.Filter != "" || req.Table != "" || req.Neighbor != "" || req.Direction != 0):
			return misused(cmd, "--watch goes with --network alone, or nothing, for example\n  buoyctl get routes --network vn-public --watch")
		case req.Direction != 0 && req.Neighbor == "":
			return misused(cmd, "missing --neighbor to go with --direction, for example\n%s", byNeighbor)
		case req.Direction == 0 && req.Neighbor != "":
			return misused(cmd, "missing --direction to go with --neighbor, for example\n%s", byNeighbor)
		}
		return nil
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, args []string) error {
		if req.Network != "" {
			req.Network = a.networkName(req.Network)
		}
		if watch {
			return a.watchRoutes(ctx, c, req.Network)
		}
		req.Table, req.Neighbor = a.tableName(req.Table), a.neighborName(req.Neighbor)
		routes, err := findRoutes(ctx, c, req, args)
		if err != nil {
			return err
		}
		if len(routes) == 0 && req.Direction == buoyv1.ListRoutesRequest_RECEIVED {
			n, err := c.Neighbors.GetNeighbor(ctx, &buoyv1.GetNeighborRequest{Name: req.Neighbor})
			if err != nil {
				return err
			}
			a.noteNoneTaken(n)
		}
		if len(routes) == 0 && len(args) > 0 {
			return notFound("no route for %s", args[0])
		}
		return printAll(a, routes, nameOfRoute, columnsFor(req))
	})
	flags := cmd.Flags()
	flags.StringVar(&req.Network, "network", "", "the table of a network")
	flags.StringVar(&req.Table, "table", "", "only those of a table: bgp.l3vpn.0, bgp.l3vpn-inet6.0, NETWORK.inet.0, NETWORK.inet6.0")
	flags.StringVar(&req.Filter, "filter", "", filterUsage)
	flags.StringVar(&req.Neighbor, "neighbor", "", "only those that a neighbor has been given, or those that are taken from it, with --direction")
	flags.Var(choice[buoyv1.ListRoutesRequest_Direction]{&req.Direction}, "direction", "to or from the neighbor")
	flags.BoolVarP(&watch, "watch", "w", false, "show what changes, too, until Ctrl-C")
	a.outputFlag(cmd)
	verbs["get"].AddCommand(cmd)
}

// listRoutes follows a list of routes to its end.
func listRoutes(ctx context.Context, c *client, req *buoyv1.ListRoutesRequest) ([]*buoyv1.Route, error) {
	return buoy.EveryPage(func(token string) ([]*buoyv1.Route, string, error) {
		req.PageToken = token
		resp, err := c.Routes.ListRoutes(ctx, req)
		return resp.GetRoutes(), resp.GetNextPageToken(), err
	})
}

// findRoutes lists routes, those of a prefix, an address or a route's name if there
// is such an argument.
func findRoutes(ctx context.Context, c *client, req *buoyv1.ListRoutesRequest, args []string) ([]*buoyv1.Route, error) {
	if len(args) == 0 {
		return listRoutes(ctx, c, req)
	}
	rd, prefix := cutName(args[0])
	req.Prefix = prefix
	routes, err := listRoutes(ctx, c, req)
	if err != nil || rd == "" {
		return routes, err
	}
	return slices.DeleteFunc(routes, func(r *buoyv1.Route) bool { return r.RouteDistinguisher != rd }), nil
}

// cutName splits a route's name, <RD>:<prefix>; what is an address or a prefix has
// no RD.
func cutName(s string) (rd, prefix string) {
	_, notAddr := netip.ParseAddr(s)
	_, notPrefix := netip.ParsePrefix(s)
	if parts := strings.SplitN(s, ":", 3); notAddr != nil && notPrefix != nil && len(parts) == 3 {
		return parts[0] + ":" + parts[1], parts[2]
	}
	return "", s
}

// cutTable splits the name of a network's table: vn-public.inet.0 is that of
// vn-public. Other tables have no such family.
func cutTable(name string) (network, family string) {
	for _, family := range []string{"inet.0", "inet6.0"} {
		if network, ok := strings.CutSuffix(name, family); ok && (network == "" || strings.HasSuffix(network, ".")) {
			return strings.TrimSuffix(network, "."), family
		}
	}
	return "", ""
}

// tableName returns the full name of a table.
func (a *app) tableName(name string) string {
	if network, family := cutTable(name); network != "" {
		return a.networkName(network) + "." + family
	}
	return name
}

// canonical writes an address as the API does.
func canonical(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String()
	}
	return s
}

func describeRoute(r *buoyv1.Route) string {
	return fmt.Sprintf("%s, next hop %s, label %d, LOCAL_PREF %d, %s, encapsulation %s, %s", nameOfRoute(r), r.NextHop, r.Label,
		r.LocalPref, strings.Join(append(slices.Clone(r.RouteTargets), r.Communities...), " "), strings.Join(r.Encapsulations, ","), routeState(r))
}

func routeState(r *buoyv1.Route) string {
	text := strings.ToLower(r.State.String())
	if r.StateReason != "" {
		text += " (" + r.StateReason + ")"
	}
	return text
}
