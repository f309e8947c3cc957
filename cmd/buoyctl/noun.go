package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
)

// noun is a kind of resource, as get, describe and delete see it.
type noun[T proto.Message] struct {
	singular, plural string
	aliases          []string
	deletable        string // what delete does
	columns          []column[T]
	nameOf           func(T) string
	fullName         func(name string) string

	get      func(ctx context.Context, c *client, name string) (T, error)
	list     func(ctx context.Context, c *client) ([]T, error)
	remove   func(ctx context.Context, c *client, name string) error
	describe func(ctx context.Context, c *client, m T) error
}

// addNoun adds the three commands to their verbs.
func addNoun[T proto.Message](a *app, verbs map[string]*cobra.Command, n noun[T]) {
	get := &cobra.Command{
		Use:     n.plural + " [NAME]",
		Aliases: append([]string{n.singular}, n.aliases...),
		Short:   fmt.Sprintf("List the %s, or show one", n.plural),
		Args:    takes(0, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			if len(args) == 1 {
				m, err := n.get(ctx, c, n.fullName(args[0]))
				if err != nil {
					return err
				}
				return printOne(a, m, n.nameOf, n.columns)
			}
			list, err := n.list(ctx, c)
			if err != nil {
				return err
			}
			return printAll(a, list, n.nameOf, n.columns)
		}),
	}
	a.outputFlag(get)
	verbs["get"].AddCommand(get)

	verbs["describe"].AddCommand(&cobra.Command{
		Use:     n.singular + " NAME",
		Aliases: append([]string{n.plural}, n.aliases...),
		Short:   fmt.Sprintf("Show everything about a %s", n.singular),
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			m, err := n.get(ctx, c, n.fullName(args[0]))
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
			name := n.fullName(args[0])
			if err := n.remove(ctx, c, name); err != nil {
				return err
			}
			_, err := fmt.Fprintln(a.stdout, name, "deleted")
			return err
		}),
	})
}
