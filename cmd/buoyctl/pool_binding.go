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

var poolBindingColumns = []column[*buoyv1.PoolBinding]{
	{"NAME", false, namespaceOf},
	{"POOL", false, func(b *buoyv1.PoolBinding) string { return b.Pool }},
	{"SOURCE", false, bindingSource},
}

func nameOfPoolBinding(b *buoyv1.PoolBinding) string { return b.Name }

func bindingSource(b *buoyv1.PoolBinding) string {
	if b.ReadOnly {
		return "file"
	}
	return "store"
}

// globalScope stands for the cluster where a namespace could be.
const globalScope = "global"

// poolBindingName returns the full name of the binding of a namespace, or of
// the cluster.
func poolBindingName(name string) string {
	switch {
	case strings.Contains(name, "/"):
		return name
	case name == globalScope:
		return globalScope + "/poolBinding"
	default:
		return bindingOf(name)
	}
}

func bindingOf(namespace string) string { return "namespaces/" + namespace + "/poolBinding" }

// namespaceOf returns the namespace that a binding is of, or globalScope.
func namespaceOf(b *buoyv1.PoolBinding) string {
	return strings.TrimPrefix(strings.TrimSuffix(b.Name, "/poolBinding"), "namespaces/")
}

// poolBindings adds what can be done with bindings of pools to the verbs.
func (a *app) poolBindings(verbs map[string]*cobra.Command) {
	verbs["bind"].AddCommand(a.bindPool())
	verbs["unbind"].AddCommand(a.unbindPool())
	addNoun(a, verbs, noun[*buoyv1.PoolBinding]{
		singular: "poolbinding", plural: "poolbindings",
		kind: "poolBinding", event: (*buoyv1.WatchResponse).GetPoolBinding,
		deletable: "The same as unbind pool",
		columns:   poolBindingColumns,
		nameOf:    nameOfPoolBinding,
		fullName:  always(poolBindingName),
		get: func(ctx context.Context, c *client, name string) (*buoyv1.PoolBinding, error) {
			return c.Pools.GetPoolBinding(ctx, &buoyv1.GetPoolBindingRequest{Name: name})
		},
		list: func(ctx context.Context, c *client, _ string) ([]*buoyv1.PoolBinding, error) {
			return listPoolBindings(ctx, c)
		},
		remove: func(ctx context.Context, c *client, name string) error {
			_, err := c.Pools.UnbindPool(ctx, &buoyv1.UnbindPoolRequest{Name: name})
			return err
		},
		describe: a.describePoolBinding,
	})
}

func listPoolBindings(ctx context.Context, c *client) ([]*buoyv1.PoolBinding, error) {
	return buoy.EveryPage(func(token string) ([]*buoyv1.PoolBinding, string, error) {
		resp, err := c.Pools.ListPoolBindings(ctx, &buoyv1.ListPoolBindingsRequest{PageToken: token})
		return resp.GetPoolBindings(), resp.GetNextPageToken(), err
	})
}

func (a *app) bindPool() *cobra.Command {
	var who binder
	cmd := &cobra.Command{
		Use:     "pool POOL",
		Short:   "Let a namespace, or the cluster, draw from a pool when a request names none",
		Example: "  buoyctl bind pool pool-dev --namespace dev\n  buoyctl bind pool pool-public --global",
		Args:    takes(1, 1),
		PreRunE: who.check,
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			pool, err := a.poolName(ctx, c, "POOL", args[0])
			if err != nil {
				return err
			}
			b, err := c.Pools.BindPool(ctx, &buoyv1.BindPoolRequest{Name: who.binding(), Pool: pool})
			if err != nil {
				return err
			}
			return report(a, b, nameOfPoolBinding, poolBindingColumns, "bound to "+b.Pool)
		}),
	}
	who.flags(cmd.Flags())
	a.outputFlag(cmd)
	return cmd
}

func (a *app) unbindPool() *cobra.Command {
	var who binder
	cmd := &cobra.Command{
		Use:     "pool",
		Short:   "Remove the binding of a namespace, or of the cluster",
		Example: "  buoyctl unbind pool --namespace dev\n  buoyctl unbind pool --global",
		Args:    takes(0, 0),
		PreRunE: who.check,
		RunE: a.do(func(ctx context.Context, c *client, _ []string) error {
			if _, err := c.Pools.UnbindPool(ctx, &buoyv1.UnbindPoolRequest{Name: who.binding()}); err != nil {
				return err
			}
			_, err := fmt.Fprintln(a.stdout, who.binding(), "unbound")
			return err
		}),
	}
	who.flags(cmd.Flags())
	return cmd
}

// binder is who is bound to a pool: a namespace or the cluster.
type binder struct {
	namespace string
	global    bool
}

func (b *binder) flags(flags *pflag.FlagSet) {
	flags.StringVar(&b.namespace, "namespace", "", "the namespace")
	flags.BoolVar(&b.global, "global", false, "the whole cluster")
}

// check wants exactly one of the flags.
func (b *binder) check(cmd *cobra.Command, _ []string) error {
	if cmd.Flags().Changed("namespace") == b.global {
		return misused(cmd, "expected either --namespace or --global, for example\n%s", cmd.Example)
	}
	return nil
}

func (b *binder) binding() string {
	if b.global {
		return poolBindingName(globalScope)
	}
	return bindingOf(b.namespace)
}

func (a *app) describePoolBinding(_ context.Context, _ *client, b *buoyv1.PoolBinding) error {
	s := newSection(a.stdout)
	s.line("Name", b.Name)
	s.line("Pool", b.Pool)
	s.line("Defined in", map[bool]string{true: "configuration file (read-only)", false: "API"}[b.ReadOnly])
	return s.flush()
}
