// Command demo shows a gateway that learns a floating IP, and loses it again.
// It runs buoyd and a router as ordinary processes on loopback addresses, and
// types the buoyctl commands that a newcomer would.
//
//	GATEWAY=gobgp   the router: gobgp needs nothing but Go; frr and bird are
//	                Debian's packages, and the VRFs of frr need root
//	KEEP=1          leave both running, and say how to look around
//
// The exit status is 0 only if the gateway's own tables had the route exactly,
// and then no longer.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/buoynet/buoy/internal/lab"
)

// The demo takes seconds; building for the first time takes minutes.
const (
	buildTime = 15 * time.Minute
	demoTime  = time.Minute
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx)
	if err == nil {
		return
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
	os.Exit(1)
}

func run(ctx context.Context) error {
	kind := os.Getenv("GATEWAY")
	if kind == "" {
		kind = "gobgp"
	}
	// Before minutes of building.
	if _, err := lab.NewGateway(kind, lab.Programs{}, lab.GatewayConfig{}); err != nil {
		return fmt.Errorf("GATEWAY: %w", err)
	}
	if missing := lab.MissingPackages(kind); len(missing) > 0 {
		return fmt.Errorf("GATEWAY: %s is not installed: apt-get install %s", kind, strings.Join(missing, " "))
	}
	fmt.Println("Building. The first time on a machine this takes some minutes.")
	buildCtx, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	programs, err := lab.Build(buildCtx, false)
	if err != nil {
		return err
	}

	ctx, cancel = context.WithTimeout(ctx, demoTime)
	defer cancel()
	d, err := newDemo(programs, kind, os.Getenv("KEEP") == "1")
	if err != nil {
		return err
	}
	defer d.clean()
	if err := d.play(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, d.logs())
	}
	return nil
}
