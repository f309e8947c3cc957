package main

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// peer writes a configuration for a daemon that peers with another one.
func (h home) peer(t testing.TB, listen, neighbor string, port int) string {
	return h.write(t, fmt.Sprintf(`bgp:
  as: 64512
  router_id: %s
  listen: ["%[1]s:%d"]
  families: [inet-vpn]
api:
  listen: [unix://%s]
metrics: {listen: [none]}
store:
  path: %s/buoy.db
neighbors:
  - {name: other, address: %s, port: %[2]d, as: 64512}
`, listen, port, h.socket(), h.dir, neighbor))
}

// A watch says when a session comes up and goes, and when a floating IP is advertised;
// it ends at once with the daemon, and goes on with the next one.
func TestWatch(t *testing.T) {
	ours, theirs := newHome(t), newHome(t)
	port := freePort(t, "127.0.0.91", "127.0.0.92")
	config := ours.peer(t, "127.0.0.91", "127.0.0.92", port)
	d := launch(t, "--config", config)
	conn := dial(t, "unix://"+ours.socket())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const network, web = "projects/default/networks/n", "projects/default/floatingIps/web"
	_, err := buoyv1.NewNetworksClient(conn).CreateNetwork(t.Context(), &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: network, Subnets: []string{"203.0.113.0/24"}}})
	must(err)
	_, err = buoyv1.NewComputeNodesClient(conn).CreateComputeNode(t.Context(), &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: "computeNodes/c", Address: "10.0.0.11"}})
	must(err)
	_, err = buoyv1.NewFloatingIPsClient(conn).Allocate(t.Context(), &buoyv1.AllocateRequest{Name: web, Network: network})
	must(err)

	token := ""
	watch := func(what string, so func(*buoyv1.WatchResponse) bool) (err error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		stream, err := buoyv1.NewWatchesClient(conn).Watch(ctx, &buoyv1.WatchRequest{ResumeToken: token}, grpc.WaitForReady(true))
		must(err)
		for seen := false; ; {
			resp, err := stream.Recv()
			if err != nil {
				if what != "" {
					t.Fatalf("%s: got %v", what, err)
				}
				return err
			}
			seen = seen || so(resp)
			if b := resp.GetBookmark(); b != nil {
				if token = b.ResumeToken; seen {
					return nil
				}
			}
		}
	}
	_, err = buoyv1.NewFloatingIPsClient(conn).Associate(t.Context(), &buoyv1.AssociateRequest{Name: web, Association: &buoyv1.Association{ComputeNode: "computeNodes/c", Interface: "tap0", FixedIp: "10.47.0.1"}})
	must(err)
	watch("pending", func(r *buoyv1.WatchResponse) bool { return r.GetFloatingIp().GetState() == buoyv1.FloatingIP_PENDING })
	other := launch(t, "--config", theirs.peer(t, "127.0.0.92", "127.0.0.91", port))
	up, advertised := false, false
	watch("up and advertised", func(r *buoyv1.WatchResponse) bool {
		up = up || r.GetNeighbor().GetState() == buoyv1.Neighbor_ESTABLISHED
		advertised = advertised || r.GetFloatingIp().GetState() == buoyv1.FloatingIP_ADVERTISED
		return up && advertised
	})
	other.stop(t)
	watch("down", func(r *buoyv1.WatchResponse) bool {
		return r.GetNeighbor() != nil && r.GetNeighbor().GetState() != buoyv1.Neighbor_ESTABLISHED && r.GetNeighbor().GetStateReason() != ""
	})

	ended := make(chan error, 1)
	began := make(chan struct{})
	go func() {
		first := true
		ended <- watch("", func(*buoyv1.WatchResponse) bool {
			if first {
				first = false
				close(began)
			}
			return false
		})
	}()
	<-began
	if _, took := d.stop(t); took > 2*time.Second {
		t.Errorf("stop: took %s, want nothing to wait for", took)
	}
	if err := <-ended; status.Code(err) != codes.Unavailable {
		t.Errorf("stop: the watch ended with %v, want UNAVAILABLE", err)
	}
	launch(t, "--config", config)
	watch("resumed", func(r *buoyv1.WatchResponse) bool {
		if r.GetNetwork() != nil {
			t.Errorf("resumed: got %v again", r)
		}
		return r.GetBookmark() != nil
	})
}

// freePort returns a port that is free on all the addresses.
func freePort(t testing.TB, addresses ...string) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", addresses[0]+":0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		other, err := net.Listen("tcp", fmt.Sprintf("%s:%d", addresses[1], port))
		if err == nil {
			other.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
