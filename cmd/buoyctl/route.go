package main

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// commonColumns are those of all routes.
var commonColumns = []column[*buoyv1.Route]{
	{"PREFIX", false, func(r *buoyv1.Route) string { return r.Prefix }},
	{"RD", false, func(r *buoyv1.Route) string { return r.RouteDistinguisher }},
	{"NEXT-HOP", false, func(r *buoyv1.Route) string { return r.NextHop }},
	{"LABEL", false, func(r *buoyv1.Route) string { return strconv.Itoa(int(r.Label)) }},
	{"TARGETS", false, func(r *buoyv1.Route) string { return strings.Join(r.RouteTargets, ",") }},
	{"STATE", false, stateOfRoute},
	{"ENCAPSULATION", true, func(r *buoyv1.Route) string { return strings.Join(r.Encapsulations, ",") }},
	{"LOCAL-PREF", true, func(r *buoyv1.Route) string { return strconv.Itoa(int(r.LocalPref)) }},
}

// routeColumns are those of our own routes.
var routeColumns = slices.Concat(commonColumns, []column[*buoyv1.Route]{
	{"FLOATINGIP", true, func(r *buoyv1.Route) string { return short(r.FloatingIp) }},
	{"NETWORK", true, func(r *buoyv1.Route) string { return short(r.Network) }},
	{"AGE", true, func(r *buoyv1.Route) string { return routeAge(r) }},
	{"REASON", true, func(r *buoyv1.Route) string { return r.StateReason }},
})

// receivedColumns are those of routes that a neighbor has announced.
var receivedColumns = slices.Concat(commonColumns, []column[*buoyv1.Route]{
	{"MED", true, func(r *buoyv1.Route) string { return strconv.FormatUint(uint64(r.Med), 10) }},
	{"AS-PATH", true, asPath},
	{"AGE", true, func(r *buoyv1.Route) string { return routeAge(r) }},
})

// stateOfRoute tells a stale route from the others.
func stateOfRoute(r *buoyv1.Route) string {
	if r.Stale {
		return "stale"
	}
	return strings.ToLower(r.State.String())
}

// asPath writes path and origin as routers do.
func asPath(r *buoyv1.Route) string {
	mark := map[string]string{"IGP": "I", "EGP": "E"}[r.Origin]
	return strings.TrimSpace(r.AsPath + " " + cmp.Or(mark, "?"))
}

// nameOfRoute is what routers call a VPN route.
func nameOfRoute(r *buoyv1.Route) string { return r.RouteDistinguisher + ":" + r.Prefix }

func routeAge(r *buoyv1.Route) string {
	if r.Since == nil {
		return ""
	}
	return time.Since(r.Since.AsTime()).Truncate(time.Second).String()
}

// routes adds get routes to the verbs. Routes are derived: they cannot be
// created or deleted.
func (a *app) routes(verbs map[string]*cobra.Command) {
	const byNeighbor = "  buoyctl get routes --neighbor mx1 --direction advertised"
	req := &buoyv1.ListRoutesRequest{}
	cmd := &cobra.Command{
		Use: "routes [PREFIX]", Aliases: []string{"route"},
		Short: "List the routes, or those of one prefix",
		Example: "  buoyctl get routes --network vn-public -o wide\n" +
			byNeighbor + "\n" +
			"  buoyctl get routes --neighbor mx1 --direction received -o wide\n" +
			"  buoyctl get routes 203.0.113.5 -o json",
		Args: takes(0, 1),
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		switch {
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
		req.Neighbor = a.neighborName(req.Neighbor)
		resp, err := c.routes.ListRoutes(ctx, req)
		if err != nil {
			return err
		}
		columns := routeColumns
		if req.Direction == buoyv1.ListRoutesRequest_RECEIVED {
			columns = receivedColumns
			if len(resp.Routes) == 0 {
				n, err := c.neighbors.GetNeighbor(ctx, &buoyv1.GetNeighborRequest{Name: req.Neighbor})
				if err != nil {
					return err
				}
				a.noteNoneTaken(n)
			}
		}
		routes := resp.Routes
		if len(args) > 0 {
			if routes = withPrefix(routes, args[0]); len(routes) == 0 {
				return notFound("no route for %s", args[0])
			}
		}
		return printAll(a, routes, nameOfRoute, columns)
	})
	flags := cmd.Flags()
	flags.StringVar(&req.Network, "network", "", "only those of a network")
	flags.StringVar(&req.Table, "table", "", "only those of a table: bgp.l3vpn.0, bgp.l3vpn-inet6.0")
	flags.StringVar(&req.Neighbor, "neighbor", "", "only those that a neighbor has been given, or those that are taken from it, with --direction")
	flags.Var(choice[buoyv1.ListRoutesRequest_Direction]{&req.Direction}, "direction", "to or from the neighbor")
	a.outputFlag(cmd)
	verbs["get"].AddCommand(cmd)
}

// withPrefix selects the routes of a prefix, an address or a route's name.
func withPrefix(routes []*buoyv1.Route, want string) (found []*buoyv1.Route) {
	want = canonical(want)
	for _, r := range routes {
		addr, _, _ := strings.Cut(r.Prefix, "/")
		if want == r.Prefix || want == addr || want == nameOfRoute(r) {
			found = append(found, r)
		}
	}
	return found
}

// canonical writes an address or a prefix as the API does.
func canonical(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.String()
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.String()
	}
	return s
}

func describeRoute(r *buoyv1.Route) string {
	return fmt.Sprintf("%s, next hop %s, label %d, LOCAL_PREF %d, %s, encapsulation %s, %s", nameOfRoute(r), r.NextHop, r.Label,
		r.LocalPref, strings.Join(r.RouteTargets, " "), strings.Join(r.Encapsulations, ","), routeState(r))
}

func routeState(r *buoyv1.Route) string {
	text := strings.ToLower(r.State.String())
	if r.StateReason != "" {
		text += " (" + r.StateReason + ")"
	}
	return text
}
