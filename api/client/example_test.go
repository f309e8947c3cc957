package client_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/buoynet/buoy/api/client"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// The whole life of a floating IP, as docs/integrating.md shows it.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(os.Getenv("BUOY_SERVER"), client.WithProject("default"))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	const name = "projects/default/floatingIps/web-go"
	f, err := c.FloatingIPs.Allocate(ctx, &buoyv1.AllocateRequest{
		Name: name, Pool: "projects/default/networks/vn-public/pools/pool-public", RequestId: client.RequestID()})
	switch {
	case client.Reason(err) == "POOL_EXHAUSTED":
		log.Fatalf("%s is full", client.Resource(err))
	case status.Code(err) == codes.AlreadyExists: // by an earlier run
		f, err = c.FloatingIPs.GetFloatingIP(ctx, &buoyv1.GetFloatingIPRequest{Name: name})
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Name, "has", f.Address)

	f, err = c.FloatingIPs.Associate(ctx, &buoyv1.AssociateRequest{Name: name, RequestId: client.RequestID(),
		Etag: f.Etag, // only if nobody else has changed it meanwhile
		Association: &buoyv1.Association{
			ComputeNode: "computeNodes/cmp1", Interface: "tap-go", FixedIp: "10.47.255.20"}})
	if err != nil {
		log.Fatal(err)
	}
	for f.State != buoyv1.FloatingIP_ADVERTISED { // a gateway has the route
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			log.Fatalf("%s: %s", f.Name, f.StateReason)
		}
		if f, err = c.FloatingIPs.GetFloatingIP(ctx, &buoyv1.GetFloatingIPRequest{Name: name}); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(f.Address, "is", f.State)

	if _, err := c.FloatingIPs.Disassociate(ctx, &buoyv1.DisassociateRequest{Name: name, RequestId: client.RequestID()}); err != nil {
		log.Fatal(err)
	}
	if _, err := c.FloatingIPs.Release(ctx, &buoyv1.ReleaseRequest{Name: name, RequestId: client.RequestID()}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("released")
	// Output:
	// projects/default/floatingIps/web-go has 203.0.113.10
	// 203.0.113.10 is ADVERTISED
	// released
}
