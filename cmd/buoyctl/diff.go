package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// errDiffers is what diff returns when something would change. It is no error to
// tell of: only the exit status says it.
var errDiffers = errors.New("something would change")

func (a *app) diff() *cobra.Command {
	var files []string
	cmd := &cobra.Command{
		Use:   "diff",
		Short: "Show what apply would change, also which routes",
		Long: "Show what apply would change: the fields of the resources, and the routes. The exit\n" +
			"status is 6 when something would change, 0 when nothing would.\n\n" + aboutFiles,
		Example: "  buoyctl diff -f net.yaml",
		Args:    takes(0, 0),
	}
	fileFlag(cmd, &files)
	cmd.RunE = a.do(func(ctx context.Context, c *client, _ []string) error {
		resp, err := a.applyFiles(ctx, c, files, true)
		if err != nil {
			return err
		}
		if a.output != asTable && a.output != asWide {
			err = a.printApplied(resp)
		} else {
			err = writeDiff(a.stdout, resp)
		}
		if err == nil && resp.Created+resp.Updated > 0 {
			err = errDiffers
		}
		return err
	})
	a.outputFlag(cmd)
	return cmd
}

// writeDiff writes the resources that would change, and the routes.
func writeDiff(w io.Writer, r *buoyv1.ApplyResponse) error {
	var b strings.Builder
	for _, d := range r.Documents {
		if d.Action == buoyv1.AppliedDocument_UNCHANGED {
			continue
		}
		fmt.Fprintf(&b, "%s %s\n", d.Name, word(d.Action))
		after := d.After.Described().ProtoReflect()
		before := after.Type().Zero()
		if d.Before != nil {
			before = d.Before.Described().ProtoReflect()
		}
		fields := after.Descriptor().Fields()
		for i := range fields.Len() {
			if f := fields.Get(i); f.Name() != "name" {
				diffField(&b, f, before, after)
			}
		}
	}
	if len(r.RouteChanges) > 0 {
		b.WriteString("routes\n")
	}
	for _, c := range r.RouteChanges {
		b.WriteString("  " + routeChange(c) + "\n")
	}
	if more := int(r.RoutesAnnounced+r.RoutesChanged+r.RoutesWithdrawn) - len(r.RouteChanges); more > 0 {
		fmt.Fprintf(&b, "  and %d more: %d announced, %d changed, %d withdrawn in all\n", more, r.RoutesAnnounced, r.RoutesChanged, r.RoutesWithdrawn)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// diffField writes the values of a field that go, and those that come.
func diffField(b *strings.Builder, f protoreflect.FieldDescriptor, before, after protoreflect.Message) {
	was, is := before.Get(f), after.Get(f)
	if was.Equal(is) {
		return
	}
	gone, new := valuesIn(f, before, was), valuesIn(f, after, is)
	only := func(list, other []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(v string) bool { return slices.Contains(other, v) })
	}
	if left, added := only(gone, new), only(new, gone); len(left)+len(added) > 0 { // else in another order
		gone, new = left, added
	}
	for _, v := range gone {
		fmt.Fprintf(b, "  - %s: %s\n", f.Name(), v)
	}
	for _, v := range new {
		fmt.Fprintf(b, "  + %s: %s\n", f.Name(), v)
	}
}

// valuesIn writes out the values of a field, none if it is not set.
func valuesIn(f protoreflect.FieldDescriptor, m protoreflect.Message, v protoreflect.Value) (texts []string) {
	switch {
	case f.IsList():
		for i := range v.List().Len() {
			texts = append(texts, buoyv1.FieldText(f, v.List().Get(i)))
		}
	case m.Has(f):
		texts = append(texts, buoyv1.FieldText(f, v))
	}
	return texts
}

// routeChange writes a route that comes with +, one that goes with -, and of one
// that changes what is different.
func routeChange(c *buoyv1.RouteChange) string {
	switch {
	case c.Before == nil:
		return "+ " + nameOfRoute(c.After) + " " + saying(attributes(c.After))
	case c.After == nil:
		return "- " + nameOfRoute(c.Before) + " " + saying(attributes(c.Before))
	}
	var parts []string
	was, is := attributes(c.Before), attributes(c.After)
	for i := range was {
		if was[i] != is[i] {
			parts = append(parts, orDash(was[i])+" → "+orDash(is[i]))
		}
	}
	return "~ " + nameOfRoute(c.After) + " " + strings.Join(parts, ", ")
}

// saying leaves out what a route says nothing of.
func saying(attributes []string) string {
	return strings.Join(slices.DeleteFunc(attributes, func(text string) bool { return text == "" }), ", ")
}

// attributes returns what a route says, always the same things.
func attributes(r *buoyv1.Route) []string {
	return []string{
		fmt.Sprintf("label %d", r.Label),
		"next hop " + r.NextHop,
		fmt.Sprintf("LOCAL_PREF %d", r.LocalPref),
		strings.Join(r.RouteTargets, " "),
		strings.Join(r.Encapsulations, ","),
		strings.Join(r.Communities, " "),
	}
}
