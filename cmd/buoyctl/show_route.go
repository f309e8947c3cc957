package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func (a *app) showTableCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "table TABLE [PREFIX|ADDRESS] [detail]",
		Short: "Show the routes of a table: bgp.l3vpn.0, bgp.l3vpn-inet6.0, NETWORK.inet.0, NETWORK.inet6.0",
		Long: `Show the routes of a table. bgp.l3vpn.0 and bgp.l3vpn-inet6.0 are our own routes and
what neighbors have announced; NETWORK.inet.0 and NETWORK.inet6.0 are the table of a
network: its floating IPs, and what it imports. There * marks what BGP prefers for a
prefix, and + each of several equally good ones, which packets may follow side by
side; an address stands for the longest prefix that contains it.`,
		Example: "  buoyctl show route table bgp.l3vpn.0 detail\n" +
			"  buoyctl show route table vn-public.inet.0\n" +
			"  buoyctl show route table vn-public.inet.0 198.51.100.7 detail",
		Args: tableArgs,
		RunE: a.do(a.showTable),
	}
}

func tableArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 3 && args[2] != "detail" {
		return misused(cmd, "expected detail after the prefix, got %q", args[2])
	}
	return takes(1, 3)(cmd, args)
}

func (a *app) showTable(ctx context.Context, c *client, args []string) error {
	req := &buoyv1.ListRoutesRequest{Table: a.tableName(args[0])}
	table, args := args[0], args[1:]
	args, detail := cutDetail(args)
	routes, err := findRoutes(ctx, c, req, args)
	if err != nil {
		return err
	}
	if len(routes) == 0 && len(args) > 0 {
		return notFound("no route for %s in %s", args[0], table)
	}
	name := nameOfRoute
	if ofNetwork(req) {
		name = func(r *buoyv1.Route) string { return r.Prefix }
	}
	fmt.Fprintf(a.stdout, "%s: %d destinations, %d routes\n\n", table, destinations(routes, name), len(routes))
	switch {
	case detail:
		return a.showDetails(routes, ofNetwork(req))
	case ofNetwork(req):
		return a.showNetwork(routes)
	}
	return a.printTable(len(routes) == 0, func(w io.Writer) {
		fmt.Fprintln(w, "Prefix\tNexthop\tLabel\tMED\tLclpref\tAS path\tSource\tState")
		for _, r := range routes {
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\n", nameOfRoute(r), r.NextHop, r.Label, orDash(med(r)), r.LocalPref, asPath(r),
				orDash(sourceOfRoute(r)), stateOfRoute(r))
		}
	})
}

// showNetwork shows the table of a network, each prefix once.
func (a *app) showNetwork(routes []*buoyv1.Route) error {
	return a.printTable(len(routes) == 0, func(w io.Writer) {
		fmt.Fprintln(w, "Prefix\t\tNexthop\tLabel\tRD\tMED\tLclpref\tAS path\tSource\tState")
		prefix := ""
		for _, r := range routes {
			shown := r.Prefix
			if r.Prefix == prefix {
				shown = ""
			}
			prefix = r.Prefix
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%d\t%s\t%s\t%s\n", shown, mark(r), r.NextHop, r.Label, r.RouteDistinguisher, orDash(med(r)),
				r.LocalPref, asPath(r), orDash(sourceOfRoute(r)), stateOfRoute(r))
		}
	})
}

// destinations counts the names of routes; equal ones stand together.
func destinations(routes []*buoyv1.Route, name func(*buoyv1.Route) string) (n int) {
	for i, r := range routes {
		if i == 0 || name(r) != name(routes[i-1]) {
			n++
		}
	}
	return n
}

func cutDetail(args []string) (rest []string, detail bool) {
	if n := len(args); n > 0 && args[n-1] == "detail" {
		return args[:n-1], true
	}
	return args, false
}

// showDetails shows all there is to say of routes; ranked, what they are to their
// prefix.
func (a *app) showDetails(routes []*buoyv1.Route, ranked bool) error {
	for _, r := range routes {
		if err := a.showDetail(r, ranked); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) showDetail(r *buoyv1.Route, ranked bool) error {
	communities := append([]string{}, r.RouteTargets...)
	for _, e := range r.Encapsulations {
		communities = append(communities, "encapsulation:"+e)
	}
	communities = append(communities, r.Communities...)
	fmt.Fprintln(a.stdout, nameOfRoute(r))
	w := tabwriter.NewWriter(a.stdout, 0, 0, 1, ' ', 0)
	for _, line := range [][2]string{
		{"Route Distinguisher", r.RouteDistinguisher},
		{"Label", fmt.Sprint(r.Label)},
		{"Protocol next hop", r.NextHop},
		{"Localpref", fmt.Sprint(r.LocalPref)},
		{"MED", med(r)},
		{"AS path", asPath(r)},
		{"Originator", r.Originator},
		{"Communities", strings.Join(communities, " ")},
		{"Network", r.Network},
		{"Floating IP", r.FloatingIp},
		{"Source", r.Source},
		{"Tables", strings.Join(r.Tables, " ")},
		{"State", rank(r, ranked) + routeState(r)},
		{"Age", routeAge(r)},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %s:\t%s\n", line[0], line[1])
		}
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// rank says in words what a route is to its prefix.
func rank(r *buoyv1.Route, ranked bool) string {
	switch {
	case !ranked || r.State == buoyv1.Route_UNUSABLE:
		return ""
	case r.Best && r.Multipath:
		return "best, multipath, "
	case r.Best:
		return "best, "
	case r.Multipath:
		return "multipath, "
	default:
		return "backup, "
	}
}
