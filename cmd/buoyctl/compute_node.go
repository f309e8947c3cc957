package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	buoy "github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

var computeNodeColumns = []column[*buoyv1.ComputeNode]{
	{"NAME", false, func(n *buoyv1.ComputeNode) string { return short(n.Name) }},
	{"ADDRESS", false, func(n *buoyv1.ComputeNode) string { return n.Address }},
	{"STATE", false, streamState},
	{"ENCAPSULATIONS", false, func(n *buoyv1.ComputeNode) string { return strings.Join(n.Encapsulations, ",") }},
	{"DRAIN", false, func(n *buoyv1.ComputeNode) string {
		if n.Drain == buoyv1.ComputeNode_NOT_DRAINED {
			return ""
		}
		return word(n.Drain)
	}},
	{"DRAIN-UNTIL", true, func(n *buoyv1.ComputeNode) string { return n.DrainUntil }},
	{"LIVENESS", true, func(n *buoyv1.ComputeNode) string { return word(n.Liveness) }},
	{"SINCE", true, func(n *buoyv1.ComputeNode) string { return n.StateSince }},
	{"STREAM", true, func(n *buoyv1.ComputeNode) string { return n.StreamAddress }},
	{"AGENT", true, func(n *buoyv1.ComputeNode) string { return n.AgentVersion }},
	{"ROUTER-ID", true, func(n *buoyv1.ComputeNode) string { return n.RouterId }},
	{"LABEL-RANGE", true, func(n *buoyv1.ComputeNode) string { return n.LabelRange }},
}

func nameOfComputeNode(n *buoyv1.ComputeNode) string { return n.Name }

// computeNodes adds what can be done with compute nodes to the verbs.
func (a *app) computeNodes(verbs map[string]*cobra.Command) {
	create := &buoyv1.ComputeNode{}
	createCmd := &cobra.Command{
		Use:     "computenode NAME",
		Short:   "Create a compute node: where the gateways tunnel to",
		Example: "  buoyctl create computenode cmp1 --address 10.0.0.11 --encapsulation gre,udp",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			create.Name = a.computeNodeName(args[0])
			n, err := c.ComputeNodes.CreateComputeNode(ctx, &buoyv1.CreateComputeNodeRequest{ComputeNode: create})
			if err != nil {
				return err
			}
			return report(a, n, nameOfComputeNode, computeNodeColumns, "created")
		}),
	}
	computeNodeFlags(createCmd.Flags(), create)
	require(createCmd, "address")
	a.outputFlag(createCmd)
	verbs["create"].AddCommand(createCmd)

	set := &buoyv1.ComputeNode{}
	setCmd := &cobra.Command{
		Use:     "computenode NAME",
		Short:   "Change a compute node in place; its routes follow",
		Example: "  buoyctl set computenode cmp1 --encapsulation udp\n  buoyctl set computenode cmp1 --liveness session --hold-time 10 --stale-time 60",
		Args:    takes(1, 1),
	}
	setCmd.RunE = a.do(func(ctx context.Context, c *client, args []string) error {
		set.Name = a.computeNodeName(args[0])
		mask, err := maskOf(setCmd.Flags(), computeNodeFields)
		if err != nil {
			return err
		}
		n, err := c.ComputeNodes.UpdateComputeNode(ctx, &buoyv1.UpdateComputeNodeRequest{ComputeNode: set, UpdateMask: mask})
		if err != nil {
			return err
		}
		return report(a, n, nameOfComputeNode, computeNodeColumns, "changed")
	})
	computeNodeFlags(setCmd.Flags(), set)
	a.outputFlag(setCmd)
	verbs["set"].AddCommand(setCmd)

	addNoun(a, verbs, noun[*buoyv1.ComputeNode]{
		singular: "computenode", plural: "computenodes",
		kind: "computeNode", event: (*buoyv1.WatchResponse).GetComputeNode,
		deletable: "Delete a compute node that no floating IP is associated with",
		columns:   computeNodeColumns,
		nameOf:    nameOfComputeNode,
		fullName:  always(a.computeNodeName),
		get: func(ctx context.Context, c *client, name string) (*buoyv1.ComputeNode, error) {
			return c.ComputeNodes.GetComputeNode(ctx, &buoyv1.GetComputeNodeRequest{Name: name})
		},
		list: func(ctx context.Context, c *client, _ string) ([]*buoyv1.ComputeNode, error) {
			return listComputeNodes(ctx, c)
		},
		remove: func(ctx context.Context, c *client, name string) error {
			_, err := c.ComputeNodes.DeleteComputeNode(ctx, &buoyv1.DeleteComputeNodeRequest{Name: name})
			return err
		},
		describe: a.describeComputeNode,
	})
}

