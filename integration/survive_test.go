package integration

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"

	"github.com/buoynet/buoy/internal/lab"
)

// TestSurvivesCrash: when the daemon dies of a signal, as of a panic, the
// supervisor has it back with everything, and no gateway loses a route. A
// neighbor whose messages come right before each crash gets no session after the
// third, until somebody looks at it.
func TestSurvivesCrash(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.public()
	w.associate()
	gateway := w.router("bird", "mx1")
	w.wantVPN(gateway, lab.VPNv4, web1)
	guilty := w.recorder("mx2")
	supervisor := w.buoyd.PID()

	ctx, done := context.WithCancel(context.Background())
	var background sync.WaitGroup
	looks := 0
	background.Go(func() {
		for ; ctx.Err() == nil; looks++ {
			routes, err := gateway.VPN(ctx, lab.VPNv4)
			if err := compare(routes, err, []string{web1}); err != nil && ctx.Err() == nil {
				t.Errorf("look %d: %v", looks, err)
				return
			}
		}
	})
	background.Go(func() {
		for ctx.Err() == nil {
			guilty.Send(bgp.NewBGPKeepAliveMessage()) // an error means that there is no session
			time.Sleep(5 * time.Millisecond)
		}
	})
	const quarantined = "quarantined: the daemon crashed again and again right after the neighbor's messages"
	crash := 0
	// On a busy machine the last message may be too long ago to be blamed.
	for ; crash < 3 || crash < 10 && !strings.Contains(w.ctl("get neighbors mx2"), quarantined); crash++ {
		w.established("mx2")
		pid, err := w.buoyd.DaemonPID()
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if err := syscall.Kill(pid, syscall.SIGABRT); err != nil {
			t.Fatal(err)
		}
		w.eventually("another daemon answers", func(ctx context.Context) error {
			if now, err := w.buoyd.DaemonPID(); err != nil || now == pid {
				return fmt.Errorf("the daemon is process %d: %v", now, err)
			}
			if r, err := w.buoyd.Ctl(ctx, "get", "neighbors"); err != nil || r.Code != 0 {
				return fmt.Errorf("%v: %s", err, r.Stderr)
			}
			return nil
		})
		t.Logf("crash %d: it answers after %s", crash+1, time.Since(begin).Round(time.Millisecond))
		w.established("mx1")
		w.wantVPN(gateway, lab.VPNv4, web1)
	}
	if w.buoyd.PID() != supervisor {
		t.Error("the supervisor is another process")
	}
	list := w.ctl("get neighbors mx2")
	if !strings.Contains(list, quarantined) {
		t.Errorf("after %d crashes:\n%s", crash, list)
	}
	conn, err := lab.DialAs(w.deadline(), guilty.Config().Addr.Addr(), w.net.Host(1))
	if err == nil {
		conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("a neighbor in quarantine got an answer")
		}
		conn.Close()
	}
	w.ctl("set neighbor mx2 --hold-time 30")
	w.established("mx2")
	done()
	background.Wait()
	t.Logf("the gateway was looked at %d times", looks)
}
