package lab

import (
	"context"
	"fmt"
	"net/netip"
)

// Kill ends it without a warning.
func (g *GoBGP) Kill() { g.process.Kill() }

// Restart starts it again, as after a restart. Its routes are gone: they were
// never in its configuration.
func (g *GoBGP) Restart(ctx context.Context) error { return g.start(ctx, "--graceful-restart") }

// Announce adds routes to the VPN tables.
func (g *GoBGP) Announce(ctx context.Context, routes ...Route) error {
	return g.globalRIB(ctx, "add", g.origins.put(routes))
}

// Withdraw deletes them.
func (g *GoBGP) Withdraw(ctx context.Context, routes ...Route) error {
	return g.globalRIB(ctx, "del", g.origins.meant(routes))
}

func (g *GoBGP) globalRIB(ctx context.Context, verb string, routes []Route) error {
	for _, r := range routes {
		args := []string{"global", "rib", verb, "-a", gobgpFamilies[r.Family()].vpn, r.Prefix.String(),
			"label", fmt.Sprint(r.Label), "rd", r.RD.String(), "nexthop", r.NextHop.String()}
		if r.MED != 0 {
			args = append(args, "med", fmt.Sprint(r.MED))
		}
		if r.LocalPref != 0 {
			args = append(args, "local-pref", fmt.Sprint(r.LocalPref))
		}
		if r.Origin != "" {
			args = append(args, "origin", r.Origin)
		}
		args = append(append(args, "rt"), bareTargets(r.Targets)...)
		if _, err := g.CLI(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// AnnounceInVRF adds a route to a VRF, which announces it with its
// distinguisher and targets, and with the label 0.
func (g *GoBGP) AnnounceInVRF(ctx context.Context, vrf string, prefix netip.Prefix) error {
	_, err := g.CLI(ctx, "vrf", vrf, "rib", "add", prefix.String(), "-a", gobgpFamilies[Route{Prefix: prefix}.Family()].vrf)
	return err
}