// computeNodeFields maps the flags to the fields of the API.
var computeNodeFields = map[string]string{
	"address":       "address",
	"router-id":     "router_id",
	"encapsulation": "encapsulations",

	"label-range":     "label_range",
	"label-hold-down": "label_hold_down",

	"liveness":   "liveness",
	"hold-time":  "hold_time",
	"stale-time": "stale_time",
	"drained":    "drained",
}

func computeNodeFlags(flags *pflag.FlagSet, n *buoyv1.ComputeNode) {
	flags.StringVar(&n.Address, "address", "", "tunnel address: the next hop of its routes")
	flags.StringVar(&n.RouterId, "router-id", "", "IPv4 address for its route distinguishers; its address by default, if that is IPv4")
	flags.StringSliceVar(&n.Encapsulations, "encapsulation", nil, "gre, udp; any when not given")
	flags.StringVar(&n.LabelRange, "label-range", "", "labels that Buoy gives to its interfaces, FIRST-LAST (default 100000-999999)")
	flags.Uint32Var(&n.LabelHoldDown, "label-hold-down", 0, "seconds that a label of that range rests before another interface gets it, 1..86400 (default 60)")
	flags.Var(choice[buoyv1.ComputeNode_Liveness]{&n.Liveness}, "liveness", "what makes its routes valid: whoever associates vouches (none), or the node's own stream (default none)")
	flags.Uint32Var(&n.HoldTime, "hold-time", 0, "seconds after which a silent stream is lost, 3..3600 (default 30)")
	flags.Var(optionalUint32{&n.StaleTime}, "stale-time", "seconds that routes are kept after the stream was lost, with --liveness session, 0..86400 (default 120)")
	flags.Var(optionalBool{&n.Drained}, "drained", "withdraw its routes at once, unless it is draining; drain computenode gives gateways time")
	flags.Lookup("drained").NoOptDefVal = "true"
}

func (a *app) describeComputeNode(ctx context.Context, c *client, n *buoyv1.ComputeNode) error {
	fips, err := listFloatingIPs(ctx, c, &buoyv1.ListFloatingIPsRequest{})
	if err != nil {
		return err
	}
	var used []string
	for _, f := range fips {
		for _, as := range f.Associations {
			if as.ComputeNode == n.Name {
				used = append(used, f.Address+" ("+short(f.Name)+"), "+describeInterface(as))
			}
		}
	}
	s := newSection(a.stdout)
	s.line("Name", n.Name)
	s.line("Address", n.Address)
	s.line("Router id", n.RouterId)
	s.line("Encapsulations", orAny(n.Encapsulations))
	s.line("Label range", n.LabelRange)
	s.line("Label hold-down", fmt.Sprintf("%d s", n.LabelHoldDown))
	s.line("Liveness", word(n.Liveness))
	s.line("Hold time", fmt.Sprintf("%d s", n.HoldTime))
	s.line("Stale time", fmt.Sprintf("%d s", n.GetStaleTime()))
	s.line("Drain", drainOf(n))
	describeStream(s, n)
	s.line("Routes", fmt.Sprint(n.Routes))
	s.lines("Floating IPs", len(used), func(i int) string { return used[i] })
	return s.flush()
}

func listComputeNodes(ctx context.Context, c *client) ([]*buoyv1.ComputeNode, error) {
	return buoy.EveryPage(func(token string) ([]*buoyv1.ComputeNode, string, error) {
		resp, err := c.ComputeNodes.ListComputeNodes(ctx, &buoyv1.ListComputeNodesRequest{PageToken: token})
		return resp.GetComputeNodes(), resp.GetNextPageToken(), err
	})
}
