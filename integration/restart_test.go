package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/buoynet/buoy/internal/lab"
)

// TestKill: what was acknowledged is on disk. However buoyd dies, it comes back
// with every floating IP, and every route is at the gateway again without an
// operator.
func TestKill(t *testing.T) {
	const (
		rounds  = 6
		writers = 3
	)
	w := newWorld(t)
	w.start()
	w.public()
	w.ctl("create network vn-many --subnet 198.18.0.0/16 --route-target target:64512:10003")
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")

	acknowledged := map[string]string{} // address by name
	for round := range rounds {
		for name, addr := range w.writeUntilKilled(writers, round) {
			acknowledged[name] = addr
		}
		w.restart()
		w.checkAssociated(acknowledged)
	}
	if len(acknowledged) == 0 {
		t.Fatal("nothing was acknowledged before a kill: nothing was tested")
	}
	t.Logf("%d associations acknowledged in %d rounds", len(acknowledged), rounds)

	w.eventually("every route is at the gateway", func(ctx context.Context) error {
		routes, err := g.VRF(ctx, "red", lab.VPNv4)
		if err != nil {
			return err
		}
		missing := map[string]bool{}
		for _, addr := range acknowledged {
			missing[addr+"/32"] = true
		}
		for _, r := range routes {
			delete(missing, r.Prefix.String())
		}
		if len(missing) > 0 {
			return fmt.Errorf("%d of %d are missing: %v", len(missing), len(acknowledged), missing)
		}
		return nil
	})
}

// writeUntilKilled associates floating IPs until the daemon is killed, at a
// random moment. It returns the addresses of those that were acknowledged.
func (w *world) writeUntilKilled(writers, round int) map[string]string {
	var mu sync.Mutex
	acknowledged := map[string]string{}
	first := make(chan struct{})
	var once sync.Once
	var running sync.WaitGroup
	ctx, stop := context.WithCancel(w.deadline())
	defer stop()
	for writer := range writers {
		running.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprintf("fip-%d-%d-%d", round, writer, i)
				addr := fmt.Sprintf("198.18.%d.%d", round*writers+writer, i+1)
				for _, line := range []string{
					"allocate floatingip " + name + " --network vn-many --address " + addr,
					"associate floatingip " + name + " --computenode cmp1 --interface tap9 --fixed-ip 10.47.0.1 --label 900",
				} {
					// Not the context: what is under way must be answered.
					r, err := w.buoyd.Ctl(context.Background(), strings.Fields(line)...)
					if err != nil {
						w.t.Error(err)
					}
					if err != nil || r.Code != 0 {
						return // the daemon is gone
					}
				}
				mu.Lock()
				acknowledged[name] = addr
				mu.Unlock()
				once.Do(func() { close(first) })
			}
		})
	}
	select {
	case <-first:
	case <-ctx.Done():
	}
	time.Sleep(rand.N(500 * time.Millisecond)) // the moment is the experiment; nothing is waited for
	w.buoyd.Kill()
	stop()
	running.Wait()
	return acknowledged
}

// checkAssociated checks that floating IPs have their address and compute node.
func (w *world) checkAssociated(want map[string]string) {
	w.t.Helper()
	var list []struct {
		Name, Address string
		Associations  []struct {
			ComputeNode string `json:"compute_node"`
			Label       int
		}
	}
	if err := json.Unmarshal([]byte(w.ctl("get floatingips -o json")), &list); err != nil {
		w.t.Fatal(err)
	}
	have := map[string]string{}
	for _, f := range list {
		if len(f.Associations) == 1 && f.Associations[0].ComputeNode == "computeNodes/cmp1" && f.Associations[0].Label == 900 {
			have[strings.TrimPrefix(f.Name, "projects/default/floatingIps/")] = f.Address
		}
	}
	for name, addr := range want {
		if have[name] != addr {
			w.t.Errorf("%s %s was acknowledged and is lost; there is %q", name, addr, have[name])
		}
	}
}

// TestStop: after a stop a gateway keeps the routes, and nobody is told anything.
// After a shutdown with withdrawals it does not, and everybody is told why.
func TestStop(t *testing.T) {
	w := newWorld(t)
	w.restart()
	w.public()
	w.associate()
	r := w.recorder("rec")
	g := w.peer("mx1", allFamilies)
	w.importVRF(g, "red", "target:64512:10003")
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	if err := w.buoyd.Stop(); err != nil {
		t.Fatal(err)
	}
	w.eventually("gobgpd notices", func(context.Context) error {
		log, err := os.ReadFile(g.LogFile())
		if err == nil && !strings.Contains(string(log), `"Reason":"graceful-restart"`) {
			err = fmt.Errorf("not in its log")
		}
		return err
	})
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	if got := r.Notification(); got != "" {
		t.Errorf("the recorder was told %s", got)
	}

	w.restart()
	w.established("rec")
	w.established("mx1")
	w.wantVRF(g, "red", lab.VPNv4, web1InVRF)
	w.ctl("shutdown --withdraw --communication maintenance")
	w.eventually("the recorder was told", func(context.Context) error {
		// RFC 4486 §4: Cease, Administrative Shutdown.
		if got := r.Notification(); got != "6/2 maintenance" {
			return fmt.Errorf("got %q", got)
		}
		return nil
	})
	w.wantVRF(g, "red", lab.VPNv4)
	w.eventually("buoyd ends", func(context.Context) error {
		if w.try("get neighbors").Code == 0 {
			return fmt.Errorf("it answers")
		}
		return nil
	})
}

// TestGatewayRestart: a gateway that comes back gets everything again, and what
// changed while it was away.
func TestGatewayRestart(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	config := w.gatewayConfig("mx1", vpnFamilies)
	first := lab.NewGoBGP(programs, config)
	if err := first.Start(w.deadline()); err != nil {
		t.Fatal(err)
	}
	w.neighbor("mx1", config)
	w.wantVPN(first, lab.VPNv4, web1)
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	w.ctl("associate floatingip web-6 --computenode cmp1 --interface tap0 --fixed-ip fd00::5 --label 100")
	second := w.gateway(config)
	w.wantVPN(second, lab.VPNv4, web1)
	w.wantVPN(second, lab.VPNv6, web6)
}
