package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/status"

	buoy "github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

const aboutFiles = `Each document of a file describes a resource, with its kind and the fields of the
API, as 'buoyctl export' and 'buoyctl get … -o yaml' print them:

  kind: Network
  name: vn-public
  subnets: [203.0.113.0/24]
  ---
  kind: FloatingIP
  name: web-1
  network: vn-public
  associations:
    - {compute_node: cmp1, interface: tap0, fixed_ip: 10.47.255.249}

A document is the whole truth about its resource: what it leaves out is at its
default, and a floating IP without associations has none. What no document
describes stays as it is. The order does not matter.`

func (a *app) apply() *cobra.Command {
	var files []string
	cmd := &cobra.Command{
		Use:     "apply",
		Short:   "Make resources as files describe them: all of them, or none",
		Long:    "Make resources as files describe them: all of them, or none.\n\n" + aboutFiles,
		Example: "  buoyctl apply -f net.yaml\n  buoyctl apply -f net.yaml --dry-run",
		Args:    takes(0, 0),
	}
	fileFlag(cmd, &files)
	cmd.RunE = a.do(func(ctx context.Context, c *client, _ []string) error {
		resp, err := a.applyFiles(ctx, c, files, false)
		if err != nil {
			return err
		}
		if a.output != asTable && a.output != asWide {
			return a.printApplied(resp)
		}
		for _, d := range resp.Documents {
			if _, err := fmt.Fprintf(a.stdout, "%s %s\n", d.Name, word(d.Action)); err != nil {
				return err
			}
		}
		fmt.Fprintln(a.stderr, summaryOf(resp))
		return nil
	})
	a.outputFlag(cmd)
	return cmd
}

func fileFlag(cmd *cobra.Command, files *[]string) {
	cmd.Flags().StringArrayVarP(files, "file", "f", nil, "file of YAML documents, - for standard input; may be repeated")
	require(cmd, "file")
}

// applyFiles applies what files describe, or tries it. A refusal names the file
// and the line.
func (a *app) applyFiles(ctx context.Context, c *client, files []string, try bool) (*buoyv1.ApplyResponse, error) {
	documents, err := a.readFiles(files)
	if err != nil {
		return nil, err
	}
	if err := a.completeNames(ctx, c, documents); err != nil {
		return nil, err
	}
	req := &buoyv1.ApplyRequest{ValidateOnly: try}
	for _, d := range documents {
		req.Documents = append(req.Documents, d.described)
	}
	resp, err := c.Configurations.Apply(ctx, req)
	if err != nil {
		return nil, inFile(documents, err)
	}
	return resp, nil
}

var documentField = regexp.MustCompile(`^documents\[(\d+)\]\.?(.*)$`)

// inFile says of a refusal where in a file it is.
func inFile(documents []*document, err error) error {
	s := status.Convert(err)
	field := buoy.Field(err)
	parts := documentField.FindStringSubmatch(field)
	if parts == nil {
		return err
	}
	i, convErr := strconv.Atoi(parts[1])
	if convErr != nil || i >= len(documents) {
		return err
	}
	d, path := documents[i], parts[2]
	return d.refuseAs(s.Code(), d.line(path), path, strings.TrimPrefix(s.Message(), field+": "))
}

// appliedColumns are of the whole answer, which has more in its other forms.
var appliedColumns = []column[*buoyv1.ApplyResponse]{{"NAME", false, namesOfApplied}}

func namesOfApplied(r *buoyv1.ApplyResponse) string {
	var names []string
	for _, d := range r.Documents {
		names = append(names, d.Name)
	}
	return strings.Join(names, "\n")
}

func (a *app) printApplied(r *buoyv1.ApplyResponse) error {
	return printOne(a, r, namesOfApplied, appliedColumns)
}

func summaryOf(r *buoyv1.ApplyResponse) string {
	text := fmt.Sprintf("%d created, %d updated, %d unchanged", r.Created, r.Updated, r.Unchanged)
	if r.RoutesAnnounced+r.RoutesChanged+r.RoutesWithdrawn > 0 {
		text += fmt.Sprintf("; routes: %d announced, %d changed, %d withdrawn", r.RoutesAnnounced, r.RoutesChanged, r.RoutesWithdrawn)
	}
	return text
}
