// Command buoy-agent is the agent of a compute node: it is told by buoyd which floating
// IPs and routes the node has, and programs them into the Linux kernel.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/buoynet/buoy/internal/dataplane"
	"github.com/buoynet/buoy/internal/dataplane/linux"
	"github.com/buoynet/buoy/internal/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGHUP)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit status: 0 after a clean stop, 1 after an
// error, 2 for a command line that makes no sense.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr}
	root := a.command()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "buoy-agent: %v\n", err)
	if !a.working {
		fmt.Fprintf(stderr, "Run 'buoy-agent --help' for usage.\n")
		return 2
	}
	return 1
}

// app is what the commands share.
type app struct {
	stdout, stderr io.Writer
	working        bool // the command line made sense
	dryRun         bool
	programme      string
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "buoy-agent",
		Short: "The agent of a compute node: programs its floating IPs into the kernel",
		Long: `buoy-agent is told by buoyd which floating IPs and routes a compute node has, and
programs them: labels, tunnels to the gateways (MPLS over GRE or UDP), nftables,
routes. It says to buoyd which interfaces are up.

It changes only what is its own: devices buoy-*, the nftables tables buoy, and
routes and rules of protocol 176. All of that stays when it ends, so traffic goes
on, and when it starts again it changes what differs. "buoy-agent cleanup" removes it.

Settings come from flags, BUOY_AGENT_... variables of the environment, and a file;
flags win over the environment, the environment over the file.`,
		Example: `  buoy-agent --server 10.0.0.2:50052 --node cmp1 --address 10.0.0.11 \
    --certificate cmp1.pem --key cmp1.key --ca ca.pem
  buoy-agent --address 10.0.0.11 --programme programme.json --dry-run
  buoy-agent check --address 10.0.0.11
  buoy-agent cleanup`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          a.with(a.serve),
	}
	addFlags(root.PersistentFlags())
	root.PersistentFlags().BoolVar(&a.dryRun, "dry-run", false, "print what would be done, and do nothing")
	root.Flags().StringVar(&a.programme, "programme", "", "program what is in this `FILE` (JSON), and end; no server is asked")
	root.AddCommand(&cobra.Command{
		Use: "check", Short: "Check that the kernel has what is needed", Args: cobra.NoArgs,
		RunE: a.with(func(_ context.Context, c config) error {
			k, err := openKernel(c)
			if err != nil {
				return err
			}
			defer k.Close()
			if err := k.Check(); err != nil {
				return err
			}
			fmt.Fprintln(a.stdout, "the kernel has what is needed")
			return nil
		}),
	}, &cobra.Command{
		Use: "cleanup", Short: "Remove all that the agent has programmed; traffic ends", Args: cobra.NoArgs,
		RunE: a.with(a.cleanup),
	}, &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Run: func(*cobra.Command, []string) { fmt.Fprintln(a.stdout, "buoy-agent", version.Text()) },
	})
	return root
}

// with reads the settings and acts.
func (a *app) with(act func(context.Context, config) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		c, err := load(cmd.Flags())
		if err != nil {
			return err
		}
		a.working = true
		return act(cmd.Context(), c)
	}
}

func openKernel(c config) (*linux.Kernel, error) {
	return linux.Open(c.Netns, c.settings())
}

// cleanup needs no settings but the namespace, and the port of the UDP tunnels.
func (a *app) cleanup(_ context.Context, c config) error {
	k, err := openKernel(c)
	if err != nil {
		return err
	}
	defer k.Close()
	if a.dryRun {
		found, err := k.Read()
		if err != nil {
			return err
		}
		printSteps(a.stdout, dataplane.Diff(found, nil))
		return nil
	}
	removed, err := k.Cleanup()
	if err != nil {
		return err
	}
	printSteps(a.stdout, removed)
	if err := os.Remove(c.stateFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// serve runs the agent.
func (a *app) serve(ctx context.Context, c config) error {
	if err := c.complete(a.programme == ""); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(a.stderr, nil))
	k, err := openKernel(c)
	if err != nil {
		return err
	}
	defer k.Close()
	if err := k.Check(); err != nil && !a.dryRun {
		return fmt.Errorf("this kernel cannot be a compute node's yet:\n%w", err)
	} else if err != nil {
		log.Warn("this kernel cannot be a compute node's yet", "err", err)
	}
	if c.MTU == 0 {
		device, mtu, err := k.MTU(c.address)
		if err != nil {
			return fmt.Errorf("address: %w; or give mtu", err)
		}
		log.Info("took the MTU of the tunnels' device", "device", device, "mtu", mtu)
		if c.MTU = mtu; c.inner() < minMTU {
			return fmt.Errorf("%s has an MTU of %d, which leaves workloads less than %d", device, mtu, minMTU)
		}
	}
	k.Set(c.settings())
	n := &node{settings: c.settings(), kernel: k, log: log, linger: c.Linger, now: time.Now}
	if a.dryRun {
		n.kernel = &dryKernel{Kernel: k, out: a.stdout}
	}
	if a.programme != "" {
		return n.once(a.programme)
	}
	return a.attach(ctx, c, n)
}

func printSteps(w io.Writer, steps []dataplane.Step) {
	for _, s := range steps {
		fmt.Fprintln(w, s)
	}
}
