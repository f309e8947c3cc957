package lab

import (
	"context"
	"fmt"
	"strings"

	"github.com/buoynet/buoy/routetarget"
)

// Originator is a gateway that announces VPNv4 routes of its own, the Origins of
// its configuration. It then asks Buoy to keep them while it restarts (RFC 4724).
type Originator interface {
	Gateway
	// Withdraw withdraws the routes, and Announce announces them again. Only what
	// was started anew forgets that they are withdrawn.
	Withdraw(ctx context.Context) error
	Announce(ctx context.Context) error
	// Kill ends what speaks BGP without a warning, and Restart starts it again.
	Kill()
	Restart(ctx context.Context) error
}

// Kill ends bgpd without a warning; zebra stays.
func (f *FRR) Kill() { f.bgpd.Kill() }

// Restart starts bgpd again. It announces the routes of its configuration.
func (f *FRR) Restart(ctx context.Context) error {
	if err := f.startBGPd(); err != nil {
		return fmt.Errorf("restart frr: %w", err)
	}
	return f.ready(ctx)
}

// Withdraw takes the routes out of the running configuration.
func (f *FRR) Withdraw(ctx context.Context) error {
	return f.networks(ctx, func(_ int, r Route) string { return "no " + frrNetwork(r) })
}

// Announce puts them back.
func (f *FRR) Announce(ctx context.Context) error { return f.networks(ctx, frrOrigin) }

func (f *FRR) networks(ctx context.Context, line func(int, Route) string) error {
	for i, r := range f.config.Origins {
		_, err := f.CLI(ctx, "configure terminal", fmt.Sprintf("router bgp %d", f.config.AS), "address-family ipv4 vpn", line(i, r))
		if err != nil {
			return err
		}
	}
	return nil
}

func frrNetwork(r Route) string {
	return fmt.Sprintf("network %s rd %s label %d", r.Prefix, r.RD, r.Label)
}

// frrOrigin announces a route with the targets of its route map.
func frrOrigin(i int, r Route) string { return fmt.Sprintf("%s route-map ORIGIN-%d", frrNetwork(r), i) }

// frrOrigins returns the route maps of the routes.
func frrOrigins(routes []Route) string {
	var b strings.Builder
	for i, r := range routes {
		fmt.Fprintf(&b, "route-map ORIGIN-%d permit 10\n set extcommunity rt %s\n!\n", i, strings.Join(bareTargets(r.Targets), " "))
	}
	return b.String()
}

// bareTargets returns targets as FRR and gobgp read them.
func bareTargets(set routetarget.Set) (list []string) {
	for _, text := range set.Strings() {
		list = append(list, strings.TrimPrefix(text, "target:"))
	}
	return list
}

// Kill ends it without a warning.
func (b *Bird) Kill() { b.process.Kill() }

// Restart starts it again, as after a restart. It announces the routes of its
// configuration.
func (b *Bird) Restart(ctx context.Context) error { return b.start(ctx, "-R") }

// Withdraw disables what the routes come from.
func (b *Bird) Withdraw(ctx context.Context) error {
	_, err := b.CLI(ctx, "disable", "origins")
	return err
}

// Announce enables it again.
func (b *Bird) Announce(ctx context.Context) error {
	_, err := b.CLI(ctx, "enable", "origins")
	return err
}

// birdOrigins returns the protocol that has the routes.
func birdOrigins(routes []Route, tunnel string) string {
	var b strings.Builder
	b.WriteString("\nprotocol static origins {\n  vpn4 { table vpn4all; };\n")
	for _, r := range routes {
		// Only the label of a next hop that has an address is announced with it.
		fmt.Fprintf(&b, "  route %s %s via %s%%%s onlink mpls %d {", r.RD, r.Prefix, r.NextHop, tunnel, r.Label)
		for _, t := range r.Targets.Slice() {
			fmt.Fprintf(&b, " bgp_ext_community.add(%s);", birdTarget(t))
		}
		b.WriteString(" };\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// Kill ends it without a warning.
func (g *GoBGP) Kill() { g.process.Kill() }

// Restart starts it again, as after a restart. Its routes are gone: they were
// never in its configuration.
func (g *GoBGP) Restart(ctx context.Context) error { return g.start(ctx, "--graceful-restart") }

// Withdraw deletes the routes.
func (g *GoBGP) Withdraw(ctx context.Context) error { return g.globalRIB(ctx, "del") }

// Announce adds them.
func (g *GoBGP) Announce(ctx context.Context) error { return g.globalRIB(ctx, "add") }

func (g *GoBGP) globalRIB(ctx context.Context, verb string) error {
	for _, r := range g.config.Origins {
		args := append([]string{"global", "rib", verb, "-a", "vpnv4", r.Prefix.String(), "label", fmt.Sprint(r.Label), "rd", r.RD.String(),
			"nexthop", r.NextHop.String(), "rt"}, bareTargets(r.Targets)...)
		if _, err := g.CLI(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}
