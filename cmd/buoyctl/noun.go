package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/proto"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// noun is a kind of resource, as get, describe and delete see it.
type noun[T proto.Message] struct {
	singular, plural string
	aliases          []string
	deletable        string // what delete does
	columns          []column[T]
	nameOf           func(T) string
	fullName         resolver
	ofProject        bool                   // or of the cluster
	filters          func(f *pflag.FlagSet) // of the list; may be nil
	// only returns which resources of a watch pass the filters; nil if there are none.
	only  func(ctx context.Context, c *client) (func(T) bool, error)
	kind  string                        // as watches name it
	event func(*buoyv1.WatchResponse) T // the resource of an event, or nil

	get      func(ctx context.Context, c *client, name string) (T, error)
	list     func(ctx context.Context, c *client, parent string) ([]T, error)
	remove   func(ctx context.Context, c *client, name string) error
	describe func(ctx context.Context, c *client, m T) error
}

// resolver returns the full name of what the user named.
type resolver func(ctx context.Context, c *client, name string) (string, error)

// always is a resolver that need not ask.
func always(fullName func(name string) string) resolver {
	return func(_ context.Context, _ *client, name string) (string, error) { return fullName(name), nil }
}

// addNoun adds the three commands to their verbs.
func addNoun[T proto.Message](a *app, verbs map[string]*cobra.Command, n noun[T]) {
	verbs["get"].AddCommand(getNoun(a, n))

	verbs["describe"].AddCommand(&cobra.Command{
		Use:     n.singular + " NAME",
		Aliases: append([]string{n.plural}, n.aliases...),
		Short:   fmt.Sprintf("Show everything about a %s", n.singular),
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			name, err := n.fullName(ctx, c, args[0])
			if err != nil {
				return err
			}
			m, err := n.get(ctx, c, name)
			if err != nil {
				return err
			}
			return n.describe(ctx, c, m)
		}),
	})

	verbs["delete"].AddCommand(&cobra.Command{
		Use:     n.singular + " NAME",
		Aliases: append([]string{n.plural}, n.aliases...),
		Short:   n.deletable,
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			name, err := n.fullName(ctx, c, args[0])
			if err != nil {
				return err
			}
			if err := n.remove(ctx, c, name); err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.stdout, name, "deleted")
			return err
		}),
	})
}

func getNoun[T proto.Message](a *app, n noun[T]) *cobra.Command {
	everywhere, watch := false, false
	cmd := &cobra.Command{
		Use:     n.plural + " [NAME]",
		Aliases: append([]string{n.singular}, n.aliases...),
		Short:   fmt.Sprintf("List the %s, or show one", n.plural),
		Args:    takes(0, 1),
		PreRunE: onlyForLists,
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			if len(args) == 1 {
				name, err := n.fullName(ctx, c, args[0])
				if err != nil {
					return err
				}
				if watch {
					return n.watch(ctx, a, c, &buoyv1.WatchRequest{Name: name}, n.columns)
				}
				m, err := n.get(ctx, c, name)
				if err != nil {
					return err
				}
				return printOne(a, m, n.nameOf, n.columns)
			}
			parent, columns := a.parent(), n.columns
			if everywhere {
				parent, columns = "", withProject(n)
			}
			if watch && !n.ofProject {
				parent = ""
			}
			a.filtered = n.kind
			if watch {
				return n.watch(ctx, a, c, &buoyv1.WatchRequest{Parent: parent, Filter: a.filter}, columns)
			}
			list, err := n.list(ctx, c, parent)
			if err != nil {
				return err
			}
			return printAll(a, list, n.nameOf, columns)
		}),
	}
	if n.filters != nil {
		n.filters(cmd.Flags())
	}
	if n.ofProject {
		cmd.Flags().BoolVarP(&everywhere, "all-projects", "A", false, "those of all projects, or all that --project may see")
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, watchUsage)
	cmd.Flags().StringVar(&a.filter, "filter", "", filterUsage)
	a.outputFlag(cmd)
	return cmd
}

const watchUsage = "go on with what changes, until it is interrupted"

const filterUsage = "only those whose fields (as -o json shows them) fulfil conditions: 'FIELD = VALUE AND …', with = != < > <= >= or : (contains)"

// onlyForLists refuses flags that choose from a list, where a NAME is given.
func onlyForLists(cmd *cobra.Command, args []string) (err error) {
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if len(args) > 0 && f.Changed && f.Name != "output" && f.Name != "watch" && err == nil {
			err = misused(cmd, "--%s chooses from a list; it does not go with NAME, got %q", f.Name, args[0])
		}
	})
	return err
}

const projectTitle = "PROJECT"

// withProject returns the columns of a list with more than one project: the
// project comes first.
func withProject[T proto.Message](n noun[T]) []column[T] {
	first := column[T]{projectTitle, false, func(m T) string { return projectOf(n.nameOf(m)) }}
	others := slices.DeleteFunc(slices.Clone(n.columns), func(c column[T]) bool { return c.title == projectTitle })
	return append([]column[T]{first}, others...)
}
