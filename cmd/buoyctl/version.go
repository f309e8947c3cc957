package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/buoynet/buoy/internal/version"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  takes(0, 0),
		RunE: func(*cobra.Command, []string) error {
			a.working = true
			_, err := fmt.Fprintln(a.stdout, "buoyctl", version.Text())
			return err
		},
	}
}
