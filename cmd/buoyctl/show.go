package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	buoy "github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// show adds the commands that network operators know from their routers.
func (a *app) show(verbs map[string]*cobra.Command) {
	bgp := &cobra.Command{Use: "bgp", Short: "Show BGP sessions", RunE: unknownCommand}
	bgp.AddCommand(&cobra.Command{
		Use:   "summary",
		Short: "Show one line for each neighbor",
		Args:  takes(0, 0),
		RunE:  a.do(a.showSummary),
	})
	route := &cobra.Command{Use: "route", Short: "Show routes", RunE: unknownCommand}
	route.AddCommand(a.showTableCommand(), &cobra.Command{
		Use:     "advertising-protocol bgp PEER [detail]",
		Short:   "Show the routes that a neighbor, by name or address, has been given",
		Example: "  buoyctl show route advertising-protocol bgp 10.0.0.1",
		Args:    peerArgs,
		RunE:    a.do(a.showAdvertised),
	}, &cobra.Command{
		Use:     "receive-protocol bgp PEER [detail]",
		Short:   "Show the routes that are taken from a neighbor, by name or address",
		Example: "  buoyctl show route receive-protocol bgp 10.0.0.1",
		Args:    peerArgs,
		RunE:    a.do(a.showReceived),
	})
	verbs["show"].AddCommand(bgp, route)
}

func (a *app) showSummary(ctx context.Context, c *client, _ []string) error {
	var refused *buoyv1.RefusedConnections
	neighbors, err := buoy.EveryPage(func(token string) ([]*buoyv1.Neighbor, string, error) {
		resp, err := c.Neighbors.ListNeighbors(ctx, &buoyv1.ListNeighborsRequest{PageToken: token})
		refused = resp.GetRefused()
		return resp.GetNeighbors(), resp.GetNextPageToken(), err
	})
	if err != nil {
		return err
	}
	up := 0
	for _, n := range neighbors {
		if n.State == buoyv1.Neighbor_ESTABLISHED {
			up++
		}
	}
	fmt.Fprintf(a.stdout, "Peers: %d Established: %d Down: %d\n", len(neighbors), up, len(neighbors)-up)
	if refused != nil {
		fmt.Fprintf(a.stdout, "Connections from addresses of no neighbor: %d, the last one from %s at %s\n",
			refused.Count, refused.LastAddress, refused.LastTime.AsTime().Local().Format(time.DateTime))
	}
	return a.printTable(len(neighbors) == 0, func(w io.Writer) {
		fmt.Fprintln(w, "Peer\tName\tAS\tInPkt\tOutPkt\tUps\tLast Up/Dwn\tState")
		for _, n := range neighbors {
			state := stateName(n.State)
			if n.State == buoyv1.Neighbor_ESTABLISHED {
				state = "Establ: " + strings.Join(n.Session.NegotiatedFamilies, ",")
			} else if n.StateReason != "" {
				state += ": " + n.StateReason
			}
			s := n.GetSession()
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\n", n.Address, short(n.Name), n.As,
				messages(s.GetReceived()), messages(s.GetSent()), s.GetEstablishedCount(), orDash(age(s)), state)
		}
	})
}

func peerArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 0 && args[0] != "bgp":
		return misused(cmd, "expected bgp, got %q", args[0])
	case len(args) == 3 && args[2] != "detail":
		return misused(cmd, "expected detail after the peer, got %q", args[2])
	}
	return takes(2, 3)(cmd, args)
}

func messages(c *buoyv1.Counters) uint64 {
	return c.GetOpens() + c.GetUpdates() + c.GetNotifications() + c.GetKeepalives() + c.GetRouteRefreshes()
}

func (a *app) showAdvertised(ctx context.Context, c *client, args []string) error {
	_, routes, err := a.exchanged(ctx, c, args[1], buoyv1.ListRoutesRequest_ADVERTISED)
	if err != nil {
		return err
	}
	_, detail := cutDetail(args[2:])
	return a.showRoutes(routes, detail)
}

func (a *app) showReceived(ctx context.Context, c *client, args []string) error {
	peer, routes, err := a.exchanged(ctx, c, args[1], buoyv1.ListRoutesRequest_RECEIVED)
	if err != nil {
		return err
	}
	a.noteNoneTaken(peer)
	if _, detail := cutDetail(args[2:]); detail {
		return a.showRoutes(routes, detail)
	}
	return a.printTable(len(routes) == 0, func(w io.Writer) {
		fmt.Fprintln(w, "Prefix\tNexthop\tLabel\tMED\tLclpref\tAS path\tState")
		for _, r := range routes {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n", nameOfRoute(r), r.NextHop, r.Label, r.Med, r.LocalPref, asPath(r), stateOfRoute(r))
		}
	})
}

// noteNoneTaken says why nothing is received from a neighbor.
func (a *app) noteNoneTaken(n *buoyv1.Neighbor) {
	if takesNothing(n) {
		fmt.Fprintf(a.stderr, "%s has --accept-prefix none: none of its routes are taken\n", short(n.Name))
	}
}

// exchanged finds a peer and its routes in a direction, and says if its session
// is not there.
func (a *app) exchanged(ctx context.Context, c *client, peer string, direction buoyv1.ListRoutesRequest_Direction) (*buoyv1.Neighbor, []*buoyv1.Route, error) {
	n, err := findPeer(ctx, c, peer)
	if err != nil {
		return nil, nil, err
	}
	routes, err := listRoutes(ctx, c, &buoyv1.ListRoutesRequest{Neighbor: n.Name, Direction: direction})
	if err != nil {
		return nil, nil, err
	}
	if n.State != buoyv1.Neighbor_ESTABLISHED {
		fmt.Fprintf(a.stderr, "%s is %s: %s\n", short(n.Name), stateName(n.State), n.StateReason)
	}
	return n, routes, nil
}

// findPeer finds a neighbor by its address or its name.
func findPeer(ctx context.Context, c *client, peer string) (*buoyv1.Neighbor, error) {
	neighbors, err := listNeighbors(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, n := range neighbors {
		if canonical(peer) == n.Address || peer == n.Name || peer == short(n.Name) {
			return n, nil
		}
	}
	return nil, notFound("no neighbor has the name or address %s", peer)
}

func (a *app) showRoutes(routes []*buoyv1.Route, detail bool) error {
	if detail {
		return a.showDetails(routes, false)
	}
	return a.printTable(len(routes) == 0, func(w io.Writer) {
		fmt.Fprintln(w, "Prefix\tNexthop\tLabel\tLclpref\tAS path")
		for _, r := range routes {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", nameOfRoute(r), r.NextHop, r.Label, r.LocalPref, asPath(r))
		}
	})
}
