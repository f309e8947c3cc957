package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// patience is how long something may take that takes a moment.
const patience = 30 * time.Second

// home is a folder with a configuration for a daemon that disturbs nobody.
type home struct{ dir string }

func newHome(t testing.TB) home {
	dir, err := os.MkdirTemp("", "b") // short: a socket's path has 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return home{dir}
}

func (h home) socket() string { return filepath.Join(h.dir, "s") }

// config writes a configuration file and returns its name.
func (h home) config(t testing.TB, as int) string {
	return h.write(t, fmt.Sprintf(`bgp:
  as: %d
  router_id: 10.0.0.2
  listen: ["127.0.0.1:0"]
api:
  listen: [unix://%s]
metrics: {listen: [none]}
store:
  path: %s
neighbors:
  - {name: mx1, address: 127.0.0.77, as: 64512, port: 1, passive: true}
`, as, h.socket(), filepath.Join(h.dir, "buoy.db")))
}

func (h home) write(t testing.TB, text string) string {
	name := filepath.Join(h.dir, "buoyd.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// outcome is what a run of buoyd left.
type outcome struct {
	status         int
	stdout, stderr string
}

// buoyd runs the program until it ends by itself.
func buoyd(t testing.TB, environ []string, args ...string) outcome {
	t.Helper()
	var stdout, stderr output
	status := run(t.Context(), args, environ, &stdout, &stderr, serveHere)
	return outcome{status, stdout.String(), stderr.String()}
}

// instance is a daemon that is running.
type instance struct {
	cancel context.CancelFunc
	ended  chan outcome
}

// launch runs the program and returns when it is ready.
func launch(t testing.TB, args ...string) *instance {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	i := &instance{cancel, make(chan outcome, 1)}
	var stdout output
	stderr := output{mark: `msg="buoyd is ready"`, marked: make(chan struct{})}
	go func() {
		status := run(ctx, args, nil, &stdout, &stderr, serveHere)
		i.ended <- outcome{status, stdout.String(), stderr.String()}
	}()
	t.Cleanup(cancel)
	select {
	case <-stderr.marked:
	case o := <-i.ended:
		t.Fatalf("start: got %+v, want a daemon", o)
	case <-time.After(patience):
		t.Fatalf("start: not ready after %s: %s", patience, stderr.String())
	}
	return i
}

// stop ends a daemon and returns how long that took.
func (i *instance) stop(t testing.TB) (outcome, time.Duration) {
	t.Helper()
	begin := time.Now()
	i.cancel()
	select {
	case o := <-i.ended:
		return o, time.Since(begin)
	case <-time.After(patience):
		t.Fatalf("stop: still running after %s", patience)
		return outcome{}, 0
	}
}

// output keeps what is written and tells when a mark was.
type output struct {
	mark   string
	marked chan struct{}

	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.mark != "" && strings.Contains(o.text.String(), o.mark)
	o.text.Write(p)
	if o.mark != "" && !before && strings.Contains(o.text.String(), o.mark) {
		close(o.marked)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func dial(t testing.TB, server string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(server, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// keepRunning runs a daemon until the end of the test. The context ends with it.
func keepRunning(tb testing.TB, d *daemon) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	return ctx
}
