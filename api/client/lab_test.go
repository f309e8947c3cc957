package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/buoynet/buoy/api"
	"github.com/buoynet/buoy/api/client"
	"github.com/buoynet/buoy/internal/inventory"
	"github.com/buoynet/buoy/internal/neighbor"
	"github.com/buoynet/buoy/internal/store"
	"github.com/buoynet/buoy/internal/store/bolt"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
	"github.com/buoynet/buoy/vrf"
)

// server is where the API of the tests listens.
var server string

// TestMain serves the API over a real store and a speaker that is said to have
// one neighbor, which takes every route at once. The examples find it where
// those of a user do, in BUOY_SERVER.
func TestMain(m *testing.M) {
	status, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func withServer(run func() int) (status int, err error) {
	dir, err := os.MkdirTemp("", "b") // short: a socket's path has 107 bytes
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	s, err := bolt.Open(filepath.Join(dir, "buoy.db"))
	if err != nil {
		return 1, err
	}
	settings := neighbor.Settings{Name: "mx1", Address: netip.MustParseAddr("10.0.0.1"), Port: 179, AS: 64512, Families: neighbor.AllFamilies}
	follower := store.NewFollower(s, inventory.Static{Neighbors: []*inventory.Neighbor{{Settings: settings}}}, time.Now)
	a := api.New(api.Config{
		Inventory: follower,
		Routes:    func() api.RouteTable { return speaker{state: follower.State} },
		Sessions:  sessions{neighbor: settings},
		Families:  neighbor.AllFamilies,
		Local:     neighbor.Local{AS: 64512},
		Shutdown:  func(context.Context, bool, string) error { return nil },
		Logger:    slog.New(slog.DiscardHandler),
	})
	listeners, err := api.Listen(endpoint(filepath.Join(dir, "s")))
	if err != nil {
		return 1, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- follower.Run(ctx) }()
	go func() { ended <- a.Serve(ctx, listeners) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-ended, <-ended, s.Close())
	}()
	if _, err := follower.Execute(ctx, inventory.SeedGlobal{AS: 64512}); err != nil {
		return 1, err
	}
	server = "unix://" + filepath.Join(dir, "s")
	os.Setenv("BUOY_SERVER", server)
	if err := furnish(ctx); err != nil {
		return 1, err
	}
	return run(), nil
}

// furnish makes what an operator has made before the examples begin.
func furnish(ctx context.Context) error {
	c, err := client.Dial(server)
	if err != nil {
		return err
	}
	defer c.Close()
	const network = "projects/default/networks/vn-public"
	_, err1 := c.Networks.CreateNetwork(ctx, &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: network, Subnets: []string{"203.0.113.0/24"}}})
	_, err2 := c.Pools.CreatePool(ctx, &buoyv1.CreatePoolRequest{Pool: &buoyv1.Pool{Name: network + "/pools/pool-public", Ranges: []string{"203.0.113.10-203.0.113.99"}}})
	_, err3 := c.ComputeNodes.CreateComputeNode(ctx, &buoyv1.CreateComputeNodeRequest{ComputeNode: &buoyv1.ComputeNode{Name: "computeNodes/cmp1", Address: "10.0.0.11"}})
	return errors.Join(err1, err2, err3)
}

type endpoint string

func (endpoint) Network() string   { return "unix" }
func (e endpoint) Address() string { return string(e) }

// speaker has taken every route. What else a speaker does is not asked of it.
type speaker struct {
	api.RouteTable
	state func() *inventory.State
}

func (s speaker) Get(key vrf.Key) (vrf.Route, time.Time, bool) {
	state := s.state()
	for f := range state.FloatingIPs("") {
		for _, r := range state.RoutesOf(f) {
			if r.Key == key {
				return r, time.Now(), true
			}
		}
	}
	return vrf.Route{}, time.Time{}, false
}

func (speaker) Failure(vrf.Key) error { return nil }

// sessions are one, in which every route was sent.
type sessions struct {
	api.Sessions
	neighbor neighbor.Settings
}

func (s sessions) Neighbors() []neighbor.Status {
	open := &neighbor.Open{AS: 64512, Families: neighbor.AllFamilies}
	return []neighbor.Status{{Settings: s.neighbor, State: neighbor.Established, OpenSent: open, OpenReceived: open}}
}

func (sessions) Delivery(netip.Addr, vrf.Key) neighbor.Delivery {
	return neighbor.Delivery{At: time.Now()}
}
