package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func (a *app) export() *cobra.Command {
	return &cobra.Command{
		Use:   "export",
		Short: "Write all resources as the documents that apply takes",
		Long: `Write all resources as the documents that apply takes, as they are at one moment;
with --project the networks, pools and floating IPs of the project. Applied where
nothing is, they come back with the same ids, addresses and labels. What the
daemon's configuration file defines is left out.`,
		Example: "  buoyctl export",
		Args:    takes(0, 0),
		RunE: a.do(func(ctx context.Context, c *client, _ []string) error {
			ctx, cancel := context.WithTimeout(ctx, a.timeout)
			defer cancel()
			req := &buoyv1.ExportRequest{}
			if a.asProject {
				req.Parent = a.parent()
			}
			stream, err := c.Configurations.Export(ctx, req)
			if err != nil {
				return err
			}
			for first := true; ; first = false {
				d, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				if !first {
					if _, err := fmt.Fprintln(a.stdout, "---"); err != nil {
						return err
					}
				}
				// Only what is set: a person is to keep it.
				if err := printYAML(a.stdout, d.Described(), protojson.MarshalOptions{UseProtoNames: true}); err != nil {
					return err
				}
			}
		}),
	}
}
