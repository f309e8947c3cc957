package main

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/buoynet/buoy/internal/config"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// The daemon starts, answers, stops in time, and finds its resources again.
func TestStartStop(t *testing.T) {
	h := newHome(t)
	name := h.config(t, 64512)
	for cycle, want := range []string{"", "projects/default/networks/vn-public"} {
		d := launch(t, "--config", name)
		conn := dial(t, "unix://"+h.socket())
		resp, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil || resp.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("cycle %d: health: got %v, %v, want SERVING", cycle, resp, err)
		}
		networks := buoyv1.NewNetworksClient(conn)
		if want == "" {
			_, err = networks.CreateNetwork(t.Context(), &buoyv1.CreateNetworkRequest{Network: &buoyv1.Network{Name: "projects/default/networks/vn-public"}})
		} else {
			_, err = networks.GetNetwork(t.Context(), &buoyv1.GetNetworkRequest{Name: want})
		}
		if err != nil {
			t.Errorf("cycle %d: network: got %v, want nil", cycle, err)
		}
		neighbor, err := buoyv1.NewNeighborsClient(conn).GetNeighbor(t.Context(), &buoyv1.GetNeighborRequest{Name: "neighbors/mx1"})
		if err != nil || !neighbor.ReadOnly {
			t.Errorf("cycle %d: neighbor of the file: got %v, %v, want it read-only", cycle, neighbor, err)
		}
		o, took := d.stop(t)
		if o.status != 0 || o.stdout != "" || !strings.Contains(o.stderr, `msg="buoyd is stopping"`) {
			t.Errorf("cycle %d: stop: got %+v, want status 0", cycle, o)
		}
		if strings.Contains(o.stderr, "level=ERROR") || strings.Contains(o.stderr, "level=WARN") {
			t.Errorf("cycle %d: log: got %s, want no error and no warning", cycle, o.stderr)
		}
		if took > 3*time.Second {
			t.Errorf("cycle %d: stop: took %s, want at most 3s", cycle, took)
		}
		if _, err := os.Lstat(h.socket()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("cycle %d: the socket after the stop: got %v, want that it does not exist", cycle, err)
		}
	}
}

// What keeps a daemon from starting is told, and leaves the other one alone.
func TestRefusedStart(t *testing.T) {
	h := newHome(t)
	d := launch(t, "--config", h.config(t, 64512))
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	other := newHome(t)
	refused := func(what, want string, args ...string) {
		t.Helper()
		got := buoyd(t, nil, append([]string{"--log-level", "error"}, args...)...)
		if got.status != 1 || got.stdout != "" || !strings.Contains(got.stderr, want) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: got %+v, want status 1 and one line with %q", what, got, want)
		}
	}
	refused("same store", "open store "+filepath.Join(h.dir, "buoy.db")+": store is in use by another process",
		"--config", h.config(t, 64512), "--api-listen", "unix://"+other.socket())
	refused("same socket", "listen on "+h.socket()+": another daemon listens there",
		"--config", other.config(t, 64512), "--api-listen", "unix://"+h.socket())
	refused("BGP port taken", "listen on "+port.Addr().String()+": address already in use",
		"--config", other.config(t, 64512), "--bgp-listen", port.Addr().String())
	refused("no right to the store", "/proc/buoy", "--config", other.config(t, 64512), "--store-path", "/proc/buoy/buoy.db")

	if _, err := healthpb.NewHealthClient(dial(t, "unix://"+h.socket())).Check(t.Context(), &healthpb.HealthCheckRequest{}); err != nil {
		t.Errorf("the first daemon: got %v, want that it answers", err)
	}
	if _, err := os.Lstat(other.socket()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket of a daemon that did not start: got %v, want that it does not exist", err)
	}
	if o, _ := d.stop(t); o.status != 0 {
		t.Errorf("stop: got %+v, want status 0", o)
	}
}

// A store belongs to one AS: automatic route targets depend on it.
func TestRefusedAS(t *testing.T) {
	h := newHome(t)
	launch(t, "--config", h.config(t, 64512)).stop(t)
	got := buoyd(t, nil, "--config", h.config(t, 64513))
	for _, want := range []string{"buoyd: store " + filepath.Join(h.dir, "buoy.db") + ": bgp.as: ", "64512", "64513"} {
		if got.status != 1 || !strings.Contains(got.stderr, want) {
			t.Errorf("got %+v, want status 1 and %q", got, want)
		}
	}
	launch(t, "--config", h.config(t, 64512)).stop(t)
}

// Who is told to stop before it is ready stops, and that is no error.
func TestStopBeforeReady(t *testing.T) {
	h := newHome(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr output
	if status := run(ctx, []string{"--config", h.config(t, 64512)}, nil, &stdout, &stderr, serveHere); status != 0 {
		t.Errorf("got status %d, %s, want 0", status, stderr.String())
	}
}

// When one part fails, all of the daemon ends and tells why.
func TestPartFails(t *testing.T) {
	h := newHome(t)
	flags := pflag.NewFlagSet("buoyd", pflag.ContinueOnError)
	config.Flags(flags)
	if err := flags.Parse([]string{"--config", h.config(t, 64512)}); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(flags, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := open(t.Context(), cfg, startup{}, silent())
	if err != nil {
		t.Fatal(err)
	}
	d.started.add("weather", func(context.Context) error { return errors.New("it rains") })
	if err := d.run(t.Context()); err == nil || err.Error() != "weather: it rains" {
		t.Errorf("got %v, want weather: it rains", err)
	}
	if _, err := os.Lstat(h.socket()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket afterwards: got %v, want that it does not exist", err)
	}
}

// Nothing of ours is left running by a daemon that stopped. GoBGP's server
// cannot be ended.
func TestGoroutines(t *testing.T) {
	h := newHome(t)
	name := h.config(t, 64512)
	launch(t, "--config", name).stop(t)
	before := ours()
	for range 3 {
		launch(t, "--config", name).stop(t)
	}
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		after := ours()
		if len(after) <= len(before) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("goroutines after 3 more cycles: got %d, want at most %d:\n%s", len(after), len(before), strings.Join(after, "\n\n"))
		}
	}
}

// ours returns the stacks of the goroutines that are not GoBGP's.
func ours() (stacks []string) {
	buf := make([]byte, 1<<20)
	for n := len(buf); n == len(buf); {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
	}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if !strings.Contains(stack, "github.com/osrg/gobgp/") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
