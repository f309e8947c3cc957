package integration

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
)

// TestTwoNodes: two nodes with the same floating IPs announce the same routes.
// Whichever way one goes, the gateway has the other's route all the time.
func TestTwoNodes(t *testing.T) {
	for _, kind := range []string{"frr", "bird"} {
		for _, tt := range []struct {
			name string
			end  func(w *world) error
		}{
			{"killed", func(w *world) error { w.buoyd.Kill(); return nil }},
			{"withdrawn", func(w *world) error {
				w.ctl("shutdown --withdraw")
				return w.buoyd.Stop() // it ends by itself
			}},
		} {
			t.Run(kind+" "+tt.name, func(t *testing.T) {
				needs(t, kind)
				w := newWorld(t)
				other := w.host()
				config := w.gatewayConfig("mx1", vpnFamilies)
				config.Second = other
				g, err := lab.NewGateway(kind, programs, config)
				if err == nil {
					err = g.Start(w.deadline())
				}
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { g.Stop() })
				first, second := w.buoyd, lab.NewBuoyd(programs, lab.BuoydConfig{
					Dir: w.folder("other"), AS: ourAS, RouterID: netip.MustParseAddr("10.0.0.3"), Listen: other,
				})
				for _, node := range []*lab.Buoyd{second, first} {
					w.buoyd = node
					w.restart()
					w.public()
					w.associate()
					// Short, because what the gateway keeps of a dead node is not the
					// point.
					w.ctl(strings.Join(config.CreateNeighbor("mx1"), " ") + " --restart-time 2")
					w.established("mx1")
				}
				t.Cleanup(func() {
					if err := second.Stop(); err != nil {
						t.Error(err)
					}
				})
				w.paths(g, config.Peer.Addr(), other.Addr())

				watch, done := context.WithCancel(context.Background())
				var watching sync.WaitGroup
				defer watching.Wait()
				defer done()
				var looks atomic.Int32
				watching.Go(func() { w.neverWithout(watch, g, other.Addr(), &looks) })
				w.looked(&looks)
				if err := tt.end(w); err != nil {
					t.Errorf("buoyd ended with %v", err)
				}
				w.paths(g, other.Addr())
				w.looked(&looks)
				done()
				watching.Wait()
				t.Logf("it was looked at %d times", looks.Load())
				w.hasRoutes(g, web1)
			})
		}
	}
}

// pathFrom finds the neighbors that paths came from in a router's own words.
var pathFrom = regexp.MustCompile(` from (127[\d.]+)`)

// from returns which nodes the gateway has paths of for web-1.
func (w *world) from(ctx context.Context, g lab.Gateway) (nodes []netip.Addr, text string, err error) {
	switch g := g.(type) {
	case *lab.FRR:
		text, err = g.CLI(ctx, "show bgp ipv4 vpn 203.0.113.5/32")
	case *lab.Bird:
		text, err = g.CLI(ctx, "show", "route", "table", "vpn4all", "all")
	}
	for _, m := range pathFrom.FindAllStringSubmatch(text, -1) {
		nodes = append(nodes, netip.MustParseAddr(m[1]))
	}
	slices.SortFunc(nodes, netip.Addr.Compare)
	return nodes, text, err
}

// paths waits until the gateway has a path of each of these nodes, and no other.
func (w *world) paths(g lab.Gateway, want ...netip.Addr) {
	w.t.Helper()
	w.eventually(fmt.Sprint("there are paths of ", want), func(ctx context.Context) error {
		got, text, err := w.from(ctx, g)
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("of %v:\n%s", got, text)
		}
		return err
	})
}

// neverWithout looks at the gateway until the context ends: the path of a node is
// there each time. It counts its looks.
func (w *world) neverWithout(ctx context.Context, g lab.Gateway, node netip.Addr, looks *atomic.Int32) {
	for ; ctx.Err() == nil; looks.Add(1) {
		nodes, text, err := w.from(ctx, g)
		if ctx.Err() == nil && (err != nil || !slices.Contains(nodes, node)) {
			w.t.Errorf("there is no path of %s: %v\n%s", node, err, text)
			break
		}
	}
}

// looked waits for some looks from now on.
func (w *world) looked(looks *atomic.Int32) {
	w.t.Helper()
	begin := looks.Load()
	w.eventually("the gateway is looked at", func(context.Context) error {
		if n := looks.Load() - begin; n < 10 {
			return fmt.Errorf("%d times", n)
		}
		return nil
	})
}
