package computenode_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/buoynet/buoy/api/computenode"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// An agent that prints what it would do, as docs/integrating.md shows it.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	agent, err := computenode.New(computenode.Config{
		Server: os.Getenv("BUOY_NODES"), // unix:///run/buoy/nodes.sock, or HOST:PORT with TLS below
		Node:   "cmp1", Version: "my-agent 1.0",
		Program: func(ctx context.Context, b computenode.Batch) error {
			for _, f := range b.RemovedFloatingIPs {
				fmt.Println("remove", f.Address, "from", f.Interface)
			}
			for _, r := range b.RemovedRoutes {
				fmt.Println("remove the route to", r.Prefix)
			}
			for _, f := range b.FloatingIPs { // f.Old is what was there, or nil
				fmt.Println("label", f.New.Label, "is", f.New.FixedIp, "at", f.New.Interface, "which is", f.New.Address, "outside")
			}
			for _, r := range b.Routes {
				fmt.Println("route", r.New.Prefix, "via", r.New.NextHops[0].Address, "with label", r.New.NextHops[0].Label)
			}
			if b.AllRoutes {
				fmt.Println("what an earlier run has left behind may go")
				stop() // an agent goes on
			}
			return nil // or an error: then it comes again
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	err = agent.Report(&buoyv1.ComputeInterface{Name: "tap0", State: buoyv1.ComputeInterface_UP}) // again whenever that changes
	if err != nil {
		log.Fatal(err)
	}
	agent.Complete() // all interfaces that are there have been reported
	if err := agent.Run(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// label 100000 is 10.47.255.20 at tap0 which is 203.0.113.10 outside
	// route 0.0.0.0/0 via 10.0.0.1 with label 500
	// what an earlier run has left behind may go
}
