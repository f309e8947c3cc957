package main

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/buoynet/buoy/internal/computenode"
	"github.com/buoynet/buoy/internal/config"
	"github.com/buoynet/buoy/internal/inventory"
)

// lived is a daemon with a compute node that must have a stream.
type lived struct {
	testing.TB
	*daemon
	stop func()
}

const aliveNode = "computeNodes/cmp1"

// live starts a daemon, and returns when every route that it has at the start is in
// hand.
func live(t testing.TB, h home) *lived {
	t.Helper()
	flags := pflag.NewFlagSet("buoyd", pflag.ContinueOnError)
	config.Flags(flags)
	if err := flags.Parse([]string{"--config", h.config(t, 64512)}); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(flags, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &lived{TB: t}
	if l.daemon, err = open(t.Context(), cfg, startup{}, silent()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.run(ctx) }()
	l.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if err := l.loop.Wait(t.Context(), l.follower.State().Revision()); err != nil {
		t.Fatal(err)
	}
	return l
}

// put makes a floating IP at a compute node with a stale time in seconds.
func (l *lived) put(stale uint32) {
	l.Helper()
	const network, name = "projects/p/networks/n", "projects/p/floatingIps/f"
	for _, c := range []inventory.Command{
		inventory.CreateNetwork{Network: inventory.Network{Name: network, Subnets: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}},
		inventory.CreateComputeNode{ComputeNode: inventory.ComputeNode{Name: aliveNode, Address: netip.MustParseAddr("10.0.0.11"),
			Liveness: inventory.Liveness{Mode: inventory.Session, StaleTime: stale}}},
		inventory.Allocate{Name: name, Network: network, Address: netip.MustParseAddr("203.0.113.5")},
		inventory.Associate{Name: name, Association: inventory.Association{ComputeNode: aliveNode, Interface: "tap0", FixedIP: netip.MustParseAddr("10.47.0.1")}},
	} {
		if _, err := l.follower.Execute(l.Context(), c); err != nil {
			l.Fatal(err)
		}
	}
}

// lives opens a stream of which the interface is in a state.
func (l *lived) lives(state inventory.InterfaceState) *computenode.Session {
	l.Helper()
	s, err := l.nodes.Open(aliveNode, "test", "")
	if err == nil {
		err = s.Report([]inventory.InterfaceReport{{Name: "tap0", State: state}}, true)
	}
	if err != nil {
		l.Fatal(err)
	}
	return s
}

// until waits for something.
func (l *lived) until(what string, so func() bool) {
	l.Helper()
	for limit := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			l.Fatalf("%s: not after %s", what, patience)
		}
	}
}

func (l *lived) routes(want int) func() bool {
	return func() bool { return l.loop.Table().Len() == want }
}

func (l *lived) is(what string, state inventory.NodeState, routes int) {
	l.Helper()
	if got := l.nodes.Living().Node(aliveNode).State; got != state {
		l.Errorf("%s: the compute node is in state %d, want %d", what, got, state)
	}
	if got := l.loop.Table().Len(); got != routes {
		l.Errorf("%s: %d routes, want %d", what, got, routes)
	}
}

// Routes follow the stream of a compute node. Neither a stop nor a crash of the daemon
// makes any come or go.
func TestLivesOverRestart(t *testing.T) {
	h := newHome(t)
	l := live(t, h)
	l.put(3600)
	l.is("no stream", inventory.NodeDown, 0)
	l.lives(inventory.InterfaceUp)
	l.until("a stream", l.routes(1))
	l.lives(inventory.InterfaceDown)
	l.until("its interface died", l.routes(0))
	l.lives(inventory.InterfaceUp)
	l.until("it is back", l.routes(1))
	l.until("it is noted", func() bool { return strings.Contains(l.noted(), `"name":"tap0","state":"up"`) })
	crashed := newHome(t)
	copyFile(t, filepath.Join(h.dir, "buoy.db"), filepath.Join(crashed.dir, "buoy.db"))
	l.stop()

	for what, h := range map[string]home{"stopped": h, "crashed": crashed} {
		l = live(t, h)
		l.is(what, inventory.NodeStale, 1)
		l.lives(inventory.InterfaceDown)
		l.until(what+", and died", l.routes(0))
		l.stop()
		l = live(t, h)
		l.is(what+", and died, and stopped", inventory.NodeStale, 0)
		l.stop()
	}
}

// What was stale for its time is dead, and stays dead over a restart.
func TestDeadOverRestart(t *testing.T) {
	h := newHome(t)
	l := live(t, h)
	l.put(1)
	s := l.lives(inventory.InterfaceUp)
	l.until("a stream", l.routes(1))
	s.Close(nil)
	l.until("the stale time has passed", l.routes(0))
	l.stop()
	l = live(t, h)
	l.is("dead", inventory.NodeDown, 0)
	l.lives(inventory.InterfaceUp)
	l.until("it is back", l.routes(1))
	l.stop()
}

// noted returns the note on the compute node.
func (l *lived) noted() string {
	notes, err := l.store.(computenode.Notes).LoadNotes()
	if err != nil {
		l.Fatal(err)
	}
	return string(notes[aliveNode])
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
