package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func (a *app) doctor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is not well, with everything, and what to do about it",
		Long: `Say what is not well, with everything, and what to do about it: the configuration,
the clock, ports, the store, sessions, targets that no gateway wants, pools, compute
nodes, floating IPs, routes. What was looked at and found well is said, too.

  ✗ something is unreachable, or will be lost   ! it is so partly, or soon
  i worth knowing, and well                     ✓ looked at, and well

The exit status is 7 if there is any ✗ or !, and 0 otherwise. What many resources have
in common is said once, with a few names: explain says more of each.`,
		Example: "  buoyctl doctor\n  buoyctl doctor -o json",
		Args:    takes(0, 0),
		PreRunE: func(cmd *cobra.Command, _ []string) error { return a.shownWhole(cmd) },
		RunE: a.do(func(ctx context.Context, c *client, _ []string) error {
			e, err := c.Examinations.Examine(ctx, &buoyv1.ExamineRequest{})
			if err != nil {
				return err
			}
			if a.output == asTable {
				err = writeExamination(a.stdout, e)
			} else {
				err = printOne(a, e, (*buoyv1.Examination).GetSummary, nil)
			}
			if err != nil {
				return err
			}
			if !e.Healthy {
				return errUnhealthy
			}
			return nil
		}),
	}
	a.outputFlag(cmd)
	cmd.Flag("output").Usage = "table, json or yaml"
	return cmd
}

// shownWhole refuses forms of lists for what is no list.
func (a *app) shownWhole(cmd *cobra.Command) error {
	if a.output != asTable && a.output != asJSON && a.output != asYAML {
		return misused(cmd, "--output: expected table, json or yaml, got %q", a.output)
	}
	return nil
}

var severityMarks = map[buoyv1.Finding_Severity]string{
	buoyv1.Finding_FINE: "✓", buoyv1.Finding_INFO: "i", buoyv1.Finding_WARNING: "!", buoyv1.Finding_ERROR: "✗",
}

// writeExamination writes the findings, and then what was looked at.
func writeExamination(w io.Writer, e *buoyv1.Examination) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", e.Summary)
	for _, f := range e.Findings {
		fmt.Fprintf(&b, "\n%s %s  %s", severityMarks[f.Severity], strings.ReplaceAll(f.Id, "_", "-"), f.Subject)
		if f.Since != nil {
			fmt.Fprintf(&b, ", since %s", f.Since.AsTime().Local().Format(time.DateTime))
		}
		fmt.Fprintf(&b, "\n    %s\n", strings.ReplaceAll(f.Cause, "\n", "\n    "))
		if len(f.Examples) > 0 && !slices.Equal(f.Examples, []string{f.Subject}) && !strings.Contains(f.Cause, f.Examples[len(f.Examples)-1]) {
			more := ""
			if f.Count > uint64(len(f.Examples)) {
				more = ", …"
			}
			fmt.Fprintf(&b, "    such as %s%s\n", strings.Join(f.Examples, ", "), more)
		}
		fmt.Fprintf(&b, "    → %s\n", f.Remedy)
	}
	fmt.Fprintln(&b)
	for _, x := range e.Examined {
		fmt.Fprintf(&b, "%s %-*s  %s\n", severityMarks[x.Severity], len("configuration"), strings.ReplaceAll(x.Area, "_", "-"), x.Text)
	}
	_, err := b.WriteTo(w)
	return err
}
