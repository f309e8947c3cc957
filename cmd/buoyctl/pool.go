package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	buoy "github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

var poolColumns = []column[*buoyv1.Pool]{
	{"NAME", false, func(p *buoyv1.Pool) string { return short(p.Name) }},
	{"NETWORK", false, func(p *buoyv1.Pool) string { return short(networkOf(p)) }},
	{"RANGES", false, func(p *buoyv1.Pool) string { return ranges(p, ",") }},
	{"USED", false, func(p *buoyv1.Pool) string { return size(p.Used) }},
	{"TOTAL", false, func(p *buoyv1.Pool) string { return size(p.Total) }},
	{"SHARED-WITH", true, func(p *buoyv1.Pool) string { return strings.Join(p.SharedWith, ",") }},
	{projectTitle, true, func(p *buoyv1.Pool) string { return projectOf(p.Name) }},
}

func nameOfPool(p *buoyv1.Pool) string { return p.Name }

func ranges(p *buoyv1.Pool, separator string) string {
	if len(p.Ranges) == 0 {
		return "all"
	}
	return strings.Join(p.Ranges, separator)
}

// size writes a number of addresses. From 2^53 on the last digits are noise.
func size(n uint64) string {
	if n < 1<<53 {
		return count(n)
	}
	return strconv.FormatFloat(float64(n), 'g', 2, 64)
}

func addresses(n uint64) string {
	if n == 1 {
		return "1 address"
	}
	return size(n) + " addresses"
}

func describeUse(p *buoyv1.Pool) string {
	return fmt.Sprintf("%s: %s, %s of %s used", short(p.Name), ranges(p, ", "), size(p.Used), size(p.Total))
}

// pools adds what can be done with pools to the verbs.
func (a *app) pools(verbs map[string]*cobra.Command) {
	verbs["create"].AddCommand(a.createPool())
	verbs["set"].AddCommand(a.setPool())
	addNoun(a, verbs, noun[*buoyv1.Pool]{
		singular: "pool", plural: "pools",
		kind: "pool", event: (*buoyv1.WatchResponse).GetPool,
		deletable: "Delete a pool without floating IPs and bindings",
		columns:   poolColumns,
		nameOf:    nameOfPool,
		fullName: func(ctx context.Context, c *client, name string) (string, error) {
			return a.poolName(ctx, c, "NAME", name)
		},
		ofProject: true,
		get: func(ctx context.Context, c *client, name string) (*buoyv1.Pool, error) {
			return c.Pools.GetPool(ctx, &buoyv1.GetPoolRequest{Name: name})
		},
		list: listPools,
		remove: func(ctx context.Context, c *client, name string) error {
			_, err := c.Pools.DeletePool(ctx, &buoyv1.DeletePoolRequest{Name: name})
			return err
		},
		describe: a.describePool,
	})
}

// listPools lists the pools of a project, of a network, or all.
func listPools(ctx context.Context, c *client, parent string) ([]*buoyv1.Pool, error) {
	return buoy.EveryPage(func(token string) ([]*buoyv1.Pool, string, error) {
		resp, err := c.Pools.ListPools(ctx, &buoyv1.ListPoolsRequest{Parent: parent, PageToken: token})
		return resp.GetPools(), resp.GetNextPageToken(), err
	})
}

func (a *app) createPool() *cobra.Command {
	pool := &buoyv1.Pool{}
	var network string
	cmd := &cobra.Command{
		Use:     "pool NAME",
		Short:   "Create a pool: a part of a network's addresses",
		Example: "  buoyctl create pool pool-public --network vn-public --range 203.0.113.10-203.0.113.99",
		Args:    takes(1, 1),
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, args []string) error {
		if strings.Contains(args[0], "/") {
			return misused(cmd, "NAME: expected a short name, since --network says where it is; got %q", args[0])
		}
		if network == "" {
			return misused(cmd, "--network: expected a network, got an empty name")
		}
		pool.Name = poolOf(a.networkName(network), args[0])
		p, err := c.Pools.CreatePool(ctx, &buoyv1.CreatePoolRequest{Pool: pool})
		if err != nil {
			return err
		}
		return report(a, p, nameOfPool, poolColumns, "created, "+addresses(p.Total))
	})
	cmd.Flags().StringVar(&network, "network", "", "network whose addresses these are")
	poolFlags(cmd.Flags(), pool)
	require(cmd, "network")
	a.outputFlag(cmd)
	return cmd
}

func (a *app) setPool() *cobra.Command {
	pool := &buoyv1.Pool{}
	cmd := &cobra.Command{
		Use:     "pool NAME",
		Short:   "Change a pool in place; lists are replaced",
		Example: "  buoyctl set pool pool-public --share-with dev",
		Args:    takes(1, 1),
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, args []string) error {
		mask, err := maskOf(cmd.Flags(), poolFields)
		if err != nil {
			return err
		}
		if pool.Name, err = a.poolName(ctx, c, "NAME", args[0]); err != nil {
			return err
		}
		p, err := c.Pools.UpdatePool(ctx, &buoyv1.UpdatePoolRequest{Pool: pool, UpdateMask: mask})
		if err != nil {
			return err
		}
		return report(a, p, nameOfPool, poolColumns, "changed")
	})
	poolFlags(cmd.Flags(), pool)
	a.outputFlag(cmd)
	return cmd
}

// poolFields maps the flags to the fields of the API.
var poolFields = map[string]string{
	"range":      "ranges",
	"share-with": "shared_with",
}

func poolFlags(flags *pflag.FlagSet, p *buoyv1.Pool) {
	flags.StringSliceVar(&p.Ranges, "range", nil, "part of the network: 203.0.113.10-203.0.113.99, 203.0.113.0/25 or an address; may be repeated; all of it when not given")
	flags.StringSliceVar(&p.SharedWith, "share-with", nil, "project that may draw from it too, * for all; may be repeated")
}

func (a *app) describePool(ctx context.Context, c *client, p *buoyv1.Pool) error {
	fips, err := listFloatingIPs(ctx, c, &buoyv1.ListFloatingIPsRequest{Pool: p.Name})
	if err != nil {
		return err
	}
	bindings, err := listPoolBindings(ctx, c)
	if err != nil {
		return err
	}
	var bound []string
	for _, b := range bindings {
		if b.Pool == p.Name {
			bound = append(bound, b.Name)
		}
	}
	s := newSection(a.stdout)
	s.line("Name", p.Name)
	s.line("Network", networkOf(p))
	if p.Automatic {
		s.line("Made by", "the external network; it goes with it")
	}
	s.line("Ranges", ranges(p, ", "))
	s.list("Shared with", p.SharedWith)
	s.lines("Bindings", len(bound), func(i int) string { return bound[i] })
	s.line("Used", size(p.Used)+" of "+size(p.Total))
	describeFloatingIPs(s, fips)
	return s.flush()
}
