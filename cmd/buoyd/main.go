// Command buoyd is the floating-IP control node.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Nothing is reloaded, but a closed terminal must not end the sessions.
	signal.Ignore(syscall.SIGHUP)
	serve := supervise
	if _, supervised := os.LookupEnv(supervisedEnv); supervised {
		serve = serveSupervised
	} else {
		// A second signal ends the process at once, and the daemon with it. The
		// daemon may get one of its own beside the supervisor's.
		context.AfterFunc(ctx, stop)
	}
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr, serve))
}

// startup is what the command line says of a start.
type startup struct {
	cold       bool                          // nothing that gateways may have kept is taken for granted
	quarantine []netip.Addr                  // neighbors that get no session
	flight     *flight                       // nil without a supervisor
	reload     func() (config.Config, error) // reads the configuration as it is now; may be nil
}

// serve is how the daemon is run: here, or in a process of its own.
type serve func(ctx context.Context, cfg config.Config, s startup, log *slog.Logger) error

// serveHere runs the daemon in this process.
func serveHere(ctx context.Context, cfg config.Config, s startup, log *slog.Logger) error {
	d, err := open(ctx, cfg, s, log)
	if errors.Is(err, context.Canceled) {
		return nil // told to stop before it was ready
	}
	if err != nil {
		return err
	}
	return d.run(ctx)
}

// serveSupervised runs it in this process, which supervise has started.
func serveSupervised(ctx context.Context, cfg config.Config, s startup, log *slog.Logger) error {
	f, err := openFlight(flightFile)
	if err != nil {
		return fmt.Errorf("%s is for buoyd itself: %w", supervisedEnv, err)
	}
	s.flight = f
	go dieWith(os.NewFile(lifelineFile, "lifeline"))
	return serveHere(ctx, cfg, s, log)
}

// supervise runs it in a process of its own.
func supervise(ctx context.Context, _ config.Config, _ startup, log *slog.Logger) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	f, err := newFlight()
	if err != nil {
		return err
	}
	s := supervisor{program: program, args: os.Args[1:], environ: os.Environ(), log: log, flight: f, blamed: map[netip.Addr][]time.Time{}}
	return s.run(ctx)
}

// run is the whole program. It returns the exit status: 0 after a clean stop,
// 1 after an error, 2 for a command line that makes no sense.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer, serve serve) int {
	usage := true // until a command has begun to work
	root := newCommand(environ, stdout, stderr, &usage, serve)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if _, told := errors.AsType[*exec.ExitError](err); told {
		return 1 // the daemon has said why
	}
	if err != nil {
		fmt.Fprintf(stderr, "buoyd: %v\n", err)
		if usage {
			fmt.Fprintf(stderr, "Run 'buoyd --help' for usage.\n")
			return 2
		}
		return 1
	}
	return 0
}

func newCommand(environ []string, stdout, stderr io.Writer, usage *bool, serve serve) *cobra.Command {
	var s startup
	var quarantine []string
	root := &cobra.Command{
		Use:   "buoyd",
		Short: "The floating-IP control node",
		Long: `buoyd advertises floating IPs to gateway routers as L3VPN host routes.

It reads its configuration from a file, from BUOYD_… variables of the
environment and from flags; flags win over the environment, the environment
over the file. Networks, compute nodes, neighbors and floating IPs are
configured with buoyctl.`,
		Example:       "  buoyd --config /etc/buoy/buoyd.yaml\n  buoyd config check --config /etc/buoy/buoyd.yaml",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			*usage = false
			cfg, err := load(cmd.Flags(), environ)
			if err != nil {
				return err
			}
			for _, text := range quarantine {
				addr, err := netip.ParseAddr(text)
				if err != nil {
					return fmt.Errorf("--quarantine: expected addresses, got %q", text)
				}
				s.quarantine = append(s.quarantine, addr)
			}
			s.reload = func() (config.Config, error) { return load(cmd.Flags(), environ) }
			return serve(cmd.Context(), cfg, s, newLogger(cfg.Log, stderr))
		},
	}
	config.Flags(root.PersistentFlags())
	root.Flags().StringSliceVar(&quarantine, "quarantine", nil, "`ADDRESS,...` of neighbors that get no session, until their settings change")
	root.Flags().BoolVar(&s.cold, "cold", false, "start as if for the first time: gateways drop what they kept of an earlier run, and learn all routes anew")

	group := &cobra.Command{
		Use:   "config",
		Short: "Check or show the configuration",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return fmt.Errorf("config: expected check or show") },
	}
	group.AddCommand(&cobra.Command{
		Use:   "check",
		Short: "Check the configuration without starting",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			*usage = false
			if _, err := load(cmd.Flags(), environ); err != nil {
				return err
			}
			fmt.Fprintln(stdout, "the configuration is valid")
			return nil
		},
	}, &cobra.Command{
		Use:   "show",
		Short: "Print the effective configuration, with defaults, environment and flags",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			*usage = false
			cfg, err := load(cmd.Flags(), environ)
			if err != nil {
				return err
			}
			_, err = stdout.Write(cfg.YAML())
			return err
		},
	})
	root.AddCommand(group, &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run:   func(*cobra.Command, []string) { fmt.Fprintln(stdout, "buoyd", version.Text()) },
	})
	return root
}

// load says so when the file was forgotten: then everything in it is missing.
func load(flags *pflag.FlagSet, environ []string) (config.Config, error) {
	cfg, err := config.Load(flags, environ)
	if err != nil && !flags.Changed("config") {
		err = fmt.Errorf("%w\nno configuration file was given: --config FILE", err)
	}
	return cfg, err
}

func newLogger(cfg config.Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == config.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
