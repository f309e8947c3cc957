package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// defaultDrain is how long gateways have, in seconds: they need only choose among
// the routes that they have.
const defaultDrain = 60

// drain adds the way out of service, and back, to the verbs.
func (a *app) drain(verbs map[string]*cobra.Command) {
	drain := &buoyv1.DrainComputeNodeRequest{Wait: defaultDrain}
	drainCmd := &cobra.Command{
		Use:   "computenode NAME",
		Short: "Take a compute node out of service: gateways choose other routes, then its own are withdrawn",
		Long: `Take a compute node out of service without losing packets, where a floating IP is at
another compute node, too. Its routes are advertised with LOCAL_PREF 0 and the
community graceful-shutdown (RFC 8326), so gateways choose others; after --wait they
are withdrawn. Gateways in another AS see only the community.

The command does not wait: get computenodes -w shows when the node is drained. Said
again meanwhile, the wait begins anew. A drained node stays so, over restarts of
buoyd, until it is undrained; what is associated with it then has no route.`,
		Example: "  buoyctl drain computenode cmp1\n" +
			"  buoyctl drain computenode cmp1 --wait 5m\n" +
			"  buoyctl drain computenode cmp1 --wait 0",
		Args: takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			drain.Name = a.computeNodeName(args[0])
			n, err := c.ComputeNodes.DrainComputeNode(ctx, drain)
			if err != nil {
				return err
			}
			return report(a, n, nameOfComputeNode, computeNodeColumns, "is "+drainOf(n))
		}),
	}
	drainCmd.Flags().Var(seconds{&drain.Wait}, "wait", "how long gateways have until the routes are withdrawn, 0..86400 s")
	a.outputFlag(drainCmd)
	verbs["drain"].AddCommand(drainCmd)

	undrainCmd := &cobra.Command{
		Use:     "computenode NAME",
		Short:   "Put a compute node back into service, whatever its drain has come to",
		Example: "  buoyctl undrain computenode cmp1",
		Args:    takes(1, 1),
		RunE: a.do(func(ctx context.Context, c *client, args []string) error {
			n, err := c.ComputeNodes.UndrainComputeNode(ctx, &buoyv1.UndrainComputeNodeRequest{Name: a.computeNodeName(args[0])})
			if err != nil {
				return err
			}
			return report(a, n, nameOfComputeNode, computeNodeColumns, "is "+drainOf(n))
		}),
	}
	a.outputFlag(undrainCmd)
	verbs["undrain"].AddCommand(undrainCmd)
}

// drainOf says how far a compute node is on its way out of service.
func drainOf(n *buoyv1.ComputeNode) string {
	switch n.Drain {
	case buoyv1.ComputeNode_DRAINING:
		return "draining until " + n.DrainUntil
	case buoyv1.ComputeNode_DRAINED:
		return "drained"
	default:
		return "in service"
	}
}

// seconds is a flag that takes a number of them, or a duration.
type seconds struct{ value *uint32 }

// Set implements pflag.Value.
func (s seconds) Set(text string) error {
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		*s.value = uint32(n)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d.Seconds() > math.MaxUint32 {
		return fmt.Errorf("expected %s", kinds[s.Type()])
	}
	*s.value = uint32(math.Ceil(d.Seconds()))
	return nil
}

// String implements pflag.Value.
func (s seconds) String() string {
	if s.value == nil {
		return ""
	}
	return fmt.Sprintf("%ds", *s.value)
}

// Type implements pflag.Value.
func (seconds) Type() string { return "seconds" }
