package integration

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/buoynet/buoy/internal/lab"
	"github.com/buoynet/buoy/routetarget"
)

var (
	vpnFamilies = []lab.Family{lab.VPNv4, lab.VPNv6}
	allFamilies = []lab.Family{lab.VPNv4, lab.VPNv6, lab.RouteTarget}
)

func (w *world) gatewayConfig(name string, families []lab.Family) lab.GatewayConfig {
	addr := w.host()
	return lab.GatewayConfig{
		Dir:      w.folder(name),
		Addr:     addr,
		AS:       ourAS,
		RouterID: netip.AddrFrom4([4]byte{10, 0, 1, addr.Addr().As4()[3]}),
		Peer:     w.net.Host(1),
		PeerAS:   ourAS,
		Families: families,
	}
}

// gateway starts a gobgpd. Buoy is not told of it.
func (w *world) gateway(config lab.GatewayConfig) *lab.GoBGP {
	w.t.Helper()
	g := lab.NewGoBGP(programs, config)
	if err := g.Start(w.deadline()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("%s:\n%s", g.LogFile(), lab.Tail(g.LogFile(), 50))
		}
		if err := g.Stop(); err != nil {
			w.t.Error(err)
		}
	})
	return g
}

// peer starts a gobgpd, makes it a neighbor of that name and waits for the
// session.
func (w *world) peer(name string, families []lab.Family) *lab.GoBGP {
	w.t.Helper()
	g := w.gateway(w.gatewayConfig(name, families))
	w.neighbor(name, g.Config())
	return g
}

// recorder starts a recorder, makes it a neighbor of that name and waits for
// the session.
func (w *world) recorder(name string) *lab.Recorder {
	w.t.Helper()
	r, err := lab.Record(w.gatewayConfig(name, vpnFamilies))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(r.Close)
	w.neighbor(name, r.Config())
	return r
}

func (w *world) neighbor(name string, config lab.GatewayConfig) {
	w.t.Helper()
	w.ctl(strings.Join(config.CreateNeighbor(name), " "))
	w.established(name)
}

// established waits for a session.
func (w *world) established(name string) {
	w.t.Helper()
	w.eventually(name+" is established", func(context.Context) error {
		if list := w.ctl("get neighbors " + name); !strings.Contains(list, "Established") {
			return fmt.Errorf("not yet:\n%s", list)
		}
		return nil
	})
}

// importVRF makes a VRF of a gateway.
func (w *world) importVRF(g *lab.GoBGP, name string, targets ...string) {
	w.t.Helper()
	w.vrfs++
	v := lab.VRF{Name: name, RD: routetarget.IPv4Distinguisher(g.Config().RouterID, w.vrfs)}
	for _, text := range targets {
		target, err := routetarget.ParseTarget(text)
		if err != nil {
			w.t.Fatal(err)
		}
		v.Targets = append(v.Targets, target)
	}
	if err := g.ImportVRF(w.deadline(), v); err != nil {
		w.t.Fatal(err)
	}
}

// wantVPN waits until the VPN table of a gateway has exactly these routes.
func (w *world) wantVPN(g lab.Gateway, family lab.Family, want ...string) {
	w.t.Helper()
	w.eventually("the VPN table has them", func(ctx context.Context) error {
		routes, err := g.VPN(ctx, family)
		return compare(routes, err, want)
	})
}

// wantVRF waits until a VRF of a gateway has exactly these routes.
func (w *world) wantVRF(g *lab.GoBGP, name string, family lab.Family, want ...string) {
	w.t.Helper()
	w.eventually("VRF "+name+" has them", func(ctx context.Context) error {
		routes, err := g.VRF(ctx, name, family)
		return compare(routes, err, want)
	})
}

func compare(routes []lab.Route, err error, want []string) error {
	if err != nil {
		return err
	}
	wanted := ""
	for _, line := range want {
		wanted += line + "\n"
	}
	if got := lab.Text(routes); got != wanted {
		return fmt.Errorf("got\n%swant\n%s", got, wanted)
	}
	return nil
}
