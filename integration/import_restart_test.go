package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/buoynet/buoy/internal/lab"
	buoyv1 "github.com/buoynet/buoy/proto/buoy/v1"
)

// TestImportOverRestart: while a router restarts gracefully the VRF always has
// its routes, as they were; they are stale for a while. A Cease ends that.
// GoBGP is left out: it comes back without its routes.
func TestImportOverRestart(t *testing.T) {
	for _, tt := range originators[:2] {
		t.Run(tt.kind, func(t *testing.T) {
			w := newWorld(t)
			w.start()
			w.public()
			config := w.gatewayConfig("mx1", vpnFamilies)
			config.Origins = []lab.Route{
				w.origin(config, 7, "0.0.0.0/0", "10.0.0.9", "target:64512:10003"),
				w.origin(config, 7, "::/0", "fd00::9", "target:64512:10003"),
				w.origin(config, 8, "198.51.100.0/24", "10.0.0.9", "target:64512:10003"),
			}
			g := w.importer(tt.kind, "mx1", config)
			lines := func(stale string) (list []string) {
				for _, r := range config.Origins {
					list = append(list, inTable(tt.shown(config, r)+stale+" best", "vn-public", r))
				}
				return list
			}
			w.vrfImports("announced", "vn-public", lines("")...)

			stop := w.watchImports("vn-public")
			g.Kill()
			w.vrfImports("while it is away", "vn-public", lines(" stale")...)
			if err := g.Restart(w.deadline()); err != nil {
				t.Fatal(err)
			}
			w.established("mx1")
			w.vrfImports("back", "vn-public", lines("")...)
			t.Logf("looked at %d times", stop())

			w.cease(g)
			w.vrfImports("ended with a Cease", "vn-public")
		})
	}
}

// cease has a router end its session for good.
func (w *world) cease(g lab.Originator) {
	w.t.Helper()
	f, ok := g.(*lab.FRR)
	if !ok {
		if err := g.Stop(); err != nil {
			w.t.Error(err)
		}
		return
	}
	// Its end alone is a graceful restart.
	w.typesAt(f, "neighbor PEER shutdown")()
}

// watchImports looks at a VRF again and again until it is stopped. It is an error
// when the VRF is not as at first, but for routes being stale. It returns how
// often it looked.
func (w *world) watchImports(network string) (stop func() int) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.deadline())
	client := buoyv1.NewRoutesClient(w.dial())
	look := func() (string, error) {
		resp, err := client.ListRoutes(ctx, &buoyv1.ListRoutesRequest{Network: "projects/default/networks/" + network})
		if err != nil {
			return "", err
		}
		var lines []string
		for _, r := range resp.Routes {
			lines = append(lines, fmt.Sprintf("%s next-hop %s label %d best %t", r.Prefix, r.NextHop, r.Label, r.Best))
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n"), nil
	}
	first, err := look()
	if err != nil {
		w.t.Fatal(err)
	}
	looks := 1
	var watching sync.WaitGroup
	watching.Go(func() {
		for ; ctx.Err() == nil; looks++ {
			now, err := look()
			if ctx.Err() != nil {
				return
			}
			if err != nil || now != first {
				w.t.Errorf("look %d: %v\n%s\nat first it was\n%s", looks, err, now, first)
				return
			}
		}
	})
	return func() int {
		cancel()
		watching.Wait()
		return looks
	}
}
