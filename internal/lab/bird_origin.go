package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Kill ends it without a warning.
func (b *Bird) Kill() { b.process.Kill() }

// Restart starts it again, as after a restart.
func (b *Bird) Restart(ctx context.Context) error { return b.start(ctx, "-R") }

// Announce adds routes to the configuration. The session is not touched.
func (b *Bird) Announce(ctx context.Context, routes ...Route) error {
	for _, r := range b.origins.put(routes) {
		delete(b.withdrawn, r.Key())
	}
	return b.configure(ctx)
}

// Withdraw takes them out of it.
func (b *Bird) Withdraw(ctx context.Context, routes ...Route) error {
	for _, r := range b.origins.meant(routes) {
		b.withdrawn[r.Key()] = true
	}
	return b.configure(ctx)
}

// announced returns what is not withdrawn.
func (b *Bird) announced() originated {
	return slices.DeleteFunc(slices.Clone(b.origins), func(r Route) bool { return b.withdrawn[r.Key()] })
}

// birdOrigins returns the protocols that have the routes.
func birdOrigins(routes originated, tunnel string) string {
	var b strings.Builder
	for _, f := range []Family{VPNv4, VPNv6} {
		fmt.Fprintf(&b, "\nprotocol static origins%s {\n  vpn%[1]s { table %s; };\n", birdSuffix[f], birdVPN[f])
		for _, r := range routes.of(f) {
			// Only the label of a next hop that has an address is announced with it.
			fmt.Fprintf(&b, "  route %s %s via %s%%%s onlink mpls %d {", r.RD, r.Prefix, r.NextHop, tunnel, r.Label)
			if r.MED != 0 {
				fmt.Fprintf(&b, " bgp_med = %d;", r.MED)
			}
			if r.LocalPref != 0 {
				fmt.Fprintf(&b, " bgp_local_pref = %d;", r.LocalPref)
			}
			if r.Origin != "" {
				fmt.Fprintf(&b, " bgp_origin = ORIGIN_%s;", strings.ToUpper(r.Origin))
			}
			for t := range r.Targets.All() {
				fmt.Fprintf(&b, " bgp_ext_community.add(%s);", birdTarget(t))
			}
			b.WriteString(" };\n")
		}
		b.WriteString("}\n")
	}
	return b.String()
}
