package integration

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
)

// patience is how long a test waits for what should happen at once. A session
// that was lost takes gobgpd five seconds to open anew.
const patience = 30 * time.Second

const ourAS = 64512

// world is a buoyd and its gateways, on a network of their own.
type world struct {
	t     *testing.T
	net   lab.Loopback
	dir   string
	buoyd *lab.Buoyd
	hosts byte      // addresses that were given out
	vrfs  uint16    // distinguishers of VRFs that were given out
	wire  *lab.Wire // nil in most tests
}

// newWorld returns a world in which nothing runs yet.
func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	dir, err := os.MkdirTemp("", "buoy-") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := &world{t: t, dir: dir}
	if w.net, err = lab.NewLoopback(); err != nil {
		t.Fatal(err)
	}
	w.buoyd = w.newBuoyd("buoyd", "")
	return w
}

// host takes the next free address.
func (w *world) host() netip.AddrPort {
	w.hosts++
	return w.net.Host(w.hosts)
}

func (w *world) folder(name string) string {
	dir := filepath.Join(w.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

// newBuoyd returns a buoyd that does not run yet.
func (w *world) newBuoyd(name, neighbors string) *lab.Buoyd {
	return lab.NewBuoyd(programs, lab.BuoydConfig{
		Dir:       w.folder(name),
		AS:        ourAS,
		RouterID:  netip.MustParseAddr("10.0.0.2"),
		Listen:    w.host(),
		Neighbors: neighbors,
	})
}

// start starts the buoyd, and checks at the end of the test that it stops
// well. It must be running then.
func (w *world) start() {
	w.t.Helper()
	w.restart()
	w.t.Cleanup(func() {
		if err := w.buoyd.Stop(); err != nil {
			w.t.Error(err)
		}
		log, _ := os.ReadFile(w.buoyd.LogFile())
		if strings.Contains(string(log), "DATA RACE") || w.t.Failed() {
			w.t.Logf("%s, without the changes of a long one:\n%s", w.buoyd.LogFile(), withoutChanges(string(log)))
		}
	})
}

// withoutChanges returns a log that a person can read.
func withoutChanges(log string) string {
	const enough = 200
	if strings.Count(log, "\n") <= enough {
		return log
	}
	var b strings.Builder
	for line := range strings.Lines(log) {
		if !strings.Contains(line, " msg=changed ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// restart starts the buoyd again, after a stop or kill.
func (w *world) restart() {
	w.t.Helper()
	if err := w.buoyd.Start(w.deadline()); err != nil {
		w.t.Fatal(err)
	}
}

// daemonPID returns the process id of the daemon, which its supervisor runs.
func (w *world) daemonPID() int {
	w.t.Helper()
	pid, err := w.buoyd.DaemonPID()
	if err != nil {
		w.t.Fatal(err)
	}
	return pid
}

// deadline returns a context that ends when the test runs out of patience.
func (w *world) deadline() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	w.t.Cleanup(cancel)
	return ctx
}

// ctl runs buoyctl with the words of a line, which must succeed.
func (w *world) ctl(line string) string {
	w.t.Helper()
	r := w.try(line)
	if r.Code != 0 {
		w.t.Fatalf("buoyctl %s: exit status %d\n%s", line, r.Code, r.Stderr)
	}
	return r.Stdout
}

// try runs buoyctl with the words of a line.
func (w *world) try(line string) lab.Result {
	w.t.Helper()
	r, err := w.buoyd.Ctl(w.deadline(), strings.Fields(line)...)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// public makes the network, the compute node and the floating IPs of most
// tests. Nothing is associated.
func (w *world) public() {
	w.t.Helper()
	w.ctl("create network vn-public --subnet 203.0.113.0/24 --subnet 2001:db8:f::/64 --route-target target:64512:10003")
	w.ctl("create computenode cmp1 --address 10.0.0.11 --encapsulation gre,udp")
	w.ctl("allocate floatingip web-1 --network vn-public --address 203.0.113.5")
	w.ctl("allocate floatingip web-6 --network vn-public --address 2001:db8:f::5")
}

// What public leads to, once it is associated with label 100.
const (
	web1      = "10.0.0.11:1:203.0.113.5/32 label 100 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:10003 target:64512:8000001 encapsulation:gre encapsulation:udp"
	web6      = "10.0.0.11:1:2001:db8:f::5/128 label 100 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path [] target:64512:10003 target:64512:8000001 encapsulation:gre encapsulation:udp"
	web1InVRF = "10.0.0.11:1:203.0.113.5/32 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path []"
	web6InVRF = "10.0.0.11:1:2001:db8:f::5/128 next-hop 10.0.0.11 local-pref 100 origin incomplete as-path []"
)

// associate makes web-1 reachable at cmp1.
func (w *world) associate() {
	w.t.Helper()
	w.ctl("associate floatingip web-1 --computenode cmp1 --interface tap0 --fixed-ip 10.47.255.249 --label 100")
}

// eventually polls until a condition holds.
func (w *world) eventually(what string, condition func(context.Context) error) {
	w.t.Helper()
	if err := lab.Poll(w.deadline(), what, condition); err != nil {
		w.t.Fatal(err)
	}
}
