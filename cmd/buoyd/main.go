// Command buoyd is the floating-IP control node.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/buoynet/buoy/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	// Nothing is reloaded, but a closed terminal must not end the sessions.
	signal.Ignore(syscall.SIGHUP)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the whole program. It returns the exit status: 0 after a clean stop,
// 1 after an error, 2 for a command line that makes no sense.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	usage := true // until a command has begun to work
	root := newCommand(environ, stdout, stderr, &usage)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintf(stderr, "buoyd: %v\n", err)
		if usage {
			fmt.Fprintf(stderr, "Run 'buoyd --help' for usage.\n")
			return 2
		}
		return 1
	}
	return 0
}

func newCommand(environ []string, stdout, stderr io.Writer, usage *bool) *cobra.Command {
	cold := false
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
			log := newLogger(cfg.Log, stderr)
			d, err := open(cmd.Context(), cfg, cold, log)
			if errors.Is(err, context.Canceled) {
				return nil // told to stop before it was ready
			}
			if err != nil {
				return err
			}
			return d.run(cmd.Context())
		},
	}
	config.Flags(root.PersistentFlags())
	root.Flags().BoolVar(&cold, "cold", false, "start as if for the first time: gateways drop what they kept of an earlier run, and learn all routes anew")

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
		Run:   func(*cobra.Command, []string) { fmt.Fprintln(stdout, "buoyd", version()) },
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

// version is that of the module, or the commit that was built.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return s.Value
		}
	}
	return info.Main.Version
}

func newLogger(cfg config.Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == config.JSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
