package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

var globalColumns = []column[*buoyv1.Global]{
	{"NAME", false, nameOfGlobal},
	{"AS", false, func(g *buoyv1.Global) string { return fmt.Sprint(g.As) }},
	{"SESSION-AS", false, func(g *buoyv1.Global) string { return fmt.Sprint(g.SessionAs) }},
}

func nameOfGlobal(g *buoyv1.Global) string { return g.Name }

// global adds what can be done with what holds for all resources to the verbs.
// There is one of it, so it has no NAME.
func (a *app) global(verbs map[string]*cobra.Command) {
	watch := false
	get := &cobra.Command{
		Use:   "global",
		Short: "Show what holds for all resources",
		Args:  takes(0, 0),
		RunE: a.do(func(ctx context.Context, c *client, _ []string) error {
			if watch {
				n := noun[*buoyv1.Global]{kind: "global", nameOf: nameOfGlobal, event: (*buoyv1.WatchResponse).GetGlobal}
				return n.watch(ctx, a, c, &buoyv1.WatchRequest{}, globalColumns)
			}
			g, err := c.Globals.GetGlobal(ctx, &buoyv1.GetGlobalRequest{})
			if err != nil {
				return err
			}
			return printOne(a, g, nameOfGlobal, globalColumns)
		}),
	}
	get.Flags().BoolVarP(&watch, "watch", "w", false, watchUsage)
	a.outputFlag(get)
	verbs["get"].AddCommand(get)

	verbs["describe"].AddCommand(&cobra.Command{
		Use:   "global",
		Short: "Show everything that holds for all resources",
		Args:  takes(0, 0),
		RunE: a.do(func(ctx context.Context, c *client, _ []string) error {
			g, err := c.Globals.GetGlobal(ctx, &buoyv1.GetGlobalRequest{})
			if err != nil {
				return err
			}
			s := newSection(a.stdout)
			s.line("Name", g.Name)
			s.line("AS of the automatic targets", fmt.Sprint(g.As))
			s.line("AS of the sessions", fmt.Sprint(g.SessionAs))
			return s.flush()
		}),
	})

	verbs["set"].AddCommand(a.setGlobal())
}

func (a *app) setGlobal() *cobra.Command {
	global := &buoyv1.Global{}
	cmd := &cobra.Command{
		Use:     "global",
		Short:   "Change the AS: the automatic targets are renumbered, and the routes follow",
		Example: "  buoyctl set global --as 64513 --validate-only",
		Args:    takes(0, 0),
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, _ []string) error {
		mask, err := maskOf(cmd.Flags(), globalFields)
		if err != nil {
			return err
		}
		resp, err := c.Globals.UpdateGlobal(ctx, &buoyv1.UpdateGlobalRequest{Global: global, UpdateMask: mask})
		if err != nil {
			return err
		}
		if err := a.reportRenumbered(resp, a.change.dryRun); err != nil {
			return err
		}
		a.noteSessions(resp.Global, global.As, a.change.dryRun)
		return a.noteNeighbors(ctx, c, resp.Global, global.As)
	})
	cmd.Flags().Uint32Var(&global.As, "as", 0, "AS of the automatic targets")
	cmd.Flags().BoolVar(&a.change.dryRun, "validate-only", false, "the same as --dry-run")
	require(cmd, "as")
	a.outputFlag(cmd)
	return cmd
}

// globalFields maps the flags to the fields of the API.
var globalFields = map[string]string{"as": "as"}

// renumberedColumns are of the whole answer, whose other forms show the
// targets too.
var renumberedColumns = []column[*buoyv1.UpdateGlobalResponse]{
	{"NAME", false, nameOfRenumbered},
	{"AS", false, func(r *buoyv1.UpdateGlobalResponse) string { return fmt.Sprint(r.GetGlobal().GetAs()) }},
	{"SESSION-AS", false, func(r *buoyv1.UpdateGlobalResponse) string { return fmt.Sprint(r.GetGlobal().GetSessionAs()) }},
	{"RENUMBERED", false, func(r *buoyv1.UpdateGlobalResponse) string { return fmt.Sprint(len(r.RenumberedTargets)) }},
}

func nameOfRenumbered(r *buoyv1.UpdateGlobalResponse) string { return r.GetGlobal().GetName() }

// noteNeighbors names the internal neighbors that the new AS makes external.
func (a *app) noteNeighbors(ctx context.Context, c *client, g *buoyv1.Global, as uint32) error {
	list, err := listNeighbors(ctx, c)
	if err != nil {
		return err
	}
	for _, n := range list {
		if n.As == g.GetSessionAs() && n.As != as {
			fmt.Fprintf(a.stderr, "neighbor %s has AS %d and becomes external; if it changes too: buoyctl set neighbor %[1]s --as %[3]d\n", short(n.Name), n.As, as)
		}
	}
	return nil
}

func (a *app) reportRenumbered(r *buoyv1.UpdateGlobalResponse, validateOnly bool) error {
	if a.output != asTable {
		return printOne(a, r, nameOfRenumbered, renumberedColumns)
	}
	if !validateOnly {
		if _, err := fmt.Fprintf(a.stdout, "%s changed, AS %d\n", nameOfRenumbered(r), r.GetGlobal().GetAs()); err != nil {
			return err
		}
	}
	for _, t := range r.RenumberedTargets {
		if _, err := fmt.Fprintf(a.stdout, "%s: %s → %s\n", a.inWords(t.Network), t.From, t.To); err != nil {
			return err
		}
	}
	return nil
}

// noteSessions says what is left to do: the AS of the sessions is that of the
// daemon's configuration.
func (a *app) noteSessions(g *buoyv1.Global, as uint32, validateOnly bool) {
	note := ""
	a.change.told = validateOnly
	if g.GetSessionAs() != as {
		note = fmt.Sprintf("the sessions still run with AS %d; set bgp.as to %d in the daemon's configuration, restart it (without that it does not start again), and change the gateways", g.GetSessionAs(), as)
	}
	switch {
	case validateOnly && note != "":
		fmt.Fprintln(a.stderr, "nothing was changed; after the change", note)
	case validateOnly:
		fmt.Fprintln(a.stderr, "nothing was changed")
	case note != "":
		fmt.Fprintln(a.stderr, note)
	}
}
