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
	{"POOL", true, func(f *buoyv1.FloatingIP) string { return short(f.Pool) }},
	{"DIRECTION", true, func(f *buoyv1.FloatingIP) string { return word(f.Direction) }},
	{"PORT-MAPPINGS", true, func(f *buoyv1.FloatingIP) string { return describePortMappings(f.PortMappings) }},
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
	verbs["set"].AddCommand(a.setFloatingIP())
	verbs["associate"].AddCommand(a.associate())
	verbs["move"].AddCommand(a.move())
	verbs["disassociate"].AddCommand(a.disassociate())
	release := func(ctx context.Context, c *client, name string) error {
		_, err := c.FloatingIPs.Release(ctx, &buoyv1.ReleaseRequest{Name: name})
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
	var network, pool string
	addNoun(a, verbs, noun[*buoyv1.FloatingIP]{
		singular: "floatingip", plural: "floatingips", aliases: []string{"fip", "fips"},
		kind: "floatingIp", event: (*buoyv1.WatchResponse).GetFloatingIp,
		deletable: "The same as release",
		columns:   floatingIPColumns,
		nameOf:    nameOfFloatingIP,
		fullName:  always(a.floatingIPName),
		ofProject: true,
		filters: func(flags *pflag.FlagSet) {
			flags.StringVar(&network, "network", "", "only those of a network")
			flags.StringVar(&pool, "pool", "", "only those of a pool")
		},
		only: func(ctx context.Context, c *client) (func(*buoyv1.FloatingIP) bool, error) {
			inNetwork, inPool, err := a.source(ctx, c, network, pool)
			return func(f *buoyv1.FloatingIP) bool {
				return (network == "" || f.Network == inNetwork) && (pool == "" || f.Pool == inPool)
			}, err
		},
		get: func(ctx context.Context, c *client, name string) (*buoyv1.FloatingIP, error) {
			return c.FloatingIPs.GetFloatingIP(ctx, &buoyv1.GetFloatingIPRequest{Name: name})
		},
		list: func(ctx context.Context, c *client, parent string) (list []*buoyv1.FloatingIP, err error) {
			req := &buoyv1.ListFloatingIPsRequest{Parent: parent}
			if network != "" {
				req.Network = a.networkName(network)
			}
			if pool != "" {
				if req.Pool, err = a.poolName(ctx, c, "--pool", pool); err != nil {
					return nil, err
				}
			}
			return listFloatingIPs(ctx, c, req)
		},
		remove:   release,
		describe: a.describeFloatingIP,
	})
}

// source returns the full names of a network and a pool that there are, of those
// that were given.
func (a *app) source(ctx context.Context, c *client, network, pool string) (networkName, poolName string, err error) {
	if network != "" {
		networkName = a.networkName(network)
		if _, err := c.Networks.GetNetwork(ctx, &buoyv1.GetNetworkRequest{Name: networkName}); err != nil {
			return "", "", err
		}
	}
	if pool != "" {
		poolName, err = a.poolName(ctx, c, "--pool", pool)
	}
	return networkName, poolName, err
}

func listFloatingIPs(ctx context.Context, c *client, req *buoyv1.ListFloatingIPsRequest) ([]*buoyv1.FloatingIP, error) {
	return buoy.EveryPage(func(token string) ([]*buoyv1.FloatingIP, string, error) {
		req.PageToken = token
		resp, err := c.FloatingIPs.ListFloatingIPs(ctx, req)
		return resp.GetFloatingIps(), resp.GetNextPageToken(), err
	})
}

func (a *app) setFloatingIP() *cobra.Command {
	fip := &buoyv1.FloatingIP{}
	cmd := &cobra.Command{
		Use:     "floatingip NAME",
		Aliases: []string{"fip"},
		Short:   "Change direction and port mappings of a floating IP; lists are replaced",
		Example: "  buoyctl set floatingip web-1 --direction ingress --port-mapping tcp:80:8080,tcp:443:8443",
		Args:    takes(1, 1),
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, args []string) error {
		fip.Name = a.floatingIPName(args[0])
		mask, err := maskOf(cmd.Flags(), floatingIPFields)
		if err != nil {
			return err
		}
		f, err := c.FloatingIPs.UpdateFloatingIP(ctx, &buoyv1.UpdateFloatingIPRequest{FloatingIp: fip, UpdateMask: mask})
		if err != nil {
			return err
		}
		return report(a, f, nameOfFloatingIP, floatingIPColumns, "changed")
	})
	trafficFlags(cmd.Flags(), &fip.Direction, &fip.PortMappings)
	a.outputFlag(cmd)
	return cmd
}

// floatingIPFields maps the flags to the fields of the API.
var floatingIPFields = map[string]string{
	"direction":    "direction",
	"port-mapping": "port_mappings",
}

func trafficFlags(flags *pflag.FlagSet, direction *buoyv1.FloatingIP_Direction, mappings *[]*buoyv1.PortMapping) {
	flags.Var(choice[buoyv1.FloatingIP_Direction]{direction}, "direction", "connections that it is for (default both)")
	flags.Var(portMappings{mappings}, "port-mapping", "port of the floating IP and of the workload, like tcp:80:8080; may be repeated; all ports when not given")
}

func (a *app) describeFloatingIP(ctx context.Context, c *client, f *buoyv1.FloatingIP) error {
	routes, err := listRoutes(ctx, c, &buoyv1.ListRoutesRequest{FloatingIp: f.Name})
	if err != nil {
		return err
	}
	s := newSection(a.stdout)
	s.line("Name", f.Name)
	s.line("Address", f.Address)
	s.line("Network", f.Network)
	if f.Pool != "" {
		s.line("Pool", f.Pool+" ("+scope(f)+")")
	}
	if f.Namespace != "" {
		s.line("Namespace", f.Namespace)
	}
	s.line("Direction", word(f.Direction))
	if len(f.PortMappings) > 0 {
		s.lines("Port mappings", len(f.PortMappings), func(i int) string { return describePortMappings(f.PortMappings[i : i+1]) })
	}
	s.line("State", strings.ToLower(f.State.String()))
	s.line("Reason", f.StateReason)
	for _, as := range f.Associations {
		s.line("Association", describeAssociation(as))
	}
	for _, r := range routes {
		s.line("Route", describeRoute(r))
	}
	return s.flush()
}
