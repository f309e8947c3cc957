package packet

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
)

// patience is how long a test waits for what should happen soon: everything is slow here.
const patience = 60 * time.Second

// world is the network that the tests share. Each test takes it as made leaves it, and
// leaves it so.
type world struct {
	dir      string
	controls [2]*lab.Buoyd
	gateway  *gateway
	agents   [2]*lab.Process
	capture  *lab.Process   // of everything that passes the gateway's underlay
	monitors []*lab.Process // of the routes of kernels, for whoever looks for a cause
	ca       *lab.Authority
	broken   error // why there is no network
}

var shared *world

// take returns the world, in working order.
func take(t *testing.T) *world {
	t.Helper()
	if shared == nil {
		shared = &world{}
		shared.broken = shared.make(context.Background())
	}
	if shared.broken != nil {
		t.Fatal(shared.broken)
	}
	return shared
}

func (w *world) make(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if w.dir, err = os.MkdirTemp("", "lab-"); err != nil {
		return err
	}
	if err := os.Chmod(w.dir, 0o755); err != nil { // FRR's user reads below it
		return err
	}
	if w.ca, err = lab.NewAuthority(); err != nil {
		return err
	}
	if err := furnish(ctx); err != nil {
		return err
	}
	// Only the newest of it is kept.
	if w.capture, err = capture(ctx, "gw", filepath.Join(artefacts, "gateway.pcapng"), "-b", "filesize:10000", "-b", "files:2"); err != nil {
		return err
	}
	for _, name := range []string{"gw", node(0), node(1)} {
		p, err := lab.Command{Path: "/usr/sbin/ip", Args: []string{"-ts", "monitor", "route", "link"}, Log: filepath.Join(artefacts, name+".monitor")}.At(name).Start()
		if err != nil {
			return err
		}
		w.monitors = append(w.monitors, p)
	}
	for _, name := range []string{"client", workload(0), workload(1)} {
		if err := serveEcho(name); err != nil {
			return err
		}
	}
	for i := range w.controls {
		if err := w.startControl(ctx, i); err != nil {
			return err
		}
	}
	text, err := w.ctl(ctx, 0, "gateway-config --vendor frr --local-address 10.0.0.2")
	if err != nil {
		return err
	}
	dir := filepath.Join(w.dir, "frr")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if w.gateway, err = startGateway(ctx, dir, text+secondNeighbor); err != nil {
		return err
	}
	for i := range w.agents {
		if err := w.startAgent(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// secondNeighbor is the other control node, beside the one that wrote the configuration.
const secondNeighbor = `
router bgp 64512
 neighbor 10.0.0.3 remote-as 64512
 neighbor 10.0.0.3 timers 3 9
 neighbor 10.0.0.3 timers connect 1
 neighbor 10.0.0.3 advertisement-interval 0
 address-family ipv4 vpn
  neighbor 10.0.0.3 activate
  neighbor 10.0.0.3 route-map COMPUTE-NODES in
 exit-address-family
 address-family ipv6 vpn
  neighbor 10.0.0.3 activate
  neighbor 10.0.0.3 route-map COMPUTE-NODES-6 in
  neighbor 10.0.0.3 route-map THIS-ROUTER-6 out
 exit-address-family
`

// startControl starts a control node and says what there is. Both are told the same.
func (w *world) startControl(ctx context.Context, i int) error {
	dir := filepath.Join(w.dir, control(i))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := w.ca.Write(filepath.Join(dir, "nodes"), "buoyd", controlAddrs[i]); err != nil {
		return err
	}
	begins := programs.Programs
	if *all && i == 0 {
		begins.Buoyd = programs.before
	}
	b := lab.NewBuoyd(begins, lab.BuoydConfig{Dir: dir, AS: 64512, RouterID: controlAddrs[i],
		Listen: netip.AddrPortFrom(controlAddrs[i], 179), Namespace: control(i)})
	files := filepath.Join(dir, "nodes")
	text := strings.Replace(b.YAML(), fmt.Sprintf("listen: [%q]\nmetrics", b.Nodes()),
		fmt.Sprintf("listen: [\"%v:50052\"]\n  certificate: %s.crt\n  key: %[2]s.key\n  client_ca: %[2]s-ca.crt\nmetrics", controlAddrs[i], files), 1)
	if err := b.WriteConfig(text); err != nil {
		return err
	}
	w.controls[i] = b
	if err := b.Start(ctx); err != nil {
		return err
	}
	file := filepath.Join(dir, "all.yaml")
	if err := os.WriteFile(file, []byte(documents()), 0o644); err != nil {
		return err
	}
	_, err := w.ctl(ctx, i, "apply -f "+file)
	return err
}

// ctl types a command of buoyctl at a control node.
func (w *world) ctl(ctx context.Context, i int, text string) (string, error) {
	r, err := w.controls[i].Ctl(ctx, strings.Fields(text)...)
	if err == nil && r.Code != 0 {
		err = fmt.Errorf("buoyctl %s at %s: exit status %d\n%s%s", text, control(i), r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout, err
}

// do types a command at both control nodes.
func (w *world) do(t *testing.T, text string) {
	t.Helper()
	for i := range w.controls {
		if _, err := w.ctl(t.Context(), i, text); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := lab.Poll(ctx, what, condition); err != nil {
		t.Fatal(err)
	}
}

// stop ends what runs, and after a failure keeps what tells why.
func (w *world) stop(failed bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if w.capture != nil {
		w.capture.Stop()
	}
	if failed {
		w.report(ctx)
	}
	for _, p := range append(w.monitors, w.agents[:]...) {
		if p != nil {
			p.Kill()
		}
	}
	for _, b := range w.controls {
		if b != nil {
			b.Stop()
		}
	}
	w.gateway.stop()
}
