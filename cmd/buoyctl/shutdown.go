package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

func (a *app) shutdown() *cobra.Command {
	req := &buoyv1.ShutdownRequest{}
	cmd := &cobra.Command{
		Use:   "shutdown",
		Short: "End the daemon; gateways keep forwarding, or with --withdraw drop the routes",
		Long: `shutdown ends the daemon as SIGTERM does: gateways with graceful restart keep the
routes until it is back, or for their restart time.

With --withdraw every route is withdrawn from every gateway first, and the
sessions end with a Cease: for a node that does not come back. Floating IPs that
no other node advertises are unreachable from then on.`,
		Example: "  buoyctl shutdown --withdraw --communication maintenance",
		Args:    takes(0, 0),
	}
	cmd.RunE = a.do(func(ctx context.Context, c *client, _ []string) error {
		if _, err := c.Daemon.Shutdown(ctx, req); err != nil {
			return err
		}
		text := "the daemon is stopping; gateways with graceful restart keep the routes"
		if req.Withdraw {
			text = "all routes are withdrawn; the daemon is stopping"
		}
		_, err := fmt.Fprintln(a.stdout, text)
		return err
	})
	cmd.Flags().BoolVar(&req.Withdraw, "withdraw", false, "withdraw every route, and tell the gateways that the session is shut down")
	cmd.Flags().StringVar(&req.Communication, "communication", "", "what the gateways' operators read, with --withdraw (default a standard text)")
	return cmd
}
