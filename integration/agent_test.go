package integration

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/buoynet/buoy/api/computenode"
	"github.com/buoynet/buoy/internal/lab"
)

// node is a compute node with an agent, and what it has been told to programme.
type node struct {
	*computenode.Agent
	stop func()

	mu      sync.Mutex
	has     map[string]string
	removed int
}

// node starts the agent of cmp1.
func (w *world) node(cfg computenode.Config) *node {
	w.t.Helper()
	n := &node{has: map[string]string{}}
	cfg.Node, cfg.Version, cfg.Program = "cmp1", "test 1", n.program
	cfg.Logger = slog.New(slog.NewTextHandler(testLog{w.t}, nil))
	var err error
	if n.Agent, err = computenode.New(cfg); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	n.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(n.stop)
	return n
}

// testLog writes what is logged beside what the test says.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("agent: %s", strings.TrimSpace(string(p)))
	return len(p), nil
}

func (n *node) program(_ context.Context, c computenode.Batch) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.removed += len(c.RemovedFloatingIPs) + len(c.RemovedRoutes)
	for _, f := range c.RemovedFloatingIPs {
		delete(n.has, f.Address)
	}
	for _, r := range c.RemovedRoutes {
		delete(n.has, r.Prefix)
	}
	for _, change := range c.FloatingIPs {
		f := change.New
		n.has[f.Address] = fmt.Sprintf("%s label %d at %s", f.Address, f.Label, f.Interface)
	}
	for _, change := range c.Routes {
		r := change.New
		hop := r.NextHops[0]
		n.has[r.Prefix] = fmt.Sprintf("%s via %s label %d %s", r.Prefix, hop.Address, hop.Label, strings.Join(hop.Encapsulations, ","))
	}
	return nil
}

// gets waits until a node has exactly this.
func (w *world) gets(what string, n *node, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	w.eventually(what, func(context.Context) error {
		n.mu.Lock()
		defer n.mu.Unlock()
		if got := slices.Sorted(maps.Values(n.has)); !slices.Equal(got, want) {
			return fmt.Errorf("the node has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return nil
	})
}

// hasWeb1 waits until a gateway has the route of web-1 exactly as it should be, or none.
func (w *world) hasWeb1(when string, g lab.Gateway, want bool) {
	w.t.Helper()
	w.eventually(when, func(ctx context.Context) error {
		routes, err := g.VPN(ctx, lab.VPNv4)
		if err != nil {
			return err
		}
		text := lab.Text(routes)
		if has := strings.Contains(text, "203.0.113.5/32"); has != want || want && !strings.Contains(text, web1+"\n") {
			return fmt.Errorf("got\n%swith web-1: %t", text, want)
		}
		return nil
	})
}

// nextHop is that of a route with the next hop 10.0.0.9, as it is announced.
func (o originator) nextHop(config lab.GatewayConfig) string {
	if o.self {
		return config.Addr.Addr().String()
	}
	return "10.0.0.9"
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const web1AtNode = "203.0.113.5 label 100 at tap0"

// TestAgent: a compute node is told its floating IP, and what a real gateway announces; the
// gateway has the floating IP's route while the node says that its interface is up. A crash of
// the daemon changes neither here nor there anything that did not change itself.
func TestAgent(t *testing.T) {
	for _, tt := range originators {
		t.Run(tt.kind, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			w.public()
			w.ctl("set computenode cmp1 --liveness session")
			w.associate()
			config := w.gatewayConfig("mx1", vpnFamilies)
			everything := w.origin(config, 7, "0.0.0.0/0", "10.0.0.9", "target:64512:10003")
			config.Origins = []lab.Route{everything, w.origin(config, 7, "198.51.100.0/24", "10.0.0.9", "target:64512:10003"),
				w.origin(config, 8, "192.0.2.0/24", "10.0.0.9", "target:64512:9999")}
			g := w.importer(tt.kind, "mx1", config)

			n := w.node(computenode.Config{Server: w.buoyd.Nodes()})
			hop := fmt.Sprintf(" via %s label %d gre,udp", tt.nextHop(config), everything.Label)
			route, other := "0.0.0.0/0"+hop, "198.51.100.0/24"+hop
			w.gets("at first", n, web1AtNode, route, other)
			w.hasWeb1("before a report", g, false)
			must(t, n.Report(up("tap0")))
			n.Complete()
			w.hasWeb1("reported as up", g, true)
			must(t, n.Report(down("tap0")))
			w.hasWeb1("reported as down", g, false)
			must(t, n.Report(up("tap0")))
			w.hasWeb1("up again", g, true)

			// A crash: the supervisor starts the daemon again, and the gateway announces anew.
			n.mu.Lock()
			n.removed = 0
			n.mu.Unlock()
			w.buoyd.Kill()
			w.restart()
			w.established("mx1")
			w.withdraw(g, everything)
			w.gets("after a crash, and a withdrawal", n, web1AtNode, other)
			if n.mu.Lock(); n.removed != 1 {
				t.Errorf("%d things were removed, want the withdrawn route alone", n.removed)
			}
			n.mu.Unlock()
			w.hasWeb1("after a crash", g, true)

			w.ctl("disassociate floatingip web-1")
			w.gets("without a floating IP", n)
			w.associate()
			w.gets("with it again", n, web1AtNode, other)
			w.ctl("set computenode cmp1 --stale-time 0")
			n.stop()
			w.hasWeb1("the stream has ended", g, false)
		})
	}
}

// TestAgentTLS: off a Unix socket the certificate says who the node is.
func TestAgentTLS(t *testing.T) {
	w := newWorld(t)
	server := w.host()
	ca, err := lab.NewAuthority()
	if err == nil {
		err = ca.Write(filepath.Join(w.dir, "nodes"), "buoyd", server.Addr())
	}
	if err != nil {
		t.Fatal(err)
	}
	client := func(name string) *tls.Config {
		t.Helper()
		c, err := ca.Client(name)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	w.writeConfig(strings.Replace(w.buoyd.YAML(), fmt.Sprintf("listen: [%q]\nmetrics", w.buoyd.Nodes()),
		fmt.Sprintf("listen: [%q]\n  certificate: %[2]s.crt\n  key: %[2]s.key\n  client_ca: %[2]s-ca.crt\nmetrics", server, filepath.Join(w.dir, "nodes")), 1))
	w.start()
	w.public()
	w.associate()
	n := w.node(computenode.Config{Server: server.String(), TLS: client("cmp1")})
	w.gets("cmp1", n, web1AtNode)
	n.stop()
	w.ctl("create computenode cmp2 --address 10.0.0.12")
	n = w.node(computenode.Config{Server: server.String(), TLS: client("cmp2")}) // which says that it is cmp1
	w.eventually("it is refused", func(context.Context) error {
		if log, err := os.ReadFile(w.buoyd.LogFile()); err != nil || !strings.Contains(string(log), "the certificate is that of cmp2, and not of cmp1") {
			return fmt.Errorf("not yet: %v", err)
		}
		return nil
	})
	w.gets("and told nothing", n)
}
