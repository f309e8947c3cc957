// Command buoyctl configures and inspects buoyd.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// defaultServer is where buoyd listens when its configuration says nothing.
const defaultServer = "unix:///run/buoy/buoyd.sock"

// run is the whole program. It returns the exit status; see exitStatus.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.command(getenv)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !a.working {
		err = &usageError{err.Error()}
	}
	if err != nil && !errors.Is(err, errDiffers) && !errors.Is(err, errUnhealthy) {
		fmt.Fprintf(stderr, "buoyctl: %s\n", a.describeError(cmd, err))
	}
	a.close()
	return exitStatus(err)
}

// app is what the commands share: the global flags and the connection.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	server    string
	project   string
	asProject bool // the project was given: requests see and change only what it may
	output    string
	timeout   time.Duration
	change    changeFlags
	filter    string
	filtered  string // the kind of the list that it is for

	working bool // the command line made sense
	conn    *client
}

func (a *app) command(getenv func(string) string) *cobra.Command {
	server := cmp.Or(getenv("BUOY_SERVER"), defaultServer)
	project := cmp.Or(getenv("BUOY_PROJECT"), "default")
	a.asProject = getenv("BUOY_PROJECT") != ""
	root := &cobra.Command{
		Use:   "buoyctl",
		Short: "Configure and inspect buoyd, the floating-IP control node",
		Example: `  buoyctl create network vn-public --subnet 203.0.113.0/24 --route-target target:64512:10003
  buoyctl create pool pool-public --network vn-public --range 203.0.113.10-203.0.113.99
  buoyctl create computenode cmp1 --address 10.0.0.11 --encapsulation gre,udp
  buoyctl create neighbor mx1 --address 10.0.0.1 --as 64512
  buoyctl allocate floatingip web-1 --pool pool-public
  buoyctl associate floatingip web-1 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.249
  buoyctl get neighbors
  buoyctl explain web-1
  buoyctl doctor
  buoyctl show route table bgp.l3vpn.0`,
		Long: `buoyctl configures and inspects buoyd, the floating-IP control node.

NAME is a short name in --project, or a full resource name. That of a pool may
also be NETWORK/POOL, since pools of two networks can have the same short name.

Exit status: 0 ok, 1 error, 2 usage, 3 not found, 4 unreachable or not allowed,
5 exists already or not in a state for it, 6 diff found changes, 7 explain or
doctor found something unhealthy.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args)
			}
			return cmd.Help()
		},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(wrongFlag)
	flags := root.PersistentFlags()
	flags.StringVar(&a.server, "server", server, "where buoyd listens: unix://PATH or HOST:PORT (environment BUOY_SERVER)")
	flags.StringVar(&a.project, "project", project, "the project of short names; when it is given, only what it may see is shown and changed (environment BUOY_PROJECT)")
	flags.DurationVar(&a.timeout, "timeout", 30*time.Second, "how long a request may take")

	verbs := map[string]*cobra.Command{}
	for _, v := range []struct{ use, short string }{
		{"create", "Create a resource"},
		{"set", "Change a resource in place; sessions and routes follow"},
		{"allocate", "Take an address for a floating IP"},
		{"bind", "Say which pool a namespace, or the cluster, draws from"},
		{"unbind", "Remove the binding of a namespace, or of the cluster"},
		{"associate", "Make a floating IP reachable at a compute node"},
		{"move", "Put another association in the place of one, in one step"},
		{"disassociate", "End associations of a floating IP"},
		{"drain", "Take a compute node out of service without losing packets"},
		{"undrain", "Put a compute node back into service"},
		{"release", "Give the address of a floating IP back"},
		{"get", "List resources, or show one"},
		{"describe", "Show everything about one resource"},
		{"delete", "Delete a resource that is not in use"},
		{"show", "Show sessions and routes as routers do"},
	} {
		verb := &cobra.Command{Use: v.use, Short: v.short, Args: cobra.ArbitraryArgs, RunE: unknownCommand}
		verbs[v.use] = verb
		root.AddCommand(verb)
	}
	for _, noun := range []func(map[string]*cobra.Command){
		a.networks, a.pools, a.poolBindings, a.computeNodes, a.drain, a.neighbors, a.floatingIPs, a.routes, a.events, a.global, a.show,
	} {
		noun(verbs)
	}
	a.addChangeFlags(verbs)
	apply := a.apply()
	a.changeFlags(apply)
	root.AddCommand(apply, a.diff(), a.doctor(), a.export(), a.explain(), a.gatewayConfig(), a.shutdown(), a.version())
	root.InitDefaultHelpCmd()
	if help, _, err := root.Find([]string{"help"}); err == nil {
		help.Args = knownTopic
	}
	return root
}

// knownTopic refuses help on what does not exist.
func knownTopic(help *cobra.Command, args []string) error {
	cmd, rest, err := help.Root().Find(args)
	if err != nil {
		cmd, rest = help.Root(), args
	}
	if len(rest) > 0 && cmd.HasSubCommands() {
		return unknownCommand(cmd, rest)
	}
	return nil
}

// action is what a command does once its line made sense.
type action func(ctx context.Context, c *client, args []string) error

// do connects and acts.
func (a *app) do(act action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := a.checkOutput(); err != nil {
			return err
		}
		if a.timeout <= 0 {
			return fmt.Errorf("--timeout: expected more than 0s, got %s", a.timeout)
		}
		a.asProject = a.asProject || cmd.Flags().Changed("project")
		c, err := a.connect()
		if err != nil {
			return err
		}
		a.working = true
		if err := act(cmd.Context(), c, args); err != nil {
			return err
		}
		a.tell()
		return nil
	}
}

// errNothingToSet is the answer to a set command without flags.
var errNothingToSet = &usageError{"nothing to change: give at least one flag"}
